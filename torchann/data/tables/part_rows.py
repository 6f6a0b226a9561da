"""The rows of one part of a table: read unit by unit and prepared, or held in memory as numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from torchann.data.in_memory import Split
from torchann.data.tables.columns import UnseenValues, encode, reader
from torchann.data.tables.row_splits import NO_PART, PARTS, Labels, Splitter
from torchann.data.tables.table import Chunk, Unit
from torchann.data.tables.table_target import Target
from torchann.nets.checks import check_finite
from torchann.nets.number_encoding import NumberEncoding
from torchann.nets.preprocessing import Preprocessing
from torchann.nets.table_columns import TableColumns


class RowSource(Protocol):
    """Columns by name in units of rows, which are read as often as wanted."""

    units: list[Unit]

    def read_unit(self, unit: Unit, columns: Sequence[str]) -> Iterator[Chunk]:
        """Yield the rows of a unit, some at a time."""


def labelled(
    source: RowSource, unit: Unit, columns: Sequence[str], splitter: Splitter | None
) -> Iterator[tuple[Chunk, Labels]]:
    """Yield the rows of a unit, some at a time, and the part of each.

    Args:
        source: of the rows.
        unit: that is read.
        columns: that are read.
        splitter: says which part a row belongs to; None for no parts.
    """
    drawn = (
        splitter.of_unit(unit) if splitter is not None and (splitter.by is None or splitter.known is not None) else None
    )
    start = 0
    for cells in source.read_unit(unit, columns):
        rows = len(next(iter(cells.values())))
        if splitter is None:
            yield cells, np.full(rows, NO_PART, dtype=np.int8)
        else:
            yield cells, splitter.of_column(cells[str(splitter.by)]) if drawn is None else drawn[start : start + rows]
        start += rows


@dataclass(eq=False)
class PartRows:
    """The rows of one part, as a :class:`~torchann.engine.rows.stream_loader.RowStream`.

    Args:
        source: of the rows.
        columns: that are read.
        splitter: says which part a row belongs to; None for rows in files of their own.
        target: what is to be predicted; rows without it are left out.
        part: of the rows: its name in PARTS.
        counts: of the part's rows in each unit.
        step: that prepares inputs; its columns are the ones that are encoded.
        numbers: encodes numbers of prepared rows; None if they stay standardised.
    """

    source: RowSource
    columns: Sequence[str]
    splitter: Splitter | None
    target: Target
    part: str
    counts: Sequence[int]
    step: TableColumns
    numbers: NumberEncoding | None = None
    width: int = field(init=False)

    def __post_init__(self) -> None:
        """Take the numbers of a prepared row from the step that makes them."""
        self.width = (self.numbers or self.step).out_features

    def read(self, units: Sequence[int], skip: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield prepared inputs and targets of units in that order, as ``RowStream`` in engine/rows asks for."""
        prepare = Preprocessing(self.step, self.numbers)
        for number in units:
            if self.counts[number] <= skip:
                skip -= self.counts[number]
                continue
            for cells, y, rows in self._rows_of(self.source.units[number]):
                rows, skip = rows[skip:], max(0, skip - len(rows))
                if len(rows):
                    # All rows are prepared: some rows of each column would take longer than some rows of the whole.
                    x, kept = prepare(encode(self.step.table, reader(cells.__getitem__))), torch.from_numpy(rows)
                    yield x.index_select(0, kept), y.index_select(0, kept)

    def held(self, surprises: UnseenValues | None = None) -> Split:
        """Return all rows as numbers, not prepared, of a source that is one unit.

        Args:
            surprises: counts what no training row had.

        Raises:
            ValueError: for infinite values.
        """
        ((cells, y, rows),) = self._rows_of(self.source.units[0])
        read = reader(cells.__getitem__)
        x = encode(self.step.table, lambda column: read(column).take(rows), surprises)
        names = [column.name for column in self.step.table]
        check_finite(x.nan_to_num(0, torch.inf, -torch.inf), f"{PARTS[self.part]} rows", names, x.dtype, rows)
        return Split(x, y[torch.from_numpy(rows)])

    def _rows_of(self, unit: Unit) -> Iterator[tuple[Chunk, Tensor, Any]]:
        own, place = self.splitter is None, list(PARTS).index(self.part)
        for cells, labels in labelled(self.source, unit, self.columns, self.splitter):
            y, there = self.target.values([cells[name] for name in self.target.names])
            yield cells, y, np.flatnonzero(there if own else there & (labels == place))
