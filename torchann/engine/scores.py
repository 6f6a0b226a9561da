"""The score of validation rows after each epoch: scikit-learn's accuracy or R², without its checks of every array."""

from collections.abc import Callable
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def accuracy(proba: Array, y: Array, weight: Array) -> float:
    """Return the share of rows that are right, with several labels in all of them.

    Args:
        proba: probabilities, of two classes ``(rows, 1)``, of several ``(rows, classes)``, or of each label.
        y: indicators of the same shape, 0 or 1.
        weight: how much each row counts, ``(rows,)``, float64.

    Example:
        >>> y = np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> accuracy(np.array([[0.9, 0.1], [0.8, 0.2]]), y, np.array([3.0, 1.0]))
        0.75
    """
    return _share(((proba > 0.5) == (y > 0.5)).all(1), weight)


def top_accuracy(proba: Array, y: Array, weight: Array) -> float:
    """Return the share of rows whose most probable class is theirs; arguments as of :func:`accuracy`."""
    return _share(proba.argmax(1) == y.argmax(1), weight)


def _share(right: Array, weight: Array) -> float:
    return float((right @ weight) / weight.sum())


def r2(y_hat: Array, y: Array, weight: Array) -> float:
    """Return how much of the targets' variance is explained, the mean over the outputs; nan for infinite predictions.

    Args:
        y_hat: predictions ``(rows, outputs)``.
        y: targets of the same shape.
        weight: how much each row counts, ``(rows,)``, float64.

    Example:
        >>> r2(np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]]), np.ones(2))  # 1 - 1 / (1 + 1)
        0.5
    """
    if not np.isfinite(y_hat).all() or len(y) < 2:
        return nan
    y, weight = y.astype(np.float64), weight[:, np.newaxis]
    left = (weight * (y - y_hat) ** 2).sum(0)
    whole = (weight * (y - (weight * y).sum(0) / weight.sum()) ** 2).sum(0)
    constant = np.where(left == 0, 1.0, 0.0)  # a constant target is met or not
    return float(np.where(whole == 0, constant, 1 - np.divide(left, whole, where=whole != 0, out=left.copy())).mean())


SCORES: dict[str, Callable[[Array, Array, Array], float]] = {
    "softmax": top_accuracy,
    "logistic": accuracy,
    "identity": r2,
    "exp": r2,
}
"""By the output activation."""
