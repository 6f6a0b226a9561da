"""A multilayer perceptron that learns a vector for each category of its last inputs."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from torchann.nets.mlp import MLP

START = 0.05  # Keras' Embedding draws its first vectors evenly from -0.05 to 0.05


class EmbeddedMLP(nn.Module):
    """A multilayer perceptron whose last inputs are category numbers, each in the place of a vector that is learnt.

    The last number of each table is for what was in no training row: its vector starts at 0, and stays there unless
    training rows have it.

    Args:
        in_features: numbers per row, category numbers among them.
        embeddings: of the last inputs, each ``[categories, size]``: how many numbers there are, from 0, and how long
            the vector is.
        hidden_sizes: neurons in each hidden layer.
        out_features: outputs per row.
        activation: of the hidden layers, a key of :data:`~torchann.nets.mlp.ACTIVATIONS`.
        weight_init: as :class:`~torchann.nets.mlp.MLP` has it; None leaves the vectors, too, as torch draws them.
        weight_init_options: arguments of that scheme.
        bias_init: name of the scheme for the biases.
        dropout: share of each hidden layer's neurons that are switched off at random while it trains.
        norm: ``"batch"`` or ``"layer"``.

    Shape:
        ``(batch, in_features)`` to ``(batch, out_features)``.

    Raises:
        ValueError: if the embeddings are not pairs of sizes, or more than there are inputs.

    Example:
        >>> net = EmbeddedMLP(3, [[100, 4]], [30], 1)
        >>> net(torch.tensor([[0.5, -1.0, 42.0]])).shape  # the last is a category
        torch.Size([1, 1])
        >>> net.mlp.in_features  # 2 numbers and a vector of 4
        6
    """

    in_features: int
    out_features: int

    def __init__(
        self,
        in_features: int,
        embeddings: Sequence[Sequence[int]],
        hidden_sizes: Sequence[int],
        out_features: int,
        activation: str = "relu",
        weight_init: str | None = "xavier_uniform",
        weight_init_options: dict[str, Any] | None = None,
        bias_init: str = "zeros",
        dropout: float = 0.0,
        norm: str | None = None,
    ) -> None:
        super().__init__()
        check_embeddings(embeddings, in_features)
        self.in_features, self.out_features = in_features, out_features
        self.plain: int = in_features - len(embeddings)
        self.tables: nn.ModuleList = nn.ModuleList(nn.Embedding(count, size) for count, size in embeddings)
        for table in self.tables:
            assert isinstance(table, nn.Embedding)
            if weight_init is not None:
                nn.init.uniform_(table.weight, -START, START)
            with torch.no_grad():
                table.weight[-1] = 0
        width = self.plain + sum(size for _, size in embeddings)
        inits = (weight_init, weight_init_options, bias_init)
        self.mlp: MLP = MLP(width, hidden_sizes, out_features, activation, *inits, dropout, norm)

    def linears(self) -> list[nn.Linear]:
        """The fully connected layers, from the input to the output."""
        return self.mlp.linears()

    def codes(self, x: Tensor) -> Tensor:
        """The category numbers of inputs ``(batch, in_features)``, ``(batch, tables)`` int64."""
        return x[:, self.plain :].long()

    def forward(self, x: Tensor) -> Tensor:
        """Logits or values, ``(batch, out_features)``, of inputs ``(batch, in_features)``."""
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise ValueError(f"inputs of shape {tuple(x.shape)}; this net was made for (batch, {self.in_features})")
        codes = self.codes(x)
        vectors = [table(codes[:, number]) for number, table in enumerate(self.tables)]
        y: Tensor = self.mlp(torch.cat([x[:, : self.plain], *vectors], 1))
        return y


def check_embeddings(embeddings: Any, in_features: int) -> None:
    """Raises unless embeddings are those of the last of the inputs.

    Args:
        embeddings: each ``[categories, size]``.
        in_features: numbers per row.

    Raises:
        ValueError: with what they are.

    Example:
        >>> check_embeddings([[100, 4]], 1)
        >>> check_embeddings([100, 4], 3)
        Traceback (most recent call last):
            ...
        ValueError: embeddings are [100, 4]; give [categories, size] for each of the last of 3 inputs, both 1 or more
    """
    listed = isinstance(embeddings, (list, tuple)) and 1 <= len(embeddings) <= in_features
    pairs = listed and all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in embeddings)
    if not pairs or not all(type(size) is int and size >= 1 for pair in embeddings for size in pair):
        message = f"{embeddings!r:.80}; give [categories, size] for each of the last of {in_features} inputs"
        raise ValueError(f"embeddings are {message}, both 1 or more")
