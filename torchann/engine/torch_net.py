"""A net of torch as the compiled steps know it: which layers it has, in which order, and what a row is to it."""

from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from torchann.engine.compiled.activations import KINDS
from torchann.engine.compiled.net import Batch, Net, lay_out
from torchann.nets.embedded_mlp import EmbeddedMLP
from torchann.nets.mlp import MLP
from torchann.nets.wide_deep import WideDeep

KNOWN = (MLP, EmbeddedMLP, WideDeep)
MODULE_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Parts(NamedTuple):
    """What the nets that are known are made of.

    Attributes:
        layers: from the inputs to the (main) output.
        aux: a second output layer on the last hidden one.
        tables: of the vectors of categories, whose numbers are the last inputs.
        activation: of the hidden layers.
        wide: inputs of the wide path.
        dropout: share of the hidden units that are switched off at random.
    """

    layers: list[nn.Linear]
    aux: nn.Linear | None
    tables: list[nn.Embedding]
    activation: str
    wide: int
    dropout: float

    def parameters(self) -> list[Tensor]:
        """Return the parameters in the order of the compiled steps: all weights, all biases, then the rest."""
        layers = [*(layer.weight for layer in self.layers), *(layer.bias for layer in self.layers)]
        aux = [] if self.aux is None else [self.aux.weight, self.aux.bias]
        return [*layers, *aux, *(table.weight for table in self.tables)]

    def lay_out(self, rows: int, dtype: Any, class_numbers: bool) -> tuple[Net, Batch]:
        """Return where the parameters lie in one vector, and arrays for mini-batches of so many rows."""
        starts = np.cumsum([0, *(part.numel() for part in self.parameters())]).tolist()
        depth, aux = len(self.layers), self.aux
        tables = zip(starts[2 * depth :], self.tables, strict=False)
        return lay_out(
            [self.layers[0].in_features, *(layer.out_features for layer in self.layers)],
            starts[:depth],
            starts[depth : 2 * depth],
            KINDS.index(self.activation),
            rows,
            dtype,
            turned=True,
            wide=self.wide,
            aux=(0, 0, 0) if aux is None else (aux.out_features, *starts[2 * depth : 2 * depth + 2]),
            tables=[(start, table.num_embeddings, table.embedding_dim) for start, table in tables],
            dropout=self.dropout,
            class_numbers=class_numbers,
        )


def parts_of(net: nn.Module) -> Parts:
    """Return the parts of a net that is known.

    Example:
        >>> [layer.out_features for layer in parts_of(MLP(8, [30], 1)).layers]
        [30, 1]
    """
    if isinstance(net, WideDeep):
        layers = [layer for layer in net.deep if isinstance(layer, nn.Linear)]
        return Parts([*layers, net.main], net.aux, [], net.activation, len(net.wide_columns), 0.0)  # type: ignore[arg-type]
    tables: list[Any] = [*net.tables] if isinstance(net, EmbeddedMLP) else []
    mlp = net.mlp if isinstance(net, EmbeddedMLP) else net
    assert isinstance(mlp, MLP)
    return Parts(mlp.linears(), None, tables, mlp.activation, 0, mlp.dropout)


def columns_of(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Return what the compiled steps are given of inputs ``(rows, *)``, by the names of their arguments.

    Raises:
        ValueError: if rows have another length than the net's, or there is a category that is not.
    """
    x = x.flatten(1)
    if x.shape[1] != net.in_features:
        raise ValueError(
            f"inputs have {x.shape[1]} numbers per row; this net was made for in_features={net.in_features}"
        )
    if isinstance(net, WideDeep):
        wide, deep = net.wide_columns, net.deep_columns
        return {"x": x.index_select(1, deep), "wide": x.index_select(1, wide)}  # type: ignore[arg-type]
    if not isinstance(net, EmbeddedMLP):
        return {"x": x}
    codes = net.codes(x)
    for number, table in enumerate(parts_of(net).tables):
        low, high = codes[:, number].aminmax()
        if low < 0 or high >= table.num_embeddings:
            count = table.num_embeddings
            raise ValueError(
                f"categories of input {net.plain + number} go from {low} to {high}; give numbers from 0 to {count - 1}"
            )
    return {"x": x[:, : net.plain], "codes": codes}


def why_unknown(net: nn.Module, kinds: tuple[type, ...]) -> str | None:
    """Return what steps that are written out cannot know of a net, in a few words; None if they know it.

    Args:
        net: to be trained.
        kinds: the nets that they know.
    """
    if type(net) not in kinds:
        return f"the net is a {type(net).__name__}"
    if any(isinstance(layer, nn.Linear) and type(layer) is not nn.Linear for layer in net.modules()):
        return "a layer is parametrized"
    if any(getattr(module, hooks) for module in net.modules() for hooks in MODULE_HOOKS):
        return "the net has hooks"
    if any(isinstance(module, (nn.BatchNorm1d, nn.LayerNorm)) for module in net.modules()):
        return "the net has normalisation"
    if not all(parameter.requires_grad for parameter in net.parameters()):
        return "some weights are frozen"
    parameters = parts_of(net).parameters()
    if len({id(part) for part in parameters}) < len(parameters):
        return "some weights are shared"
    return None
