"""What scikit-learn's MLPs end in: output activation, loss and error, as its ``_base.py`` has them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.special import xlogy

from torchann.nets.heads import REGRESSION_LOSSES

Elementwise = Callable[[Tensor, Tensor], Tensor]


class Objective(NamedTuple):
    """What comes after the last layer; outputs and targets are ``(batch, outputs)``, classes one column each.

    Attributes:
        activation: from the last layer's weighted sums to values or probabilities.
        losses: of values and targets, for each output; a row's loss is their sum.
        error: the derivative of a row's loss by the last layer's weighted sums, of values and targets.
    """

    activation: Callable[[Tensor], Tensor]
    losses: Elementwise
    error: Elementwise


def _half_squared(a: Tensor, y: Tensor) -> Tensor:
    return (a - y).square_().mul_(0.5 / y.shape[1])


def _poisson(a: Tensor, y: Tensor) -> Tensor:
    losses: Tensor = xlogy(y, y / a) - y + a
    return losses


def _binary_log_loss(a: Tensor, y: Tensor) -> Tensor:
    a = _clipped(a)
    losses: Tensor = xlogy(y, a) + xlogy(1 - y, 1 - a)
    return losses.neg_()


def _log_loss(a: Tensor, y: Tensor) -> Tensor:
    return _clipped(a).log_().mul_(y).neg_()


def _clipped(proba: Tensor) -> Tensor:
    eps = torch.finfo(proba.dtype).eps
    return proba.clamp(eps, 1 - eps)


def _softmax(z: Tensor) -> Tensor:
    return torch.softmax(z, 1)


def _as_it_is(z: Tensor) -> Tensor:
    return z


OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": _as_it_is,
    "exp": torch.exp,
    "logistic": torch.sigmoid,
    "softmax": _softmax,
}
"""The output activations, by scikit-learn's names."""
LOSSES: dict[tuple[str, str], Elementwise] = {
    ("identity", "squared_error"): _half_squared,
    ("exp", "poisson"): _poisson,
    ("logistic", "log_loss"): _binary_log_loss,
    ("softmax", "log_loss"): _log_loss,
}
OWN_LOSSES = {"absolute_error": "mae", "huber": "huber"}
"""Losses that scikit-learn's MLPs have not, by the names that the tasks know them by."""


def objective_of(out_activation: str, loss: str) -> Objective:
    """The end of an estimator's net.

    As in scikit-learn, the squared error is a mean over the outputs of a row and its derivative that of their sum, and
    probabilities are clipped where the loss takes their logarithm.

    Args:
        out_activation: a key of :data:`OUTPUTS`.
        loss: ``"squared_error"``, ``"poisson"``, ``"log_loss"``, or one of :data:`OWN_LOSSES`.

    Example:
        >>> end = objective_of("identity", "squared_error")
        >>> a, y = torch.tensor([[3.0]]), torch.tensor([[1.0]])
        >>> end.losses(a, y), end.error(a, y)
        (tensor([[2.]]), tensor([[2.]]))
    """
    activation = OUTPUTS[out_activation]
    if loss not in OWN_LOSSES:
        return Objective(activation, LOSSES[out_activation, loss], torch.sub)
    elementwise, derivative = REGRESSION_LOSSES[OWN_LOSSES[loss]]
    return Objective(
        activation,
        lambda a, y: elementwise(a, y, reduction="none").div_(y.shape[1]),
        lambda a, y: derivative(a, y).div_(y.shape[1]),
    )
