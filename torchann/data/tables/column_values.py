"""A column as it stands in a table, typed, and what it is read as: numbers, dates, truth values, categories."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from torchann.data.tables.arrow_arrays import POOL, arrow_array, floats_of, texts_of
from torchann.data.tables.date_texts import days_of
from torchann.data.tables.missing_values import DEFAULT_MISSING, MissingValues, text_of_value
from torchann.data.tables.number_texts import number_of

FAMILIES = (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"))
"""Spellings of true and false, each a pair; a column of truth values has those of one."""
BOOLEANS = {text: value for family in FAMILIES for text, value in zip(family, (1.0, 0.0), strict=True)}
BOOLEANS |= {"1": 1.0, "0": 0.0, "on": 1.0, "off": 0.0}


class Numbers(NamedTuple):
    """What a column was read as.

    Attributes:
        values: ``(rows,)`` float64, nan where there is no value, or none of that kind.
        wrong: texts that are of another kind, and in how many rows.
    """

    values: NDArray[np.float64]
    wrong: dict[str, int]

    def take(self, rows: NDArray[Any]) -> "Numbers":
        """Return some of the rows, by number or by truth values; what is wrong with them is not told again."""
        return Numbers(self.values[rows], {})


class Codes(NamedTuple):
    """A column's categories, each text held once and exactly as it stands.

    Attributes:
        codes: ``(rows,)`` int64, the place of each row's text; -1 where there is none.
        texts: without spaces around them, no two alike.
    """

    codes: NDArray[np.int64]
    texts: list[str]

    def take(self, rows: NDArray[Any]) -> "Codes":
        """Return some of the rows, by number or by truth values."""
        return Codes(self.codes[rows], self.texts)

    def counts(self) -> dict[str, int]:
        """Return in how many rows each text is, of those that are in some."""
        found = np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts)).tolist()
        return {text: count for text, count in zip(self.texts, found, strict=True) if count}


@dataclass(frozen=True, eq=False)
class ColumnValues:
    """A column as it stands in the table.

    Attributes:
        array: values of any type of pyarrow, ``(rows,)``.
        missing: which of them stand for none.
        decimal: sign of its file, for numbers that could be read both ways; behind a ``?`` where it is guessed, and
            behind a ``!`` where a person has said it.

    Example:
        >>> column = column_of(["Rome", " Paris", "n/a", "Rome "])
        >>> column.codes()
        Codes(codes=array([ 0,  1, -1,  0]), texts=['Rome', 'Paris'])
    """

    array: pa.ChunkedArray
    missing: MissingValues = DEFAULT_MISSING
    decimal: str = ""
    _read: dict[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.array)

    @property
    def is_text(self) -> bool:
        """Whether the values are texts, whose meaning is to be found."""
        kind = self.array.type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

    @property
    def is_plain(self) -> bool:
        """Whether all texts are numbers as computers write them."""
        self.read("number")
        return bool(self._read.get("plain"))

    def example(self) -> str:
        """Return the first value that is not missing, as it stands."""
        return next(
            (text for text in texts_of(self.array.slice(0, 1000)) if text and not self.missing.has(text.strip())), ""
        )

    def take(self, rows: NDArray[Any]) -> "ColumnValues":
        """Return some of the rows, by number or by truth values."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        return ColumnValues(self.array.take(pa.array(rows)), self.missing, self.decimal)

    def read(self, kind: str, form: str = "") -> Any:
        """Return the column as :class:`Codes` of categories, or as :class:`Numbers`; read once.

        Args:
            kind: number, boolean (0 and 1), date (days since 1970) or category.
            form: of its texts, as a :class:`~torchann.nets.column.Column` has it; numbers in a form that begins with
                ``=`` are not written as the rest of their file.
        """
        if (key := f"{kind} {form}") not in self._read:
            self._read[key] = self.codes() if kind == "category" else self._numbers(kind, form)
        return self._read[key]

    def only(self, kind: str, form: str) -> "ColumnValues":
        """Return the column without what it was read from, to be read as one kind, which needs less memory."""
        read = (
            {} if kind not in ("number", "boolean", "date", "category") else {f"{kind} {form}": self.read(kind, form)}
        )
        return ColumnValues(pa.chunked_array([pa.nulls(len(self))]), self.missing, self.decimal, read)

    def codes(self) -> Codes:
        """Return the column as categories: numbers, dates and truth values become texts, exactly."""
        if "codes" not in self._read:
            self._read["codes"] = self._codes()
        found: Codes = self._read["codes"]
        return found

    def _codes(self) -> Codes:
        array, types = self.array, pa.types
        if pa.types.is_dictionary(array.type) and not self.is_text:
            array = array.cast(array.type.value_type)
        kind = array.type
        if types.is_integer(kind) or types.is_floating(kind):
            there = np.asarray(array.is_valid())
            distinct, places = np.unique(array.filter(pc.is_valid(array)).to_numpy(), return_inverse=True)
            codes = np.full(len(array), -1)
            codes[there] = places
            return self._merged(codes, ["" if value != value else text_of_value(value) for value in distinct])
        if self.is_text:
            if not types.is_dictionary(kind):
                array = pc.dictionary_encode(array, memory_pool=POOL)
            array = array.unify_dictionaries().combine_chunks()
            array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
            indices = array.indices.cast(pa.int64(), memory_pool=POOL).fill_null(-1)
            return self._merged(indices.to_numpy(zero_copy_only=False), array.dictionary.to_pylist())
        seen: dict[str | None, int] = {}
        codes = np.array([seen.setdefault(text, len(seen)) for text in texts_of(array)], dtype=np.int64)
        return self._merged(codes, list(seen))

    def _merged(self, codes: NDArray[np.int64], texts: Sequence[str | None]) -> Codes:
        places: dict[str, int] = {}
        new = np.full(len(texts) + 1, -1)  # the last is that of the code -1
        for place, value in enumerate(texts):
            text = (value or "").strip()
            if not self.missing.has(text):
                new[place] = places.setdefault(text, len(places))
        return Codes(new[codes], list(places))

    def _numbers(self, kind: str, form: str) -> Numbers:
        wrong: dict[str, int] = {}
        if not self.is_text:
            values = floats_of(self.array)
        elif (found := self._cast(kind, form)) is not None:
            values = found
            self._read["plain"] = self._read.get("plain") or (kind, form) == ("number", "")
        else:
            values, wrong = self._parsed(self._reader(kind, form))
        none: set[Any] = set(self.missing.numbers)
        if kind == "date":
            none = {days for text in self.missing.texts if (days := days_of(text, form)) is not None}
        if none:  # also -999,0 and $-999, and a date in another form
            values = np.where(np.isin(values, list(none)), np.nan, values)
        return Numbers(values, wrong)

    def _reader(self, kind: str, form: str) -> Callable[[str], float | None]:
        if kind == "number":
            decimal, unit = self._sign(form), form.lstrip("=")[1:]
            return lambda text: number_of(text, decimal, unit)
        return (lambda text: days_of(text, form)) if kind == "date" else lambda text: BOOLEANS.get(text.lower())

    def _sign(self, form: str) -> str:
        own = form.lstrip("=")[:1]
        if self.decimal.startswith("!") or (self.decimal in (".", ",") and not form.startswith("=")):
            return self.decimal[-1]
        return own or self.decimal[-1:] or "."

    def _parsed(self, reader: Callable[[str], float | None]) -> Numbers:
        codes, texts = self.codes()
        found = [reader(text) for text in texts]
        wrong = {text for text, value in zip(texts, found, strict=True) if value is None}
        counts = self.codes().counts() if wrong else {}
        values = np.array([math.nan if value is None else value for value in found] + [math.nan], dtype=np.float64)
        return Numbers(values[codes], {text: count for text, count in counts.items() if text in wrong})

    def _cast(self, kind: str, form: str) -> NDArray[np.float64] | None:
        """Return what pyarrow reads in all texts, or None: a quick way to what the slow one finds."""
        if kind == "boolean" or (kind == "date" and form) or pa.types.is_dictionary(self.array.type):
            return None
        comma = kind == "number" and self._sign(form) == ","
        wanted = pa.float64() if kind == "number" else pa.timestamp("us")
        if not comma and (found := _cast_all(self.array, wanted)) is not None:
            return found
        texts = pc.utf8_trim_whitespace(self.array, memory_pool=POOL)
        gone = pc.is_in(
            pc.utf8_lower(texts, memory_pool=POOL), value_set=pa.array(["", *self.missing.texts], texts.type)
        )
        texts = pc.if_else(gone, None, texts)
        if comma:
            if pc.any(pc.match_substring(texts, ".")).as_py():
                return None
            texts = pc.replace_substring(texts, ",", ".")
        return _cast_all(texts, wanted)


def _cast_all(texts: pa.ChunkedArray, wanted: pa.DataType) -> NDArray[np.float64] | None:
    try:
        values = floats_of(pc.cast(texts, wanted, memory_pool=POOL))
    except pa.ArrowInvalid:
        return None
    odd = np.isinf(values).any() or np.isnan(values).sum() != texts.null_count  # 1e999, or nan(x)
    return None if odd else values


def column_of(values: Any, missing: MissingValues = DEFAULT_MISSING, decimal: str = "") -> ColumnValues:
    """Return a column of whatever an array or a data frame's column holds, with its type.

    Args:
        values: one-dimensional: numbers, truth values, dates, texts, or a mixture, with None or nan for gaps.
        missing: which values stand for none.
        decimal: sign of its table, as :class:`ColumnValues` has it.

    Raises:
        ValueError: if it has more dimensions, or complex numbers.

    Example:
        >>> column_of([2**53 + 1, None]).codes().texts
        ['9007199254740993']
        >>> column_of(np.array(["1970-01-03"], "datetime64[D]")).read("date")
        Numbers(values=array([2.]), wrong={})
    """
    if isinstance(values, ColumnValues):
        return values
    return ColumnValues(arrow_array(values), missing, decimal)
