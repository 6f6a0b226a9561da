"""Numbers made ready to be drawn: as arrays, and within limits that a few outliers do not decide."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Numbers = NDArray[Any]
"""An array of numbers of any dtype."""
LARGEST = 1e100  # axes of larger numbers overflow where their squares and differences are taken


def as_array(values: Any) -> Numbers:
    """A NumPy array of a tensor on any device, of any dtype, with or without a gradient, or of an array or list.

    Args:
        values: numbers of any shape.

    Example:
        >>> as_array(torch.tensor([1.0, 2.0], dtype=torch.bfloat16, requires_grad=True))
        array([1., 2.], dtype=float32)
    """
    if not isinstance(values, torch.Tensor):
        return np.asarray(values)
    values = values.detach().cpu()
    return np.asarray(values.float() if values.dtype == torch.bfloat16 else values)


def drawable(*columns: Numbers) -> NDArray[np.bool_]:
    """Which rows an axis can hold: all their numbers are finite, none beyond ±1e100.

    Args:
        columns: numbers, ``(rows,)`` each.

    Returns:
        ``(rows,)``.

    Example:
        >>> drawable(np.array([1.0, np.nan, 3.0]), np.array([1.0, 2.0, 1e200]))
        array([ True, False, False])
    """
    # A comparison with nan is false, so this leaves it out too.
    return np.asarray(np.logical_and.reduce([np.abs(column.astype(float)) <= LARGEST for column in columns]))


def robust_limits(values: Numbers) -> tuple[float, float]:
    """The limits of an axis: those of the values, unless a few of them lie far away.

    An outlier may reach half as far again as the middle 99 % of the values, and is beyond the axis if it is farther.

    Args:
        values: finite, ``(rows,)``.

    Returns:
        The lower and the upper limit with a margin; 0 and 1 of no values.

    Example:
        >>> robust_limits(np.linspace(0, 100, 101))
        (-3.0, 103.0)
        >>> robust_limits(np.append(np.linspace(0, 100, 1001), 1e9))[1] < 160
        True
    """
    if not values.size:
        return 0.0, 1.0
    low, high = np.quantile(values, (0.005, 0.995))
    reach = (high - low) / 2
    low, high = max(values.min(), low - reach), min(values.max(), high + reach)
    margin = 0.03 * (high - low) or 0.03 * abs(high) or 1.0
    return float(low - margin), float(high + margin)


def symmetric_limit(values: Numbers) -> float:
    """Where diverging colours end, as far above zero as below: 99 % of the values lie between.

    Args:
        values: of any shape; those that are not finite do not count.

    Returns:
        Above zero; 1 if all values are zero.

    Example:
        >>> symmetric_limit(np.array([-3.0, np.nan, 0.0]))
        3.0
    """
    sizes = np.abs(values[drawable(values)])
    # The quantile is one of the values, so that few of them are not cut off.
    limit = float(np.quantile(sizes, 0.99, method="higher")) if sizes.size else 0.0
    return limit or float(sizes.max(initial=0.0)) or 1.0
