"""Evaluation mode for a while, in several threads at once if need be."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from weakref import WeakKeyDictionary

from torch import nn

_LOCK = RLock()
_EVALUATED: WeakKeyDictionary[nn.Module, tuple[int, bool]] = WeakKeyDictionary()
"""Of each module how many blocks have it in evaluation mode, and the mode that the last of them gives back."""


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode for a block of code; each of its parts has its own mode back afterwards.

    Where threads evaluate one module, or parts of it, the last of them gives the modes back.

    Example:
        >>> net = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
        >>> with evaluating(net):
        ...     net[0].training
        False
        >>> [part.training for part in net]
        [True, False]
    """
    parts = list(net.modules())
    with _LOCK:
        for part in parts:
            count, training = _EVALUATED.get(part, (0, part.training))
            _EVALUATED[part] = count + 1, training
        net.eval()
    try:
        yield
    finally:
        with _LOCK:
            for part in parts:
                count, training = _EVALUATED.pop(part)
                if count > 1:
                    _EVALUATED[part] = count - 1, training
                else:
                    part.training = training
