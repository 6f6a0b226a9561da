"""A table as it is read: columns by name, some rows at a time, as often as wanted."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from torchann.data.tables.arrow_arrays import unusable
from torchann.data.tables.column_values import ColumnValues, column_of
from torchann.data.tables.missing_values import DEFAULT_MISSING, MissingValues
from torchann.nets.names import composed

CHUNK_ROWS = 2**16
VALUE_BYTES = 32  # of a value, as it is read, as a number and as a net gets it
Chunk = dict[str, ColumnValues]


class Unit(NamedTuple):
    """Rows that are read together: a row group of a file, or all rows that are in memory.

    Attributes:
        file: number of the file.
        group: number of the row group in it.
        start: how many rows come before it, in all files.
        rows: how many it has.
    """

    file: int
    group: int
    start: int
    rows: int


class HeldRows:
    """Columns in memory, as one unit of rows.

    Args:
        cells: the columns by name.
    """

    def __init__(self, cells: Chunk) -> None:
        self.cells = cells
        self.units: list[Unit] = [Unit(0, 0, 0, len(next(iter(cells.values()))))]

    def read_unit(self, unit: Unit, columns: Sequence[str]) -> Iterator[Chunk]:
        """Yield all rows."""
        yield self.cells


class Table(ABC):
    """Columns by name; abstract, as files and arrays differ in how they are read.

    Args:
        name: of the table, for a run's records.
        columns: all there are, in order.
        missing: which values stand for none.
        decimal: sign of numbers in texts, where they could be read both ways.

    Attributes:
        unusable: columns that hold no single value per row, each with what they hold.
    """

    def __init__(self, name: str, columns: Sequence[str], missing: MissingValues, decimal: str = "") -> None:
        self.name: str = name
        self.columns: list[str] = list(columns)
        self.missing, self.decimal = missing, decimal
        self.unusable: dict[str, str] = {}

    @abstractmethod
    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        """Yield the rows in order, some at a time, each with its columns by name."""

    def memory_size(self) -> int | None:
        """Return about how many bytes the table takes while it is read as a whole; None if that is not known."""
        return None

    def read(self, columns: Sequence[str]) -> Chunk:
        """Return all rows at once."""
        parts = [pa.table({name: cells.array for name, cells in chunk.items()}) for chunk in self.chunks(columns)]
        whole = pa.concat_tables(parts, promote_options="permissive")
        return {name: ColumnValues(whole[name], self.missing, self.decimal) for name in dict.fromkeys(columns)}


class ArrayTable(Table):
    """A table of columns in memory.

    Args:
        name: of the table.
        arrays: the columns by name, each ``(rows,)``.
        missing: which values stand for none.
        decimal: sign of numbers in texts, where they could be read both ways.

    Raises:
        ValueError: if there are no columns or rows, or columns differ in length.

    Example:
        >>> table = ArrayTable("people", {"age": [30, 40], "city": ["Rome", None]})
        >>> table.read(["city"])["city"].codes()
        Codes(codes=array([ 0, -1]), texts=['Rome'])
    """

    def __init__(
        self, name: str, arrays: Mapping[str, Any], missing: MissingValues = DEFAULT_MISSING, decimal: str = ""
    ) -> None:
        super().__init__(name, [composed(str(column)) for column in arrays], missing, decimal)
        shapes = {composed(str(column)): _shape(array) for column, array in arrays.items()}
        if len({shape[:1] for shape in shapes.values()}) != 1 or () in shapes.values():
            raise ValueError(f"the columns are of the shapes {str(shapes)[:200]}; give each a value per row, (rows,)")
        if not next(iter(shapes.values()))[0]:
            raise ValueError("the table has no rows; give at least one")
        self._arrays = {composed(str(column)): column_of(array).array for column, array in arrays.items()}
        self.num_rows: int = len(next(iter(self._arrays.values())))
        self.unusable = {column: what for column, array in self._arrays.items() if (what := unusable(array.type))}

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        """Yield the rows, some at a time."""
        for start in range(0, self.num_rows, CHUNK_ROWS):
            parts = {name: self._arrays[name].slice(start, CHUNK_ROWS) for name in columns}
            yield {name: ColumnValues(array, self.missing, self.decimal) for name, array in parts.items()}

    def with_column(self, name: str, values: Any) -> "ArrayTable":
        """Return the same table with one column more.

        Raises:
            ValueError: if it has such a column, or another number of rows.
        """
        if name in self._arrays:
            raise ValueError(f"the table has a column {name!r}; give its name in place of the values")
        return ArrayTable(self.name, {**self._arrays, name: values}, self.missing, self.decimal)


def _shape(values: Any) -> tuple[int, ...]:
    if hasattr(values, "shape") or not hasattr(values, "__len__"):
        return tuple(np.shape(values))
    return (len(values),)
