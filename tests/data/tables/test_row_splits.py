"""Splits: disjoint, complete, of the sizes asked for; by class, group and time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from torchann.data.tables.column_values import column_of
from torchann.data.tables.row_splits import count_of, split_rows
from torchann.data.tables.table_settings import TableSettings


def sizes(val, test):
    return lambda rows: (count_of(val, rows, "val_size"), count_of(test, rows, "test_size"))


def complete(parts, rows):
    return sorted(np.concatenate(parts).tolist()) == list(range(rows))


@given(st.integers(5, 200), st.integers(1, 4), st.integers(0, 4), st.integers(0, 3))
def test_random_parts_are_disjoint_complete_and_in_order(rows, val, test, seed):
    val, test = min(val, (rows - 1) // 2), min(test, (rows - 1) // 2)
    parts = split_rows(rows, sizes(val, test), seed)
    assert complete(parts, rows) and [len(part) for part in parts] == [rows - val - test, val, test]
    assert all((np.diff(part) > 0).all() for part in parts)


def test_random_parts_are_those_of_scikit_learn_and_of_the_seed():
    pool, test = train_test_split(np.arange(100), test_size=20, random_state=7)
    train, val = train_test_split(pool, test_size=10, random_state=7)
    parts = split_rows(100, sizes(10, 0.2), 7)
    assert [part.tolist() for part in parts] == [sorted(part.tolist()) for part in (train, val, test)]
    assert split_rows(100, sizes(10, 0.2), 8).test.tolist() != parts.test.tolist()


def test_stratified_parts_have_each_class_in_its_share():
    classes = np.array([0] * 80 + [1] * 20)
    parts = split_rows(100, sizes(20, 20), 0, "stratified", classes)
    assert complete(parts, 100) and [np.bincount(classes[part]).tolist() for part in parts] == [
        [48, 12],
        [16, 4],
        [16, 4],
    ]


def test_groups_stay_together():
    groups = [f"g{n % 10}" for n in range(100)]
    parts = split_rows(100, sizes(2, 3), 0, "group", column_of(groups))
    found = [{groups[row] for row in part} for part in parts]
    assert complete(parts, 100) and [len(names) for names in found] == [5, 2, 3]
    assert not found[0] & found[1] and not found[0] & found[2] and not found[1] & found[2]


@given(st.lists(st.integers(0, 30), min_size=30, max_size=60))
def test_by_time_all_of_a_part_is_before_the_next_and_equal_times_stay_together(times):
    if len(set(times)) < 12:
        return
    parts = split_rows(len(times), sizes(3, 3), 0, "time", column_of(times))
    train, val, test = (np.array(times)[part] for part in parts)
    assert complete(parts, len(times)) and train.max() < val.min() and val.max() < test.min()
    assert len(val) + len(test) >= 6


def test_time_may_be_dates_in_any_order():
    parts = split_rows(4, sizes(1, 1), 0, "time", column_of(["2026-03-01", "2025-01-01", "2026-01-01", "2025-06-01"]))
    assert [part.tolist() for part in parts] == [[1, 3], [2], [0]]


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
    ("kind", "by", "told"),
    [
        (
            "stratified",
            np.array([0] * 9 + [1]),
            "a class has 1 row for 3 parts; take such rows out, or give split=random",
        ),
        ("stratified", np.arange(30) // 3, "The test_size = 1 should be greater .*; give a larger test_size, or split"),
        ("group", column_of(["a", "", *"bcd" * 4]), "row 1 has no group to split by; fill the gaps .1 in all."),
        (
            "time",
            column_of(["2026-01-01", "soon"] * 5),
            "a row has 'soon', which is none; to split by time give numbers",
        ),
        ("time", column_of([1.0, np.nan] * 5), "a row has no time; to split by time give numbers"),
        ("time", column_of([1.0] * 10), "so many rows have the same time that a part has none"),
    ],
)
def test_columns_that_cannot_be_split_by_are_refused(kind, by, told):
    with pytest.raises(ValueError, match=told):
        split_rows(len(by), sizes(1, 1), 0, kind, by)


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
