"""Where an estimator computes."""

import os
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

WORTH_TWO = 4_000_000  # floating-point operations in a layer's product, from which on a second core or a GPU helps
DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # of GPUs on Linux


def largest_product(sizes: Sequence[int], rows: int) -> int:
    """Return the floating-point operations of the largest layer's product, by the layers' sizes, inputs first.

    Example:
        >>> largest_product([8, 30, 1], rows=32)  # 2 * 32 * 8 * 30
        15360
    """
    return max(2 * rows * size_in * size_out for size_in, size_out in pairwise(sizes))


@cache
def gpu_is_there() -> bool:
    """Return whether torch can use a GPU; torch is imported only where a driver is installed."""
    windows = Path(os.environ.get("SYSTEMROOT", "C:/Windows"), "System32", "nvcuda.dll")
    if not any(Path(driver).exists() for driver in (*DRIVERS, windows)):
        return False
    import torch  # seconds

    return torch.cuda.is_available()


def device_for(name: str, sizes: Sequence[int], rows: int) -> str:
    """Return torch's name of a device; ``"auto"`` is a GPU where there is one and the products are large enough for it.

    Args:
        name: ``"auto"``, or a device as torch knows it: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
        sizes: of the layers, inputs first.
        rows: that go through the net at once.

    Raises:
        ValueError: if torch knows no such device, or this machine has none.

    Example:
        >>> device_for("auto", [8, 30, 1], rows=32)
        'cpu'
    """
    if name == "auto":
        return "cuda" if largest_product(sizes, rows) >= WORTH_TWO and gpu_is_there() else "cpu"
    if name == "cpu":
        return name
    import torch  # seconds

    try:
        torch.empty(0, device=torch.device(name))
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"device is {name!r} and cannot be used ({reason}); give 'auto', 'cpu' or a GPU") from None
    return name
