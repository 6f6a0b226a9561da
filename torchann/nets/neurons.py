"""Neurons that fire or do not: logic neurons count active connections, threshold logic units weigh their inputs."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from torchann.nets.functional import STEP_FUNCTIONS
from torchann.nets.names import did_you_mean

THRESHOLD = 2  # active connections that make a logic neuron fire
ALWAYS_ON = "1"  # the name of a signal that is active whatever the inputs are


class LogicNeurons(nn.Module):
    """Binary neurons that fire when at least two of their connections are active (section 10.1.2, figure 10-3).

    A signal that is to fire a neuron by itself gets two connections to it; an inhibitory connection, while active,
    takes one from the count.

    Args:
        inputs: names of the inputs.
        neurons: by the name of each neuron the number of connections from each input or earlier neuron, negative if
            they inhibit; ``"1"`` is a signal that is always active. The last neuron is the output.

    Shape:
        ``(batch, inputs)`` of 0 and 1, any dtype, to ``(batch,)`` of 0 and 1, the same dtype.

    Raises:
        ValueError: if a neuron listens to something that is neither an input nor an earlier neuron; from
            :meth:`forward`, for inputs of another shape or other than 0 and 1.

    Example:
        >>> at_least_one = LogicNeurons("AB", {"C": {"A": 2, "B": 2}})
        >>> at_least_one(torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]))
        tensor([0, 1, 1, 1])
    """

    def __init__(self, inputs: Sequence[str], neurons: Mapping[str, Mapping[str, int]]) -> None:
        super().__init__()
        known = [*inputs, ALWAYS_ON]
        for name, connections in neurons.items():
            for source in connections:
                if source not in known:
                    raise ValueError(
                        f"neuron {name!r} listens to {source!r}, which is neither an input nor an earlier neuron; "
                        f"connect it to one of {', '.join(map(repr, known))}"
                    )
            known.append(name)
        self.inputs: list[str] = list(inputs)
        self.neurons: dict[str, dict[str, int]] = {name: dict(connections) for name, connections in neurons.items()}

    def forward(self, x: Tensor) -> Tensor:
        """What the last neuron does, ``(batch,)``, at inputs ``(batch, inputs)``."""
        if x.ndim != 2 or x.shape[1] != len(self.inputs):
            raise ValueError(
                f"inputs of shape {tuple(x.shape)}; these neurons take (batch, {len(self.inputs)}), "
                f"a column for each of {', '.join(self.inputs)}"
            )
        other = x[(x != 0) & (x != 1)]
        if len(other) > 0:
            raise ValueError(f"an input is {other[0].item():g}; logic neurons take 0 (off) and 1 (on)")
        signals = dict(zip(self.inputs, x.long().unbind(1), strict=True))
        signals[ALWAYS_ON] = torch.ones_like(x[:, 0], dtype=torch.long)
        active = signals[ALWAYS_ON]
        for name, connections in self.neurons.items():
            active = sum((count * signals[source] for source, count in connections.items()), torch.zeros_like(active))
            signals[name] = (active >= THRESHOLD).long()
        return (active >= THRESHOLD).to(x.dtype)


GATES: dict[str, LogicNeurons] = {
    "identity": LogicNeurons("A", {"C": {"A": 2}}),
    "AND": LogicNeurons("AB", {"C": {"A": 1, "B": 1}}),
    "OR": LogicNeurons("AB", {"C": {"A": 2, "B": 2}}),
    "A and not B": LogicNeurons("AB", {"C": {"A": 2, "B": -1}}),
    "NAND": LogicNeurons("AB", {"C": {"A": 1, "B": 1}, "D": {ALWAYS_ON: 2, "C": -1}}),
    "XOR": LogicNeurons("AB", {"C": {"A": 2, "B": -1}, "D": {"A": -1, "B": 2}, "E": {"C": 2, "D": 2}}),
}
"""The four neurons of the book's figure 10-3, and nets of them that compute NAND and exclusive or."""


class ThresholdLogicUnits(nn.Linear):
    """A layer of threshold logic units: each weighs its inputs and takes a step at zero (section 10.1.3).

    Weights and biases start at zero and have no gradient, which is zero wherever a step has one: a rule moves them, for
    example :func:`~torchann.engine.perceptron.perceptron_rule_`. Several classes take a unit each.

    Args:
        in_features: numbers per row.
        out_features: units.
        step: ``"heaviside"`` (off 0, on 1) or ``"sign"`` (-1, 0, +1).

    Shape:
        ``(batch, in_features)`` to ``(batch, out_features)``.

    Raises:
        ValueError: if there is no step function of that name.

    Example:
        >>> units = ThresholdLogicUnits(2, 1, step="sign")
        >>> units.weight[0], units.bias[0] = torch.tensor([1.0, -1.0]), -0.5
        >>> units(torch.tensor([[2.0, 1.0], [1.0, 1.0]]))  # 2 - 1 - 0.5 and 1 - 1 - 0.5
        tensor([[ 1.],
                [-1.]])
    """

    def __init__(self, in_features: int, out_features: int, step: str = "heaviside") -> None:
        if step not in STEP_FUNCTIONS:
            hint = did_you_mean(step, STEP_FUNCTIONS, f"choose one of {', '.join(STEP_FUNCTIONS)}")
            raise ValueError(f"there is no step function {step!r}; {hint}")
        super().__init__(in_features, out_features)
        self.step = step
        self.requires_grad_(False)

    def reset_parameters(self) -> None:
        """Sets all weights and biases to zero."""
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def sums(self, x: Tensor) -> Tensor:
        """The weighted sums ``(batch, out_features)`` before the step."""
        return super().forward(x)

    def forward(self, x: Tensor) -> Tensor:
        """What each unit does, ``(batch, out_features)``, at inputs ``(batch, in_features)``."""
        return STEP_FUNCTIONS[self.step](self.sums(x))
