"""CSV by pyarrow, several times as fast as Python's ``csv``, where both are certain to find the same values.

A block of whole rows is looked at before pyarrow gets it. What the two read differently, or might, ends the fast way:
quotes within a value, carriage returns without a line feed, NUL, bytes that are no UTF-8, values longer than ``csv``
takes, rows of another length than the header's. So Python's ``csv`` decides what such a file holds, or what is wrong.
"""

import csv
import gzip
import math
import zlib
from collections.abc import Iterator, Sequence, Set
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 2**20  # of a file at once: longer ones are no faster
BOM = b"\xef\xbb\xbf"
QUOTE, NEWLINE, RETURN = b'"\n\r'
COMMA_NUMBER = r"^(\s*[+-]?[0-9]+),([0-9]+([eE][+-]?[0-9]+)?\s*)$"


class NotCertain(Exception):
    """What follows in a file may be read differently by pyarrow and by Python's ``csv``."""


def import_pyarrow() -> Any:
    """The package.

    Raises:
        NotCertain: if it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.csv
    except ImportError:
        raise NotCertain("there is no pyarrow") from None
    return pyarrow


def arrow_tables(file: BinaryIO, width: int, columns: Sequence[int], delimiter: str, rows: int) -> Iterator[list[Any]]:
    """The values of some columns as texts, some rows at a time.

    Args:
        file: UTF-8 without a mark; its first row has the names.
        width: how many columns it has.
        columns: the places of those to read.
        delimiter: between the values, one character of ASCII.
        rows: how many at a time; the last may be fewer.

    Yields:
        A chunked array of strings of pyarrow, ``(rows,)``, for each of the columns.

    Raises:
        NotCertain: where Python's ``csv`` must be asked.

    Example:
        >>> import io
        >>> [[column.to_pylist()] for [column] in arrow_tables(io.BytesIO(b'a,b\\n1,2\\n3,"x,y"'), 2, [1], ",", 1)]
        [[['2']], [['x,y']]]
    """
    arrow = import_pyarrow()
    kinds = {str(place): arrow.large_string() for place in columns}
    convert = arrow.csv.ConvertOptions(column_types=kinds, include_columns=list(kinds), check_utf8=False)
    waiting, names = None, 1  # rows that are the header
    try:
        for block in _blocks(file, delimiter.encode()):
            quoted = b'"' in block
            parse = arrow.csv.ParseOptions(
                delimiter=delimiter, quote_char='"' if quoted else False, newlines_in_values=quoted
            )
            table = arrow.csv.read_csv(
                arrow.BufferReader(block),
                arrow.csv.ReadOptions(
                    use_threads=False, block_size=len(block), column_names=[str(place) for place in range(width)]
                ),
                parse,
                convert,
            ).slice(names)
            names = 0
            waiting = table if waiting is None else arrow.concat_tables([waiting, table])
            while len(waiting) >= rows:
                yield waiting.slice(0, rows).columns
                waiting = waiting.slice(rows)
    except (arrow.ArrowException, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise NotCertain(str(error)) from None
    if waiting is not None and len(waiting):
        yield waiting.columns


def _blocks(file: BinaryIO, delimiter: bytes) -> Iterator[bytes]:
    rest, more = b"", b"\n"
    while more:
        more = file.read(BLOCK_BYTES)
        rest += more
        end = _whole_rows(rest, delimiter, ended=not more)
        block, rest = rest[:end], rest[end:]
        if block.startswith(BOM):
            raise NotCertain("which pyarrow leaves out")
        if block.strip(b"\r\n"):
            yield block


def _whole_rows(text: bytes, delimiter: bytes, ended: bool) -> int:
    """How many bytes are whole rows that both read alike."""
    end = len(text) if ended else text.rfind(b"\n") + 1
    codes = np.frombuffer(b"\n" + text + b"\n", np.uint8)
    quotes = np.flatnonzero(codes == QUOTE) if b'"' in text else np.empty(0, np.int64)  # places in codes: from 1 on
    while (before := int(np.searchsorted(quotes, end, "right"))) % 2 and not ended:  # a line that ends within quotes
        end = text.rfind(b"\n", 0, int(quotes[before - 1]) - 1) + 1
    if before % 2 or not (end or ended):
        raise NotCertain("a quote that is not closed, or a row longer than a block")
    if before:
        _check_quotes(codes, quotes[:before], delimiter[0])
    plain = text[:end]
    if b"\0" in plain or (b"\r" in plain and plain.count(b"\r") != plain.count(b"\r\n")):
        raise NotCertain("NUL, or a carriage return alone")
    half = max(1, csv.field_size_limit() // 2)
    for start in range(0, end - half + 1, half):  # a value over the limit would fill one of them
        if text.find(delimiter, start, start + half) < 0 and text.find(b"\n", start, start + half) < 0:
            raise NotCertain("a value that is too long")
    if not plain.isascii():
        plain.decode()
    return end


def _check_quotes(codes: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: int) -> None:
    """Raises unless every second quote, from the first on, begins a value and the others end it, or two are a quote."""
    left, right = codes[quotes[::2] - 1], codes[quotes[1::2] + 1]
    beside = np.zeros(256, bool)
    beside[[delimiter, NEWLINE, QUOTE]] = True
    begun = beside[left].all()
    beside[RETURN] = True
    if not (begun and beside[right].all()):
        raise NotCertain("a quote within a value")
    lengths = quotes[1::2][right != QUOTE] - quotes[::2][left != QUOTE]
    if lengths.max(initial=0) > csv.field_size_limit():
        raise NotCertain("a value that is too long")


def gaps_of(missing: Set[str]) -> list[str] | None:
    """How texts that stand for no value are mostly written; None if one of them is a number, and so not always a gap.

    Example:
        >>> gaps_of({"n/a", ""}), gaps_of({"", "-999"})
        (['', 'N/A', 'n/a'], None)
    """
    for text in missing:
        try:
            if not math.isnan(float(text)):
                return None
        except ValueError:
            pass
    ways = {way for text in missing for way in (text, text.upper(), text.title())} | {"NaN", "-NaN"}
    return sorted(way for way in ways if way.strip().lower() in missing)


def arrow_numbers(texts: Any, comma: bool, gaps: list[str] | None) -> NDArray[np.float64] | None:
    """Numbers, if all texts are such or gaps; None if that is for Python's ``float`` to say.

    Args:
        texts: a chunked array of strings of pyarrow, ``(rows,)``.
        comma: whether ``3,5`` is a number.
        gaps: texts that stand for no value.

    Example:
        >>> import pyarrow
        >>> arrow_numbers(pyarrow.chunked_array([["3,5", " 1e2"], ["n/a"]]), True, ["n/a"])
        array([  3.5, 100. ,   nan])
    """
    arrow = import_pyarrow()
    compute = arrow.compute
    if (found := _cast(arrow, texts)) is not None:
        return found
    texts = compute.ascii_trim_whitespace(texts)
    if comma:
        texts = compute.replace_substring_regex(texts, COMMA_NUMBER, r"\1.\2")
    if (found := _cast(arrow, texts)) is not None or gaps is None:
        return found
    there = compute.invert(compute.is_in(texts, value_set=arrow.array(gaps, texts.type)))
    return _cast(arrow, compute.if_else(there, texts, None))


def _cast(arrow: Any, texts: Any) -> NDArray[np.float64] | None:
    try:
        found = arrow.compute.cast(texts, arrow.float64())
    except arrow.ArrowInvalid:
        return None
    numbers = np.array(found.to_numpy())
    only_gaps = np.isnan(numbers).sum() == found.null_count  # pyarrow takes nan(x) for nan
    return numbers if only_gaps else None


def distinct_texts(texts: Any) -> tuple[NDArray[np.int64], list[str]]:
    """Each text once, as they come, and the place of each row's.

    Example:
        >>> import pyarrow
        >>> distinct_texts(pyarrow.chunked_array([["b"], ["a", "b"]]))
        (array([0, 1, 0]), ['b', 'a'])
    """
    found = import_pyarrow().compute.dictionary_encode(texts.combine_chunks())
    return found.indices.to_numpy(zero_copy_only=False).astype(np.int64), found.dictionary.to_pylist()
