"""Files that predictions are written to as they come: CSV or Parquet, in their place when they are whole."""

import csv
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torchann.files.predictions import Columns

ENDINGS = (".csv", ".parquet")


@contextmanager
def open_predictions(path: Path) -> Iterator[Callable[[Columns], None]]:
    """Opens a file beside its place, and puts it there when all rows have been written.

    Args:
        path: a ``.csv`` or ``.parquet`` file; its folder is made if need be.

    Yields:
        What writes rows, given as columns by name.

    Raises:
        ValueError: for another ending, or Parquet without pyarrow.
        OSError: if it cannot be written; an old file is untouched.

    Example:
        >>> import tempfile, numpy as np
        >>> path = Path(tempfile.mkdtemp(), "new", "out.csv")
        >>> with open_predictions(path) as write:
        ...     write({"price": np.float32([0.1, 2.0])})
        >>> path.read_text().splitlines()
        ['price', '0.1', '2.0']
    """
    check_table_ending(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, f"{path} is a folder; name a file in it")
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.touch()
    except OSError as error:
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}; name another folder") from None
    try:
        with (_csv if path.suffix == ".csv" else _parquet)(beside) as write:
            yield write
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def check_table_ending(path: Path) -> None:
    """Raises unless a table of predictions can be written to such a file.

    Raises:
        ValueError: if it is neither CSV nor Parquet, or Parquet and pyarrow is not installed.
    """
    if path.suffix not in ENDINGS:
        raise ValueError(f"predictions cannot be written to {path}; give a file that ends in {' or '.join(ENDINGS)}")
    if path.suffix == ".parquet":
        _pyarrow()


@contextmanager
def _csv(path: Path) -> Iterator[Callable[[Columns], None]]:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")

        def write(columns: Columns) -> None:
            if not file.tell():
                writer.writerow(columns)
            writer.writerows(zip(*(column.astype(str).tolist() for column in columns.values()), strict=True))

        yield write


@contextmanager
def _parquet(path: Path) -> Iterator[Callable[[Columns], None]]:
    arrow = _pyarrow()
    opened: list[Any] = []

    def write(columns: Columns) -> None:
        table = arrow.table({name: arrow.array(column) for name, column in columns.items()})
        if not opened:
            opened.append(arrow.parquet.ParquetWriter(path, table.schema))
        opened[0].write_table(table)

    try:
        yield write
    finally:
        for writer in opened:
            writer.close()


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ValueError("Parquet needs pyarrow; pip install 'torchann[tabular]', or write a .csv file") from None
    return pyarrow
