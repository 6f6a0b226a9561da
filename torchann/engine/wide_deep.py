"""Explicit backpropagation through a Wide & Deep net: the errors of both outputs meet in the last hidden layer."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from torchann.nets.functional import ACTIVATIONS, Activation
from torchann.nets.wide_deep import WideDeep

ErrorFunction = Callable[[Tensor, Tensor], Tensor]


class _Layer(NamedTuple):
    linear: nn.Linear
    weight: Tensor
    transposed: Tensor
    bias: Tensor


class WideDeepBackprop:
    """Explicit backpropagation through a Wide & Deep net, as :class:`~torchann.engine.backprop.Backprop` for an MLP.

    Args:
        net: whose weights are read and moved.
        errors: for each output, ``"main"`` and perhaps ``"aux"``, from its values and targets to the derivative of
            each row's loss by each value.
        weights: what each output's loss counts in the sum.

    Example:
        >>> net = WideDeep(2, [1], 1, wide_features=[0], deep_features=[1], weight_init="ones")
        >>> backprop = WideDeepBackprop(net, {"main": lambda y_hat, y: 2 * (y_hat - y)}, {"main": 1.0})
        >>> x, y = backprop.prepare(torch.tensor([[1.0, 2.0]])), {"main": torch.tensor([[4.0]])}
        >>> backprop.descend(x, y, lr=0.1)  # 1 + relu(2), one less than 4
        {'main': tensor([[3.]])}
        >>> net.main.weight, net.deep[0].weight  # 1 + 0.1 * 2 * (1, 2) and 1 + 0.1 * 2 * 2
        (Parameter containing:
        tensor([[1.2000, 1.4000]], requires_grad=True), Parameter containing:
        tensor([[1.4000]], requires_grad=True))
    """

    net: WideDeep
    errors: Mapping[str, ErrorFunction]
    weights: Mapping[str, float]

    def __init__(self, net: WideDeep, errors: Mapping[str, ErrorFunction], weights: Mapping[str, float]) -> None:
        self.net, self.errors, self.weights = net, errors, weights
        self.hidden: list[_Layer] = [_layer(module) for module in net.deep if isinstance(module, nn.Linear)]
        self.main: _Layer = _layer(net.main)
        self.aux: _Layer | None = None if net.aux is None else _layer(net.aux)
        self.activation: Activation = ACTIVATIONS[net.activation]
        self._main_of_deep = self.main.weight[:, len(net.wide_columns) :]  # type: ignore[arg-type]
        self._ones = torch.ones(0)

    def prepare(self, x: Tensor) -> dict[str, Tensor]:
        """The columns of each path, ``(rows, in_features)`` to ``(rows, ...)`` each, in the weights' dtype."""
        x = x.flatten(1).to(self.main.weight.dtype)
        wide, deep = self.net.wide_columns, self.net.deep_columns
        return {"wide": x.index_select(1, wide), "deep": x.index_select(1, deep)}  # type: ignore[arg-type]

    def _contributions(
        self, x: Mapping[str, Tensor], y: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], list[tuple[_Layer, Tensor, Tensor]]]:
        """Forward and backward: the outputs, and each layer's error and inputs, whose product is its gradient."""
        function, needs_sums = self.activation.function, self.activation.needs_sums
        inputs, sums = [x["deep"]], []
        for layer in self.hidden:
            z = torch.addmm(layer.bias, inputs[-1], layer.transposed)
            inputs.append(function(z))
            sums.append(z if needs_sums else inputs[-1])
        joined = torch.cat([x["wide"], inputs[-1]], 1)
        outputs = {"main": torch.addmm(self.main.bias, joined, self.main.transposed)}
        error = self._error("main", outputs["main"], y)
        contributions = [(self.main, error, joined)]
        below = error @ self._main_of_deep
        if self.aux is not None:
            outputs["aux"] = torch.addmm(self.aux.bias, inputs[-1], self.aux.transposed)
            error = self._error("aux", outputs["aux"], y)
            contributions.append((self.aux, error, inputs[-1]))
            below.addmm_(error, self.aux.weight)
        derivative, chain = self.activation.derivative, self.activation.chain
        for number in range(len(self.hidden) - 1, -1, -1):
            z, a = sums[number], inputs[number + 1]
            error = below.mul_(derivative(z, a)) if chain is None else chain(below, z, a)
            contributions.append((self.hidden[number], error, inputs[number]))
            if number > 0:
                below = error @ self.hidden[number].weight
        return outputs, contributions

    def _error(self, name: str, outputs: Tensor, y: Mapping[str, Tensor]) -> Tensor:
        error, weight = self.errors[name](outputs, y[name]), self.weights[name]
        return error if weight == 1 else error.mul_(weight)

    def descend(
        self,
        x: Mapping[str, Tensor],
        y: Mapping[str, Tensor],
        lr: float,
        weight_decay: float = 0.0,
    ) -> dict[str, Tensor]:
        """A whole gradient-descent step.

        Args:
            x: prepared inputs.
            y: targets of each output, as its error wants them.
            lr: learning rate.
            weight_decay: L2 penalty, as ``torch.optim.SGD`` applies it.

        Returns:
            The outputs before the step, each ``(batch, out_features)``.
        """
        outputs, contributions = self._contributions(x, y)
        rows = outputs["main"].shape[0]
        keep, rate = 1 - lr * weight_decay, -lr / rows
        if self._ones.shape[0] != rows:
            self._ones = torch.ones_like(outputs["main"][:, 0])
        for layer, error, inputs in contributions:
            transposed = error.t()
            layer.weight.addmm_(transposed, inputs, beta=keep, alpha=rate)
            layer.bias.addmv_(transposed, self._ones, beta=keep, alpha=rate)
        return outputs

    def gradients(self, x: Mapping[str, Tensor], y: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Puts the gradient of the batch's mean loss into each parameter's ``grad``, for any optimiser.

        Args:
            x: prepared inputs.
            y: targets of each output, as its error wants them.

        Returns:
            The outputs, each ``(batch, out_features)``.
        """
        outputs, contributions = self._contributions(x, y)
        for layer, error, inputs in contributions:
            error = error / outputs["main"].shape[0]
            layer.linear.weight.grad, layer.linear.bias.grad = error.t() @ inputs, error.sum(0)
        return outputs


def _layer(linear: nn.Linear) -> _Layer:
    weight = linear.weight.detach()
    return _Layer(linear, weight, weight.t(), linear.bias.detach())
