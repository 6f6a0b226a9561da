"""Columns as they come, with their types: what they can be read as, and which of their values are none."""

import datetime
from decimal import Decimal

import numpy as np
import pytest

from torchann.data.tables.column_values import column_of
from torchann.data.tables.missing_values import MissingValues

NAN = float("nan")


def values(cells) -> list:
    """What a column holds: texts as categories, all else as numbers; None where nothing."""
    return categories(cells) if cells.is_text else numbers(cells)


def numbers(cells, kind="number", form="") -> list:
    return [None if value != value else value for value in cells.read(kind, form).values.tolist()]


def categories(cells) -> list:
    codes, texts = cells.codes()
    return [None if code < 0 else texts[code] for code in codes]


@pytest.mark.parametrize("text", ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "<NA>", None])
def test_usual_words_for_no_value_are_none(text):
    assert values(column_of(["a", text])) == ["a", None]


def test_texts_are_without_spaces_around_them_and_alike_once():
    codes, texts = column_of(["Rome", " Rome", "New York", "Rome "]).codes()
    assert (texts, codes.tolist()) == (["Rome", "New York"], [0, 0, 1, 0])


SENTINELS = {
    "text": (["-999", "-999.0", " -999 ", "5"], [None, None, None, 5]),
    "text beside a gap": (["-999", "NA", "5"], [None, None, 5]),
    "text beside another text": (["-999", "old", "5"], [None, None, 5]),
    "whole numbers": ([-999, 5], [None, 5]),
    "whole numbers with gaps": ([-999, None, 5], [None, None, 5]),
    "floats": ([-999.0, 5.5], [None, 5.5]),
    "small floats": (np.float32([-999, 5.5]), [None, 5.5]),
    "decimals": ([Decimal("-999.0"), Decimal("5")], [None, 5]),
    "mixture": ([-999, "-999", "5"], [None, None, 5]),
}


@pytest.mark.parametrize(("given", "expected"), SENTINELS.values(), ids=SENTINELS)
@pytest.mark.parametrize("sentinel", [-999, -999.0, "-999", "-999.00"])
def test_sentinel_is_missing_in_whatever_form_it_stands(given, expected, sentinel):
    cells = column_of(given, MissingValues.of([sentinel]))
    assert numbers(cells) == expected
    assert [text is None for text in categories(cells)] == [value is None for value in expected] or "old" in given


@pytest.mark.parametrize(
    ("given", "named", "default", "expected"),
    [
        (["Infinity", "1"], ["Infinity"], True, [None, 1]),
        ([np.inf, 1.0], ["inf"], True, [None, 1]),
        (["Unknown", "NA", "1"], ["unknown"], True, [None, None, 1]),
    ],
)
def test_missing_values_may_be_named(given, named, default, expected):
    assert numbers(column_of(given, MissingValues.of(named, default))) == expected


def test_usual_words_are_values_where_the_list_is_replaced():
    given = ["NA", "None", "null", "?", "", "x"]
    assert categories(column_of(given, MissingValues.of([], False))) == ["NA", "None", "null", "?", None, "x"]
    assert categories(column_of(given, MissingValues.of(["x"], False))) == ["NA", "None", "null", "?", None, None]


@pytest.mark.parametrize(
    ("given", "kind", "expected"),
    [
        ([1, 2, 3], "number", [1, 2, 3]),
        (np.array([1.5, NAN], dtype=np.float32), "number", [1.5, None]),
        (np.array([1.5, NAN], dtype=np.float16), "number", [1.5, None]),
        (np.array([1, 2], dtype=">i2"), "number", [1, 2]),
        (np.array([True, False]), "boolean", [1, 0]),
        ([True, None, False], "boolean", [1, None, 0]),
        ([1, None, 2.5], "number", [1, None, 2.5]),
        ([Decimal("0.5"), Decimal(2)], "number", [0.5, 2]),
        (np.array(["1970-01-02", "NaT", "2000-01-01"], dtype="datetime64[D]"), "date", [1, None, 10957]),
        (np.array(["1970-01-02T12"], dtype="datetime64[h]"), "date", [1.5]),
        (np.array(["1970-02"], dtype="datetime64[M]"), "date", [31]),
        (np.array([36], dtype="timedelta64[h]"), "number", [1.5]),
        ([datetime.date(1970, 1, 3), None], "date", [2, None]),
        ([datetime.time(18)], "date", [0.75]),
    ],
)
def test_numbers_truth_values_and_dates_of_arrays_are_numbers(given, kind, expected):
    assert not column_of(given).is_text and numbers(column_of(given), kind) == expected


EXACT = [
    ([2**53, 2**53 + 1, 2**53 + 2], ["9007199254740992", "9007199254740993", "9007199254740994"]),
    (np.array([2**64 - 1, 2**64 - 2], np.uint64), ["18446744073709551615", "18446744073709551614"]),
    ([2**53 + 1, None], ["9007199254740993", None]),
    (["9007199254740993", "9007199254740992"], ["9007199254740993", "9007199254740992"]),
    (["1E5", "100000", "007"], ["1E5", "100000", "007"]),
    ([75001.0, NAN, 0.5], ["75001", None, "0.5"]),
    (np.array([True, False]), ["True", "False"]),
    ([Decimal("1.10"), Decimal("1.1000001")], ["1.1000000", "1.1000001"]),
    ([datetime.datetime(2026, 1, 31, 12, 30), datetime.datetime(2026, 2, 1)], ["2026-01-31 12:30:00", "2026-02-01"]),
    ([datetime.time(12, 30)], ["12:30:00"]),
]


@pytest.mark.parametrize(("given", "expected"), EXACT, ids=str)
def test_categories_are_exact_whatever_their_type(given, expected):
    assert categories(column_of(given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a", None, "b"], ["a", None, "b"]),
        ([1, "a", 2.0, NAN, True], ["1", "a", "2", None, "True"]),
        ([2**63 + 1, "a"], ["9223372036854775809", "a"]),
    ],
)
def test_mixtures_are_texts(given, expected):
    for cells in (column_of(np.array(given, dtype=object)), column_of(given)):
        assert cells.is_text and values(cells) == expected


def test_columns_of_pandas_and_polars_keep_their_types():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    whole = [2**53 + 1, None]
    for cells in (pandas.Series(whole, dtype="Int64"), polars.Series(whole)):
        assert categories(column_of(cells)) == ["9007199254740993", None]
    for texts in (pandas.Series(["a", None], dtype="string"), polars.Series(["a", None])):
        assert values(column_of(texts)) == ["a", None]
    for texts in (pandas.Series(["a", "b"], dtype="category"), polars.Series(["a", "b"], dtype=polars.Categorical)):
        assert values(column_of(texts)) == ["a", "b"]
    days = pandas.Series([pandas.NaT, pandas.Timestamp("1970-01-02")])
    assert [numbers(column_of(days.astype(kind)), "date") for kind in (days.dtype, object)] == [[None, 1]] * 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.zeros((2, 2)), r"a column is of shape \(2, 2\); give one value per row"),
        (np.zeros(2, dtype=complex), "a column is of complex128; give real numbers"),
    ],
)
def test_what_is_no_column_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        column_of(given)


@pytest.mark.parametrize(
    ("kind", "form", "texts", "expected", "wrong"),
    [
        ("number", "", ["1", "-2.5", "1e3", "+4", "old", "1_000"], [1, -2.5, 1000, 4, None, None], ["old", "1_000"]),
        ("number", "", ["1e999", "7"], [None, 7], ["1e999"]),
        ("number", ".kg", ["5 kg", "6", "7 g"], [5, 6, None], ["7 g"]),
        ("number", ",", ["1.005", "1,5", "2.5", "7"], [1005, 1.5, 2.5, 7], []),
        ("boolean", "", ["yes", "No", "TRUE", "f", "2"], [1, 0, 1, 0, None], ["2"]),
        ("date", "", ["1970-01-02", "1970-01-01T06:00", "31/1/2026"], [1, 0.25, None], ["31/1/2026"]),
        ("date", "", ["1970-01-01T02:00:00+02:00", "1970-01-02T00:00:00Z"], [0, 1], []),
        ("date", "dd/mm/yyyy", ["02/01/1970", "1970-01-03", "soon"], [1, 2, None], ["soon"]),
        ("number", "", ["old", "3", "old", ""], [None, 3, None, None], ["old"]),
    ],
)
def test_texts_are_read_as_a_kind_and_those_of_another_are_counted(kind, form, texts, expected, wrong):
    cells = column_of(texts)
    assert numbers(cells, kind, form) == expected
    assert cells.read(kind, form).wrong == {text: texts.count(text) for text in wrong}


def test_reading_does_not_depend_on_the_other_rows():
    rest = ["1.005", "2,5", "1e999", "nan(3)", "(5)", "", "NA", "7 kg", " 8 "]
    for text in rest:
        cells = column_of([text, *rest], decimal=",")
        assert numbers(cells)[0] == numbers(cells)[rest.index(text) + 1] or numbers(cells)[0] is None
        assert numbers(column_of([text], decimal=","))[0] == numbers(cells)[0]


def test_rows_of_a_column_are_taken():
    for cells in (column_of(["a", "b", None]), column_of([1.0, 2.0, NAN])):
        assert values(cells.take(np.array([2, 0]))) == [None, values(cells)[0]]
        assert values(cells.take(np.array([True, False, False]))) == values(cells)[:1]
