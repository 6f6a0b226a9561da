"""CSV files: the delimiter, header and encoding of whatever spreadsheets and databases write; values stay texts."""

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from torchann.data.errors import DataFileError
from torchann.data.tables.column_values import ColumnValues
from torchann.data.tables.csv_head import Head, find_head
from torchann.data.tables.missing_values import DEFAULT_MISSING, MissingValues
from torchann.data.tables.table import Chunk, Table

LOOKED_AT = 2**16  # characters, to find the delimiter, the header and the decimal sign
LONGEST_LINE = 2**24  # characters
BLOCK_BYTES = 2**22  # of a file at once; no row may be longer
PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open, b"\x28\xb5\x2f\xfd": None}
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError)
_LOOK = "put texts that hold the delimiter in quotes, or give the delimiter"


class CsvTable(Table):
    """CSV files that hold one table: comma, semicolon, tab or bar between the values, packed or not.

    The first line has the names; lines above it that are blank, begin with ``#`` or ``sep=`` or hold a title are passed
    over.

    Args:
        paths: the files; the columns of the later ones may be in another order.
        delimiter: between the values; found by itself if not given.
        encoding: of the text; UTF-8, or UTF-16 with its mark, if not given.
        missing: which texts stand for no value.
        decimal: sign of numbers; found by itself if not given.

    Raises:
        DataFileError: for what is no table in a text file.
        OSError: if a file cannot be read.
        ValueError: for an unknown encoding.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        delimiter: str | None = None,
        encoding: str | None = None,
        missing: MissingValues = DEFAULT_MISSING,
        decimal: str = "",
    ) -> None:
        self.paths: list[Path] = list(paths)
        self.encoding = encoding
        self._given = delimiter
        self._heads = {path: self._head(path) for path in paths}
        first = self._heads[paths[0]]
        self.delimiter = first.delimiter
        super().__init__(stem(paths[0]), first.names, missing, decimal or first.decimal)
        for path in paths[1:]:
            names = self._heads[path].names
            if set(names) != set(self.columns):
                other = sorted(set(self.columns) ^ set(names))[0]
                found = f"has the columns {', '.join(names)[:200]}"
                raise DataFileError(path, found, f"those of {paths[0]}", f"look at {other!r}, or leave the file out")

    def _unpacked(self, path: Path) -> Any:
        mark = self._mark(path)
        if mark is None:
            return path.open("rb")
        opened = PACKED[mark]
        return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") if opened is None else opened(path, "rb")

    def _mark(self, path: Path) -> bytes | None:
        with path.open("rb") as file:
            start = file.read(6)
        return next((mark for mark in PACKED if start.startswith(mark)), None)

    def _encoding(self, path: Path) -> str:
        with self._unpacked(path) as file:
            utf_16 = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
        return self.encoding or ("utf-16" if utf_16 else "utf-8-sig")

    def _text(self, path: Path) -> io.TextIOWrapper:
        encoding = codecs.lookup(self._encoding(path)).name
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))  # of all of Python: that of a header
        return io.TextIOWrapper(self._unpacked(path), encoding, newline="")

    def _head(self, path: Path) -> Head:
        try:
            with self._text(path) as file:
                start = file.read(LOOKED_AT)
                if not re.search("[\r\n]", start[:-1]):
                    start += next(_lines(file), "") + file.read(LOOKED_AT)
                whole = not file.read(1)
        except (UnicodeDecodeError, LookupError, OSError, csv.Error, *DAMAGED, pa.ArrowException) as error:
            raise self._wrong(path, error) from None
        if "\0" in start:
            raise DataFileError(path, "is no text", "CSV, Parquet, NPY or NPZ", "save it as one of these")
        tab = {".tsv", ".tab"} & {suffix.lower() for suffix in path.suffixes}
        return find_head(path, start, whole, self._given or ("\t" if tab else None))

    def memory_size(self) -> int:
        """Return about how many bytes it takes, if values have a few characters and packing leaves a fifth."""
        return 4 * sum(path.stat().st_size * (1 if self._mark(path) is None else 5) for path in self.paths)

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        """Yield the rows of all files, some at a time.

        Raises:
            DataFileError: if a row has more or fewer values than there are names, or there are no rows.
        """
        for path in self.paths:
            head, empty = self._heads[path], True
            names = list(dict.fromkeys(columns))
            numbers = {name: place for place, name in enumerate(head.names)}
            places = [str(numbers[name]) for name in names]
            try:
                for batch in self._batches(path, head, places):
                    if batch.num_rows:
                        empty = False
                        arrays = (pa.chunked_array([batch.column(place)]) for place in places)
                        yield {
                            name: ColumnValues(array, self.missing, self.decimal)
                            for name, array in zip(names, arrays, strict=True)
                        }
            except (pa.ArrowException, UnicodeDecodeError, OSError, *DAMAGED) as error:
                if "Empty CSV" not in str(error):
                    raise self._wrong(path, error) from None
            if empty:
                raise DataFileError(path, "has names and no rows", "a line per row", "look where it comes from")

    def _batches(self, path: Path, head: Head, places: list[str]) -> Iterator[Any]:
        encoding = self._encoding(path)
        with self._unpacked(path) as file:
            counted = _Quotes(file)
            yield from pyarrow.csv.open_csv(
                counted,
                pyarrow.csv.ReadOptions(
                    block_size=BLOCK_BYTES,
                    skip_rows=head.lines,
                    column_names=[str(place) for place in range(len(head.names))],
                    encoding="utf8"
                    if encoding.lower().replace("_", "-") in ("utf-8-sig", "utf-8", "utf8")
                    else encoding,
                ),
                pyarrow.csv.ParseOptions(
                    delimiter=head.delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=lambda row: "error" if row.text.strip() else "skip",
                ),
                pyarrow.csv.ConvertOptions(
                    column_types={place: pa.string() for place in places}, include_columns=places
                ),
            )

        if counted.quotes % 2:
            self._find_open_quote(path)

    def _find_open_quote(self, path: Path) -> None:
        """Raise if a quote is open at the end, as the rows behind it would be one value."""
        line = 1
        with self._text(path) as file:
            try:
                reader = csv.reader(_lines(file), delimiter=self._heads[path].delimiter, strict=True)
                for _ in reader:
                    line = reader.line_num + 1
            except csv.Error as error:
                if "unexpected end" in str(error):
                    found = f"has a quote in line {line} that is not closed"
                    raise DataFileError(path, found, "two around each text", "close it, or write it twice") from None

    def _wrong(self, path: Path, error: Exception) -> Exception:
        """Return the error that says what is wrong with a file, and in which of its lines."""
        try:
            if isinstance(error, pa.ArrowInvalid):
                self._find_wrong_row(path)
        except (UnicodeDecodeError, csv.Error, DataFileError) as found:
            error = found
        if isinstance(error, UnicodeDecodeError):
            told = f"has the byte {error.object[error.start]:#x}, which is no {error.encoding}"
            return DataFileError(path, told, "text in UTF-8", "give its encoding, such as latin-1")
        if isinstance(error, LookupError):
            return ValueError(f"{error}; give an encoding of Python, such as latin-1 or utf-8")
        if isinstance(error, DataFileError):
            return error
        if self._mark(path) is not None and not isinstance(error, csv.Error):
            remedy = "pack it again, or give the unpacked file"
            return DataFileError(path, f"is a damaged packed file ({error})", "a whole one", remedy)
        if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
            return error
        return DataFileError(path, f"cannot be split into values ({str(error).splitlines()[0]:.100})", "CSV", _LOOK)

    def _find_wrong_row(self, path: Path) -> None:
        head = self._heads[path]
        with self._text(path) as file:
            for _ in range(head.lines):
                file.readline()
            reader, line = csv.reader(_lines(file), delimiter=head.delimiter), 1
            for row in reader:
                if row and len(row) != len(head.names) and any(value.strip() for value in row):
                    values = "1 value" if len(row) == 1 else f"{len(row)} values"
                    place = f"{line + head.lines}"
                    if reader.line_num > line:
                        place += f" to {reader.line_num + head.lines}, within which a quote may not be closed"
                    raise DataFileError(
                        path, f"has {values} in line {place}", f"{len(head.names)}, as in the first line", _LOOK
                    )
                line = reader.line_num + 1


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines of a file; a line that never ends would fill the memory."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise csv.Error(f"a line of more than {LONGEST_LINE:,} characters")
        yield line


class _Quotes:
    """A file that counts the quotes that are read."""

    closed = False

    def __init__(self, file: Any) -> None:
        self.file, self.quotes = file, 0

    def read(self, size: int = -1) -> bytes:
        content: bytes = self.file.read(size)
        self.quotes += content.count(b'"')
        return content


def stem(path: Path) -> str:
    """Return the name of a file without its endings.

    Example:
        >>> stem(Path("data/my.table.csv.gz"))
        'my.table'
    """
    name = re.sub(r"\.(gz|bz2|xz|zst)$", "", path.name)
    return name.rpartition(".")[0] or name
