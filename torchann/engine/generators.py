"""Random-number generators as a part of a run: seeded by it, kept with it, and the caller's left as they were."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, RandomSampler

_ONE_AT_A_TIME = RLock()


def seed_generators(*parts: int) -> None:
    """Seeds the global generators of torch, NumPy and Python.

    Args:
        parts: a seed, and whatever else the numbers are to depend on, such as the epoch; whole numbers from 0.

    Example:
        >>> with separate_generators(42):
        ...     a = torch.rand(1)
        ...     seed_generators(42, 3)
        ...     b = torch.rand(1)
        >>> with separate_generators(0):
        ...     seed_generators(42, 3)
        ...     bool(torch.rand(1) == b)
        True
    """
    seed = mixed_seed(*parts)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed takes a millisecond to look for other devices
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def mixed_seed(*parts: int) -> int:
    """One seed from several numbers; a single one stays what it is.

    Example:
        >>> mixed_seed(42), mixed_seed(42, 0) == mixed_seed(42, 1)
        (42, False)
    """
    return parts[0] if len(parts) == 1 else int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0])


def seed_shuffle(loader: object, seed: int, epoch: int) -> None:
    """Makes the order of a ``DataLoader(shuffle=True)`` a function of the seed and the epoch, and of nothing else.

    By itself it is drawn from the global generator, at a moment that depends on the number of workers. A loader with a
    generator of its own, or without a shuffle, stays as it is.

    Args:
        loader: about to be iterated over, of any kind.
        seed: of the run.
        epoch: that comes next.

    Example:
        >>> loader = torch.utils.data.DataLoader(range(5), batch_size=5, shuffle=True)
        >>> seed_shuffle(loader, 42, 0)
        >>> a = next(iter(loader))
        >>> seed_shuffle(loader, 42, 0)
        >>> bool((a == next(iter(loader))).all())
        True
    """
    if not isinstance(loader, DataLoader):
        return
    for draws in (loader, loader.sampler):  # a loader draws seeds for its workers, also where it has none
        if isinstance(draws, (DataLoader, RandomSampler)) and isinstance(draws.generator, (_Shuffle, type(None))):
            draws.generator = _Shuffle().manual_seed(mixed_seed(seed, epoch))


class _Shuffle(torch.Generator):
    """One that was given by :func:`seed_shuffle`, and may be taken away by it."""


def generator_states() -> dict[str, Any]:
    """The states of the global generators, as tensors and plain values that a checkpoint can hold."""
    kind, keys, *rest = np.random.get_state()
    version, words, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": (str(kind), torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest),
        "python": (version, torch.tensor(words), gauss),
    }


def restore_generators(states: dict[str, Any]) -> None:
    """Puts the global generators back into states that :func:`generator_states` gave.

    Example:
        >>> states = generator_states()
        >>> a = torch.rand(1), np.random.rand(), random.random()
        >>> restore_generators(states)
        >>> a == (torch.rand(1), np.random.rand(), random.random())
        True
    """
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words.tolist()), gauss))


@contextmanager
def separate_generators(seed: int) -> Iterator[None]:
    """Seeds the global generators for a block of code, and leaves them behind as they were before it.

    All threads share them, so that such blocks wait for each other: two at once would draw each other's numbers, and
    the one that began first would leave those of the other behind.

    Args:
        seed: a whole number from 0.
    """
    with _ONE_AT_A_TIME:
        before = generator_states()
        seed_generators(seed)
        try:
            yield
        finally:
            restore_generators(before)
