"""Mini-batches of tensors in memory: gathered by index, sharded, resumable."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple

import torch
from torch import Tensor

from torchann.engine.rows.resumable_loader import ResumableLoader
from torchann.engine.rows.sharding import Shard, rank_and_world
from torchann.engine.rows.shuffling import Augmentation, Order, row_draws, shuffled_order
from torchann.nets.checks import check_tensor

Rows = Tensor | dict[str, Tensor]
"""Inputs or targets of some rows: a tensor ``(rows, ...)``, or several by name."""
BLOCK_BYTES = 2**24  # of one draw as float32: few calls per epoch, little memory


def map_rows(function: Callable[[Tensor], Tensor], rows: Rows) -> Rows:
    """Applies a function to the tensor, or to each of those that have names.

    Example:
        >>> map_rows(torch.neg, {"wide": torch.tensor([1.0]), "deep": torch.tensor([2.0])})
        {'wide': tensor([-1.]), 'deep': tensor([-2.])}
    """
    return {name: function(part) for name, part in rows.items()} if isinstance(rows, dict) else function(rows)


def num_rows(rows: Rows) -> int:
    """How many rows there are.

    Raises:
        ValueError: if tensors with names differ in length, or there are none.
    """
    if not isinstance(rows, dict):
        return len(rows)
    lengths = {name: len(part) for name, part in rows.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"inputs or targets by name have {lengths} rows; give all the same number")
    return next(iter(lengths.values()))


def cat_rows(parts: Sequence[Rows]) -> Rows:
    """One after the other, the rows of several batches."""
    first = parts[0]
    if isinstance(first, dict):
        return {name: torch.cat([part[name] for part in parts]) for name in first}  # type: ignore[index]
    return torch.cat(parts)  # type: ignore[arg-type]


def _take(rows: slice | Tensor, part: Tensor) -> Tensor:
    return part[rows] if isinstance(rows, slice) else part.index_select(0, rows)


def split_rows(rows: Rows, size: int) -> Sequence[Rows]:
    """Batches of ``size`` rows, the last one perhaps smaller."""
    if not isinstance(rows, dict):
        return torch.split(rows, size)
    parts = zip(*(torch.split(part, size) for part in rows.values()), strict=True)
    return [dict(zip(rows, part, strict=True)) for part in parts]


def _none(part: Tensor) -> Tensor:
    return part[:0]


class Block(NamedTuple):
    """Several mini-batches drawn at once.

    Attributes:
        x: inputs, ``(rows, ...)``, or several by name.
        y: targets, ``(rows, ...)``, or several by name.
        batch_size: rows per mini-batch; the last may be smaller.
        steps: mini-batches; by default as many as the rows make. One more where this process has no row of the last
            mini-batch and others have: it then is empty.

    Example:
        >>> block = Block(torch.zeros(4, 2), torch.arange(4), batch_size=3)
        >>> block.num_steps, [y.tolist() for _, y in block._replace(steps=3).batches()]
        (2, [[0, 1, 2], [3], []])
    """

    x: Rows
    y: Rows
    batch_size: int
    steps: int | None = None

    @property
    def num_steps(self) -> int:
        """How many mini-batches there are."""
        return -(-num_rows(self.x) // self.batch_size) if self.steps is None else self.steps

    def batches(self) -> Iterator[tuple[Rows, Rows]]:
        """The mini-batches, in order."""
        if num_rows(self.x):
            yield from zip(split_rows(self.x, self.batch_size), split_rows(self.y, self.batch_size), strict=True)
        for _ in range(-(-num_rows(self.x) // self.batch_size), self.num_steps):
            yield map_rows(_none, self.x), map_rows(_none, self.y)


def _counts(number: Any) -> bool:
    return isinstance(number, Integral) and int(number) >= 1


class TensorLoader(ResumableLoader):
    """Iterates over the rows of tensors in mini-batches, without any Python work per row.

    A drop-in replacement for ``DataLoader(TensorDataset(x, y), shuffle=True)``: each batch is one ``index_select`` (a
    slice when nothing is shuffled), the shuffle has a generator of its own, and Lightning's epoch counter decides the
    order, so that a run depends on its seed alone. Under ``torch.distributed`` each process takes every ``world``-th
    row, and all have equally many batches. The batches of a training loader (one that shuffles or has an ``order``)
    together are those of one process with ``world`` times the ``batch_size``; each row comes once.

    Args:
        x: inputs, ``(rows, ...)``, any dtype; a dictionary of them for nets with several inputs.
        y: targets, ``(rows, ...)``; a dictionary of them for nets with several outputs.
        batch_size: rows per batch; the last batch may be smaller.
        shuffle: a new order in each epoch, a function of ``seed`` and the epoch.
        seed: seed of the shuffle.
        order: the row indices of an epoch as a function of its number, in place of ``shuffle``.
        prepare: applied to the inputs of each batch, for example images from uint8 to pixels in 0–1.
        augment: changes the inputs of each batch before ``prepare``, given uniform random numbers ``(rows, 3)`` that
            depend on the seed, the epoch and the place in it, and on nothing else.
        steps_per_execution: above 1, a :class:`Block` of that many mini-batches is drawn at once and yielded in place
            of ``(x, y)``; None chooses a number from the size of the data.

    Attributes:
        empty_batches: what a process is served that has no row of the last batch, which is smaller than the number of
            processes: an empty batch, or by default a row that another has, as a mean over no rows is nan. A
            :class:`Block` has an empty batch in any case.
        prepared: whether ``x`` holds rows as a net gets them, prepared before they came here.

    Raises:
        TypeError: if inputs or targets are no tensors of real numbers.
        ValueError: if the tensors differ in length, are empty, or ``batch_size`` is no whole number from 1 on; if
            there are fewer rows to evaluate than processes.

    Example:
        >>> loader = TensorLoader(torch.arange(5.0), torch.arange(5), batch_size=2)
        >>> [y.tolist() for x, y in loader]
        [[0, 1], [2, 3], [4]]
    """

    x: Rows
    y: Rows

    def __init__(
        self,
        x: Rows,
        y: Rows,
        batch_size: int = 32,
        *,
        shuffle: bool = False,
        seed: int = 42,
        order: Order | None = None,
        prepare: Callable[[Tensor], Tensor] | None = None,
        augment: Augmentation | None = None,
        steps_per_execution: int | None = 1,
    ) -> None:
        for what, rows in (("inputs x", x), ("targets y", y)):
            for part in rows.values() if isinstance(rows, dict) else [rows]:
                check_tensor(part, what)
        self.num_rows: int = num_rows(x)
        if num_rows(y) != self.num_rows or self.num_rows == 0:
            raise ValueError(f"x has {self.num_rows} rows and y {num_rows(y)}; give both the same number, at least one")
        if not _counts(batch_size):
            raise ValueError(f"batch_size is {batch_size}; give a whole number of rows, at least 1")
        if steps_per_execution is not None and not _counts(steps_per_execution):
            raise ValueError(f"steps_per_execution is {steps_per_execution}; give a whole number, at least 1")
        if shuffle and order is not None:
            raise ValueError("shuffle=True and an order exclude each other; give one of them")
        if shuffle:
            order = partial(shuffled_order, self.num_rows, seed)
        super().__init__(batch_size)
        self.x, self.y = x, y
        self.prepare = prepare
        self.augment = augment
        self.seed = seed
        self.empty_batches = False
        self.prepared = False
        self._order = order
        self._device = next(iter(x.values())).device if isinstance(x, dict) else x.device
        if steps_per_execution is None:
            row = sum(part[0].numel() for part in (x.values() if isinstance(x, dict) else [x]))
            steps_per_execution = BLOCK_BYTES // (4 * batch_size * max(1, row))
        self.steps_per_execution: int = max(1, min(steps_per_execution, -(-self.num_rows // batch_size)))

    def num_batches(self) -> int:
        """Return how many mini-batches an epoch has on this process, which is the number on all."""
        return self._share().num_batches

    def _share(self) -> Shard:
        trains = self._order is not None or self.empty_batches
        return Shard(self.num_rows, self.batch_size, *rank_and_world(), trains)

    def __iter__(self) -> Iterator[tuple[Rows, Rows]] | Iterator[Block]:
        share, first = self._share(), self._first_batch
        self._first_batch, batches = 0, share.num_batches
        order = None if self._order is None else self._order(self.epoch).to(self._device)
        draws = None if self.augment is None else row_draws(self.num_rows, self.seed, self.epoch).to(self._device)
        for batch in range(first, batches, self.steps_per_execution):
            after = min(batch + self.steps_per_execution, batches)
            places = share.places(batch, after)
            if share.trains and self.steps_per_execution == 1 and not self.empty_batches:
                places = places if places.start < self.num_rows else slice(0, 1)
            rows = places if order is None else order[places]
            x, y = map_rows(partial(_take, rows), self.x), map_rows(partial(_take, rows), self.y)
            self._note(after)
            if self.augment is not None and draws is not None:
                x = map_rows(partial(self.augment, draws=draws[places]), x)
            x = x if self.prepare is None else map_rows(self.prepare, x)
            yield (x, y) if self.steps_per_execution == 1 else Block(x, y, self.batch_size, after - batch)
