"""An MLP whose parameters lie one behind the other in one vector, and their gradient in another."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from torchann.engine.backprop import Backprop
from torchann.nets.evaluating import evaluating
from torchann.nets.mlp import MLP


class FlatParameters:
    """An MLP's parameters as views of one vector: a step of an optimiser is then a call or two, not some per layer.

    The vector has the weights, the biases and what normalisation learns, each from the first layer to the last, and a
    layer's weights as ``(in_features, out_features)``: the order of scikit-learn's ``coefs_`` and ``intercepts_``.

    Args:
        sizes: of the layers, inputs first.
        activation: of the hidden layers, as :class:`~torchann.nets.mlp.MLP` knows it.
        dropout: of the hidden layers.
        norm: of the hidden layers; a batch of a single row is normalised by the running figures.
        seed: of the dropout, which draws from no global generator.
        device: where the vectors are to lie.
        dtype: of the vectors.

    Attributes:
        vector: the parameters, ``(parameters,)``, zeros at first.
        gradient: the mean loss's derivative by each of them, ``(parameters,)``.
        weights: views of the vector, ``(in_features, out_features)`` for each layer.
        biases: views of the vector, ``(out_features,)`` for each layer.
        norms: of each hidden layer its normalisation's tensors by torch's names; the parameters are views.
        num_weights: how many entries at the front of both vectors belong to weights.
        passes: what goes forward and fills the gradient, written out, or autograd where dropout or a norm needs it.

    Example:
        >>> flat = FlatParameters([2, 3, 1], "relu")
        >>> flat.num_weights, flat.vector.shape  # 2 * 3 + 3 * 1; three biases and one
        (9, torch.Size([13]))
        >>> _ = flat.vector.fill_(1.0)
        >>> flat.passes.forward(torch.tensor([[1.0, 2.0]])).outputs  # 3 * (1 + 2 + 1) + 1
        tensor([[13.]])
    """

    passes: "Backprop | Autograd"
    weights: list[Tensor]
    biases: list[Tensor]

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        dropout: float = 0.0,
        norm: str | None = None,
        seed: int = 0,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
    ) -> None:
        shapes: list[Any] = [*pairwise(sizes), *((size,) for size in sizes[1:])]
        shapes += [(size,) for size in sizes[1:-1]] * (2 if norm else 0)
        lengths = [torch.Size(shape).numel() for shape in shapes]
        layers = len(sizes) - 1
        self.vector: Tensor = torch.zeros(sum(lengths), device=device, dtype=dtype)
        self.gradient: Tensor = torch.zeros_like(self.vector)
        self.num_weights: int = sum(lengths[:layers])
        views, slopes = (
            [part.view(shape) for part, shape in zip(torch.split(whole, lengths), shapes, strict=True)]
            for whole in (self.vector, self.gradient)
        )
        self.weights, self.biases = views[:layers], views[layers : 2 * layers]
        self.norms: list[dict[str, Tensor]] = []
        if dropout or norm:
            with torch.device("meta"):
                net = MLP(sizes[0], sizes[1:-1], sizes[-1], activation, weight_init=None, dropout=dropout, norm=norm)
            self.norms = _lay_out(net, views, slopes)
            generator = torch.Generator(device=device).manual_seed(seed)
            for number, layer in enumerate(net):
                if isinstance(layer, nn.Dropout):
                    net[number] = _Dropout(dropout, generator)
            self.passes = Autograd(net, self.gradient)
            return
        for view, slope in zip(views, slopes, strict=True):
            view.grad = slope
        layered = [(weight.t(), bias) for weight, bias in zip(self.weights, self.biases, strict=True)]
        for (weight, _), slope in zip(layered, slopes, strict=False):
            weight.grad = slope.t()
        self.passes = Backprop.of_layers(layered, activation, torch.sub)


def _lay_out(net: MLP, views: list[Tensor], slopes: list[Tensor]) -> list[dict[str, Tensor]]:
    norms: list[Any] = [layer for layer in net if isinstance(layer, nn.BatchNorm1d | nn.LayerNorm)]
    slots: list[tuple[nn.Module, str]] = [(layer, "weight") for layer in net.linears()]
    slots += [(layer, "bias") for layer in net.linears()]
    slots += [(norm, name) for name in ("weight", "bias") for norm in norms]
    for (module, name), view, slope in zip(slots, views, slopes, strict=True):
        parameter = nn.Parameter(view.t())  # of a vector, itself
        parameter.grad = slope.t()
        setattr(module, name, parameter)
    for norm in norms:
        for name, buffer in norm.named_buffers():
            dtype = views[0].dtype if buffer.is_floating_point() else buffer.dtype
            setattr(norm, name, torch.full_like(buffer, name == "running_var", device=views[0].device, dtype=dtype))
    return [{name: part for name, part in norm.state_dict().items() if part.ndim} for norm in norms]


class _Dropout(nn.Module):
    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        self.share, self.generator = share, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        draws = torch.rand(x.shape, generator=self.generator, device=x.device, dtype=x.dtype)
        return x * (draws >= self.share) / (1 - self.share)


class Recorded(NamedTuple):
    """A forward pass that autograd has recorded.

    Attributes:
        outputs: of the net, ``(batch, out_features)``.
    """

    outputs: Tensor


class Autograd:
    """Gradients by autograd, called as those of :class:`~torchann.engine.backprop.Backprop` are.

    Args:
        net: in training mode from now on.
        gradient: of which the gradients of its parameters are views.
    """

    net: MLP
    gradient: Tensor

    def __init__(self, net: MLP, gradient: Tensor) -> None:
        self.net, self.gradient = net.train(), gradient

    def forward(self, x: Tensor) -> Recorded:
        """Inputs ``(batch, in_features)`` through the net."""
        for layer in self.net if x.shape[0] == 1 else ():
            layer.train(not isinstance(layer, nn.BatchNorm1d))
        with torch.enable_grad():
            outputs = self.net(x)
        self.net.train()
        return Recorded(outputs)

    def outputs(self, x: Tensor) -> Tensor:
        """What the net says of inputs ``(rows, in_features)`` in evaluation mode."""
        with evaluating(self.net):
            y: Tensor = self.net(x)
        return y

    def fill(self, recorded: Recorded, mean_error: Tensor) -> None:
        """Puts the gradient into the vector; ``mean_error`` is that of the outputs, of the batch's mean loss."""
        self.gradient.zero_()
        with torch.enable_grad():  # a sum, since a gradient as argument has torch import its compiler: seconds
            (recorded.outputs * mean_error).sum().backward()  # type: ignore[no-untyped-call]
