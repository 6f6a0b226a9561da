"""Finds out what a table is, by its content: files of several kinds, data frames, arrays."""

import glob
import os
import zipfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from torchann.data.errors import DataFileError, DataNotFoundError
from torchann.data.tables.csv_table import CsvTable, stem
from torchann.data.tables.memory_size import free_memory
from torchann.data.tables.missing_values import DEFAULT_MISSING, MissingValues
from torchann.data.tables.parquet_table import ParquetTable
from torchann.data.tables.table import ArrayTable, Table
from torchann.nets.names import composed, nearest

SHIPPED = {"california-housing": "california_housing.csv.gz", "iris": "iris.csv.gz"}
"""Tables that come with this package, by name."""
KINDS = "CSV, Parquet, NPY or NPZ"
FOREIGN = {
    b"PK\x03\x04": ("is an Excel or zip file", "save the sheet as CSV, or unpack it"),
    b"\xd0\xcf\x11\xe0": ("is an old Excel file", "save the sheet as CSV"),
    b"ARROW1": ("is an Arrow or Feather file", "write it as Parquet: pyarrow.parquet.write_table"),
    b"\x89HDF": ("is an HDF5 file", "write the table as Parquet or CSV"),
    b"SQLite": ("is an SQLite database", "write the table as CSV"),
    b"%PDF": ("is a PDF file", "write the table as CSV"),
    b"\x80\x04": ("is a pickle, which may run code when it is opened", "write the table as Parquet or CSV"),
    b"\x80\x05": ("is a pickle, which may run code when it is opened", "write the table as Parquet or CSV"),
    **dict.fromkeys((b'{"', b"{\n", b"[{", b"[[", b"[\n"), ("is JSON", "write the table as CSV")),
}


def open_table(
    source: Any,
    delimiter: str | None = None,
    encoding: str | None = None,
    missing: MissingValues = DEFAULT_MISSING,
    decimal: str = "",
) -> Table:
    """Open the table of a file or several, a data frame or arrays; what kind a file is, its content says.

    Args:
        source: a path, several, or a pattern such as ``part-*.parquet``; ``"california-housing"`` or ``"iris"`` for one
            in this package; a data frame of pandas, polars, pyarrow or another library of Arrow's; a mapping of
            columns; an array ``(rows, columns)``, whose columns are called ``"0"``, ``"1"`` and so on.
        delimiter: between the values of a CSV file, one character or "tab"; found by itself if not given.
        encoding: of a CSV file; UTF-8 if not given.
        missing: which values stand for none.
        decimal: sign of numbers in texts, where they could be read both ways; found by itself if not given.

    Raises:
        DataNotFoundError: if there is no such file.
        DataFileError: if it is damaged or no table.
        ValueError: if it is no table.

    Example:
        >>> open_table("california-housing").columns[:2]
        ['longitude', 'latitude']
    """
    delimiter = None if delimiter is None else _one_character(delimiter)
    if decimal not in ("", ".", ","):
        raise ValueError(f"decimal is {decimal!r}; give '.' or ','")
    decimal = decimal and f"!{decimal}"  # said by a person
    if isinstance(source, (str, Path)) or (isinstance(source, (list, tuple)) and _are_paths(source)):
        paths = _find([source] if isinstance(source, (str, Path)) else source)
        kind = _kind_of_all(paths)
        if kind == "Parquet":
            return ParquetTable(paths, missing, decimal)
        if kind == "CSV":
            return CsvTable(paths, delimiter, encoding, missing, decimal)
        if len(paths) > 1:
            raise DataFileError(paths[1], f"is {kind}", "one file of it", "join the arrays, or write them as Parquet")
        return ArrayTable(stem(paths[0]), _of_numpy(paths[0]), missing, decimal)
    return ArrayTable("table", columns_of(source), missing, decimal)


def columns_of(source: Any) -> dict[str, Any]:
    """Return the columns by name of a mapping, a data frame or an array.

    Frames of pandas, and of Modin, which is like it, are asked for their columns; those of all other libraries give
    Arrow's stream (``__arrow_c_stream__``), which hands over typed columns without a copy and without another package
    between them and pyarrow, as narwhals would be.

    Raises:
        ValueError: if there are none, or a name comes twice.

    Example:
        >>> columns_of(np.eye(2))["1"]
        array([0., 1.])
    """
    if isinstance(source, Mapping):
        return {composed(str(name)): values for name, values in source.items()}
    framed = hasattr(source, "columns") and hasattr(source, "to_numpy")
    if not framed and hasattr(source, "__arrow_c_stream__"):
        source = pa.table(source)
    elif not framed:
        return _of_array(np.asarray(source))
    names = list(source.columns) if framed else source.column_names
    found = [composed(str(name)) for name in names]
    if len(set(found)) < len(names):
        raise ValueError(f"the data frame has a column twice in {', '.join(found)[:200]}; rename one")
    return {name: source[own] for name, own in zip(found, names, strict=True)}


def _one_character(delimiter: str) -> str:
    found = "\t" if delimiter.lower() in ("\\t", "tab") else delimiter  # as people type it
    if len(found) != 1 or found in '\r\n"':
        raise ValueError(f"the delimiter is {delimiter!r}; give one character, or tab")
    return found


def _are_paths(source: Sequence[Any]) -> bool:
    return bool(source) and all(isinstance(part, (str, Path)) for part in source)


def _find(given: Sequence[str | Path]) -> list[Path]:
    found: list[Path] = []
    for one in given:
        path = (
            Path(str(files("torchann.data") / SHIPPED[str(one)]))
            if str(one) in SHIPPED
            else Path(os.path.expanduser(one))
        )
        pattern = not path.exists() and glob.has_magic(str(path))
        paths = [Path(name) for name in sorted(glob.glob(str(path)))] if pattern else [path]
        if not paths:
            raise DataNotFoundError(f"no file is named like {path}; give a pattern that fits some")
        for path in paths:
            _check_is_there(path)
        found += paths
    return found


def _check_is_there(path: Path) -> None:
    if path.is_dir():
        raise DataFileError(path, "is a folder", "a file", f"give its files, such as '{path}/*.parquet'")
    if path.exists() and not path.is_file():  # which may wait for ever, and is read once
        raise DataFileError(path, "is a pipe or a device", "a file", "write what it gives to a file, and name that")
    if path.exists():
        return
    if not path.parent.is_dir():
        raise DataNotFoundError(f"there is no file {path}, nor a folder {path.parent}; look at the path")
    names = [other.name for other in path.parent.iterdir()] + list(SHIPPED)
    near = nearest(path.name, names)
    hint = f"did you mean {str(path.with_name(near))!r}?" if near else "look at the path"
    raise DataNotFoundError(f"there is no file {path}; {hint}")


def _kind_of_all(paths: list[Path]) -> str:
    kinds = {path: _kind(path) for path in paths}
    if len(set(kinds.values())) > 1:
        one, other = paths[0], next(path for path in paths if kinds[path] != kinds[paths[0]])
        raise DataFileError(other, f"is {kinds[other]}", f"{kinds[one]}, as {one}", "give files of one kind")
    return kinds[paths[0]]


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        found = f"cannot be read ({error.strerror})"
        raise DataFileError(path, found, "a file that you may read", f"look at the rights: ls -l {path}") from None
    if start[:4] == b"PAR1":
        return "Parquet"
    if start[:6] == b"\x93NUMPY":
        return "NPY"
    if start[:4] == b"PK\x03\x04" and path.suffix.lower() == ".npz":
        return "NPZ"
    for mark, (found, remedy) in FOREIGN.items():
        if start.startswith(mark):
            raise DataFileError(path, found, KINDS, remedy)
    if path.suffix.lower() in (".parquet", ".npy", ".npz"):
        found = "is empty" if not start else f"is no {path.suffix[1:].upper()} file, whatever its ending says"
        raise DataFileError(path, found, KINDS, "write it again")
    return "CSV"


def _of_numpy(path: Path) -> dict[str, Any]:
    try:
        free, packed = free_memory(), path.suffix.lower() == ".npz"
        if packed and free is not None:
            with zipfile.ZipFile(path) as parts:
                size = sum(part.file_size for part in parts.infolist())
            if size > free // 2:
                found = f"would unpack to {size / 1e6:,.0f} MB"
                raise DataFileError(path, found, f"{free / 2e6:,.0f} MB at most", "write the table as Parquet")
        content = np.load(path, allow_pickle=False, mmap_mode=None if packed else "r")  # which sees the file's size
        content = np.array(content) if isinstance(content, np.ndarray) else content
        if not isinstance(content, np.lib.npyio.NpzFile):
            return _of_array(content)
        arrays: dict[str, Any] = {}
        for name, array in content.items():
            wide = array.ndim == 2
            arrays |= {f"{name}{place}": array[:, place] for place in range(array.shape[1])} if wide else {name: array}
        return arrays
    except (ValueError, EOFError, OSError, MemoryError, zipfile.BadZipFile, KeyError) as error:
        if isinstance(error, DataFileError):
            raise
        found = f"cannot be opened ({str(error).splitlines()[0]:.100})"
        raise DataFileError(path, found, "arrays of numbers or texts", "write it again with numpy.savez") from None


def _of_array(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    if array.dtype.names:
        return {column: array[column] for column in array.dtype.names}
    if array.ndim != 2:
        raise ValueError(f"an array of shape {array.shape} is no table; give (rows, columns), or a column by each name")
    return {str(place): array[:, place] for place in range(array.shape[1])}
