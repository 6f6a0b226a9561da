"""The table of a network's layers, output shapes and parameters: Keras' ``model.summary()`` for any module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tabulate import tabulate
from torch import Tensor, nn

from torchann.nets.readable import Readable
from torchann.nets.steps import Step, forward_steps

ROWS = 2  # of an example: one would be squeezed away


@dataclass(frozen=True, repr=False)
class Summary(Readable):
    """A network's steps on an example; printed, the table of its layers.

    Attributes:
        steps: inputs, layers and functions in the order of the forward pass.
    """

    steps: tuple[Step, ...]

    @property
    def rows(self) -> list[Step]:
        """The layers, a row of the table each."""
        return [step for step in self.steps if step.is_layer]

    @property
    def parameters(self) -> int:
        """All weights and biases; buffers, such as the running means of batch normalisation, are none."""
        return sum(step.parameters for step in self.steps)

    @property
    def trainable(self) -> int:
        """The parameters that training changes; the others are frozen."""
        return sum(step.trainable for step in self.steps)

    def __str__(self) -> str:
        rows = [
            (
                f"{row.name} ({row.type})" if row.name else row.type,
                ", ".join(map(str, row.shapes)) or "not called",
                f"{row.parameters:,}",
            )
            for row in self.rows
        ]
        headers, alignment = ("Layer (type)", "Output shape", "Parameters"), ("left", "left", "right")
        table = tabulate(rows, headers, "simple", colalign=alignment, disable_numparse=True)
        total = f"Total parameters: {self.parameters:,}\nTrainable parameters: {self.trainable:,}"
        return f"{table}\n\n{total}\nNon-trainable parameters: {self.parameters - self.trainable:,}"


def summary(net: nn.Module, /, *inputs: Any, **named_inputs: Any) -> Summary:
    """Runs a network once on an example and tells its layers, what they return and their parameters.

    Whatever Python does in ``forward`` is fine: the summary is of the way that the example took. The network is left as
    it was, see :func:`~torchann.nets.steps.forward_steps`.

    Args:
        net: any module.
        inputs: what the network takes, in its order: each the shape of one row, without the batch (``(28, 28)``), a
            batch as a tensor, or a dict of those where the network takes a dict.
        named_inputs: the same for what it takes by name (``wide=(5,), deep=(6,)``).

    Raises:
        TypeError: if an input is none of those, or the network takes others.

    Example:
        >>> print(summary(nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 10)), (28, 28)))
        Layer (type)    Output shape      Parameters
        --------------  --------------  ------------
        0 (Flatten)     (None, 784)                0
        1 (Linear)      (None, 300)          235,500
        2 (ReLU)        (None, 300)                0
        3 (Linear)      (None, 10)             3,010
        <BLANKLINE>
        Total parameters: 238,510
        Trainable parameters: 238,510
        Non-trainable parameters: 0
    """
    like = next((parameter for parameter in net.parameters() if parameter.is_floating_point()), torch.empty(0))
    args = [_example(given, like) for given in inputs]
    return Summary(forward_steps(net, args, {name: _example(given, like) for name, given in named_inputs.items()}))


def _example(given: Any, like: Tensor) -> Any:
    if isinstance(given, Tensor):
        return given
    if isinstance(given, Mapping):
        return {name: _example(value, like) for name, value in given.items()}
    if isinstance(given, Sequence) and all(isinstance(size, int) for size in given):
        return torch.zeros(ROWS, *given, dtype=like.dtype, device=like.device)
    raise TypeError(f"an input given as {given!r}; give a shape without the batch, such as (784,), or a tensor")
