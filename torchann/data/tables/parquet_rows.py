"""The rows of one part of Parquet files, read row group by row group and prepared a few thousand at a time."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchann.data.tables.column_values import ColumnValues
from torchann.data.tables.columns import encode, reader
from torchann.data.tables.parquet_table import ParquetTable
from torchann.data.tables.row_splits import times_of
from torchann.data.tables.table import Chunk
from torchann.data.tables.table_target import Target
from torchann.nets.preprocessing import Preprocessing
from torchann.nets.table_columns import TableColumns

SLICE_ROWS = 16384  # decoded at once: large enough to be quick, small enough for malloc to use again
PARTS = ("train", "val", "test")
NO_PART = -1
Labels = NDArray[np.int8]


class Unit(NamedTuple):
    """A row group of a file.

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


def units_of(table: ParquetTable) -> list[Unit]:
    """All row groups of a table, in order."""
    found, start = [], 0
    for number, file in enumerate(table.files):
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            found.append(Unit(number, group, start, rows))
            start += rows
    return found


@dataclass(frozen=True)
class RowLabels:
    """Which part each row belongs to, found anew each time the row is read: nothing is kept of it.

    Args:
        rows: of the table.
        shares: of the validation and the test rows.
        seed: of a random split.
        by: the column of groups or times; None for a random split.
        bounds: where the times of validation and of test begin; None for groups.
        read: kind and form of the times.

    Example:
        >>> labels = RowLabels(10, (0.2, 0.3), seed=0)
        >>> np.bincount(labels.of_unit(Unit(0, 0, 0, 10)))
        array([5, 2, 3])
    """

    rows: int
    shares: tuple[float, float]
    seed: int
    by: str | None = None
    bounds: tuple[float, float] | None = None
    read: tuple[str, str] = ("date", "")

    def of_unit(self, unit: Unit) -> Labels:
        """Of the rows of a unit, ``(rows,)``: 0 to train, 1 to validate, 2 to test; in each unit its share."""
        labels = np.zeros(unit.rows, dtype=np.int8)
        counts = [
            int((unit.start + unit.rows) * share + 1e-9) - int(unit.start * share + 1e-9) for share in self.shares
        ]
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + unit.start) % 2**63)
        order = torch.randperm(unit.rows, generator=generator).numpy()
        labels[order[: counts[0]]] = 1
        labels[order[counts[0] : sum(counts)]] = 2
        return labels

    def of_column(self, cells: ColumnValues) -> Labels:
        """Of rows by their group or time.

        Raises:
            ValueError: if a row has none.
        """
        if self.bounds is not None:
            times = times_of(cells, self.read)
            return (times >= self.bounds[0]).astype(np.int8) + (times >= self.bounds[1])
        codes, texts = cells.codes()
        if (codes < 0).any():
            raise ValueError(f"a row has no {self.by!r} to split by; fill the gaps")
        draws = [self._draw(text) for text in texts]
        val, test = self.shares
        return np.array([1 if draw < val else 2 if draw < val + test else 0 for draw in draws], np.int8)[codes]

    def _draw(self, text: str) -> float:
        digest = hashlib.blake2b(f"{self.seed} {text}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") / 2**64


@dataclass(eq=False)
class ParquetRows:
    """The rows of one part, as a :class:`~torchann.engine.rows.stream_loader.RowStream`.

    Args:
        table: the files.
        columns: that are read.
        labels: which part a row belongs to.
        target: what is to be predicted; rows without it are left out.
        part: whose rows these are; None for all rows.
        counts: of the part's rows in each row group.
        step: that prepares inputs; its columns are the ones that are encoded.
    """

    table: ParquetTable
    columns: Sequence[str]
    labels: RowLabels | None
    target: Target
    part: int | None
    counts: Sequence[int]
    step: TableColumns

    def __post_init__(self) -> None:
        """Take the numbers of a prepared row from the step that makes them."""
        self.width: int = self.step.out_features

    def read(self, units: Sequence[int], skip: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and targets of row groups in that order, as ``RowStream`` in engine/rows asks for."""
        prepare, all_units = Preprocessing(self.step), units_of(self.table)
        for number in units:
            if self.counts[number] <= skip:
                skip -= self.counts[number]
                continue
            for cells, labels in labelled(self.table, all_units[number], self.columns, self.labels):
                y, there = self.target.values([cells[name] for name in self.target.names])
                rows = np.flatnonzero(there if self.part is None else there & (labels == self.part))
                rows, skip = rows[skip:], max(0, skip - len(rows))
                if len(rows):
                    # All rows are prepared: some rows of each column would take longer than some rows of the whole.
                    x, kept = prepare(encode(self.step.table, reader(cells.__getitem__))), torch.from_numpy(rows)
                    yield x.index_select(0, kept), y.index_select(0, kept)


def labelled(
    table: ParquetTable, unit: Unit, columns: Sequence[str], labels: RowLabels | None
) -> Iterator[tuple[Chunk, Labels]]:
    """The rows of a row group, some at a time, and which part each belongs to.

    Args:
        table: the files.
        unit: the row group.
        columns: to read.
        labels: which part a row belongs to; None for no parts.
    """
    of_unit = labels.of_unit(unit) if labels is not None and labels.by is None else None
    start = 0
    options = {"row_groups": [unit.group], "columns": list(columns), "use_threads": False}
    for batch in table.files[unit.file].iter_batches(SLICE_ROWS, **options):
        cells = table.cells(batch)
        if labels is None:
            found = np.full(batch.num_rows, NO_PART, dtype=np.int8)
        else:
            found = labels.of_column(cells[labels.by]) if of_unit is None else of_unit[start:][: batch.num_rows]  # type: ignore[index]
        yield cells, found
        start += batch.num_rows
