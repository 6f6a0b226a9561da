"""How a table is to be read: what a data module was told, and the tables that this opens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from torchann.data.tables.column_kinds import check_kinds
from torchann.data.tables.column_values import MISSING
from torchann.data.tables.columns import check_names
from torchann.data.tables.memory_size import bytes_of, free_memory
from torchann.data.tables.open_table import open_table
from torchann.data.tables.parquet_table import ParquetTable
from torchann.data.tables.row_splits import Size, SplitKind, count_of
from torchann.data.tables.table import ArrayTable, Table
from torchann.data.tables.table_target import TaskKind

BLOCKS = 2 * 10**9  # bytes for blocks, where the memory is not given
SHARE = 0.2  # of the rows to validate, and of those to test


@dataclass(frozen=True)
class TableSettings:
    """What :class:`~torchann.data.tabular.TabularDataModule` was told of its table, which says what each means.

    Example:
        >>> settings = TableSettings("california-housing", "medianHouseValue", missing_values=["Unknown"])
        >>> settings.open().columns[:2], "unknown" in settings.missing
        (['longitude', 'latitude'], True)
    """

    source: Any
    target: Any
    task: TaskKind | None = None
    kinds: dict[str, str] = field(default_factory=dict)
    val_source: Any = None
    test_source: Any = None
    val_size: Size | None = None
    test_size: Size | None = None
    split: SplitKind | None = None
    split_by: str | None = None
    split_seed: int = 42
    max_one_hot: int = 50
    max_categories: int = 10_000
    scale_target: bool = True
    missing_values: Sequence[str] = ()
    delimiter: str | None = None
    encoding: str | None = None
    max_memory: int | str | None = None

    @property
    def missing(self) -> frozenset[str]:
        """The texts that stand for no value, in small letters."""
        return MISSING | frozenset(text.strip().lower() for text in self.missing_values)

    @property
    def targets(self) -> list[str]:
        """The names of the target columns; ``"target"`` where the values were given."""
        if isinstance(self.target, str):
            return [self.target]
        if type(self.target) is int:  # of a column of an array
            return [str(self.target)]
        listed = isinstance(self.target, (list, tuple)) and len(self.target) > 0
        return list(self.target) if listed and all(isinstance(name, str) for name in self.target) else ["target"]

    @property
    def texts(self) -> set[str]:
        """Columns that stay texts though they look like numbers."""
        found = {name for name, kind in self.kinds.items() if kind != "number"}
        found |= {self.split_by} if self.split == "group" and self.split_by else set()
        return found | (set(self.targets) if self.task in ("binary", "multiclass") else set())

    @property
    def asked_task(self) -> str | None:
        """The task that was asked for, also by the kind of a single target."""
        kind = self.kinds.get(self.targets[0]) if len(self.targets) == 1 else None
        return self.task or {"number": "regression", "category": "multiclass", "boolean": "multiclass"}.get(str(kind))

    def sizes(self, rows: int, most: int | None = None) -> tuple[int, int]:
        """How many rows of the table are to validate and to test: none where they have files of their own.

        Args:
            rows: of the table, or groups.
            most: of each, where no size was given.

        Raises:
            ValueError: if none are left to train on.
        """
        counts = []
        for size, source, name in (
            (self.val_size, self.val_source, "val_size"),
            (self.test_size, self.test_source, "test_size"),
        ):
            count = count_of(SHARE if size is None else size, rows, name)
            if name == "val_size" and source is None and not count:
                raise ValueError(f"val_size is {size}, and validation rows choose the best epoch; give at least one")
            counts.append(0 if source is not None else min(count, most or count) if size is None else count)
        if sum(counts) >= rows:
            message = f"{counts[0]:,} to validate and {counts[1]:,} to test leave none of {rows:,} to train on"
            raise ValueError(f"{message}; give a smaller val_size and test_size")
        return counts[0], counts[1]

    def block_memory(self, table: Table) -> int | None:
        """The bytes that rows may take if the table is to be read in blocks; None if it is read as a whole.

        Raises:
            ValueError: if it is too large and no Parquet file.
        """
        free, size = free_memory(), table.memory_size()
        limit = bytes_of(self.max_memory) if self.max_memory is not None else None if free is None else free // 2
        if limit is None or size is None or size <= limit:
            return None
        if not isinstance(table, ParquetTable):
            raise ValueError(
                f"{table.name!r} would take about {size / 1e6:,.0f} MB and max_memory is {limit / 1e6:,.0f} MB; write "
                "it as Parquet, which is read in blocks, or give more"
            )
        return limit if self.max_memory is not None else min(limit, BLOCKS)  # not another order for each free megabyte

    def open(self) -> Table:
        """The table to learn from, once all columns that were named are there.

        Raises:
            ValueError: if one is not, or is to be of a kind that there is not; if a split needs a column and has none.
        """
        if self.max_memory is not None:
            bytes_of(self.max_memory)
        if (self.split in ("group", "time")) != (self.split_by is not None):
            raise ValueError(
                f"split is {self.split!r} and split_by {self.split_by!r}; give split=group or split=time, and split_by "
                "the column of groups or times"
            )
        table = open_table(self.source, self.delimiter, self.encoding, self.missing)
        if not isinstance(self.target, (str, int)) and self.targets == ["target"]:
            if not isinstance(table, ArrayTable):
                raise ValueError("target holds values and source names a file; give the name of a column of the file")
            table = table.with_column("target", np.asarray(self.target))
        check_names(self.targets, table.columns)
        check_kinds(self.kinds, table.columns)
        if self.split_by is not None:
            check_names([self.split_by], table.columns)
        for name in self.targets:
            if name in table.unusable:
                raise ValueError(f"the target {name!r} holds {table.unusable[name]}; give a column of numbers or texts")
        return table

    def open_part(self, source: Any, needed: Sequence[str]) -> Table:
        """The table of a part that has files of its own.

        Args:
            source: of it.
            needed: columns that it must have.

        Raises:
            ValueError: if it lacks one.
        """
        table = open_table(source, self.delimiter, self.encoding, self.missing)
        check_names(needed, table.columns, f"in {table.name!r} there")
        return table
