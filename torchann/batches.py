"""Mini-batches of tensors in memory: gathered by index, shuffled by (seed, epoch), sharded, resumable."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

Order = Callable[[int], Tensor]
BLOCK_BYTES = 2**24  # of one draw as float32: few calls per epoch, little memory


def shuffled_order(num_rows: int, seed: int, epoch: int) -> Tensor:
    """The order in which an epoch visits the rows: a permutation that depends on nothing but its arguments.

    Args:
        num_rows: how many rows there are.
        seed: any integer; the same seed gives the same orders on every machine.
        epoch: counted from 0.

    Returns:
        Row indices, ``(num_rows,)``, int64.

    Example:
        >>> shuffled_order(5, seed=42, epoch=0).sort().values
        tensor([0, 1, 2, 3, 4])
    """
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    return torch.randperm(num_rows, generator=generator)


def sklearn_order(num_rows: int, seed: int) -> Order:
    r"""The order in which scikit-learn's ``Perceptron(random_state=seed)`` and ``SGDClassifier`` visit the rows.

    Before each epoch they shuffle the order of the epoch before by Fisher-Yates, each time from the same xorshift seed
    (``sklearn/utils/_seq_dataset.pyx.tp`` and ``_random.pxd``), which is to apply one fixed permutation once more.

    Args:
        num_rows: how many rows there are.
        seed: scikit-learn's ``random_state``, an integer from 0 to 2\ :sup:`32` - 1.

    Returns:
        A function from the epoch, counted from 0, to its row indices ``(num_rows,)``, int64.

    Example:
        >>> sklearn_order(5, seed=0)(0)
        tensor([2, 4, 1, 3, 0])
    """
    random_state = np.random.RandomState(seed)
    random_state.randint(1, 2**31 - 1)  # scikit-learn's data set takes the first draw, the shuffle the second
    state = int(random_state.randint(2**31 - 1)) or 1
    permutation = np.arange(num_rows)
    for i in range(num_rows - 1):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        j = i + state % 2**31 % (num_rows - i)
        permutation[i], permutation[j] = permutation[j], permutation[i]

    def order(epoch: int) -> Tensor:
        rows = permutation
        for _ in range(epoch):
            rows = rows[permutation]
        return torch.from_numpy(rows.copy())

    return order


class Block(NamedTuple):
    """Several mini-batches drawn at once.

    Attributes:
        x: inputs, ``(rows, ...)``.
        y: targets, ``(rows, ...)``.
        batch_size: rows per mini-batch; the last may be smaller.
    """

    x: Tensor
    y: Tensor
    batch_size: int

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The mini-batches, in order."""
        yield from zip(torch.split(self.x, self.batch_size), torch.split(self.y, self.batch_size), strict=True)


class TensorLoader:
    """Iterates over the rows of tensors in mini-batches, without any Python work per row.

    A drop-in replacement for ``DataLoader(TensorDataset(x, y), shuffle=True)``: each batch is one ``index_select`` (a
    slice when nothing is shuffled), the shuffle has a generator of its own, and Lightning's epoch counter decides the
    order, so that a run depends on its seed alone. Under ``torch.distributed`` each process takes every ``world``-th
    row: a training loader (one that shuffles or has an ``order``) repeats a few rows so that all processes take
    equally many steps, any other visits each row exactly once.

    Args:
        x: inputs, ``(rows, ...)``, any dtype.
        y: targets, ``(rows, ...)``.
        batch_size: rows per batch; the last batch may be smaller.
        shuffle: a new order in each epoch, a function of ``seed`` and the epoch.
        seed: seed of the shuffle.
        order: the row indices of an epoch as a function of its number, in place of ``shuffle``.
        prepare: applied to the inputs of each batch, for example images from uint8 to pixels in 0–1.
        steps_per_execution: above 1, a :class:`Block` of that many mini-batches is drawn at once and yielded in place
            of ``(x, y)``; None chooses a number from the size of the data.

    Raises:
        ValueError: if the tensors differ in length, are empty, or ``batch_size`` is below 1.

    Example:
        >>> loader = TensorLoader(torch.arange(5.0), torch.arange(5), batch_size=2)
        >>> [y.tolist() for x, y in loader]
        [[0, 1], [2, 3], [4]]
    """

    batch_sampler = None  # Lightning looks for the two attributes of a DataLoader side by side

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        batch_size: int = 32,
        *,
        shuffle: bool = False,
        seed: int = 42,
        order: Order | None = None,
        prepare: Callable[[Tensor], Tensor] | None = None,
        steps_per_execution: int | None = 1,
    ) -> None:
        if len(x) != len(y) or len(x) == 0:
            raise ValueError(f"x has {len(x)} rows and y {len(y)}; give both the same number, at least one")
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; give a whole number of rows, at least 1")
        if steps_per_execution is not None and steps_per_execution < 1:
            raise ValueError(f"steps_per_execution is {steps_per_execution}; give a whole number, at least 1")
        if shuffle and order is not None:
            raise ValueError("shuffle=True and an order exclude each other; give one of them")
        if shuffle:
            order = partial(shuffled_order, len(x), seed)
        self.x, self.y = x, y
        self.batch_size = batch_size
        self.prepare = prepare
        self.epoch = 0
        self._order = order
        if steps_per_execution is None:
            steps_per_execution = BLOCK_BYTES // (4 * batch_size * max(1, x[0].numel()))
        self.steps_per_execution = max(1, min(steps_per_execution, -(-len(x) // batch_size)))
        self._first_batch = 0
        self._next_batch = 0

    @property
    def sampler(self) -> "TensorLoader":
        """Where Lightning looks for ``set_epoch``."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Makes the next iteration that of ``epoch``; a loaded position holds only for the epoch it was saved in."""
        if epoch != self.epoch:
            self.epoch, self._first_batch, self._next_batch = epoch, 0, 0

    def __len__(self) -> int:
        """Batches, or blocks of them, per epoch on this process."""
        return -(-self.num_batches() // self.steps_per_execution)

    def num_batches(self) -> int:
        """Mini-batches per epoch on this process."""
        return -(-self._rows_here() // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]] | Iterator[Block]:
        indices = self._indices_here()
        first, self._first_batch = self._first_batch, 0
        for batch in range(first, self.num_batches(), self.steps_per_execution):
            after = min(batch + self.steps_per_execution, self.num_batches())
            start, stop = batch * self.batch_size, after * self.batch_size
            if indices is None:
                x, y = self.x[start:stop], self.y[start:stop]
            else:
                rows = indices[start:stop]
                x, y = self.x.index_select(0, rows), self.y.index_select(0, rows)
            # Before the yield: the consumer may save the state, and may never come back after the last batch.
            self._next_batch = after
            if after == self.num_batches():
                self.epoch, self._next_batch = self.epoch + 1, 0
            x = x if self.prepare is None else self.prepare(x)
            yield (x, y) if self.steps_per_execution == 1 else Block(x, y, self.batch_size)

    def state_dict(self) -> dict[str, int]:
        """Where the iteration stands: the epoch and the batch that comes next (0 of the next epoch at an end)."""
        return {"epoch": self.epoch, "batch": self._next_batch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Makes the next iteration go on where ``state`` was taken.

        Raises:
            ValueError: if the epoch has no such batch, as after a change of the batch size.
        """
        if not 0 <= state["batch"] < self.num_batches():
            raise ValueError(
                f"the state is at batch {state['batch']} and an epoch has {self.num_batches()}; "
                f"give the batch_size and the data it was saved with (batch_size is {self.batch_size})"
            )
        self.epoch, self._first_batch = state["epoch"], state["batch"]
        self._next_batch = self._first_batch

    def _rows_here(self) -> int:
        rank, world = _rank_and_world()
        if self._order is not None:
            return -(-len(self.x) // world)
        return len(range(rank, len(self.x), world))

    def _indices_here(self) -> Tensor | None:
        rank, world = _rank_and_world()
        if self._order is None:
            return None if world == 1 else torch.arange(len(self.x))[rank::world].to(self.x.device)
        indices = self._order(self.epoch)
        if world > 1:
            wanted = self._rows_here() * world
            indices = indices.repeat(-(-wanted // len(indices)))[:wanted][rank::world]
        return indices.to(self.x.device)


def _rank_and_world() -> tuple[int, int]:
    # Asked at each use: Lightning builds loaders before and after the processes have met.
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
