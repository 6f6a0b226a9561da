"""The chapter's tables of typical architectures: from the task to output units, output activation and loss."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor

from torchann.nets.functional import ACTIVATIONS
from torchann.nets.shapes import check_logits, check_outputs, check_targets, check_values


def _as_it_is(y_hat: Tensor) -> Tensor:
    return y_hat


@dataclass(frozen=True)
class Objective:
    """What the end of a network is for a task (sections 10.1.5 and 10.1.6).

    Attributes:
        out_features: output units.
        losses: per-row losses ``(batch,)`` of the network's outputs ``(batch, out_features)`` and the targets.
        error: how each row's loss changes with each output, the derivative ``(batch, out_features)``.
        activation: from the network's outputs to probabilities or values, in the shape the targets have; the losses
            and the error take the outputs as they leave the network, before it.
        activation_name: what the activation is called.
        loss_name: what the loss is called.
        shift: what is added to the activation of an output of a bounded regression, behind ``scale``.
        scale: factor of it.
        targets: from the targets to what the loss compares the values of that activation with.
    """

    out_features: int
    losses: Callable[[Tensor, Tensor], Tensor]
    error: Callable[[Tensor, Tensor], Tensor]
    activation: Callable[[Tensor], Tensor]
    activation_name: str = ""
    loss_name: str = ""
    shift: float = 0.0
    scale: float = 1.0
    targets: Callable[[Tensor], Tensor] = _as_it_is


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


REGRESSION_OUTPUTS: dict[str, tuple[str, ...]] = {
    "unbounded": ("identity",),
    "positive": ("softplus", "relu"),
    "bounded": ("sigmoid", "tanh"),
}
"""The output activations that fit the values to predict, the default first."""


def regression_objective(
    out_features: int,
    loss: str = "mse",
    output: str = "unbounded",
    bounds: Sequence[float] | None = None,
    output_activation: str | None = None,
) -> Objective:
    """One output unit per value to predict; a row's loss is the mean over its values.

    ============ ===================================== ================
    output       activation                            loss
    ============ ===================================== ================
    unbounded    none                                  MSE, MAE, Huber
    positive     softplus or ReLU                      MSE, MAE, Huber
    bounded      sigmoid or tanh, moved to the bounds  MSE, MAE, Huber
    ============ ===================================== ================

    Args:
        out_features: values per row.
        loss: ``"mse"``, ``"mae"`` or ``"huber"`` (quadratic below an error of 1, linear above).
        output: what the values can be: ``"unbounded"``, ``"positive"`` or ``"bounded"``.
        bounds: lowest and highest value, in the targets' unit, of a bounded output.
        output_activation: one of the output's :data:`REGRESSION_OUTPUTS`; the first if not given. ReLU gives exact
            zeros, and no gradient to a row whose value is one.

    Raises:
        ValueError: if the loss, the output or its activation is none of those, or the bounds are not a low below a
            high; from losses and error, if outputs or targets are not ``(batch, out_features)``: ``(batch, 1)`` against
            ``(batch,)`` would broadcast to ``(batch, batch)`` and train towards the mean.

    Example:
        >>> objective = regression_objective(1, "huber")
        >>> y_hat, y = torch.tensor([[0.0], [2.0]]), torch.tensor([[0.5], [0.0]])
        >>> objective.losses(y_hat, y), objective.error(y_hat, y)
        (tensor([0.1250, 1.5000]), tensor([[-0.5000],
                [ 1.0000]]))
        >>> regression_objective(3, output="bounded", bounds=(0, 5)).activation(torch.tensor([[-200.0, 0.0, 200.0]]))
        tensor([[0.0000, 2.5000, 5.0000]])
    """
    if loss not in REGRESSION_LOSSES:
        raise ValueError(f"there is no regression loss {loss!r}; choose one of {', '.join(REGRESSION_LOSSES)}")
    if output not in REGRESSION_OUTPUTS:
        raise ValueError(f"there is no regression output {output!r}; choose one of {', '.join(REGRESSION_OUTPUTS)}")
    activations = REGRESSION_OUTPUTS[output]
    name = activations[0] if output_activation is None else output_activation
    if name not in activations:
        raise ValueError(f"an output that is {output} has no activation {name!r}; choose {' or '.join(activations)}")
    if (output == "bounded") != (bounds is not None):
        raise ValueError(f"output={output!r} with bounds={bounds}; bounds=(low, high) belong to a bounded output")
    elementwise, derivative = REGRESSION_LOSSES[loss]
    losses, error = partial(_regression_losses, elementwise, out_features), partial(_mean_error, derivative)
    if output == "unbounded":
        return Objective(out_features, losses, error, _as_it_is, name, loss)
    end = _ActivatedEnd(name, *_shift_and_scale(name, bounds), losses, error)
    return Objective(out_features, end.losses_of, end.error_of, end.values, name, loss, end.shift, end.scale)


def _shift_and_scale(name: str, bounds: Sequence[float] | None) -> tuple[float, float]:
    if bounds is None:
        return 0.0, 1.0
    if len(bounds) != 2 or not -inf < bounds[0] < bounds[1] < inf:
        raise ValueError(f"bounds={bounds}; give two finite numbers, the lower one first")
    low, high = bounds
    return (low, high - low) if name == "sigmoid" else ((low + high) / 2, (high - low) / 2)


@dataclass(frozen=True)
class _ActivatedEnd:
    name: str
    shift: float
    scale: float
    losses: Callable[[Tensor, Tensor], Tensor]
    error: Callable[[Tensor, Tensor], Tensor]

    def values(self, z: Tensor) -> Tensor:
        return ACTIVATIONS[self.name].function(z) * self.scale + self.shift

    def losses_of(self, z: Tensor, y: Tensor) -> Tensor:
        return self.losses(self.values(z), y)

    def error_of(self, z: Tensor, y: Tensor) -> Tensor:
        # The chain rule: the loss by the value, the value by the activation, the activation by the raw output.
        a = ACTIVATIONS[self.name].function(z)
        error = self.error(a * self.scale + self.shift, y)
        return error.mul_(self.scale).mul_(ACTIVATIONS[self.name].derivative(z, a))


def _regression_losses(elementwise: Callable[..., Tensor], out_features: int, y_hat: Tensor, y: Tensor) -> Tensor:
    check_outputs(y_hat, out_features)
    check_values(y_hat, y)
    return elementwise(y_hat, y, reduction="none").mean(1)


def _mean_error(derivative: Callable[[Tensor, Tensor], Tensor], y_hat: Tensor, y: Tensor) -> Tensor:
    check_values(y_hat, y)
    error = derivative(y_hat, y)
    return error if error.shape[1] == 1 else error.div_(error.shape[1])


def classification_objective(task: str, num_classes: int) -> Objective:
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
        ValueError: if there is no such task, or it cannot have that many classes; from the losses, if the outputs' or
            the targets' shape is not the one above, or the outputs come from a softmax or a sigmoid.

    Example:
        >>> objective = classification_objective("multiclass", 4)
        >>> objective.losses(torch.zeros(1, 4), torch.tensor([2])), objective.activation(torch.zeros(1, 4))
        (tensor([1.3863]), tensor([[0.2500, 0.2500, 0.2500, 0.2500]]))
    """
    if num_classes < (1 if task == "multilabel" else 2) or (task == "binary" and num_classes > 2):
        raise ValueError(f"a {task} task with num_classes={num_classes}; binary takes 2, multiclass 2 or more")
    if task == "multiclass":
        losses, proba = partial(_cross_entropy, num_classes), partial(torch.softmax, dim=1)
        return Objective(num_classes, losses, _cross_entropy_error, proba, "softmax", "cross-entropy")
    if task == "binary":
        return Objective(1, _binary_losses, _binary_error, _binary_proba, "sigmoid", "binary cross-entropy")
    if task == "multilabel":
        losses = partial(_multilabel_losses, num_classes)
        return Objective(num_classes, losses, _multilabel_error, torch.sigmoid, "sigmoid", "binary cross-entropy")
    raise ValueError(f"there is no task {task!r}; choose one of binary, multiclass, multilabel")


def _cross_entropy(num_classes: int, logits: Tensor, y: Tensor) -> Tensor:
    check_logits(logits, num_classes)
    check_targets(logits, y, logits.shape[:1])
    return F.cross_entropy(logits, y, reduction="none")


def _cross_entropy_error(logits: Tensor, y: Tensor) -> Tensor:
    # Softmax less one-hot: what the class was thought to be less what it is.
    check_targets(logits, y, logits.shape[:1])
    return logits.softmax(1).scatter_(1, y.unsqueeze(1), -1.0, reduce="add")


def _multilabel_losses(num_classes: int, logits: Tensor, y: Tensor) -> Tensor:
    check_logits(logits, num_classes)
    check_targets(logits, y, logits.shape)
    return F.binary_cross_entropy_with_logits(logits, y.to(logits.dtype), reduction="none").mean(1)


def _multilabel_error(logits: Tensor, y: Tensor) -> Tensor:
    check_targets(logits, y, logits.shape)
    return (logits.sigmoid() - y).div_(logits.shape[1])


def _binary_losses(logits: Tensor, y: Tensor) -> Tensor:
    check_logits(logits, 1)
    check_targets(logits[:, 0], y, logits.shape[:1])
    return F.binary_cross_entropy_with_logits(logits[:, 0], y.to(logits.dtype), reduction="none")


def _binary_error(logits: Tensor, y: Tensor) -> Tensor:
    check_targets(logits, y, logits.shape[:1])
    return logits.sigmoid() - y.unsqueeze(1)


def _binary_proba(logits: Tensor) -> Tensor:
    return logits[:, 0].sigmoid()
