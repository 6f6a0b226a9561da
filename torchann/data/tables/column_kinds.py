"""Infers what a column of a table holds, and what is of no use to a net."""

import re
from typing import NamedTuple, get_args

import numpy as np

from torchann.data.tables.column_values import (
    BOOLEANS,
    ColumnValues,
    NumericColumn,
    TextColumn,
    as_kind,
    text_of_number,
)
from torchann.data.tables.columns import check_names
from torchann.nets.column import Kind

LEFT_OUT = "ignore"
KINDS = (*get_args(Kind), LEFT_OUT)
MOST_WRONG = 0.1  # of the values of a column of numbers may be texts, taken as missing
FREE_TEXT = (50, 0.5)  # more different texts than this, and than this share of the rows, are no categories
LONGEST_CATEGORY = 200  # characters
ROW_NUMBER = re.compile(r"(?i:(.*[ _.-])?(id|index|row|rowid|uuid|guid)|column 1|unnamed.*)|.*[a-z]I[dD]")


class Finding(NamedTuple):
    """What a column holds.

    Attributes:
        kind: number, category, boolean, date, or ``"ignore"``.
        why: what a person should know of it; empty where there is nothing to say.
    """

    kind: str
    why: str = ""


NUMBER_OF_ROW = Finding(LEFT_OUT, "another one in each row, a name or number of the row")


def find_kind(name: str, cells: ColumnValues) -> Finding:
    """What a column holds, by its values.

    Args:
        name: of the column.
        cells: its values in the order of the table.

    Example:
        >>> from torchann.data.tables.column_values import texts_of
        >>> find_kind("age", texts_of(["31", "44", "27", "old"] + ["50"] * 10))
        Finding(kind='number', why="1 value is no number ('old'), taken as missing")
    """
    found = _of_numbers(cells) if isinstance(cells, NumericColumn) else _of_texts(cells)
    return NUMBER_OF_ROW if found.kind in ("number", "category") and numbers_rows(name, cells) else found


def _of_numbers(cells: NumericColumn) -> Finding:
    return Finding(LEFT_OUT, "empty") if bool(np.isnan(cells.values).all()) else Finding(cells.kind)


def _of_texts(cells: TextColumn) -> Finding:
    if not cells.texts:
        return Finding(LEFT_OUT, "empty")
    if all(text.lower() in BOOLEANS for text in cells.texts):
        return Finding("boolean")
    there = int((cells.codes >= 0).sum())
    wrong = as_kind(cells, "number").wrong
    count = sum(wrong.values())
    if count <= MOST_WRONG * there:
        return Finding("number", f"{_are_no_numbers(wrong)}, taken as missing" if count else "")
    if not as_kind(cells, "date").wrong:
        return Finding("date")
    if len(cells.texts) > max(FREE_TEXT[0], FREE_TEXT[1] * there) or max(map(len, cells.texts)) > LONGEST_CATEGORY:
        return Finding(LEFT_OUT, f"{len(cells.texts):,} different texts in {there:,} rows")
    return Finding("category", _are_no_numbers(wrong) if count < there else "")


def _are_no_numbers(wrong: dict[str, int]) -> str:
    count, example = sum(wrong.values()), next(iter(wrong))
    return f"1 value is no number ({example!r})" if count == 1 else f"{count:,} values are no numbers ({example!r:.40})"


def numbers_rows(name: str, cells: ColumnValues) -> bool:
    """Whether a column only tells rows apart: it counts them, or is called so and has another value in each.

    Args:
        name: of the column.
        cells: its values in the order of the table.

    Example:
        >>> from torchann.data.tables.column_values import cells_of
        >>> numbers_rows("x", cells_of([1, 2, 3])), numbers_rows("year", cells_of([2024, 2025, 2026]))
        (True, False)
    """
    if isinstance(cells, TextColumn):
        return bool(ROW_NUMBER.fullmatch(name)) and len(cells.texts) == len(cells) > 2
    values = cells.values
    if len(values) < 3 or not bool(np.all(values == np.floor(values))):  # nan is no whole number
        return False
    counted = values[0] in (0, 1) and bool(np.all(np.diff(values) == 1))
    return counted or (bool(ROW_NUMBER.fullmatch(name)) and len(np.unique(values)) == len(values))


def check_kinds(kinds: dict[str, str], columns: list[str]) -> None:
    """Raises unless kinds that were given are some, of columns that there are.

    Args:
        kinds: by the names of columns.
        columns: of the table.

    Raises:
        ValueError: with what was probably meant.

    Example:
        >>> check_kinds({"age": "integer"}, ["age"])
        Traceback (most recent call last):
            ...
        ValueError: column 'age' is to be 'integer'; give number, category, boolean, date or ignore
    """
    check_names(list(kinds), columns)
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise ValueError(f"column {name!r} is to be {kind!r}; give {', '.join(KINDS[:-1])} or {KINDS[-1]}")


def text_of(value: float, kind: str) -> str:
    """A value of a column in words, for what is constant."""
    return str(bool(value)) if kind == "boolean" else text_of_number(value)
