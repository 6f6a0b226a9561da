"""Encodings fitted to training rows: as scikit-learn has them, or by formula."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import QuantileTransformer

from torchann.data.tables.number_encodings import fit_number_encoding

ROWS = np.random.default_rng(0).lognormal(0, [1, 0.1], (4000, 2)).astype(np.float32)


def fitted(kind, rows=ROWS, **options):
    y = options.pop("y", None)
    return fit_number_encoding(torch.as_tensor(rows), [{"kind": kind, **options}], y, "regression")


HIGHEST = 3.6623  # normal quantile of the last of 4,000 rows, 1 - 0.5 / 4000
STEP = 2 * HIGHEST / 128


def test_quantiles_are_those_of_scikit_learn_within_a_step_of_their_knots():
    expected = QuantileTransformer(n_quantiles=4000, output_distribution="normal").fit_transform(ROWS)
    found = fitted("quantile")(torch.as_tensor(ROWS)).numpy()
    inner = abs(expected) < 3  # outside of it half a rank, by which scikit-learn's differ, is more than a step
    np.testing.assert_allclose(found[inner], expected[inner], atol=STEP)
    assert abs(found).max() == pytest.approx(HIGHEST, abs=1e-3)


def test_quantile_of_a_value_of_many_rows_is_that_of_their_middle_one():
    # a half of the rows are 0, the rest from 1 to 2: quantile 0.25 of a normal distribution is -0.6745
    rows = np.concatenate([np.zeros(2000), np.linspace(1, 2, 2000)])[:, None]
    assert fitted("quantile", rows)(torch.zeros(1, 1)).item() == pytest.approx(-0.6745, abs=STEP)


@pytest.mark.parametrize(
    ("rows", "x", "expected"),
    [
        ([0, 1, 2, 3, 4], 4, 1 / (1 + 1 / 9) ** 0.5),  # median 2, quartiles 1 and 3
        ([0, 0, 0, 0, 8], 8, 2 / (1 + 4 / 9) ** 0.5),  # quartiles 0 and 0: half of the range, 4
        ([5, 5, 5, 5, 5], 6, 1 / (1 + 1 / 9) ** 0.5),  # no range either: 1
    ],
)
def test_robust_scale_is_the_interquartile_range_or_half_the_range(rows, x, expected):
    step = fitted("robust", torch.tensor(rows, dtype=torch.float32)[:, None])
    assert step(torch.tensor([[float(x)]])).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rows", "options", "edges"),
    [
        (torch.arange(9.0), {"bins": 4}, [0, 2, 4, 6, 8]),
        (torch.tensor([0.0] * 8 + [1.0]), {"bins": 4}, [0, 1]),  # equal edges are one
        (torch.full((9,), 3.0), {"bins": 4}, [3, 4]),
        # the target jumps between 69 and 70, and less between 149 and 150
        (torch.arange(200.0), {"by": "target", "bins": 3}, [0, 69.5, 149.5, 199]),
        (torch.arange(200.0), {"by": "target", "bins": 2}, [0, 69.5, 199]),
    ],
)
def test_bins_end_at_quantiles_or_where_the_target_changes(rows, options, edges):
    y = 9.0 * (rows >= 70) + (rows >= 150)
    step = fitted("piecewise", rows[:, None], y=y, **options)
    assert step.state_dict()["encoders.0.edges"].tolist() == edges


def test_first_columns_are_encoded_and_the_others_kept():
    z = torch.arange(12.0).reshape(4, 3)
    step = fit_number_encoding(z, [{"kind": "waves", "columns": [1], "octaves": 1}, {"kind": "standard"}], count=2)
    assert step(z)[:, 2:].equal(z) and step.out_features == 5


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"kind": "spline"}, "a part is {.*'spline'}; give one of kind standard, robust"),
        ({"kind": "robust", "columns": [2]}, r"columns are \[2\]; give numbers of columns from 0 to 1"),
        ({"kind": "piecewise", "bins": 1}, "bins is 1; give a whole number from 2"),
        ({"kind": "piecewise", "by": "magic"}, "by is 'magic' and y not given; give by='quantiles', or 'target' and y"),
        (
            {"kind": "piecewise", "by": "target"},
            "by is 'target' and y not given; give by='quantiles', or 'target' and y",
        ),
    ],
)
def test_parts_that_cannot_be_fitted_are_refused(part, told):
    with pytest.raises(ValueError, match=told):
        fit_number_encoding(torch.zeros(5, 2), [part])
