"""Columns of a table that stand beside its predictions, exactly as they stand in the table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from torchann.data.tables.arrow_arrays import texts_of
from torchann.data.tables.column_values import ColumnValues
from torchann.data.tables.number_texts import plain_number


def kept_type(cells: ColumnValues) -> pa.DataType | None:
    """Return the type of numbers that a column of texts can be written as and read back to the letter; None for texts.

    Args:
        cells: the whole column; an empty text is no value.

    Example:
        >>> from torchann.data.tables.column_values import column_of
        >>> [kept_type(column_of(texts)) for texts in (["7", ""], ["0.5", "7.0"], ["007"], ["1", "NA"])]
        [DataType(int64), DataType(double), None, None]
    """
    texts = [text for text in cells.array.unique().to_pylist() if text]
    if texts and all(_is_whole(text) for text in texts):
        return pa.int64()
    return pa.float64() if texts and all(repr(plain_number(text)) == text for text in texts) else None


def _is_whole(text: str) -> bool:
    return len(text) < 20 and text.lstrip("-").isdecimal() and str(int(text)) == text and -(2**63) <= int(text) < 2**63


def kept(cells: ColumnValues, kind: pa.DataType | None, ending: str) -> Any:
    """Return some rows of a column as they stand in the table.

    Args:
        cells: the rows.
        kind: of :func:`kept_type`.
        ending: of the file that they are written to; ``.csv`` has texts, ``.npy`` where NumPy has no type for them.
    """
    array = cells.array
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if kind is not None:
        parts = [[None if text == "" else text for text in chunk.to_pylist()] for chunk in array.chunks]
        array = pa.chunked_array(parts, array.type).cast(kind)
    if ending == ".csv" and not pa.types.is_floating(array.type):
        return np.array([text or "" for text in texts_of(array)], dtype=str)
    if ending == ".csv":  # the shortest text of each number
        return np.where(array.is_null().to_numpy(), "", array.to_numpy().astype(str))
    if ending != ".npy":
        return array
    found = as_numpy([array])
    return np.array([text or "" for text in texts_of(array)], dtype=str) if found.dtype == object else found


def as_numpy(parts: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Return a column of its parts: no value is changed, None stands for gaps among what has no nan.

    Example:
        >>> as_numpy([pa.chunked_array([[2**53 + 1, None]])])
        array([9007199254740993, None], dtype=object)
    """
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    array = pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)
    kind, types = array.type, pa.types
    if not array.null_count and (types.is_string(kind) or types.is_large_string(kind)):
        return np.array(array.to_pylist(), dtype=str)
    typed = types.is_timestamp(kind) or types.is_date(kind) or types.is_duration(kind) or types.is_floating(kind)
    if typed or (not array.null_count and (types.is_integer(kind) or types.is_boolean(kind))):
        return np.array(array.to_numpy())
    found = np.empty(len(array), dtype=object)
    found[:] = array.to_pylist()
    return found
