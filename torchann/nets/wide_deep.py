"""Wide & Deep nets: some features go straight to the output, some through hidden layers first."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from torchann.nets.initializers import initialize
from torchann.nets.mlp import activation_module


class WideDeep(nn.Module):
    """A net with a wide and a deep path, joined before the output (Cheng et al. 2016; section 10.2.4).

    The deep path learns patterns, the wide one simple rules that a deep stack would distort. An auxiliary output reads
    the last hidden layer alone, so that the deep path must learn something by itself.

    Args:
        in_features: numbers per row.
        hidden_sizes: neurons in each hidden layer of the deep path, at least one.
        out_features: outputs per row.
        wide_features: columns that take the wide path; all if not given.
        deep_features: columns that take the deep path; all if not given.
        aux: whether there is an auxiliary output.
        activation: of the hidden layers, a key of :data:`~torchann.nets.mlp.ACTIVATIONS`.
        weight_init: name of a ``torch.nn.init`` scheme, see :func:`~torchann.nets.initializers.initializer`; None for
            weights and biases as ``nn.Linear`` draws them.
        weight_init_options: arguments of that scheme.
        bias_init: name of the scheme for the biases.

    Shape:
        ``(batch, in_features)`` to ``(batch, out_features)``, or a pair of those, main and auxiliary.

    Raises:
        ValueError: if a path has no columns, or one that is not there, or there are no hidden layers.

    Example:
        >>> net = WideDeep(8, [30, 30], 1)
        >>> sum(parameter.numel() for parameter in net.parameters())
        1239
    """

    def __init__(
        self,
        in_features: int,
        hidden_sizes: Sequence[int] = (30, 30),
        out_features: int = 1,
        wide_features: Sequence[int] | None = None,
        deep_features: Sequence[int] | None = None,
        aux: bool = False,
        activation: str = "relu",
        weight_init: str | None = "xavier_uniform",
        weight_init_options: dict[str, Any] | None = None,
        bias_init: str = "zeros",
    ) -> None:
        super().__init__()
        if not hidden_sizes or min(hidden_sizes) < 1:
            raise ValueError(f"hidden_sizes is {list(hidden_sizes)}; give the deep path layers, each of 1 or more")
        self.in_features = in_features
        self.activation = activation
        wide = column_numbers("wide_features", wide_features, in_features)
        deep = column_numbers("deep_features", deep_features, in_features)
        self.register_buffer("wide_columns", wide, persistent=False)
        self.register_buffer("deep_columns", deep, persistent=False)
        sizes = [len(deep), *hidden_sizes]
        layers = [(nn.Linear(a, b), activation_module(activation)) for a, b in pairwise(sizes)]
        self.deep: nn.Sequential = nn.Sequential(*(module for layer in layers for module in layer))
        self.main: nn.Linear = nn.Linear(len(wide) + sizes[-1], out_features)
        self.aux: nn.Linear | None = nn.Linear(sizes[-1], out_features) if aux else None
        initialize(self, weight_init, weight_init_options, bias_init)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """The main output, and the auxiliary one if there is one, of inputs ``(batch, in_features)``."""
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise ValueError(f"inputs of shape {tuple(x.shape)}; this net was made for (batch, {self.in_features})")
        wide: Tensor = x.index_select(1, self.wide_columns)  # type: ignore[arg-type]
        deep: Tensor = self.deep(x.index_select(1, self.deep_columns))  # type: ignore[arg-type]
        main: Tensor = self.main(torch.cat([wide, deep], 1))
        return main if self.aux is None else (main, self.aux(deep))


def column_numbers(name: str, given: Sequence[int] | None, in_features: int) -> Tensor:
    """Return the numbers of the inputs that a part of a net takes, ``(columns,)`` int64.

    Args:
        name: of the argument, for the error.
        given: the numbers; None for all.
        in_features: numbers per row.

    Raises:
        ValueError: for none, or one that is not there.

    Example:
        >>> column_numbers("wide_features", None, 3)
        tensor([0, 1, 2])
    """
    columns = list(range(in_features)) if given is None else list(given)
    if not columns or min(columns) < 0 or max(columns) >= in_features:
        raise ValueError(f"{name} is {columns!r:.80}; name columns from 0 to {in_features - 1}, at least one")
    return torch.tensor(columns)
