"""The probability from which on a row is of the second of two classes, chosen by rows that were not trained on."""

from typing import Literal, get_args

from torch import Tensor
from torchmetrics.functional.classification import binary_precision_recall_curve, binary_roc

ThresholdBy = Literal["balanced_accuracy", "f1"]


def check_threshold(threshold: float | str, task: str | None) -> None:
    """Raise ValueError unless a threshold is from 0 to 1, or a metric to choose it by, and there are two classes."""
    if isinstance(threshold, str) and threshold not in get_args(ThresholdBy):
        raise ValueError(f"threshold is {threshold!r}; give a number from 0 to 1, balanced_accuracy or f1")
    if not isinstance(threshold, str) and not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold!r}; give a number from 0 to 1, balanced_accuracy or f1")
    if threshold != 0.5 and task not in (None, "binary"):
        raise ValueError(f"threshold={threshold!r} in a {task} task; a threshold tells two classes apart, leave it out")


def best_threshold(proba: Tensor, y: Tensor, by: ThresholdBy) -> float:
    """Return the probability above which rows count as the second class, for the highest metric.

    It lies in the middle between two rows' probabilities. Where all rows are of one class it is 0.5.

    Args:
        proba: of the second class ``(rows,)``.
        y: 0 or 1, ``(rows,)``.
        by: metric.

    Example:
        >>> import torch
        >>> proba, y = torch.tensor([0.1, 0.2, 0.3, 0.05]), torch.tensor([0, 0, 1, 0])
        >>> round(best_threshold(proba, y, "f1"), 3)
        0.25
    """
    if not 0 < int(y.sum()) < len(y) or not proba.isfinite().all():
        return 0.5
    proba = proba.double()
    if by == "f1":
        precision, recall, cuts = binary_precision_recall_curve(proba, y, validate_args=False)
        precision, recall = precision[:-1], recall[:-1]
        scores = (2 * precision * recall / (precision + recall)).nan_to_num(0.0)
    else:
        wrong, right, cuts = binary_roc(proba, y, validate_args=False)
        scores = (right + 1 - wrong) / 2
    lowest = float(cuts[scores.argmax()])  # of the rows that count as the second class
    below = proba[proba < lowest]
    return (lowest + float(below.max())) / 2 if len(below) else lowest / 2
