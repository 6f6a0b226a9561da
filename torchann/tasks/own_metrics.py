"""Metrics that torchmetrics lacks, or counts otherwise than scikit-learn."""

from collections.abc import Callable
from typing import Any

import torch
import torchmetrics as tm
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import MulticlassStatScores
from torchmetrics.utilities import dim_zero_cat

Maker = Callable[[str, int, str], Metric]
"""Makes a metric of a task, the number of its classes, and an average."""


class BalancedAccuracy(MulticlassStatScores):
    """Mean recall over the classes that the targets have, as scikit-learn's ``balanced_accuracy_score``.

    Example:
        >>> metric = BalancedAccuracy(2)
        >>> metric.update(torch.tensor([0.1, 0.2, 0.9, 0.4]), torch.tensor([0, 0, 0, 1]))
        >>> metric.compute()  # two thirds of the first class and none of the second
        tensor(0.3333)
    """

    higher_is_better = True
    threshold = 0.5

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, average=None, validate_args=False)

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Take rows: probabilities ``(batch, classes)``, or of the second class ``(batch,)``."""
        super().update((preds > self.threshold).long() if preds.ndim == 1 else preds, target)

    def compute(self) -> Tensor:
        """Return the mean recall."""
        right: Any = self.tp
        support = right + self.fn
        recall: Tensor = (right / support)[support > 0]
        return recall.mean()


class LogLoss(tm.MeanMetric):
    """Mean cross-entropy of probabilities, as scikit-learn's ``log_loss``; of several labels the mean.

    Example:
        >>> metric = LogLoss()
        >>> metric.update(torch.tensor([[0.25, 0.75]]), torch.tensor([1]))
        >>> metric.compute()  # -ln 0.75
        tensor(0.2877)
    """

    higher_is_better = False  # type: ignore[assignment]

    def update(self, preds: Tensor, target: Tensor) -> None:  # type: ignore[override]
        """Take rows: probabilities ``(batch, classes)``, or as many as targets of labels or of the second class."""
        if preds.ndim > target.ndim:
            own = preds.gather(1, target.unsqueeze(1))[:, 0]
        else:
            own = torch.where(target > 0, preds, 1 - preds)
        super().update(-own.clamp(torch.finfo(own.dtype).eps, 1).log())


class QuantileLoss(tm.MeanMetric):
    """Mean pinball loss, as scikit-learn's ``mean_pinball_loss``, of which the quantile has the lowest.

    Args:
        quantile: from 0 to 1.

    Example:
        >>> metric = QuantileLoss(0.9)
        >>> metric.update(torch.tensor([0.0, 0.0]), torch.tensor([10.0, -10.0]))
        >>> metric.compute()  # (0.9 * 10 + 0.1 * 10) / 2
        tensor(5.)
    """

    higher_is_better = False  # type: ignore[assignment]

    def __init__(self, quantile: float) -> None:
        super().__init__()
        self.quantile: float = quantile

    def update(self, preds: Tensor, target: Tensor) -> None:  # type: ignore[override]
        """Take predicted and true values of the same shape."""
        error = target - preds
        super().update(torch.maximum(self.quantile * error, (self.quantile - 1) * error))


class _OverClassesThere(Metric):
    # An area under a curve as the mean over the classes that have rows and leave some to the others; torchmetrics
    # counts the rest as 0, scikit-learn refuses them. NaN if there are none.
    target: Any

    def compute(self) -> Tensor:
        areas: Tensor = super().compute().reshape(-1)  # type: ignore[safe-super]
        y = dim_zero_cat(self.target)
        of_class = torch.bincount(y, minlength=len(areas)) if y.ndim == 1 and len(areas) > 1 else y.sum(0)
        there = ((of_class > 0) & (of_class < len(y))).reshape(-1)
        return areas[there].mean()


def area(*kinds: type[Metric]) -> Maker:
    """Return what makes an area under a curve, of its kinds for binary, multiclass and multilabel tasks."""
    made = {
        task: type(kind.__name__, (_OverClassesThere, kind), {})
        for task, kind in zip(("binary", "multiclass", "multilabel"), kinds, strict=True)
    }

    def make(task: str, size: int, average: str) -> Metric:
        sizes: dict[str, Any] = {"multiclass": {"num_classes": size}, "multilabel": {"num_labels": size}}
        options = {"average": None, **sizes[task]} if task in sizes else {}
        metric: Metric = made[task](validate_args=False, **options)
        return metric

    return make
