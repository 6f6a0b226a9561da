"""The chapter's tables of typical architectures: from the task to output units, output activation and loss."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Head:
    """What the end of a network is for a task (sections 10.1.5 and 10.1.6).

    Attributes:
        out_features: output units.
        losses: per-row losses ``(batch,)`` of the network's outputs ``(batch, out_features)`` and the targets.
        error: how each row's loss changes with each output, the derivative ``(batch, out_features)``.
        activation: from the network's outputs to probabilities or values, in the shape the targets have.
    """

    out_features: int
    losses: Callable[[Tensor, Tensor], Tensor]
    error: Callable[[Tensor, Tensor], Tensor]
    activation: Callable[[Tensor], Tensor]


def _double_difference(y_hat: Tensor, y: Tensor) -> Tensor:
    return (y_hat - y).mul_(2)


def _sign_of_difference(y_hat: Tensor, y: Tensor) -> Tensor:
    return torch.sign(y_hat - y)


def _clipped_difference(y_hat: Tensor, y: Tensor) -> Tensor:
    return (y_hat - y).clamp_(-1, 1)


REGRESSION_LOSSES: dict[str, tuple[Callable[..., Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    "mse": (F.mse_loss, _double_difference),
    "mae": (F.l1_loss, _sign_of_difference),
    "huber": (F.huber_loss, _clipped_difference),
}
"""Loss and its derivative by each value, by name."""


def regression_head(out_features: int, loss: str = "mse") -> Head:
    """One linear output unit per value to predict; a row's loss is the mean over its values.

    Args:
        out_features: values per row.
        loss: ``"mse"``, ``"mae"`` or ``"huber"`` (quadratic below an error of 1, linear above).

    Raises:
        ValueError: if the loss is none of those; from the losses, if outputs and targets differ in shape:
            ``(batch, 1)`` against ``(batch,)`` would broadcast to ``(batch, batch)`` and train towards the mean.

    Example:
        >>> head = regression_head(1, "huber")
        >>> y_hat, y = torch.tensor([[0.0], [2.0]]), torch.tensor([[0.5], [0.0]])
        >>> head.losses(y_hat, y), head.error(y_hat, y)
        (tensor([0.1250, 1.5000]), tensor([[-0.5000],
                [ 1.0000]]))
    """
    if loss not in REGRESSION_LOSSES:
        raise ValueError(f"there is no regression loss {loss!r}; choose one of {', '.join(REGRESSION_LOSSES)}")
    elementwise, derivative = REGRESSION_LOSSES[loss]
    return Head(out_features, partial(_regression_losses, elementwise), partial(_mean_error, derivative), _as_it_is)


def _regression_losses(elementwise: Callable[..., Tensor], y_hat: Tensor, y: Tensor) -> Tensor:
    if y_hat.shape != y.shape:
        raise ValueError(
            f"predictions {tuple(y_hat.shape)} and targets {tuple(y.shape)} must have the same shape; "
            "give targets of shape (batch, out_features)"
        )
    return elementwise(y_hat, y, reduction="none").mean(1)


def _mean_error(derivative: Callable[[Tensor, Tensor], Tensor], y_hat: Tensor, y: Tensor) -> Tensor:
    error = derivative(y_hat, y)
    return error if error.shape[1] == 1 else error.div_(error.shape[1])


def _as_it_is(y_hat: Tensor) -> Tensor:
    return y_hat


def classification_head(task: str, num_classes: int) -> Head:
    """The outputs of a classifier, as logits: probabilities are made from them once, in ``activation``.

    ============ ===================== ================ ====================
    task         output units          activation       loss
    ============ ===================== ================ ====================
    binary       1                     sigmoid          binary cross-entropy
    multilabel   1 per label           sigmoid          binary cross-entropy
    multiclass   1 per class           softmax          cross-entropy
    ============ ===================== ================ ====================

    Args:
        task: ``"binary"`` (targets 0 or 1, ``(batch,)``), ``"multiclass"`` (class indices ``(batch,)``) or
            ``"multilabel"`` (0 or 1 for each label, ``(batch, num_classes)``).
        num_classes: classes, 2 when binary; labels when multilabel.

    Raises:
        ValueError: if there is no such task, or it cannot have that many classes; from the losses, if the targets'
            shape is not the one above.

    Example:
        >>> head = classification_head("multiclass", 4)
        >>> head.losses(torch.zeros(1, 4), torch.tensor([2])), head.activation(torch.zeros(1, 4))
        (tensor([1.3863]), tensor([[0.2500, 0.2500, 0.2500, 0.2500]]))
    """
    if num_classes < (1 if task == "multilabel" else 2) or (task == "binary" and num_classes > 2):
        raise ValueError(f"a {task} task with num_classes={num_classes}; binary takes 2, multiclass 2 or more")
    if task == "multiclass":
        return Head(num_classes, _cross_entropy, _cross_entropy_error, partial(torch.softmax, dim=1))
    if task == "binary":
        return Head(1, _binary_losses, _binary_error, _binary_proba)
    if task == "multilabel":
        return Head(num_classes, _multilabel_losses, _multilabel_error, torch.sigmoid)
    raise ValueError(f"there is no task {task!r}; choose one of binary, multiclass, multilabel")


def _check_targets(logits: Tensor, y: Tensor, wanted: torch.Size) -> None:
    if y.shape != wanted:
        raise ValueError(f"targets {tuple(y.shape)} do not fit logits {tuple(logits.shape)}; give {tuple(wanted)}")


def _cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    _check_targets(logits, y, logits.shape[:1])
    return F.cross_entropy(logits, y, reduction="none")


def _cross_entropy_error(logits: Tensor, y: Tensor) -> Tensor:
    # Softmax less one-hot: what the class was thought to be less what it is.
    return logits.softmax(1).scatter_(1, y.unsqueeze(1), -1.0, reduce="add")


def _multilabel_losses(logits: Tensor, y: Tensor) -> Tensor:
    _check_targets(logits, y, logits.shape)
    return F.binary_cross_entropy_with_logits(logits, y.to(logits.dtype), reduction="none").mean(1)


def _multilabel_error(logits: Tensor, y: Tensor) -> Tensor:
    return (logits.sigmoid() - y).div_(logits.shape[1])


def _binary_losses(logits: Tensor, y: Tensor) -> Tensor:
    _check_targets(logits[:, 0], y, logits.shape[:1])
    return F.binary_cross_entropy_with_logits(logits[:, 0], y.to(logits.dtype), reduction="none")


def _binary_error(logits: Tensor, y: Tensor) -> Tensor:
    return logits.sigmoid() - y.unsqueeze(1)


def _binary_proba(logits: Tensor) -> Tensor:
    return logits[:, 0].sigmoid()
