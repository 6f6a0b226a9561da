"""As many threads as the products of a net can use."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

import torch

from torchann.engine.devices import WORTH_TWO, largest_product


def threads_for(sizes: Sequence[int], batch_size: int) -> int:
    """How many threads a net can use, at most as many as there are now.

    A small product that is spread over threads can wait 8 ms for a core that another process holds, a hundred times
    what it takes.

    Args:
        sizes: of the layers, inputs first.
        batch_size: rows per product.

    Example:
        >>> threads_for([8, 30, 1], batch_size=32)
        1
    """
    return torch.get_num_threads() if largest_product(sizes, batch_size) >= WORTH_TWO else 1


_lock, _asked_for = Lock(), list[int]()
_of_the_caller = 0


@contextmanager
def at_most(threads: int, or_more: bool = False) -> Iterator[None]:
    """Let torch use so many threads, and give the caller's number back afterwards.

    The number is the process's: where several Python threads ask at once the lowest counts, and the last one of them
    gives the number back.

    Args:
        threads: number of threads.
        or_more: whether that may be more than the caller's number.

    Example:
        >>> with at_most(1):
        ...     torch.get_num_threads()
        1
    """
    global _of_the_caller
    with _lock:
        if not _asked_for:
            _of_the_caller = torch.get_num_threads()
        number = threads if or_more else min(threads, _of_the_caller)
        _asked_for.append(number)
        torch.set_num_threads(min(_asked_for))
    try:
        yield
    finally:
        with _lock:
            _asked_for.remove(number)
            torch.set_num_threads(min(_asked_for, default=_of_the_caller))
