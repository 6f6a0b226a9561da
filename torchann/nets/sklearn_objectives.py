"""What scikit-learn's MLPs end in, as its ``_base.py`` has it: output activations, losses and their derivatives."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import huber_loss
from torch.special import xlogy

OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "exp": torch.exp,
    "logistic": torch.sigmoid,
    "softmax": lambda z: torch.softmax(z, 1),
}
"""The output activations, by scikit-learn's names."""


def losses_of(activation: str, loss: str, a: Tensor, y: Tensor) -> Tensor:
    """Return the loss of each output, ``(batch, outputs)``; a row's is their sum.

    Args:
        activation: a key of :data:`OUTPUTS`.
        loss: scikit-learn's name, or ``"absolute_error"`` or ``"huber"``.
        a: values or probabilities, ``(batch, outputs)``.
        y: targets, classes one column each, ``(batch, outputs)``.

    Example:
        >>> losses_of("identity", "squared_error", torch.tensor([[3.0]]), torch.tensor([[1.0]]))
        tensor([[2.]])
    """
    kept = torch.finfo(a.dtype).eps
    p = a.clamp(kept, 1 - kept)
    kinds: dict[str, Callable[[], Tensor]] = {
        "squared_error": lambda: (a - y) ** 2 * (0.5 / y.shape[1]),
        "absolute_error": lambda: (a - y).abs() / y.shape[1],
        "huber": lambda: huber_loss(a, y, reduction="none") / y.shape[1],
        "poisson": lambda: xlogy(y, y / a) - y + a,
        "log_loss": lambda: -xlogy(y, p) if activation == "softmax" else -xlogy(y, p) - xlogy(1 - y, 1 - p),
    }
    return kinds[loss]()


def errors_of(loss: str, difference: Tensor) -> Tensor:
    """Return the derivative of each row's loss by the last layer's sums, of values minus targets, ``(batch, outputs)``.

    As in scikit-learn, that of the squared error is of half its sum over the outputs and not of their mean.
    """
    if loss == "absolute_error":
        return difference.sign() / difference.shape[1]
    return difference.clamp(-1, 1) / difference.shape[1] if loss == "huber" else difference
