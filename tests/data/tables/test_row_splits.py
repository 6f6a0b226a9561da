"""Splits: disjoint, complete, of the sizes asked for; by class, group and time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

import torchann
from torchann.data.tables.column_values import column_of
from torchann.data.tables.row_splits import Splitter, count_of, draw, draw_groups, time_bounds, time_read
from torchann.data.tables.table import Unit
from torchann.data.tables.table_settings import TableSettings


def rows_of(labels):
    return [np.flatnonzero(labels == part).tolist() for part in range(3)]


@given(st.integers(5, 200), st.integers(1, 4), st.integers(0, 4), st.integers(0, 3))
def test_random_parts_are_complete_and_of_their_sizes(rows, val, test, seed):
    val, test = min(val, (rows - 1) // 2), min(test, (rows - 1) // 2)
    labels = Splitter(rows, (val, test), seed).of_unit(Unit(0, 0, 0, rows))
    assert np.bincount(labels, minlength=3).tolist() == [rows - val - test, val, test]


@given(st.lists(st.integers(20, 60), min_size=2, max_size=20), st.integers(0, 9), st.integers(0, 9))
def test_units_have_their_shares_and_together_the_sizes(units, val, test):
    rows, starts = sum(units), np.cumsum([0, *units]).tolist()
    val, test = val * rows // 20, test * rows // 20
    splitter = Splitter(rows, (val, test), 0)
    counts = [
        np.bincount(splitter.of_unit(Unit(0, 0, start, count)), minlength=3)
        for start, count in zip(starts, units, strict=False)
    ]
    assert sum(counts).tolist() == [rows - val - test, val, test]
    assert all(abs(found[1] - count * val / rows) <= 1 for found, count in zip(counts, units, strict=True))


def test_random_parts_are_those_of_scikit_learn_and_of_the_seed():
    pool, test = train_test_split(np.arange(100), test_size=20, random_state=7)
    train, val = train_test_split(pool, test_size=10, random_state=7)
    assert rows_of(draw(100, (10, 20), 7)) == [sorted(part.tolist()) for part in (train, val, test)]
    assert (draw(100, (10, 20), 8) != draw(100, (10, 20), 7)).any()


def test_stratified_parts_are_those_of_scikit_learn_and_have_each_class_in_its_share():
    classes = np.array([0] * 80 + [1] * 20)
    labels = draw(100, (20, 20), 0, classes)
    assert [np.bincount(classes[part]).tolist() for part in rows_of(labels)] == [[48, 12], [16, 4], [16, 4]]
    assert rows_of(labels)[2] == sorted(
        train_test_split(np.arange(100), test_size=20, random_state=0, stratify=classes)[1]
    )


def test_groups_stay_together():
    names = [f"g{n % 10}" for n in range(100)]
    groups = draw_groups(dict.fromkeys(names), (2, 3), 0)
    labels = Splitter(100, (0, 0), 0, by="g", groups=groups).of_column(column_of(names))
    found = [{names[row] for row in part} for part in rows_of(labels)]
    assert [len(part) for part in found] == [5, 2, 3] and len(set.union(*found)) == 10


@given(st.lists(st.integers(0, 30), min_size=30, max_size=60))
def test_by_time_all_of_a_part_is_before_the_next_and_equal_times_stay_together(times):
    if len(set(times)) < 12:
        return
    bounds = time_bounds(np.array(times, dtype=float), (3, 3))
    parts = rows_of(Splitter(len(times), (3, 3), 0, by="t", bounds=bounds).of_column(column_of(times)))
    train, val, test = (np.array(times)[part] for part in parts)
    assert train.max() < val.min() and val.max() < test.min() and len(val) >= 3 and len(test) >= 3


def test_time_may_be_dates_in_any_order():
    dates = column_of(["2026-03-01", "2025-01-01", "2026-01-01", "2025-06-01"])
    bounds = time_bounds(dates.read("date").values, (1, 1))
    splitter = Splitter(4, (1, 1), 0, by="t", bounds=bounds, read=time_read(dates))
    assert rows_of(splitter.of_column(dates)) == [[1, 3], [2], [0]]


@pytest.mark.parametrize(("size", "count"), [(0.2, 21), (21, 21), (21.0, 21), (0, 0), (0.0, 0)])
def test_sizes_are_shares_or_numbers_of_rows(size, count):
    assert count_of(size, 104, "val_size") == count  # a fifth of 104 is 20.8


@pytest.mark.parametrize("size", [-1, 104, 1.5, -0.1, True, "1"])
def test_sizes_that_are_none_are_refused(size):
    with pytest.raises(
        ValueError, match=f"val_size is {size} and there are 104 rows; give a share from 0 to 1, or fewer"
    ):
        count_of(size, 104, "val_size")


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        ([0] * 9 + [1], "a class has 1 row for 3 parts; take such rows out, or give split=random"),
        (np.arange(30) // 3, "The test_size = 1 should be greater .*; give a larger test_size, or split"),
    ],
)
def test_classes_that_cannot_be_shared_are_refused(classes, told):
    with pytest.raises(ValueError, match=told):
        draw(len(classes), (1, 1), 0, np.array(classes))


@pytest.mark.parametrize(
    ("split", "by", "told"),
    [
        ("group", ["a", "", *"bcd" * 4], "1 rows have no 't' to split by; fill the gaps"),
        ("time", ["2026-01-01", "soon"] * 5, "a row has 'soon', which is none; to split by time give numbers"),
        ("time", [1.0, np.nan] * 5, "a row has no time; to split by time give numbers"),
        ("time", [1.0] * 10, "the split leaves no training rows, as too many rows have the same 't'; give other sizes"),
    ],
)
def test_columns_that_cannot_be_split_by_are_refused(split, by, told):
    table = {"t": by, "a": np.arange(len(by)) ** 2, "y": np.arange(len(by)) / 7}
    with pytest.raises(ValueError, match=told):
        torchann.TabularDataModule(table, "y", split=split, split_by="t", val_size=1, test_size=1).setup()


def settings(**options):
    return TableSettings({"a": range(9), "y": range(9)}, "y", **options)


def test_sizes_of_parts_that_have_files_are_none_and_defaults_are_a_fifth():
    assert settings().sizes(100) == (20, 20) and settings().sizes(10**9, most=1000) == (1000, 1000)
    assert settings(val_source="v.csv").sizes(100) == (0, 20) and settings(test_size=0).sizes(100) == (20, 0)
    assert settings(val_size=0.5).sizes(10**6, most=1000) == (500_000, 1000)


def test_sizes_that_leave_no_rows_are_refused():
    with pytest.raises(ValueError, match="50 to validate and 50 to test leave none of 100 to train on; give a smaller"):
        settings(val_size=0.5, test_size=50).sizes(100)
    with pytest.raises(ValueError, match="val_size is 0, and validation rows choose the best epoch; give at least one"):
        settings(val_size=0).sizes(100)
