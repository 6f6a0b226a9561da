"""Columns of a table that stand beside its predictions, exactly as they stand in the table."""

import pyarrow as pa

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


def kept(cells: ColumnValues, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    """Return some rows of a column as they stand in the table.

    Args:
        cells: the rows.
        kind: of :func:`kept_type`.
    """
    array = cells.array
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if kind is None:
        return array
    parts = [[None if text == "" else text for text in chunk.to_pylist()] for chunk in array.chunks]
    return pa.chunked_array(parts, array.type).cast(kind)
