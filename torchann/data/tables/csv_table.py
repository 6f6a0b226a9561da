"""CSV files: the delimiter, header and numbers of whatever spreadsheets and databases write.

What they hold is what Python's own ``csv`` and ``float`` say. Large ones in UTF-8 are read by pyarrow where it is
installed, in the same chunks with the same values, for as long as both are certain to agree; see
:mod:`torchann.data.tables.csv_by_arrow`.
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from torchann.data.errors import DataFileError
from torchann.data.tables.column_values import MISSING, ColumnValues, NumericColumn, texts_of
from torchann.data.tables.csv_by_arrow import BOM, NotCertain, arrow_numbers, arrow_tables, distinct_texts, gaps_of
from torchann.data.tables.table import CHUNK_ROWS, Chunk, Table

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 2**16  # characters, to find the delimiter
COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
ARROW_BYTES = 2**22  # of text: Python reads that many while pyarrow is imported
UNPACK = "pack it again, or give the unpacked file"


class CsvTable(Table):
    """CSV files that hold one table: comma, semicolon, tab or bar between the values, packed by gzip or not.

    The first line has the names. With another delimiter than the comma, ``3,5`` is a number.

    Args:
        paths: the files; the columns of the later ones may be in another order.
        delimiter: between the values; found by itself if not given.
        encoding: of the text; UTF-8, or UTF-16 with its mark, if not given.
        missing: which texts stand for no value, in small letters.

    Raises:
        DataFileError: for what is no table in a text file.
        OSError: if a file cannot be read.
    """

    paths: list[Path]
    encoding: str | None

    def __init__(
        self,
        paths: Sequence[Path],
        delimiter: str | None = None,
        encoding: str | None = None,
        missing: frozenset[str] = MISSING,
    ) -> None:
        self.paths, self.encoding = list(paths), encoding
        self.delimiter: str = delimiter or self._find_delimiter(paths[0])
        super().__init__(stem(paths[0]), self._header(paths[0]), missing)
        for path in paths[1:]:
            header = self._header(path)
            if set(header) != set(self.columns):
                other = sorted(set(self.columns) ^ set(header))[0]
                found = f"has the columns {', '.join(header)[:200]}"
                raise DataFileError(path, found, f"those of {paths[0]}", f"look at {other!r}, or leave the file out")

    @contextmanager
    def _unpacked(self, path: Path) -> Iterator[tuple[BinaryIO, str]]:
        packed = self._is_packed(path)
        with path.open("rb") as file:
            content = cast(BinaryIO, gzip.GzipFile(fileobj=file) if packed else file)
            mark = content.read(2)
            content.seek(0)
            utf_16 = mark in (b"\xff\xfe", b"\xfe\xff")
            yield content, self.encoding or ("utf-16" if utf_16 else "utf-8-sig")

    @contextmanager
    def _open(self, path: Path) -> Iterator[io.TextIOBase]:
        try:
            with self._unpacked(path) as (content, encoding):
                yield io.TextIOWrapper(content, encoding, newline="")
        except UnicodeDecodeError as error:
            found = f"has the byte {error.object[error.start]:#x}, which is no {error.encoding}"
            raise DataFileError(path, found, "text in UTF-8", "give its encoding, such as latin-1") from None
        except LookupError as error:
            raise ValueError(f"{error}; give an encoding of Python, such as latin-1 or utf-8") from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataFileError(path, f"is a damaged gzip file ({error})", "a whole one", UNPACK) from None
        except csv.Error as error:
            raise DataFileError(path, f"cannot be split into values ({error})", "CSV", _LOOK) from None

    def _find_delimiter(self, path: Path) -> str:
        if {".tsv", ".tab"} & {suffix.lower() for suffix in path.suffixes}:
            return "\t"
        with self._open(path) as file:
            start = file.read(LOOKED_AT)
        if "\0" in start:
            raise DataFileError(path, "is no text", "CSV, Parquet, NPY or NPZ", "save it as one of these")
        lines = start.splitlines(keepends=True)
        lines = lines if len(start) < LOOKED_AT else lines[:-1]
        widths = {}
        for delimiter in DELIMITERS:
            counts = [len(row) for row in islice(csv.reader(lines, delimiter=delimiter), 100) if row]
            alike = sum(count == counts[0] for count in counts) / len(counts) if counts else 0
            widths[delimiter] = (counts[0] > 1) * alike * counts[0] if counts else 0
        return max(DELIMITERS, key=lambda delimiter: widths[delimiter])  # the first of several that do as well

    def _header(self, path: Path) -> list[str]:
        with self._open(path) as file:
            names = next((row for row in csv.reader(file, delimiter=self.delimiter) if row), None)
        if names is None:
            raise DataFileError(path, "is empty", "a line of names and a line per row", "look where it comes from")
        names = [name.strip() or f"column {place}" for place, name in enumerate(names, 1)]
        for place, name in enumerate(names, 1):
            if first := names[: place - 1].count(name):
                first = names.index(name) + 1
                found = f"has the column {name!r} twice, as number {first} and {place}"
                raise DataFileError(path, found, "a name of its own for each", "rename one in the first line")
        return names

    def memory_size(self) -> int:
        """About how many bytes it takes, if values have a few characters and packing leaves a fifth."""
        return 4 * sum(map(self._text_size, self.paths))

    def _text_size(self, path: Path) -> int:
        return path.stat().st_size * (5 if self._is_packed(path) else 1)

    def _is_packed(self, path: Path) -> bool:
        with path.open("rb") as file:
            return file.read(2) == b"\x1f\x8b"

    def chunks(self, columns: Sequence[str], texts: Set[str] = frozenset()) -> Iterator[Chunk]:
        """The rows of all files, some at a time.

        Raises:
            DataFileError: if a row has more or fewer values than there are names, or there are no rows.
        """
        for path in self.paths:
            done = 0
            try:
                for chunk in self._by_arrow(path, columns, texts):
                    done += CHUNK_ROWS
                    yield chunk
            except NotCertain:
                yield from self._by_python(path, columns, texts, done)

    def _by_arrow(self, path: Path, columns: Sequence[str], texts: Set[str]) -> Iterator[Chunk]:
        if self._text_size(path) < ARROW_BYTES or self.delimiter not in DELIMITERS or not columns:
            raise NotCertain("or not worth it")
        header, gaps, empty = self._header(path), gaps_of(self.missing), True
        names = list(dict.fromkeys(columns))
        places = [header.index(name) for name in names]
        with self._unpacked(path) as (file, encoding):
            encoding = codecs.lookup(encoding).name
            if encoding not in ("utf-8", "utf-8-sig"):
                raise NotCertain("pyarrow reads UTF-8")
            if encoding == "utf-8" or file.read(len(BOM)) != BOM:
                file.seek(0)
            for arrays in arrow_tables(file, len(header), places, self.delimiter, CHUNK_ROWS):
                cells = [
                    self._arrow_cells(array, name in texts, gaps) for name, array in zip(names, arrays, strict=True)
                ]
                yield dict(zip(names, cells, strict=True))
                empty = False
        if empty:
            raise NotCertain("no rows")

    def _by_python(self, path: Path, columns: Sequence[str], texts: Set[str], done: int) -> Iterator[Chunk]:
        header, empty = self._header(path), not done
        with self._open(path) as file:
            rows = (row for row in csv.reader(file, delimiter=self.delimiter) if row)
            next(islice(rows, done, None))  # the names, and what has been read
            while some := list(islice(rows, CHUNK_ROWS)):
                if set(map(len, some)) != {len(header)}:
                    self._refuse_ragged(path, len(header))
                values = list(zip(*some, strict=True))
                yield {name: self._cells(values[header.index(name)], name in texts) for name in columns}
                empty = False
        if empty:
            raise DataFileError(path, "has names and no rows", "a line per row", "look where it comes from")

    def _arrow_cells(self, array: Any, as_text: bool, gaps: list[str] | None) -> ColumnValues:
        numbers = None if as_text else arrow_numbers(array, self.delimiter != ",", gaps)
        if numbers is not None:
            return NumericColumn(numbers)
        codes, distinct = distinct_texts(array)
        return self._cells(distinct, as_text).take(codes)

    def _cells(self, values: Sequence[str], as_text: bool) -> ColumnValues:
        if self.delimiter != "," and not as_text:
            values = [v.replace(",", ".") if COMMA_NUMBER.fullmatch(v.strip()) else v for v in values]
        numbers = None if as_text else _numbers(values, self.missing)
        return texts_of(values, self.missing) if numbers is None else NumericColumn(numbers)

    def _refuse_ragged(self, path: Path, width: int) -> None:
        with self._open(path) as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            wrong = next(row for row in reader if row and len(row) != width)
            values = "1 value" if len(wrong) == 1 else f"{len(wrong)} values"
            found = f"has {values} in line {reader.line_num}"
        raise DataFileError(path, found, f"{width}, as in the first line", _LOOK)


_LOOK = "put texts that hold the delimiter in quotes, or give the delimiter"


def _numbers(values: Sequence[str], missing: frozenset[str]) -> NDArray[np.float64] | None:
    try:
        return _floats(values)
    except ValueError:
        pass
    try:
        return _floats(["nan" if value.strip().lower() in missing else value for value in values])
    except ValueError:
        return None


def _floats(values: Sequence[str]) -> NDArray[np.float64] | None:
    found = np.array(values, dtype=np.float64)
    return None if any("_" in value for value in values) else found  # which Python reads as 1_000


def stem(path: Path) -> str:
    """The name of a file without its endings.

    Example:
        >>> stem(Path("data/my.table.csv.gz"))
        'my.table'
    """
    name = path.name.removesuffix(".gz")
    return name.rpartition(".")[0] or name
