"""Columns as they come: numbers, texts and dates, and what they can be read as."""

import datetime
from decimal import Decimal

import numpy as np
import pytest

from torchann.data.tables.column_values import NumericColumn, TextColumn, as_kind, as_texts, cells_of, join, texts_of

NAN = float("nan")


def values(cells) -> list:
    """What a column holds, None where nothing."""
    if isinstance(cells, NumericColumn):
        return [None if value != value else value for value in cells.values.tolist()]
    return [None if code < 0 else cells.texts[code] for code in cells.codes]


@pytest.mark.parametrize("text", ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "<NA>", None])
def test_usual_words_for_no_value_are_none(text):
    assert values(texts_of(["a", text])) == ["a", None]


def test_texts_are_without_spaces_around_them_and_alike_once():
    column = texts_of(["Rome", " Rome", "New York", "Rome "])
    assert (column.texts, column.codes.tolist()) == (["Rome", "New York"], [0, 0, 1, 0])


def test_own_words_for_no_value_are_none_whatever_their_capitals():
    assert values(texts_of(["Unknown", "a"], missing=frozenset({"unknown"}))) == [None, "a"]


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        ([1, 2, 3], "number", [1, 2, 3]),
        (np.array([1.5, NAN], dtype=np.float32), "number", [1.5, None]),
        (np.array([True, False]), "boolean", [1, 0]),
        ([True, None, False], "boolean", [1, None, 0]),
        ([1, None, 2.5], "number", [1, None, 2.5]),
        ([Decimal("0.5"), 2], "number", [0.5, 2]),
        (np.array(["1970-01-02", "NaT", "2000-01-01"], dtype="datetime64[D]"), "date", [1, None, 10957]),
        (np.array(["1970-01-02T12"], dtype="datetime64[h]"), "date", [1.5]),
        (np.array([36], dtype="timedelta64[h]"), "number", [1.5]),
    ],
)
def test_numbers_truth_values_and_dates_of_arrays_are_numbers(given, kind, expected):
    cells = cells_of(given)
    assert cells.kind == kind and values(cells) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a", None, "b"], ["a", None, "b"]),
        ([1, "a", 2.0, NAN, True], ["1", "a", "2", None, "True"]),
        ([datetime.date(2026, 1, 31), None], ["2026-01-31", None]),
        ([None, None], [None, None]),
    ],
)
def test_mixtures_are_texts(given, expected):
    cells = cells_of(np.array(given, dtype=object))
    assert isinstance(cells, TextColumn) and values(cells) == expected


def test_missing_values_of_pandas_are_none():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": pandas.array([1, None], dtype="Int64"), "s": pandas.array(["a", None], "string")})
    assert [values(cells_of(frame[name].to_numpy())) for name in frame] == [[1, None], ["a", None]]
    assert values(cells_of(pandas.Series([pandas.NaT, pandas.Timestamp("1970-01-02")], dtype=object))) == [
        None,
        "1970-01-02T00:00:00",
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.zeros((2, 2)), r"a column is of shape \(2, 2\); give one value per row"),
        (np.zeros(2, dtype=complex), "a column is of complex128; give real numbers"),
    ],
)
def test_what_is_no_column_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        cells_of(given)


@pytest.mark.parametrize(
    ("kind", "texts", "expected", "wrong"),
    [
        ("number", ["1", "-2.5", "1e3", "+4", "old", "1_000"], [1, -2.5, 1000, 4, None, None], {"old": 1, "1_000": 1}),
        ("boolean", ["yes", "No", "TRUE", "f", "2"], [1, 0, 1, 0, None], {"2": 1}),
        ("date", ["1970-01-02", "1970-01-01T06:00", "31.1.2026"], [1, 0.25, None], {"31.1.2026": 1}),
        ("date", ["1970-01-01T02:00:00+02:00", "1970-01-02T00:00:00Z"], [0, 1], {}),
        ("number", ["old", "3", "old", ""], [None, 3, None, None], {"old": 2}),
    ],
)
def test_texts_are_read_as_a_kind_and_those_of_another_are_counted(kind, texts, expected, wrong):
    reading = as_kind(texts_of(texts), kind)
    assert values(NumericColumn(reading.values)) == expected and reading.wrong == wrong


def test_numbers_and_truth_values_become_texts_as_a_file_would_have_them():
    assert values(as_texts(cells_of([75001.0, NAN, 0.5]))) == ["75001", None, "0.5"]
    assert values(as_texts(cells_of(np.array([True, False])))) == ["True", "False"]


def test_rows_of_a_column_are_taken():
    for cells in (texts_of(["a", "b", None]), cells_of([1.0, 2.0, NAN])):
        assert values(cells.take(np.array([2, 0]))) == [None, values(cells)[0]]


def test_parts_of_a_column_are_joined():
    assert values(join([texts_of(["b", "a"]), texts_of([None, "a", "c"])])) == ["b", "a", None, "a", "c"]
    assert values(join([cells_of([1.0]), cells_of([NAN, 2.0])])) == [1, None, 2]
