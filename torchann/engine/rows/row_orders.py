"""In which order a network of a population visits its rows, epoch by epoch."""

from typing import Any, Protocol

import numpy as np

from torchann.engine.rows.shuffling import shuffled_order

RowNumbers = np.ndarray[Any, np.dtype[np.int64]]
"""Numbers of rows in the table, ``(rows,)``."""


class RowOrder(Protocol):
    """Where a network's rows are, and which comes next; can be pickled, with the place it has come to."""

    rows: RowNumbers

    def next_epoch(self) -> RowNumbers:
        """The rows in the order of the coming epoch, ``(rows,)``."""


class RandomStateOrder:
    """The orders of scikit-learn's MLPs: each epoch shuffles the order of the epoch before.

    Args:
        rows: numbers of the training rows in the table, ``(rows,)``.
        random_state: that shuffles, and has drawn weights and validation rows before; it is changed.
        shuffle: whether it does; otherwise the order stays that of ``rows``.

    Example:
        >>> order = RandomStateOrder(np.array([5, 6, 7, 8]), np.random.RandomState(0))
        >>> order.next_epoch().tolist(), order.next_epoch().tolist()
        ([7, 8, 6, 5], [7, 6, 8, 5])
    """

    def __init__(self, rows: RowNumbers, random_state: np.random.RandomState, shuffle: bool = True) -> None:
        self.rows: RowNumbers = rows
        self.random_state = random_state
        self.shuffle = shuffle

    def next_epoch(self) -> RowNumbers:
        """The rows in the order of the coming epoch, ``(rows,)``."""
        if self.shuffle:
            permutation = np.arange(len(self.rows))
            self.random_state.shuffle(permutation)
            self.rows = self.rows[permutation]
        return self.rows


class SeededOrder:
    """The orders of the Lightning tasks: a permutation of seed and epoch, and of nothing else.

    Args:
        rows: numbers of the training rows in the table, ``(rows,)``.
        seed: any integer.

    Example:
        >>> sorted(SeededOrder(np.array([5, 6, 7]), seed=42).next_epoch().tolist())
        [5, 6, 7]
    """

    def __init__(self, rows: RowNumbers, seed: int) -> None:
        self.rows = rows
        self.seed = seed
        self.epoch: int = 0

    def next_epoch(self) -> RowNumbers:
        """The rows in the order of the coming epoch, ``(rows,)``."""
        order: RowNumbers = self.rows[shuffled_order(len(self.rows), self.seed, self.epoch).numpy()]
        self.epoch += 1
        return order
