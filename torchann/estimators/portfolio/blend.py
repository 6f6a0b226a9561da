"""Weights of models whose predictions are averaged."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from torchann.estimators.portfolio.rows import Numbers

STEPS = 25


def blend(predictions: Sequence[Numbers], loss: Callable[[Numbers], float]) -> NDArray[np.float64]:
    """Return the weights of models by greedy selection with replacement (Caruana et al., 2004).

    The model that makes the mean best is added, again and again, until none does.

    Args:
        predictions: of each model, of rows that it was not trained on.
        loss: of predictions of these rows.

    Returns:
        A weight for each model, ``(models,)``; they add up to 1.

    Example:
        >>> high, low, true = np.array([2.0, 3.0]), np.array([0.0, 1.0]), np.array([1.0, 2.0])
        >>> blend([high, low, low - 9], lambda mean: float(np.square(mean - true).sum())).tolist()
        [0.5, 0.5, 0.0]
    """
    counts, total, best = np.zeros(len(predictions)), np.zeros_like(predictions[0]), np.inf
    for step in range(1, STEPS + 1):
        losses = [loss((total + one) / step) for one in predictions]
        place = int(np.argmin(losses))
        if step > 1 and not losses[place] < best:
            break
        counts[place] += 1
        total, best = total + predictions[place], losses[place]
    return np.asarray(counts / counts.sum())
