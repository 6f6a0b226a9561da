"""In which order an epoch visits the rows, and what is drawn for them: by a seed and the epoch, and nothing else."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

Order = Callable[[int], Tensor]
"""From an epoch, counted from 0, to its row indices ``(num_rows,)``, int64."""
AUGMENTATION_DRAWS = 3  # random numbers per row


class Augmentation(Protocol):
    """What changes the inputs of a batch at random."""

    def __call__(self, x: Tensor, draws: Tensor) -> Tensor:
        """Inputs of the same shape, from inputs ``(rows, ...)`` and uniform random numbers ``(rows, 3)``."""


def row_draws(num_rows: int, seed: int, epoch: int) -> Tensor:
    """What an augmentation draws for the rows of an epoch, in its order; the same however many processes share it.

    Args:
        num_rows: how many rows there are.
        seed: of the loader.
        epoch: counted from 0.

    Returns:
        Numbers from 0 to 1, ``(num_rows, 3)``.

    Example:
        >>> torch.equal(row_draws(2, seed=42, epoch=1), row_draws(2, seed=42, epoch=1))
        True
    """
    generator = torch.Generator().manual_seed(((seed * 1_000_003 + epoch) * 1_000_003 + 1) % 2**63)
    return torch.rand(num_rows, AUGMENTATION_DRAWS, generator=generator)


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
