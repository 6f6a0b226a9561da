"""Encoded numbers: each by a hand-worked row, what leaves the step, and what a file may not ask for."""

import pytest
import torch
from torch import nn

from torchann.nets.number_encoding import NumberEncoding
from torchann.nets.preprocessing import Preprocessing
from torchann.nets.waves import Waves

STANDARD = {"kind": "standard", "columns": [0]}
ROBUST = {"kind": "robust", "columns": [0]}
QUANTILE = {"kind": "quantile", "columns": [1, 0]}
PIECEWISE = {"kind": "piecewise", "columns": [0, 1], "bins": [1, 3]}
WAVES = {"kind": "waves", "columns": [1], "octaves": 2}
TENSORS = {
    "encoders.1.center": torch.tensor([1.0]),
    "encoders.1.scale": torch.tensor([0.5]),
    "encoders.2.knots": torch.tensor([[0.0, 1.0, 1.0], [-1.0, 0.0, 4.0]]),
    "encoders.2.values": torch.tensor([[-2.0, 1.0, 1.0], [-3.0, 0.0, 3.0]]),
    "encoders.3.edges": torch.tensor([0.0, 2.0, -1.0, 0.0, 1.0, 5.0]),
}
PARTS = [STANDARD, ROBUST, QUANTILE, PIECEWISE, WAVES]


def encoding() -> NumberEncoding:
    return NumberEncoding(2, PARTS, 1, **TENSORS)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # 3 is 2 above the median, 4 ranges, and 4 / sqrt(1 + 16 / 9) is 2.4; 3 is three quarters of the way from 0 to 4
        # and 0.5 half of that from 0 to 1; 3 is 1.5 widths of the only bin, 0.5 half of the second of three
        ([3.0, 0.5], [3, 2.4, -0.5, 2.25, 1.5, 1, 0.5, 0]),
        # below and above all knots and edges: only the first bin goes below 0, and only the last one above 1
        ([-5.0, 9.0], [-5, -12 / 17**0.5, 1, -3, -2.5, 1, 1, 2]),
        ([2.0, -2.0], [2, 2 / (13 / 9) ** 0.5, -2, 1.5, 1, -1, 0, 0]),
    ],
)
def test_parts_are_encoded_as_by_hand_with_the_other_columns_last(row, expected):
    found = encoding()(torch.tensor([[*row, 7.0]]))[0]
    torch.testing.assert_close(found[:8], torch.tensor(expected))
    torch.testing.assert_close(found[8:-1], Waves([0], 2)(torch.tensor([[row[1]]]))[0, 1:])
    assert found[-1] == 7 and len(found) == encoding().out_features == 13


def test_numbers_without_bound_leave_the_bounded_parts_finite():
    found = encoding()(torch.tensor([[torch.inf, -torch.inf, 0.0], [3e38, -3e38, 0.0]]))[:, 1:4]
    torch.testing.assert_close(found, torch.tensor([[3.0, -2.0, 3.0]] * 2))


def test_step_is_rebuilt_from_plain_values_and_tensors_and_exported():
    first = Preprocessing(encoding())
    again = Preprocessing.rebuild(first.describe(), first.tensors())
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    assert again.describe() == first.describe() == [{"step": "numbers", "count": 2, "parts": PARTS, "behind": 1}]
    assert torch.equal(again(x), first(x))
    exported = torch.export.export(nn.Sequential(first.module, nn.Linear(13, 1)), (x,))
    assert exported.module()(x).shape == (50, 1)


@pytest.mark.parametrize(
    ("count", "parts", "behind", "changed", "told"),
    [
        (-1, PARTS, 0, {}, "count is -1; give a whole number from 0 to 20,000"),
        (2, PARTS, 10**9, {}, "behind is 1000000000; give a whole number from 0 to 20,000"),
        (2, [], 0, {}, r"0 parts and no part of tensors \['encoders.1.center', .*; give at least one"),
        (2, [*PARTS[:3]], 0, {}, r"3 parts and no part of tensors \['encoders.3.edges'\]"),
        (2, [*PARTS, 3], 0, {}, "a part is 3; give one of kind standard, robust, quantile, piecewise, waves"),
        (2, [{"kind": "os.system", "columns": [0]}], 0, {}, "a part is {'kind': 'os.system'"),
        (2, [{**STANDARD, "columns": []}], 0, {}, r"columns are \[\]; give numbers of columns from 0 to 1, each once"),
        (2, [{**STANDARD, "columns": [2]}], 0, {}, r"columns are \[2\]; give numbers"),
        (2, [{**STANDARD, "columns": [0, 0]}], 0, {}, r"columns are \[0, 0\]; give numbers"),
        (2, [{**STANDARD, "columns": [True]}], 0, {}, r"columns are \[True\]; give numbers"),
        (2, [{**STANDARD, "by": 3}], 0, {}, "unexpected keyword argument 'by'"),
        (2, [{**WAVES, "octaves": 10**9}], 0, {}, "frequencies is 1000000000; give a whole number from 1 to 52"),
        (900, [{**WAVES, "columns": list(range(900))}], 0, {}, "900 columns with 2 frequencies; give fewer than 1000"),
        (1, [STANDARD] * 20_001, 0, {}, "a row would become more than 20,000 numbers; give fewer parts or bins"),
        (
            2,
            [*PARTS[:3], {**PIECEWISE, "bins": [1]}],
            0,
            {},
            r"bins are \[1\]; give a whole number from 1 for each of 2",
        ),
        (
            2,
            [*PARTS[:3], {**PIECEWISE, "bins": [1, 10**9]}],
            0,
            {},
            r"edges \(6,\) .*; give finite floats of the shape",
        ),
        (
            2,
            PARTS,
            0,
            {"1.center": torch.ones(2)},
            r"center \(2,\) torch.float32; give finite floats of the shape \(1,\)",
        ),
        (2, PARTS, 0, {"1.center": torch.ones(1, dtype=torch.long)}, r"center \(1,\) torch.int64; give finite floats"),
        (2, PARTS, 0, {"1.scale": torch.zeros(1)}, "a scale is not above 0; give interquartile ranges"),
        (2, PARTS, 0, {"1.more": torch.zeros(1)}, "unexpected keyword argument 'more'"),
        (2, PARTS, 0, {"2.knots": torch.zeros(2, 4)}, r"knots have the shape \(2, 4\); give 2, 3, 5, 9, ... to 65537"),
        (2, PARTS, 0, {"2.knots": torch.tensor(0.0)}, r"knots have the shape \(\); give 2, 3, 5"),
        (2, PARTS, 0, {"2.knots": torch.tensor([[0.0, 2, 1]] * 2)}, "knots fall; give them in rising order"),
        (2, PARTS, 0, {"2.values": torch.full((2, 3), torch.nan)}, r"values \(2, 3\) .*; give finite floats"),
        (2, PARTS, 0, {"3.edges": torch.tensor([0.0, 0, 1, 2, 3, 4])}, "edges of bins do not rise; give each once"),
    ],
)
def test_encoding_that_was_tampered_with_is_refused(count, parts, behind, changed, told):
    tensors = {f"0.{name}": value for name, value in TENSORS.items()}
    tensors |= {f"0.encoders.{name}": value for name, value in changed.items()}
    tensors = {} if (parts and parts[0] not in PARTS[:1]) or len(parts) > 100 else tensors
    with pytest.raises(ValueError, match=told):
        Preprocessing.rebuild([{"step": "numbers", "count": count, "parts": parts, "behind": behind}], tensors)


def test_rows_with_other_columns_are_refused():
    with pytest.raises(ValueError, match=r"inputs of shape \(3, 2\); give rows \(rows, 3\)"):
        encoding()(torch.zeros(3, 2))
