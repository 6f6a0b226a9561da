"""A table as it is read: columns by name, some rows at a time, as often as wanted."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np

from torchann.data.tables.column_values import MISSING, ColumnValues, cells_of, join

CHUNK_ROWS = 2**16
VALUE_BYTES = 32  # of a value, as it is read, as a number and as a net gets it
Chunk = dict[str, ColumnValues]


class Table(ABC):
    """Columns by name; abstract, as files and arrays differ in how they are read.

    Args:
        name: of the table, for a run's records.
        columns: all there are, in order.
        missing: which texts stand for no value, in small letters.

    Attributes:
        unusable: columns that hold no single value per row, each with what they hold.
    """

    name: str
    columns: list[str]
    missing: frozenset[str]

    def __init__(self, name: str, columns: Sequence[str], missing: frozenset[str] = MISSING) -> None:
        self.name, self.columns, self.missing = name, list(columns), missing
        self.unusable: dict[str, str] = {}

    @abstractmethod
    def chunks(self, columns: Sequence[str], texts: Set[str] = frozenset()) -> Iterator[Chunk]:
        """The rows in order, some at a time, each with its columns by name.

        Args:
            columns: to read.
            texts: those of them that stay texts though they look like numbers, such as postcodes.
        """

    def memory_size(self) -> int | None:
        """About how many bytes the table takes while it is read as a whole and prepared; None if that is not known."""
        return None

    def read(self, columns: Sequence[str], texts: Set[str] = frozenset()) -> Chunk:
        """All rows at once. A column that holds numbers at first and texts further down is one of texts.

        Args:
            columns: to read.
            texts: those of them that stay texts.
        """
        while True:
            parts: dict[str, list[ColumnValues]] = {name: [] for name in columns}
            mixed: set[str] = set()
            for chunk in self.chunks(columns, texts):
                for name, cells in chunk.items():
                    parts[name].append(cells)
                mixed = {name for name, cells in parts.items() if type(cells[0]) is not type(cells[-1])}
                if mixed:
                    break
            if not mixed:
                return {name: join(cells, self.missing) for name, cells in parts.items()}
            texts = texts | mixed


class ArrayTable(Table):
    """A table of columns in memory.

    Args:
        name: of the table.
        arrays: the columns by name, each ``(rows,)``.
        missing: which texts stand for no value, in small letters.

    Raises:
        ValueError: if there are no columns or rows, or columns differ in length.

    Example:
        >>> table = ArrayTable("people", {"age": [30, 40], "city": ["Rome", None]})
        >>> table.read(["city"])["city"].codes
        array([ 0, -1])
    """

    def __init__(self, name: str, arrays: Mapping[str, Any], missing: frozenset[str] = MISSING) -> None:
        super().__init__(name, [str(column) for column in arrays], missing)
        self._arrays = {str(column): np.asarray(array) for column, array in arrays.items()}
        shapes = {column: array.shape for column, array in self._arrays.items()}
        if len({shape[:1] for shape in shapes.values()}) != 1 or () in shapes.values():
            raise ValueError(f"the columns are of the shapes {str(shapes)[:200]}; give each a value per row, (rows,)")
        if not next(iter(shapes.values()))[0]:
            raise ValueError("the table has no rows; give at least one")

    def chunks(self, columns: Sequence[str], texts: Set[str] = frozenset()) -> Iterator[Chunk]:
        """The rows, some at a time."""
        for start in range(0, len(next(iter(self._arrays.values()))), CHUNK_ROWS):
            yield {name: cells_of(self._arrays[name][start : start + CHUNK_ROWS], self.missing) for name in columns}

    def with_column(self, name: str, values: np.ndarray[Any, Any]) -> "ArrayTable":
        """The same table with one column more.

        Raises:
            ValueError: if it has such a column, or another number of rows.
        """
        if name in self._arrays:
            raise ValueError(f"the table has a column {name!r}; give its name in place of the values")
        return ArrayTable(self.name, {**self._arrays, name: values}, self.missing)
