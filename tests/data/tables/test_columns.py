"""Rows of a table as numbers, by the columns that a model knows; what surprises it; names that were meant."""

import pytest
import torch

from torchann.data.tables.column_values import column_of
from torchann.data.tables.columns import UnseenValues, check_names, encode, reader, shortened, shown
from torchann.nets.column import Column

CITY = Column("city", "category", categories=("Paris", "Rome"))


def encoded(column, given, surprises=None):
    return encode([column], reader({column.name: column_of(given)}.__getitem__), surprises)[:, 0].tolist()


def test_categories_become_their_places_and_unseen_ones_minus_one():
    assert encoded(CITY, ["Rome", "Paris", "Oslo"]) == [1, 0, -1]


def test_category_of_numbers_is_found_however_the_number_was_stored():
    postcode = Column("zip", "category", categories=("101", "75001"))
    for given in ([75001, 101], [75001.0, 101.0], ["75001", "101"]):
        assert encoded(postcode, given) == [1, 0]
    point = Column("zip", "category", categories=("101.0", "75001.0"))
    for given in ([75001, 101], ["75001.0", "101.0"], ["75001", "101"]):
        assert encoded(point, given) == [1, 0]


def test_surprises_are_counted_over_parts_and_told_in_a_line_each():
    surprises, age = UnseenValues(), Column("age", "number")
    encoded(CITY, ["Rome", "Ys", None], surprises)
    encoded(CITY, ["Ys", "Atlantis", "Eldorado", "Thule"], surprises)
    encoded(age, ["31", "old", ""], surprises)
    assert surprises.lines() == [
        "column 'city': 5 values are of no category of the training rows ('Ys' 2, 'Atlantis' 1, 'Eldorado' 1, ...); "
        "taken as none of them",
        "column 'age': 1 value is no number ('old' 1); taken as missing",
        "column 'city': 1 value is missing, as in no training row; taken as the mean, or as no category",
        "column 'age': 1 value is missing, as in no training row; taken as the mean, or as no category",
    ]


def test_gaps_that_training_rows_had_are_no_surprise():
    surprises = UnseenValues()
    assert torch.tensor(encoded(Column("age", "number", missing=True), [None, 3], surprises)).isnan().tolist() == [1, 0]
    assert surprises.lines() == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": 3, "kind": "number"}, "a column of name 3 and kind 'number'; wanted number, category"),
        ({"name": "a", "kind": "text"}, "a column of name 'a' and kind 'text'"),
        ({"name": "a", "kind": "number", "missing": 1}, "a column of name 'a'"),
        ({"name": "a", "kind": "number", "embedding": True}, "a column of name 'a'"),
        ({"name": "a", "kind": "category"}, r"column 'a' is a category with categories \(\)"),
        ({"name": "a", "kind": "number", "categories": ["x"]}, "column 'a' is a number with categories"),
        ({"name": "a", "kind": "category", "categories": ["x", 3]}, "column 'a' is a category with categories"),
        ({"name": "a", "kind": "category", "categories": ["x", "x"]}, "column 'a' has a category twice"),
        ({"name": "a", "kind": "number", "embedding": 3}, "column 'a' is a number with an embedding of 3"),
        ({"name": "a", "kind": "category", "categories": ["x"], "embedding": -1}, "an embedding of -1"),
        ({"name": "a", "kind": "number", "periods": [7.0]}, "column 'a' is a number with periods"),
        ({"name": "a", "kind": "date", "periods": [0]}, "column 'a' is a date with periods"),
        ({"name": "a", "kind": "date", "periods": [7.0] * 9}, "column 'a' is a date with periods"),
        ({"name": "a", "kind": "number", "form": "kg"}, "column 'a' is a number of the form 'kg'"),
        ({"name": "a", "kind": "date", "form": "yy"}, "column 'a' is a date of the form 'yy'"),
        ({"name": "a", "kind": "boolean", "form": "."}, "column 'a' is a boolean of the form '.'"),
        ({"name": "a", "kind": "number", "form": 3}, "column 'a' is a number of the form 3"),
        ({"name": "a", "kind": "date", "periods": ["7"]}, "column 'a' is a date with periods"),
    ],
)
def test_what_is_no_column_is_refused(options, told):
    with pytest.raises(ValueError, match=told):
        Column(**options)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Income", "age"], "there is no column 'income'; did you mean it by 'Income'"),
        (["house income", "age"], "there is no column 'income'"),
        (["in_come", "age"], "did you mean it by 'in_come'"),
        (["age"], "there is no column 'income'; give a table that has it. The columns are age"),
        (["income", "age", "age"], "the column 'age' comes 2 times; give each column a name of its own"),
        (["25.5", "3", "Paris"], "there is no column 'income'.*25.5, 3, Paris .has the file a first line of names"),
    ],
)
def test_table_without_a_column_is_refused_with_the_one_that_was_meant(names, told):
    with pytest.raises(ValueError, match=told):
        check_names(["income"], names)


def test_table_may_have_other_columns_in_any_order():
    check_names(["income", "age"], ["x", "age", "y", "income"])


def test_many_names_are_shortened_and_letters_of_terminals_are_not_shown():
    assert shortened([str(n) for n in range(15)], 3) == "0, 1, 2 and 12 more"
    assert shown("a\x1b[31mb\n", 100) == "a?[31mb?" and shown("x" * 80) == "x" * 57 + "..."
