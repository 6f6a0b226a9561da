"""Parquet files: typed columns, some rows or some row groups at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from torchann.data.errors import DataFileError
from torchann.data.tables.arrow_arrays import POOL, unusable
from torchann.data.tables.column_values import column_of
from torchann.data.tables.missing_values import DEFAULT_MISSING, MissingValues
from torchann.data.tables.table import CHUNK_ROWS, VALUE_BYTES, Chunk, Table, Unit
from torchann.nets.names import composed

SLICE_ROWS = 16384  # decoded at once: large enough to be quick, small enough for malloc to use again
READ_BYTES = 2**16  # of a column at once: pyarrow would otherwise hold all that it has read of a file


class ParquetTable(Table):
    """Parquet files that hold one table.

    Args:
        paths: the files.
        missing: which values stand for none.
        decimal: sign of numbers in texts, where they could be read both ways.

    Attributes:
        num_rows: in all files.
        units: all row groups, in order.

    Raises:
        DataFileError: if a file is damaged, empty or of other columns than the first.
        OSError: if a file cannot be read.
    """

    def __init__(self, paths: Sequence[Path], missing: MissingValues = DEFAULT_MISSING, decimal: str = "") -> None:
        self.paths: list[Path] = list(paths)
        self.files: list[Any] = [self._open(path) for path in paths]
        schema = self.files[0].schema_arrow
        self._own = {composed(name): name for name in schema.names}
        super().__init__(paths[0].stem, [composed(name) for name in schema.names], missing, decimal)
        for path, file in zip(paths, self.files, strict=True):
            if set(file.schema_arrow.names) != set(schema.names) or len(self._own) < len(schema.names):
                raise DataFileError(
                    path,
                    f"has the columns {', '.join(file.schema_arrow.names)[:200]}",
                    f"those of {paths[0]}, each once",
                    "leave the file out",
                )
        self.units: list[Unit] = []
        self.num_rows: int = 0
        for number, file in enumerate(self.files):
            for group in range(file.metadata.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                self.units.append(Unit(number, group, self.num_rows, rows))
                self.num_rows += rows
        if not self.num_rows:
            raise DataFileError(paths[0], "has no rows", "at least one", "look where it comes from")
        self.unusable = {composed(field.name): what for field in schema if (what := unusable(field.type))}

    def _open(self, path: Path) -> Any:
        pool = pa.default_memory_pool()
        pa.set_memory_pool(POOL)
        try:
            return pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES)
        except pa.ArrowException as error:
            found = f"is a damaged Parquet file ({str(error).splitlines()[0]})"
            raise DataFileError(path, found, "a whole one", "write it again") from None
        finally:
            pa.set_memory_pool(pool)

    def memory_size(self) -> int:
        """Return about how many bytes it takes, by its rows and columns."""
        return int(self.num_rows) * len(self.columns) * VALUE_BYTES

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        """Yield the rows of all files, some at a time."""
        for number, file in enumerate(self.files):
            yield from self._read(number, list(range(file.metadata.num_row_groups)), columns, CHUNK_ROWS)

    def read_unit(self, unit: Unit, columns: Sequence[str]) -> Iterator[Chunk]:
        """Yield the rows of a row group, some at a time."""
        return self._read(unit.file, [unit.group], columns, SLICE_ROWS)

    def _read(self, file: int, groups: list[int], columns: Sequence[str], rows: int) -> Iterator[Chunk]:
        options = {"row_groups": groups, "columns": [self._own[name] for name in columns], "use_threads": False}
        try:
            for batch in self.files[file].iter_batches(rows, **options):
                parts = {name: batch.column(self._own[name]) for name in columns}
                yield {name: column_of(part, self.missing, self.decimal) for name, part in parts.items()}
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, DataFileError):
                raise
            found = f"cannot be read ({str(error).splitlines()[0]:.100})"
            if len(columns) > 1:  # one by one, to find out which
                for name in columns:
                    for _ in self._read(file, groups, [name], rows):
                        pass
            elif columns:
                found = f"has a damaged column {columns[0]!r} ({str(error).splitlines()[0]:.100})"
            raise DataFileError(self.paths[file], found, "a whole one", "write it again") from None
