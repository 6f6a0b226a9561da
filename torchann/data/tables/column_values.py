"""The values of a column as they come, numbers or texts, and what they can be read as."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>", "?"})
"""Texts that stand for no value, in small letters."""
BOOLEANS = {"true": 1.0, "yes": 1.0, "t": 1.0, "y": 1.0, "false": 0.0, "no": 0.0, "f": 0.0, "n": 0.0}
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, eq=False)
class NumericColumn:
    """A column of numbers.

    Attributes:
        values: ``(rows,)`` float64, nan where there is none; 0 and 1 of truth values, days since 1970 of dates.
        kind: what they came as.
    """

    values: NDArray[np.float64]
    kind: Literal["number", "boolean", "date"] = "number"

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[Any]) -> "NumericColumn":
        """Some of the rows, by number or by truth values."""
        return NumericColumn(self.values[rows], self.kind)


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A column of texts, each text held once.

    Attributes:
        codes: ``(rows,)`` int64, the place of each row's text; -1 where there is none.
        texts: without spaces around them, no two alike.
    """

    codes: NDArray[np.int64]
    texts: list[str]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[Any]) -> "TextColumn":
        """Some of the rows, by number or by truth values."""
        return TextColumn(self.codes[rows], self.texts)


ColumnValues = NumericColumn | TextColumn


def texts_of(values: Iterable[str | None], missing: frozenset[str] = MISSING) -> TextColumn:
    """A column of texts.

    Args:
        values: the texts, or None.
        missing: which of them stand for no value, in small letters.

    Example:
        >>> column = texts_of(["Rome", " Paris", "n/a", "Rome "])
        >>> column.codes, column.texts
        (array([ 0,  1, -1,  0]), ['Rome', 'Paris'])
    """
    seen: dict[str | None, int] = {}
    codes = np.fromiter((seen.setdefault(value, len(seen)) for value in values), np.int64)
    return texts_by_code(codes, list(seen), missing)


def texts_by_code(codes: NDArray[Any], values: Sequence[str | None], missing: frozenset[str] = MISSING) -> TextColumn:
    """A column of texts whose codes are known: spaces taken off, texts that stand for no value given the code -1.

    Args:
        codes: ``(rows,)``, the place of each row's text in ``values``; -1 where there is none.
        values: the texts, alike or not.
        missing: which of them stand for no value, in small letters.
    """
    places: dict[str, int] = {}
    new = np.full(len(values) + 1, -1)  # the last is that of the code -1
    for place, value in enumerate(values):
        text = None if value is None else value.strip()
        if text is not None and text.lower() not in missing:
            new[place] = places.setdefault(text, len(places))
    return TextColumn(new[codes], list(places))


def cells_of(values: Any, missing: frozenset[str] = MISSING) -> ColumnValues:
    """A column, of whatever an array or a data frame's column holds.

    Args:
        values: one-dimensional: numbers, truth values, dates, texts, or a mixture, with None or nan for gaps.
        missing: which texts stand for no value, in small letters.

    Raises:
        ValueError: if it has more dimensions, or complex numbers.

    Example:
        >>> cells_of(np.array(["1970-01-03", "NaT"], dtype="datetime64[D]"))
        NumericColumn(values=array([ 2., nan]), kind='date')
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"a column is of shape {array.shape}; give one value per row, (rows,)")
    if array.dtype.kind == "b":
        return NumericColumn(array.astype(np.float64), "boolean")
    if array.dtype.kind in "iuf":
        return NumericColumn(array.astype(np.float64))
    if array.dtype.kind in "mM":
        days = array.astype(f"{array.dtype.kind}8[us]").astype(np.int64) / (SECONDS_PER_DAY * 1e6)
        return NumericColumn(np.where(np.isnat(array), np.nan, days), "date" if array.dtype.kind == "M" else "number")
    if array.dtype.kind == "c":
        raise ValueError(f"a column is of {array.dtype}; give real numbers, such as the real and imaginary parts")
    return _objects([None if _gone(value) else value for value in array.tolist()], missing)


def _gone(value: Any) -> bool:
    # nan and NaT differ from themselves; NA of pandas has no truth
    return value is None or type(value).__name__ == "NAType" or (not isinstance(value, str) and bool(value != value))


def _objects(values: list[Any], missing: frozenset[str]) -> ColumnValues:
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {bool, np.bool_}:
        return NumericColumn(np.array([np.nan if value is None else value for value in values], np.float64), "boolean")
    if kinds and bool not in kinds and all(issubclass(kind, (Real, Decimal)) for kind in kinds):
        return NumericColumn(np.array([np.nan if value is None else value for value in values], np.float64))
    return texts_of((None if value is None else _text(value) for value in values), missing)


def _text(value: Any) -> str:
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return text_of_number(value) if isinstance(value, (Real, Decimal)) and not isinstance(value, bool) else str(value)


def text_of_number(number: Any) -> str:
    """A number as a text: a whole one without a point, however it was stored.

    Example:
        >>> text_of_number(75001.0), text_of_number(0.5)
        ('75001', '0.5')
    """
    value = float(number)
    return str(int(value)) if value.is_integer() else repr(value)


def join(parts: Sequence[ColumnValues], missing: frozenset[str] = MISSING) -> ColumnValues:
    """One column of its parts, which follow each other; all are numbers of one kind, or all are texts.

    Example:
        >>> join([texts_of(["a"]), texts_of(["b", "a"])]).codes
        array([0, 1, 0])
    """
    if isinstance(parts[0], NumericColumn):
        return NumericColumn(np.concatenate([part.values for part in parts]), parts[0].kind)  # type: ignore[union-attr]
    together: list[str] = []
    codes = []
    for part in parts:
        assert isinstance(part, TextColumn)
        codes.append(np.where(part.codes < 0, -1, part.codes + len(together)))
        together += part.texts
    return texts_by_code(np.concatenate(codes), together, missing)


class Reading(NamedTuple):
    """What a column was read as.

    Attributes:
        values: ``(rows,)`` float64, nan where there is no value, or none of that kind.
        wrong: texts that are of another kind, and in how many rows.
    """

    values: NDArray[np.float64]
    wrong: dict[str, int]


def as_kind(cells: ColumnValues, kind: str) -> Reading:
    """A column read as numbers, truth values (0 and 1) or dates (days since 1970).

    Args:
        cells: the column.
        kind: ``"number"``, ``"boolean"`` or ``"date"``.

    Example:
        >>> as_kind(texts_of(["1.5", "old", ""]), "number")
        Reading(values=array([1.5, nan, nan]), wrong={'old': 1})
    """
    if isinstance(cells, NumericColumn):
        return Reading(cells.values, {})
    read = {"number": _number, "boolean": _boolean, "date": _days}[kind]
    found = [read(text) for text in cells.texts]
    values = np.array([np.nan if value is None else value for value in found] + [np.nan], dtype=np.float64)
    counts = np.bincount(cells.codes[cells.codes >= 0], minlength=len(found))
    wrong = {cells.texts[n]: int(counts[n]) for n, value in enumerate(found) if value is None and counts[n]}
    return Reading(values[cells.codes], wrong)


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)  # which Python reads as 1_000
    except ValueError:
        return None


def _boolean(text: str) -> float | None:
    return BOOLEANS.get(text.lower())


def _days(text: str) -> float | None:
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp() / SECONDS_PER_DAY


def as_texts(cells: ColumnValues) -> TextColumn:
    """A column as categories: numbers and truth values become texts.

    Example:
        >>> as_texts(cells_of([3.0, np.nan, 3.0])).texts
        ['3']
    """
    if isinstance(cells, TextColumn):
        return cells
    there = ~np.isnan(cells.values)
    distinct, places = np.unique(cells.values[there], return_inverse=True)
    codes = np.full(len(cells), -1)
    codes[there] = places
    names = [str(bool(value)) if cells.kind == "boolean" else text_of_number(value) for value in distinct]
    return TextColumn(codes, names)
