"""Forward and backward through many networks at once: backpropagation written out, in batched products."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

InPlace = Callable[[Tensor, Tensor, Tensor], Tensor]
_aten = torch.ops.aten

FUNCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "identity": lambda z, a: a.copy_(z),
    "logistic": lambda z, a: torch.sigmoid(z, out=a),
    "tanh": lambda z, a: torch.tanh(z, out=a),
    "relu": lambda z, a: torch.clamp_min(z, 0, out=a),
}
"""From weighted sums ``z`` to values, which are put into ``a``."""

CHAINS: dict[str, InPlace] = {
    "identity": lambda error, z, a: error,
    "logistic": lambda error, z, a: _aten.sigmoid_backward.grad_input(error, a, grad_input=error),
    "tanh": lambda error, z, a: _aten.tanh_backward.grad_input(error, a, grad_input=error),
    "relu": lambda error, z, a: _aten.threshold_backward.grad_input(error, z, 0, grad_input=error),
}
"""What takes an error below an activation with sums ``z`` and values ``a``: it is multiplied by the derivative."""

SILENT = -1e4
"""The bias of a unit that is only padding, for activations that are not zero at zero: here they are, exactly."""


class BatchedBackprop:
    """The memory for one mini-batch of each network, and the way through it.

    A column of a batch is a row of the table, so that each layer's values, and a row of ones below them, are what the
    next layer's weights and biases multiply, and no product has to be turned round.

    Args:
        weights: of each layer, ``(count, units, inputs + 1)``, the last column the biases; looked at again each time.
        batch_size: columns.
        activation: of the hidden layers.

    Example:
        >>> weights = [torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]]), torch.tensor([[[1.0, 1.0, 0.5]]])]  # |x| + 0.5
        >>> passes = BatchedBackprop(weights, batch_size=3, activation="relu")
        >>> x = torch.tensor([[[-3.0, 0.0, 2.0], [1.0, 1.0, 1.0]]])  # a row of ones below the only feature
        >>> weights[1] @ passes.forward(x)
        tensor([[[3.5000, 0.5000, 2.5000]]])
    """

    function: Callable[..., Tensor]
    chain: Callable[..., Tensor]

    def __init__(self, weights: Sequence[Tensor], batch_size: int, activation: str) -> None:
        self.function, self.chain = FUNCTIONS[activation], CHAINS[activation]
        self.weights = weights
        count = weights[0].shape[0]
        self.sums: list[Tensor] = [layer.new_empty(count, layer.shape[1], batch_size) for layer in weights[:-1]]
        self.errors: list[Tensor] = [torch.empty_like(z) for z in self.sums]
        self.values: list[Tensor] = [layer.new_ones(count, layer.shape[1] + 1, batch_size) for layer in weights[:-1]]
        self.units: list[Tensor] = [values[:, :-1] for values in self.values]
        self._up = list(zip(weights, self.sums, self.units, self.values, strict=False))
        self._transposed = [layer[:, :, :-1].mT for layer in weights[1:]]
        self._rows = [values.mT for values in self.values]

    def forward(self, x: Tensor) -> Tensor:
        """Steps 1 and 2: batches go forward, and all intermediate results are kept.

        Args:
            x: inputs and a row of ones, ``(count, in_features + 1, batch)``.

        Returns:
            What the last layer's weights are to multiply, ``(count, inputs + 1, batch)``.
        """
        for weight, z, units, values in self._up:
            torch.bmm(weight, x, out=z)
            self.function(z, units)
            x = values
        return x

    def backward(self, error: Tensor, rows: Tensor, gradients: Sequence[Tensor], beta: float) -> None:
        """Steps 4 and 5: how much each unit contributed to the error, from the output back.

        Args:
            error: derivative of the loss by the outputs, ``(count, out_features, batch)``, with any factor that the
                gradients are to have.
            rows: the inputs again, ``(count, batch, in_features + 1)``.
            gradients: of each layer, like the weights; they may be the weights themselves.
            beta: how much of them is kept when the gradient is added.
        """
        for number in range(len(self.sums) - 1, -1, -1):
            below = self.errors[number]
            torch.bmm(self._transposed[number], error, out=below)
            self.chain(below, self.sums[number], self.units[number])
            above = gradients[number + 1]
            torch.baddbmm(above, error, self._rows[number], beta=beta, out=above)
            error = below
        torch.baddbmm(gradients[0], error, rows, beta=beta, out=gradients[0])
