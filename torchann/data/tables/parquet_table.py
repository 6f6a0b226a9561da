"""Parquet files, read by pyarrow: typed columns, some rows or some row groups at a time."""

from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np

from torchann.data.errors import DataFileError
from torchann.data.tables.column_values import MISSING, ColumnValues, NumericColumn, cells_of, texts_by_code
from torchann.data.tables.table import CHUNK_ROWS, VALUE_BYTES, Chunk, Table

READ_BYTES = 2**16  # of a column at once: pyarrow would otherwise hold all that it has read of a file
INSTALL = "pip install 'torchann[tabular]'"


class ParquetTable(Table):
    """Parquet files that hold one table.

    Args:
        paths: the files.
        missing: which texts stand for no value, in small letters.

    Attributes:
        num_rows: in all files.

    Raises:
        DataFileError: if pyarrow is not installed, or a file is damaged, empty or of other columns than the first.
        OSError: if a file cannot be read.
    """

    def __init__(self, paths: Sequence[Path], missing: frozenset[str] = MISSING) -> None:
        self._pyarrow = _import_pyarrow(paths[0])
        self._pool = self._pyarrow.system_memory_pool()  # pyarrow's own keeps what was freed
        self.paths: list[Path] = list(paths)
        self.files: list[Any] = [self._open(path) for path in paths]
        schema = self.files[0].schema_arrow
        super().__init__(paths[0].stem, schema.names, missing)
        for path, file in zip(paths, self.files, strict=True):
            if set(file.schema_arrow.names) != set(schema.names) or len(set(schema.names)) < len(schema.names):
                raise DataFileError(
                    path,
                    f"has the columns {', '.join(file.schema_arrow.names)[:200]}",
                    f"those of {paths[0]}, each once",
                    "leave the file out",
                )
        self.num_rows: int = sum(file.metadata.num_rows for file in self.files)
        if not self.num_rows:
            raise DataFileError(paths[0], "has no rows", "at least one", "look where it comes from")
        self.unusable: dict[str, str] = {
            field.name: str(field.type) for field in schema if not self._usable(field.type)
        }

    def _open(self, path: Path) -> Any:
        pool = self._pyarrow.default_memory_pool()
        self._pyarrow.set_memory_pool(self._pool)
        try:
            return self._pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES)
        except self._pyarrow.ArrowException as error:
            found = f"is a damaged Parquet file ({str(error).splitlines()[0]})"
            raise DataFileError(path, found, "a whole one", "write it again") from None
        finally:
            self._pyarrow.set_memory_pool(pool)

    def _usable(self, kind: Any) -> bool:
        types = self._pyarrow.types
        kind = kind.value_type if types.is_dictionary(kind) else kind
        checks = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_temporal)
        texts = (types.is_string, types.is_large_string, types.is_null)
        return any(check(kind) for check in (*checks, *texts)) and not types.is_time(kind)

    def memory_size(self) -> int:
        """About how many bytes it takes, by its rows and columns."""
        return int(self.num_rows) * len(self.columns) * VALUE_BYTES

    def chunks(self, columns: Sequence[str], texts: Set[str] = frozenset()) -> Iterator[Chunk]:
        """The rows of all files, some at a time."""
        for file in self.files:
            for batch in file.iter_batches(CHUNK_ROWS, columns=list(columns), use_threads=False):
                yield self.cells(batch)

    def cells(self, batch: Any) -> Chunk:
        """The columns of a record batch by name."""
        return {name: self._cells(batch.column(name)) for name in batch.schema.names}

    def _cells(self, array: Any) -> ColumnValues:
        arrow, types, pool = self._pyarrow, self._pyarrow.types, self._pool
        if types.is_string(array.type) or types.is_large_string(array.type):
            array = arrow.compute.dictionary_encode(array, memory_pool=pool)
        if types.is_dictionary(array.type):
            codes = array.indices.cast(arrow.int64(), memory_pool=pool).fill_null(-1).to_numpy(zero_copy_only=False)
            texts = array.dictionary.cast(arrow.string()).to_pylist()
            return texts_by_code(codes, texts, self.missing)
        if types.is_temporal(array.type):
            return cells_of(array.cast(arrow.timestamp("us")).to_numpy(zero_copy_only=False))
        kind = "boolean" if types.is_boolean(array.type) else "number"
        if array.type != arrow.float64():
            array = array.cast(arrow.float64(), safe=False, memory_pool=pool)
        return NumericColumn(np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64), kind)  # type: ignore[arg-type]


def _import_pyarrow(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        raise DataFileError(path, "is a Parquet file", "pyarrow, which reads them", INSTALL) from None
    return pyarrow
