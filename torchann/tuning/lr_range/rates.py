"""Learning rates that grow by one factor from step to step, as in the book's exercise 10."""

from math import inf, log

STEPS, MAX_LR = 1000, 10.0
GROWTH_OF_WINDOW = 1.005**50
"""By how much the rate grows while losses are averaged: 50 steps of half a per cent, 28 %."""


def growing_rates(
    min_lr: float, max_lr: float | None = None, steps: int | None = None, factor: float | None = None
) -> list[float]:
    """Learning rates that grow by one factor from step to step.

    Args:
        min_lr: the first, above 0.
        max_lr: the last; 10 if it does not follow from ``steps`` and ``factor``.
        steps: how many; 1,000 if they do not follow from ``factor`` and ``max_lr``.
        factor: by which they grow, above 1.

    Raises:
        ValueError: if they do not grow, or are given twice over.

    Example:
        >>> growing_rates(1.0, 8.0, steps=4)
        [1.0, 2.0, 4.0, 8.0]
        >>> round(growing_rates(0.001, factor=1.005, steps=1719)[-1], 2)  # the book's, over an epoch of 1,719 batches
        5.26
    """
    if factor is not None and steps is not None:
        if max_lr is not None:
            raise ValueError(
                f"factor {factor}, steps {steps} and max_lr {max_lr} are one too many; leave one of them out"
            )
    else:
        max_lr = MAX_LR if max_lr is None else max_lr
        if not 0 < min_lr < max_lr < inf:
            raise ValueError(f"rates go from {min_lr} to {max_lr}; give 0 < min_lr < max_lr")
        if factor is None:
            steps = STEPS if steps is None else steps
            factor = (max_lr / min_lr) ** (1 / max(1, steps - 1))
    if not (0 < min_lr < inf and 1 < factor < inf):
        raise ValueError(f"rates go from {min_lr} on, times {factor} in each step; give min_lr above 0, factor above 1")
    if steps is None:
        steps = int(log(max_lr / min_lr) / log(factor)) + 1  # type: ignore[operator]
    if steps < 2:
        raise ValueError(f"there are {steps} steps; give at least 2")
    return [min_lr * factor**step for step in range(steps)]


def window_for(factor: float) -> int:
    """Over how many steps to average: as many as the rate needs to grow by 28 %, and no fewer than 5.

    Args:
        factor: by which the rate grows from step to step, above 1.

    Example:
        >>> window_for(1.005), window_for(1.1)  # the book's, and a faster one
        (50, 5)
    """
    return max(5, round(log(GROWTH_OF_WINDOW) / log(factor)))
