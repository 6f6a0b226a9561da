"""The Perceptron rule: one row at a time, the weights move only after a mistake."""

import torch
from torch import Tensor


@torch.no_grad()
def perceptron_rule_(weight: Tensor, bias: Tensor, x: Tensor, target: Tensor, lr: float = 1.0) -> Tensor:
    r"""Learns from rows one after the other, in their order (section 10.1.3, equation 10-3).

    A row on the wrong side, or on the line (:math:`t z \le 0`), adds :math:`\eta t \mathbf{x}` to the weights and
    :math:`\eta t` to the bias. "On the line" counts, or a Perceptron could never leave zero weights.

    Args:
        weight: ``(features,)``, changed in place.
        bias: ``(1,)``, changed in place.
        x: rows, ``(rows, features)``, of the weights' dtype.
        target: ``(rows,)``, each entry -1 or +1.
        lr: learning rate :math:`\eta`; from zero weights it scales them and changes no prediction.

    Returns:
        The weighted sum of each row at the moment the Perceptron met it, ``(rows,)``.

    Example:
        >>> weight, bias = torch.zeros(2), torch.zeros(1)
        >>> perceptron_rule_(weight, bias, torch.tensor([[1.0, 2.0], [3.0, 1.0]]), torch.tensor([1.0, -1.0]))
        tensor([0., 6.])
        >>> weight, bias
        (tensor([-2.,  1.]), tensor([0.]))
    """
    logits = torch.empty_like(target)
    for row, (x_row, t) in enumerate(zip(x, target, strict=True)):
        logits[row] = z = x_row @ weight + bias[0]
        if t * z <= 0:
            weight += lr * t * x_row
            bias += lr * t
    return logits
