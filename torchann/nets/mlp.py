"""The multilayer perceptron: fully connected layers with an activation after each but the last."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from torchann.nets.checks import check_dropout, check_memory
from torchann.nets.initializers import initialize
from torchann.nets.names import did_you_mean

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "hardtanh": nn.Hardtanh,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "identity": nn.Identity,
}


NORMS: dict[str, type[nn.BatchNorm1d | nn.LayerNorm]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


def activation_module(name: str) -> nn.Module:
    """The activation of that name, as a module.

    Args:
        name: a key of :data:`ACTIVATIONS`.

    Raises:
        ValueError: if there is none of that name.

    Example:
        >>> activation_module("tanh")
        Tanh()
    """
    if not isinstance(name, str):
        raise ValueError(f"activation is {name!r:.80}; give its name, such as 'relu'")
    if name not in ACTIVATIONS:
        hint = did_you_mean(name, ACTIVATIONS, f"choose one of {', '.join(ACTIVATIONS)}")
        raise ValueError(f"there is no activation {name!r}; {hint}")
    return ACTIVATIONS[name]()


class MLP(nn.Sequential):
    """A multilayer perceptron that flattens its input and speaks logits or values (section 10.1.4).

    Keras' initialisation is the default, Glorot-uniform weights and zero biases: ``nn.Linear``'s own starts slower
    (after one epoch of Fashion-MNIST a training loss of 1.13 against 0.72).

    Args:
        in_features: numbers per row, after flattening.
        hidden_sizes: neurons in each hidden layer; ``[]`` is a linear model.
        out_features: outputs per row.
        activation: name of the hidden layers' activation, a key of :data:`ACTIVATIONS`.
        weight_init: name of a ``torch.nn.init`` scheme, see :func:`~torchann.nets.initializers.initializer`; None for
            weights and biases as ``nn.Linear`` draws them.
        weight_init_options: arguments of that scheme.
        bias_init: name of the scheme for the biases, one that takes vectors.
        dropout: share of each hidden layer's neurons that are switched off at random while it trains.
        norm: ``"batch"`` or ``"layer"``, normalisation between each hidden layer and its activation.

    Shape:
        ``(batch, *)`` with ``in_features`` numbers per row to ``(batch, out_features)``.

    Raises:
        ValueError: for a size below 1, weights beyond the memory of the machine, or an unknown activation,
            initialisation or normalisation.

    Example:
        >>> net = MLP(784, [300, 100], 10)
        >>> sum(parameter.numel() for parameter in net.parameters())
        266610
    """

    dropout: float
    norm: str | None

    def __init__(
        self,
        in_features: int,
        hidden_sizes: Sequence[int],
        out_features: int,
        activation: str = "relu",
        weight_init: str | None = "xavier_uniform",
        weight_init_options: dict[str, Any] | None = None,
        bias_init: str = "zeros",
        dropout: float = 0.0,
        norm: str | None = None,
    ) -> None:
        sizes = [in_features, *hidden_sizes, out_features]
        if min(sizes) < 1:
            raise ValueError(f"an MLP of layer sizes {sizes}: each must be at least 1; leave an empty layer out")
        if norm is not None and norm not in NORMS:
            raise ValueError(f"there is no norm {norm!r}; choose {' or '.join(NORMS)}, or None for none")
        check_dropout(dropout)
        check_memory(sizes)
        layers: list[nn.Module] = [nn.Flatten()]
        for size_in, size_out in pairwise(sizes[:-1]):
            layers.append(nn.Linear(size_in, size_out))
            if norm is not None:
                layers.append(NORMS[norm](size_out))
            layers.append(activation_module(activation))
            if dropout:
                layers.append(nn.Dropout(dropout))
        super().__init__(*layers, nn.Linear(sizes[-2], out_features))
        self.in_features = in_features
        self.out_features = out_features
        self.activation = activation
        self.dropout, self.norm = dropout, norm
        initialize(self, weight_init, weight_init_options, bias_init)

    @property
    def layer_sizes(self) -> list[int]:
        """Numbers per row, neurons in each hidden layer, outputs."""
        return [self.in_features, *(layer.out_features for layer in self.linears())]

    def linears(self) -> list[nn.Linear]:
        """The fully connected layers, from the input to the output."""
        return [layer for layer in self if isinstance(layer, nn.Linear)]

    def __getitem__(self, index: Any) -> Any:
        """A layer; of several, such as all but the last, a plain ``nn.Sequential``, as they may be no MLP."""
        if isinstance(index, slice):
            return nn.Sequential(OrderedDict(list(self.named_children())[index]))
        return super().__getitem__(index)

    def forward(self, x: Tensor) -> Tensor:
        """Logits or values, ``(batch, out_features)``, of inputs ``(batch, *)``."""
        if x.ndim < 2 or x.shape[1:].numel() != self.in_features:
            raise ValueError(
                f"inputs of shape {tuple(x.shape)} have {x.shape[1:].numel()} numbers per row; "
                f"this MLP was made for (batch, *) with in_features={self.in_features}"
            )
        y: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return y
