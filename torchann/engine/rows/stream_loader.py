"""Mini-batches of rows that do not fit into memory: read in blocks, shuffled within them, the next block read ahead."""

import ctypes
import mmap
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import torch
from torch import Tensor

from torchann.engine.rows.loader import BLOCK_BYTES, Block
from torchann.engine.rows.resumable_loader import ResumableLoader
from torchann.engine.rows.sharding import rank_and_world
from torchann.engine.rows.shuffling import shuffled_order

Rows = tuple[Tensor, Tensor]


class RowStream(Protocol):
    """Rows in units, such as the row groups of a file, that are read from their beginning to their end.

    Attributes:
        counts: rows of each unit.
        width: numbers per row as a net gets it.
    """

    counts: Sequence[int]
    width: int

    def read(self, units: Sequence[int], skip: int) -> Iterator[Rows]:
        """Inputs ``(rows, width)`` float32 and targets ``(rows, ...)`` of units in that order, some rows at a time.

        Args:
            units: their numbers.
            skip: rows at the beginning that are left out.
        """


class StreamLoader(ResumableLoader):
    """Iterates over rows that are read from a disk, as a ``TensorLoader`` does over rows in memory.

    An epoch's order is a function of the seed and the epoch: the units come in a random order, one after the other
    they fill blocks of equally many rows, and the rows of a block are shuffled. While one block is served the next is
    read by a thread, so that two are in memory.

    Args:
        stream: where the rows come from.
        batch_size: rows per batch; the last batch may be smaller.
        block_bytes: of the inputs of a block, at most; at least one batch.
        shuffle: another order in each epoch; otherwise the units come in their own order.
        seed: of the shuffle.
        steps_per_execution: above 1, a :class:`~torchann.engine.rows.loader.Block` of that many mini-batches is yielded
            in place of ``(x, y)``; None chooses a number from the size of the rows.

    Raises:
        ValueError: if there are no rows.
        RuntimeError: when it is iterated by one of several processes.

    Example:
        >>> class Numbers:
        ...     counts, width = [3, 2], 1
        ...
        ...     def read(self, units, skip):
        ...         rows = torch.cat([torch.arange(5.0).split([3, 2])[unit] for unit in units])[skip:]
        ...         yield rows[:, None], rows
        >>> [y.tolist() for x, y in StreamLoader(Numbers(), batch_size=2, block_bytes=16)]
        [[0.0, 1.0], [2.0, 3.0], [4.0]]
    """

    stream: RowStream
    shuffle: bool
    seed: int
    prepared = True  # as the stream reads them

    def __init__(
        self,
        stream: RowStream,
        batch_size: int = 32,
        *,
        block_bytes: int,
        shuffle: bool = False,
        seed: int = 42,
        steps_per_execution: int | None = 1,
    ) -> None:
        super().__init__(batch_size)
        self.stream, self.shuffle, self.seed = stream, shuffle, seed
        self.num_rows: int = sum(stream.counts)
        if not self.num_rows:
            raise ValueError("there are no rows; give at least one")
        row_bytes = 4 * max(1, stream.width)
        steps = steps_per_execution or max(1, BLOCK_BYTES // (row_bytes * batch_size))
        in_block = max(1, min(block_bytes // (row_bytes * batch_size), self.num_batches()))  # mini-batches
        self.steps_per_execution: int = min(steps, in_block)
        self.block_rows: int = in_block * batch_size

    def num_batches(self) -> int:
        """Return how many mini-batches an epoch has."""
        return -(-self.num_rows // self.batch_size)

    def __iter__(self) -> Iterator[Rows] | Iterator[Block]:
        _refuse_processes()
        first, self._first_batch, epoch = self._first_batch, 0, self.epoch
        at_once, done = self.steps_per_execution * self.batch_size, first * self.batch_size
        begun: list[Rows] = []  # the end of a block, which the next one completes
        for (x, y), begin in self._read_ahead(epoch, done):
            order = self._order(begin, len(y), epoch)[max(0, done - begin) :]
            start = at_once - len(begun[0][1]) if begun else 0
            places = deque(order[place : place + at_once] for place in range(start, len(order), at_once))
            places.extendleft([order[:start]] if begun else [])
            last = begin + len(y) == self.num_rows
            while places:
                rows = _rows(x, places[0]), _rows(y, places.popleft())
                if not places:
                    x = y = torch.empty(0)  # or a loop that is not ended would hold the block
                if begun:
                    rows = torch.cat([begun[0][0], rows[0]]), torch.cat([begun[0][1], rows[1]])
                    begun.clear()
                if not places and not last and len(rows[1]) < at_once:
                    begun.append(rows)
                    break
                done += len(rows[1])
                self._note(-(-done // self.batch_size))
                yield rows if self.steps_per_execution == 1 else Block(*rows, self.batch_size)

    def _order(self, begin: int, rows: int, epoch: int) -> Tensor:
        if not self.shuffle:
            return torch.arange(rows)
        return shuffled_order(rows, self.seed + 1 + begin // self.block_rows, epoch)

    def _read_ahead(self, epoch: int, start: int) -> Iterator[tuple[Rows, int]]:
        first = start // self.block_rows
        last = -(-self.num_rows // self.block_rows) - 1
        blocks = self._blocks(epoch, first)
        ready: list[Rows] = []  # out of which it goes: what a name stands for would stay while the block is served
        with ThreadPoolExecutor(1, "torchann-blocks") as pool:
            waiting: list[Future[Rows]] = [pool.submit(next, blocks)]
            for block in range(first, last + 1):
                ready.append(waiting.pop().result())
                if block < last:
                    waiting.append(pool.submit(next, blocks))
                else:
                    pool.shutdown()
                yield ready.pop(), block * self.block_rows

    def _blocks(self, epoch: int, first: int) -> Iterator[Rows]:
        units = list(range(len(self.stream.counts)))
        if self.shuffle:
            units = shuffled_order(len(units), self.seed, epoch).tolist()
        parts = self.stream.read(units, first * self.block_rows)
        rest: Rows | None = None
        for block in range(first, -(-self.num_rows // self.block_rows)):
            rows = min(self.block_rows, self.num_rows - block * self.block_rows)
            x = y = None
            filled = 0
            while filled < rows:
                part_x, part_y = next(parts) if rest is None else rest
                count = min(len(part_y), rows - filled)
                rest = (part_x[count:], part_y[count:]) if count < len(part_y) else None
                if x is None or y is None:
                    x, y = _pages(part_x, rows), _pages(part_y, rows)
                x[filled : filled + count], y[filled : filled + count] = part_x[:count], part_y[:count]
                filled += count
            assert x is not None and y is not None
            give_back()
            yield x, y

    def state_dict(self) -> dict[str, int]:
        """Return where the iteration stands, and the size of the blocks, which decides the order of the rows."""
        return super().state_dict() | {"block_rows": self.block_rows}

    def _check(self, state: dict[str, Any]) -> None:
        super()._check(state)
        if state.get("block_rows", self.block_rows) != self.block_rows:
            raise ValueError(
                f"the state is in blocks of {state['block_rows']} rows and an epoch in blocks of {self.block_rows}; "
                "give the data, the batch_size and the max_memory that it was saved with"
            )


def _rows(part: Tensor, places: Tensor) -> Tensor:
    return part.index_select(0, places)


def read_whole(stream: RowStream) -> Rows:
    """All rows of a stream in its own order.

    Each part is put in its place at once: parts that waited for the last one would keep the memory around them from
    being used again.

    Args:
        stream: of one row at least.
    """
    x = y = torch.empty(0)
    filled, rows = 0, sum(stream.counts)
    for part_x, part_y in stream.read(range(len(stream.counts)), 0):
        if not filled:
            x, y = _pages(part_x, rows), _pages(part_y, rows)
        x[filled : filled + len(part_y)], y[filled : filled + len(part_y)] = part_x, part_y
        filled += len(part_y)
    give_back()
    return x, y


def _pages(like: Tensor, rows: int) -> Tensor:
    # Memory that goes back to the system with the block: malloc would keep it, in pieces.
    shape = (rows, *like.shape[1:])
    size = rows * like[:1].numel()
    return torch.frombuffer(mmap.mmap(-1, size * like.element_size()), dtype=like.dtype, count=size).view(shape)


def give_back() -> None:
    """Gives freed memory back to the system, where malloc is that of Linux, which keeps tens of megabytes of it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _refuse_processes() -> None:
    _, world = rank_and_world()
    if world > 1:
        raise RuntimeError(
            f"{world} processes would each train on all rows of a table read in blocks; use one process, or leave "
            "max_memory out where the table fits into memory"
        )
