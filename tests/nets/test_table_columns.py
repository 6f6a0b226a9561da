"""Columns of a table prepared for a net: as scikit-learn's transformers do it, and what a file may not ask for."""

import numpy as np
import pytest
import torch
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

from torchann.nets.column import Column
from torchann.nets.preprocessing import Preprocessing
from torchann.nets.table_columns import TableColumns

NAN = float("nan")
D = torch.float64


def step(*columns, mean=None, std=None, **options):
    mean = torch.zeros(len(columns), dtype=D) if mean is None else torch.as_tensor(mean, dtype=D)
    return TableColumns(
        columns, mean, torch.ones_like(mean) if std is None else torch.as_tensor(std, dtype=D), **options
    )


def category(name, count, **options):
    return Column(name, "category", categories=[f"{name}{place}" for place in range(count)], **options)


def test_numbers_with_gaps_are_prepared_as_by_scikit_learn():
    x = np.random.default_rng(0).normal(50, [1, 1e-3, 1e6], (200, 3))
    x[::7, 0] = x[3::11, 2] = NAN
    scaler = StandardScaler().fit(x)
    columns = [Column(name, "number", missing=bool(np.isnan(x[:, place]).any())) for place, name in enumerate("abc")]
    found = step(*columns, mean=scaler.mean_, std=scaler.scale_)(torch.from_numpy(x))
    # the mean of standardised values is 0 but for rounding
    expected = make_pipeline(StandardScaler(), SimpleImputer(strategy="mean", add_indicator=True)).fit_transform(x)
    np.testing.assert_allclose(found.numpy(), expected.astype(np.float32), atol=1e-6)


def test_categories_are_one_hot_as_by_scikit_learn_and_unseen_ones_nothing():
    codes = torch.tensor([[0, 2], [1, 0], [2, 1], [-1, 3]], dtype=D)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(codes[:3].numpy())
    assert step(category("a", 3), category("b", 3))(codes).tolist() == encoder.transform(codes.numpy()).tolist()


def test_gap_that_training_rows_had_is_a_category_of_its_own_and_another_is_none():
    known, unknown = category("a", 2, missing=True), category("b", 2)
    x = torch.tensor([[NAN, NAN], [1, 0]], dtype=D)
    assert step(known, unknown)(x).tolist() == [[0, 0, 1, 0, 0], [0, 1, 0, 1, 0]]


def test_embedded_categories_come_last_as_codes_with_one_for_what_is_unknown():
    prepared = step(category("a", 3, embedding=2), Column("x", "number"), category("b", 100, embedding=7))
    x = torch.tensor([[2, 5, 99], [3, 5, NAN], [-1, 5, 0]], dtype=D)
    assert prepared(x).tolist() == [[5, 2, 99], [5, 3, 100], [5, 3, 0]]
    assert (prepared.embeddings, prepared.out_features) == ([[4, 2], [101, 7]], 3)


def test_dates_come_with_the_sine_and_cosine_of_their_periods():
    # 1.75 days are a quarter of a week; 0 where there is no date
    found = step(Column("day", "date", periods=[7.0]))(torch.tensor([[1.75], [NAN]], dtype=D))
    torch.testing.assert_close(found, torch.tensor([[1.75, 1.0, 0.0], [0.0, 0.0, 0.0]]))


def test_columns_of_all_kinds_keep_their_order():
    columns = [
        category("c", 2),
        Column("n", "number", missing=True),
        category("e", 9, embedding=3),
        Column("b", "boolean"),
    ]
    found = step(*columns, mean=[0, 1, 0, 0.5], std=[1, 2, 1, 0.5])(torch.tensor([[1, NAN, 4, 1]], dtype=D))
    assert found.tolist() == [[0, 1, 1, 0, 1, 4]]  # n, b; n is missing; c; e


def test_infinite_numbers_stay_infinite_for_those_who_look_for_them():
    assert step(Column("a", "number"))(torch.tensor([[torch.inf], [-torch.inf]], dtype=D)).tolist() == [
        [torch.inf],
        [-torch.inf],
    ]


def test_step_is_rebuilt_from_plain_values_and_tensors():
    columns = [category("c", 2, missing=True), Column("d", "date", periods=[7.0, 1.0]), category("e", 60, embedding=4)]
    first = Preprocessing(step(*columns, mean=[0, 9, 0], missing_values=["unknown"]))
    again = Preprocessing.rebuild(first.describe(), first.tensors())
    x = torch.tensor([[1, 10.5, 3], [NAN, NAN, NAN]], dtype=D)
    assert again.describe() == first.describe() and torch.equal(again(x), first(x))
    assert again.table is not None and again.table.missing_values == ["unknown"]


def test_step_is_a_module_that_torch_can_export():
    prepared = Preprocessing(step(category("c", 2), Column("n", "number", missing=True)))
    x = torch.tensor([[1, NAN], [0, 2]], dtype=D)
    exported = torch.export.export(nn.Sequential(prepared.module, nn.Linear(4, 1)), (x,))
    assert exported.module()(x).shape == (2, 1)


A, ONE = Column("a", "number"), torch.ones(1, dtype=D)


@pytest.mark.parametrize(
    ("columns", "mean", "std", "options", "told"),
    [
        ([], ONE[:0], ONE[:0], {}, r"0 columns, mean \(0,\) .*; give a mean and a deviation for each column"),
        ([A], torch.ones(2, dtype=D), torch.ones(2, dtype=D), {}, r"1 columns, mean \(2,\)"),
        ([A], ONE, ONE.float(), {}, "std .* torch.float32; give a mean and a deviation for each column, of one dtype"),
        ([A], ONE.long(), ONE.long(), {}, "mean torch.int64 and std must be finite floats and std above 0"),
        ([A], ONE, ONE * 0, {}, "std above 0"),
        ([A], ONE * NAN, ONE, {}, "must be finite floats"),
        ([A, A], torch.ones(2), torch.ones(2), {}, "a column's name comes twice"),
        ([3], ONE, ONE, {}, "a column is 3; wanted a name, a kind"),
        ([A], ONE, ONE, {"missing_values": [3]}, r"missing_values are \[3\]; give texts"),
        ([category("c", 20_001)], ONE, ONE, {}, "a row would become 20,001 numbers, more than 20,000; embed more"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(columns, mean, std, options, told):
    with pytest.raises(ValueError, match=told):
        TableColumns(columns, mean, std, **options)


def test_rows_with_other_columns_are_refused():
    with pytest.raises(ValueError, match=r"inputs of shape \(3, 2\); give raw rows \(rows, 1\)"):
        step(A).check(torch.zeros(3, 2))
