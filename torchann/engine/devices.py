"""Where an estimator computes."""

from collections.abc import Callable, Sequence
from functools import cache

import torch

from torchann.engine.threads import WORTH_TWO, largest_product

CPU, GPU = torch.device("cpu"), torch.device("cuda")
gpu_is_there: Callable[[], bool] = cache(torch.cuda.is_available)


def device_for(name: str, sizes: Sequence[int], rows: int) -> torch.device:
    """The device of that name; ``"auto"`` is a GPU where there is one and the products are large enough for it.

    Args:
        name: ``"auto"``, or a device as torch knows it: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
        sizes: of the layers, inputs first.
        rows: that go through the net at once.

    Raises:
        ValueError: if torch knows no such device, or this machine has none.

    Example:
        >>> device_for("auto", [8, 30, 1], rows=32)
        device(type='cpu')
    """
    if name == "auto":
        return GPU if gpu_is_there() and largest_product(sizes, rows) >= WORTH_TWO else CPU
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"device is {name!r} and cannot be used ({reason}); give 'auto', 'cpu' or a GPU") from None
    return device
