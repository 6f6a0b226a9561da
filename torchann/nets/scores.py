"""The score of validation rows after each epoch: scikit-learn's accuracy or R², without its checks of every array."""

from collections.abc import Callable
from math import nan

import torch
from torch import Tensor


def accuracy(proba: Tensor, y: Tensor, weight: Tensor) -> float:
    """The share of rows that are right, with several labels in all of them.

    Args:
        proba: of two classes ``(rows, 1)``, of several ``(rows, classes)`` adding up to 1, or of each label.
        y: indicators of the same shape, 0 or 1.
        weight: how much each row counts, ``(rows,)``, float64.

    Example:
        >>> y = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> accuracy(torch.tensor([[0.9, 0.1], [0.8, 0.2]]), y, torch.tensor([3.0, 1.0], dtype=torch.float64))
        0.75
    """
    return _share(((proba > 0.5) == (y > 0.5)).all(1), weight)


def top_accuracy(proba: Tensor, y: Tensor, weight: Tensor) -> float:
    """The share of rows whose most probable class is theirs; arguments as of :func:`accuracy`."""
    return _share(proba.argmax(1) == y.argmax(1), weight)


def _share(right: Tensor, weight: Tensor) -> float:
    return float((right * weight).sum() / weight.sum())


def r2(y_hat: Tensor, y: Tensor, weight: Tensor) -> float:
    """How much of the targets' variance is explained, the mean over the outputs; nan if a prediction is not finite.

    Args:
        y_hat: predictions ``(rows, outputs)``.
        y: targets of the same shape.
        weight: how much each row counts, ``(rows,)``, float64.

    Example:
        >>> y = torch.tensor([[0.0], [2.0]])
        >>> r2(torch.tensor([[0.0], [1.0]]), y, torch.ones(2, dtype=torch.float64))  # 1 - 1 / (1 + 1)
        0.5
    """
    if not bool(y_hat.isfinite().all()) or len(y) < 2:
        return nan
    y, weight = y.double(), weight.unsqueeze(1)
    left = (weight * (y - y_hat) ** 2).sum(0)
    whole = (weight * (y - (weight * y).sum(0) / weight.sum()) ** 2).sum(0)
    constant = torch.where(left == 0, 1.0, 0.0).double()  # a constant target is met or not
    return float(torch.where(whole == 0, constant, 1 - left / whole).mean())


SCORES: dict[str, Callable[..., float]] = {"softmax": top_accuracy, "logistic": accuracy, "identity": r2, "exp": r2}
"""By the output activation."""
