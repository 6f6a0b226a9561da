"""How a table is to be read: what a data module was told, and the tables that this opens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from torchann.data.tables.column_kinds import LEFT_OUT, check_kinds
from torchann.data.tables.columns import check_names
from torchann.data.tables.memory_size import bytes_of, free_memory
from torchann.data.tables.missing_values import MissingValues, text_of_value
from torchann.data.tables.number_choices import Numbers, check_numbers
from torchann.data.tables.open_table import open_table
from torchann.data.tables.parquet_table import ParquetTable
from torchann.data.tables.row_splits import Size, SplitKind, count_of
from torchann.data.tables.table import ArrayTable, Table
from torchann.data.tables.table_target import TaskKind
from torchann.nets.names import composed

BLOCKS = 2 * 10**9  # bytes for blocks, where the memory is not given
SPLIT_SETTINGS = ("val_size", "test_size", "split", "split_by", "split_seed")
RUN_SETTINGS = ("kinds", "numbers", "decimal", *SPLIT_SETTINGS, "scale_target")
SHARE = 0.2  # of the rows to validate, and of those to test


@dataclass
class TableSettings:
    """What :class:`~torchann.data.tabular.TabularDataModule` was told of its table, which says what each means.

    Example:
        >>> settings = TableSettings("california-housing", "medianHouseValue", missing_values=["Unknown"])
        >>> settings.open().columns[:2], settings.missing.has("unknown")
        (['longitude', 'latitude'], True)
    """

    source: Any
    target: Any
    task: TaskKind | None = None
    kinds: dict[str, str] = field(default_factory=dict)
    numbers: Numbers = "standard"
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
    missing_values: Sequence[Any] = ()
    default_missing: bool = True
    decimal: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    max_memory: int | str | None = None
    targets: list[str] = field(default_factory=list)
    """Names of the target columns, ``target`` where values were given; known after :meth:`open`."""
    known_kinds: dict[str, str] = field(default_factory=dict)
    """The kinds in the words of KINDS; known after :meth:`open`."""

    @property
    def missing(self) -> MissingValues:
        """The values that stand for none."""
        return MissingValues.of(self.missing_values, self.default_missing)

    @property
    def model_missing(self) -> tuple[list[str], bool]:
        """The same as a model keeps it: texts, and whether the usual ones are missing, too."""
        return [text_of_value(value) for value in self.missing_values], self.default_missing

    @property
    def of_run(self) -> dict[str, Any]:
        """What decides which rows a run is trained on and judged by, and what their values are, by name."""
        told = {name: getattr(self, name) for name in RUN_SETTINGS}
        told["missing_values"], told["default_missing"] = self.model_missing
        return told

    @property
    def asked_task(self) -> str | None:
        """The task that was asked for, also by the kind of a single target."""
        kind = self.known_kinds.get(self.targets[0], LEFT_OUT) if len(self.targets) == 1 else LEFT_OUT
        by_kind = "multiclass" if kind in ("category", "boolean") else None if kind == LEFT_OUT else "regression"
        return self.task or by_kind

    @property
    def own_sources(self) -> dict[str, Any]:
        """The sources of the parts that have some of their own."""
        own = {"val": self.val_source, "test": self.test_source}
        return {part: source for part, source in own.items() if source is not None}

    def sizes(self, rows: int, most: int | None = None) -> tuple[int, int]:
        """How many rows of the table are to validate and to test: none where they have files of their own.

        Args:
            rows: of the table, or groups.
            most: of each, where no size was given.

        Raises:
            ValueError: if none are left to train on.
        """
        counts = []
        for part, size in (("val", self.val_size), ("test", self.test_size)):
            own, count = part in self.own_sources, count_of(SHARE if size is None else size, rows, f"{part}_size")
            if part == "val" and not own and not count:
                raise ValueError(f"val_size is {size}, and validation rows choose the best epoch; give at least one")
            counts.append(0 if own else min(count, most or count) if size is None else count)
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
        table = self._open(self.source)
        self.targets = self._target_names(table)
        if self.targets == ["target"] and self._holds_values(table):
            if not isinstance(table, ArrayTable):
                raise ValueError("target holds values and source names a file; give the name of a column of the file")
            table = table.with_column("target", self.target)
        self.split_by = None if self.split_by is None else composed(self.split_by)
        check_names(self.targets, table.columns)
        self.known_kinds = check_kinds({composed(str(name)): kind for name, kind in self.kinds.items()}, table.columns)
        self.numbers = check_numbers(self.numbers, table.columns)
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
        table = self._open(source)
        check_names(needed, table.columns, f"in {table.name!r} there")
        return table

    def _open(self, source: Any) -> Table:
        return open_table(source, self.delimiter, self.encoding, self.missing, self.decimal or "")

    def _target_names(self, table: Table) -> list[str]:
        if self._holds_values(table):
            return ["target"]
        return [composed(str(name)) for name in ([self.target] if _is_name(self.target) else self.target)]

    def _holds_values(self, table: Table) -> bool:
        """Texts are values where the table lacks columns of that name, or one comes twice, and has as many rows."""
        listed = isinstance(self.target, (list, tuple)) and len(self.target) > 0
        if not listed or not all(isinstance(name, str) for name in self.target):
            return not _is_name(self.target)
        if set(self.target) <= set(table.columns) and len(set(self.target)) == len(self.target):
            return False
        return isinstance(table, ArrayTable) and len(self.target) == table.num_rows


def _is_name(target: Any) -> bool:
    # a number is that of a column of an array
    return isinstance(target, str) or (isinstance(target, Integral) and not isinstance(target, bool))
