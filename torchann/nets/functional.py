"""Pure tensor functions of the chapter: step functions, activations with their derivatives, Hebb and the Perceptron."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def heaviside(z: Tensor) -> Tensor:
    """The Heaviside step function (section 10.1.3, equation 10-1): 0 below zero, 1 from zero on, elementwise.

    Args:
        z: weighted sums, floats of any shape.

    Returns:
        0 or 1, of the shape and dtype of ``z``.

    Example:
        >>> heaviside(torch.tensor([-0.5, 0.0, 2.0]))
        tensor([0., 1., 1.])
    """
    return (z >= 0).to(z.dtype)


def sign(z: Tensor) -> Tensor:
    """The sign function (section 10.1.3, equation 10-1): -1 below zero, 0 at zero, +1 above, elementwise.

    Args:
        z: weighted sums, floats of any shape.

    Returns:
        -1, 0 or +1, of the shape and dtype of ``z``.

    Example:
        >>> sign(torch.tensor([-0.5, 0.0, 2.0]))
        tensor([-1.,  0.,  1.])
    """
    return torch.sign(z)


STEP_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {"heaviside": heaviside, "sign": sign}
"""What a threshold logic unit does with its weighted sum, by name."""


def hebb_rule(weight: Tensor, x: Tensor, y: Tensor, lr: float = 1.0) -> Tensor:
    r"""Hebb's rule: a connection is strengthened by each row in which both its ends are active (section 10.1.3).

    .. math:: \mathbf{w} \leftarrow \mathbf{w} + \eta \sum_i y_i \mathbf{x}_i

    Nothing in it looks at what the neuron answers, so it never stops. The Perceptron rule takes the same step, but only
    after a mistake.

    Args:
        weight: ``(features,)``.
        x: rows, ``(rows, features)``; a column of ones makes its weight a bias.
        y: activity of the neuron that is taught, ``(rows,)``: 0 or 1, or -1 and +1 to weaken connections as well.
        lr: learning rate :math:`\eta`.

    Returns:
        The weights after all rows, ``(features,)``.

    Raises:
        ValueError: if a shape is not the one above.

    Example:
        >>> hebb_rule(torch.zeros(2), torch.tensor([[1.0, 2.0], [3.0, 1.0]]), torch.tensor([1.0, -1.0]))
        tensor([-2.,  1.])
    """
    if x.ndim != 2 or weight.shape != x.shape[1:] or y.shape != x.shape[:1]:
        raise ValueError(
            f"weight {tuple(weight.shape)}, x {tuple(x.shape)} and y {tuple(y.shape)} do not fit together; "
            "give (features,), (rows, features) and (rows,)"
        )
    return weight + lr * (y @ x)


def perceptron_loss(logits: Tensor, target: Tensor) -> Tensor:
    r"""Rosenblatt's criterion: how far each row lies on the wrong side of the line.

    .. math:: \ell_i = \max(0, -t_i z_i)

    Args:
        logits: signed scores :math:`z`, ``(batch,)``, unbounded floats.
        target: ``(batch,)``, each entry -1 or +1 (not 0/1 class indices).

    Returns:
        One loss per row, ``(batch,)``, never averaged.

    Raises:
        ValueError: if the two shapes differ, or a target is neither -1 nor +1.

    Example:
        >>> perceptron_loss(torch.tensor([2.0, -3.0]), torch.tensor([1.0, 1.0]))
        tensor([0., 3.])
    """
    if logits.shape != target.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)} and target {tuple(target.shape)} must have the same shape; "
            "squeeze a (batch, 1) output before calling"
        )
    if bool((wrong := target.abs() != 1).any()):
        raise ValueError(
            f"there is a target {target[wrong][0].item():g}; give -1 or +1: for classes 0 and 1, 2 * y - 1"
        )
    return torch.relu(-target * logits)


@dataclass(frozen=True)
class Activation:
    """An activation function beside its derivative (section 10.1.4, figure 10-8), elementwise.

    Attributes:
        function: from weighted sums ``z`` to activations ``a``.
        derivative: at ``z``, where the function's value is ``a``.
        needs_sums: whether the derivative looks at ``z``; otherwise ``a`` is enough and ``z`` need not be kept.
        chain: the derivative times the error above it, of ``(error, z, a)``, where one product does both.
    """

    function: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor, Tensor], Tensor]
    needs_sums: bool = False
    chain: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None


_relu_backward = torch.ops.aten.threshold_backward
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017
_SIXTH = 0.1666666716337204  # torch's hardsigmoid has the float32 nearest to 1/6
_SOFTPLUS_LINEAR = 20  # from here on torch's softplus is the identity


def _gelu_derivative(z: Tensor, a: Tensor) -> Tensor:
    area: Tensor = torch.special.ndtr(z)
    return area + z * torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _silu_derivative(z: Tensor, a: Tensor) -> Tensor:
    sigma = torch.sigmoid(z)
    return sigma + a * (1 - sigma)


def _mish_derivative(z: Tensor, a: Tensor) -> Tensor:
    t = torch.tanh(F.softplus(z))
    return t + z * (1 - t * t) * torch.sigmoid(z)


def _softplus_derivative(z: Tensor, a: Tensor) -> Tensor:
    return torch.where(z > _SOFTPLUS_LINEAR, 1.0, torch.sigmoid(z))


def _hardswish_derivative(z: Tensor, a: Tensor) -> Tensor:
    return torch.where(z <= -3, 0.0, torch.where(z < 3, z / 3 + 0.5, 1.0))


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        torch.relu, lambda z, a: (a > 0).to(a.dtype), chain=lambda error, z, a: _relu_backward(error, a, 0)
    ),
    "tanh": Activation(torch.tanh, lambda z, a: 1 - a * a),
    "sigmoid": Activation(torch.sigmoid, lambda z, a: a * (1 - a)),
    "leaky_relu": Activation(F.leaky_relu, lambda z, a: torch.where(a > 0, torch.ones_like(a), 0.01)),
    "elu": Activation(F.elu, lambda z, a: torch.where(a > 0, 1.0, a + 1)),
    "selu": Activation(F.selu, lambda z, a: torch.where(a > 0, _SELU_SCALE, a + _SELU_SCALE * _SELU_ALPHA)),
    "celu": Activation(F.celu, lambda z, a: torch.where(a > 0, 1.0, a + 1)),
    "gelu": Activation(F.gelu, _gelu_derivative, needs_sums=True),
    "silu": Activation(F.silu, _silu_derivative, needs_sums=True),
    "mish": Activation(F.mish, _mish_derivative, needs_sums=True),
    "softplus": Activation(F.softplus, _softplus_derivative, needs_sums=True),
    "softsign": Activation(F.softsign, lambda z, a: (1 - a.abs()) ** 2),
    "hardtanh": Activation(F.hardtanh, lambda z, a: (a.abs() < 1).to(a.dtype)),
    "hardsigmoid": Activation(F.hardsigmoid, lambda z, a: ((a > 0) & (a < 1)).to(a.dtype) * _SIXTH),
    "hardswish": Activation(F.hardswish, _hardswish_derivative, needs_sums=True),
    "identity": Activation(lambda z: z, lambda z, a: torch.ones_like(a)),
}
"""The activations that an MLP knows, by name."""
