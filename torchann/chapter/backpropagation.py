"""Section 10.1.4: the six steps of backpropagation on a network small enough to follow each number."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from torch import Tensor

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.network_diagram import draw_network
from torchann.chapter.picture import picture
from torchann.engine.backprop import Backprop, Trace
from torchann.nets.heads import Objective, regression_objective
from torchann.nets.mlp import MLP

LR = 0.05
X, Y = torch.tensor([[1.0, 2.0], [3.0, -1.0]], dtype=torch.float64), torch.tensor([[2.0], [2.5]], dtype=torch.float64)
LOSS = "loss before the step; after it"
DIFFERENCE = "largest difference of a gradient from autograd's"
Layer = tuple[Tensor, Tensor]


class Step(NamedTuple):
    """One step of gradient descent, with all that backpropagation computed on its way.

    Attributes:
        x: the mini-batch, ``(batch, in_features)``.
        y: its targets.
        trace: of the forward pass.
        losses: of each row, ``(batch,)``.
        errors: for each layer the derivative of the mean loss by its weighted sums, ``(batch, units)``.
        gradients: for each layer those of its weights ``(units, in_features)`` and biases ``(units,)``.
        before: each layer's weights and biases before the step.
        after: and after it.
        losses_after: of each row, with the new weights.
        lr: learning rate.
    """

    x: Tensor
    y: Tensor
    trace: Trace
    losses: Tensor
    errors: list[Tensor]
    gradients: list[Layer]
    before: list[Layer]
    after: list[Layer]
    losses_after: Tensor
    lr: float


def tiny_net() -> MLP:
    """A 2-2-1 network with ReLU, in double precision, whose weights are easy to reckon with."""
    net = MLP(2, [2], 1, "relu").double()
    hidden, output = net.linears()
    hidden.weight.data = torch.tensor([[0.5, -0.5], [0.25, 0.5]], dtype=torch.float64)
    hidden.bias.data = torch.tensor([0.0, 0.25], dtype=torch.float64)
    output.weight.data = torch.tensor([[0.5, 2.0]], dtype=torch.float64)
    return net


def take_step(net: MLP, objective: Objective, x: Tensor, y: Tensor, lr: float) -> Step:
    """Takes one step of gradient descent on a mini-batch, and keeps what the chapter's six steps compute.

    Args:
        net: whose weights are moved.
        objective: the loss of its outputs.
        x: inputs ``(batch, in_features)``.
        y: targets as the head wants them.
        lr: learning rate.

    Example:
        >>> step = take_step(tiny_net(), regression_objective(1), X, Y, LR)
        >>> step.trace.outputs.flatten(), step.losses
        (tensor([3., 2.], dtype=torch.float64), tensor([1.0000, 0.2500], dtype=torch.float64))
    """
    backprop, before = Backprop(net, objective.error), _weights(net)
    trace = backprop.forward(x)
    errors: list[Tensor] = []
    gradients: list[Layer] = []
    for number, error in backprop.backward(trace, objective.error(trace.outputs, y) / len(x)):
        errors.insert(0, error)
        gradients.insert(0, (error.T @ trace.inputs[number], error.sum(0)))
    backprop.descend(x, y, lr)
    losses, losses_after = objective.losses(trace.outputs, y), objective.losses(backprop.forward(x).outputs, y)
    return Step(x, y, trace, losses, errors, gradients, before, _weights(net), losses_after, lr)


def _weights(net: MLP) -> list[Layer]:
    return [(layer.weight.detach().clone(), layer.bias.detach().clone()) for layer in net.linears()]


def walk_through(step: Step) -> str:
    """The chapter's six steps with the values of each, a line per row of the mini-batch or per unit."""
    last, trace = len(step.before), step.trace
    lines = [f"1. Take a mini-batch: {len(step.x)} rows; an epoch is over when all have had their turn"]
    lines += [*_matrix("inputs", step.x), *_matrix("targets", step.y)]
    lines += ["2. Forward: each layer takes what the one below gave; all of it is kept"]
    for number, (weight, bias) in enumerate(step.before, start=1):
        lines += _matrix(f"layer {number} weighted sums", trace.inputs[number - 1] @ weight.T + bias)
        lines += _matrix(f"layer {number} activations", trace.inputs[number]) if number < last else []
    lines += ["3. Measure the error: the loss of each row, and their mean"]
    lines += [*_matrix("losses", step.losses[:, None]), *_matrix("mean loss", step.losses.mean().view(1, 1))]
    lines += ["4. How much did each output contribute? The derivative of the mean loss by it"]
    lines += _matrix(f"layer {last} errors", step.errors[-1])
    lines += ["5. Backward: how much did each unit below, each weight and each bias? The chain rule, layer by layer"]
    for number in range(last, 0, -1):
        lines += _matrix(f"layer {number} errors", step.errors[number - 1]) if number < last else []
        lines += _layer(number, "gradient", step.gradients[number - 1])
    lines += [f"6. Descend: from each weight and bias its gradient times {step.lr:g} is taken away"]
    for number, layer in enumerate(step.after, start=1):
        lines += _layer(number, "new", layer)
    return "\n".join([*lines, *_matrix("mean loss now", step.losses_after.mean().view(1, 1))])


def _layer(number: int, what: str, layer: Layer) -> list[str]:
    weight, bias = layer
    return [*_matrix(f"layer {number} weights, {what}", weight), *_matrix(f"layer {number} biases, {what}", bias[None])]


def _matrix(label: str, values: Tensor) -> list[str]:
    rows = ["".join(f"{value:10.4f}" for value in row) for row in values]
    return [f"   {label if number == 0 else '':<26}{row}" for number, row in enumerate(rows)]


def difference_from_autograd(step: Step, net: MLP, objective: Objective) -> float:
    """The largest difference between a gradient of the step and autograd's, with a net as it was before the step."""
    wanted = torch.autograd.grad(objective.losses(net(step.x), step.y).mean(), list(net.parameters()))
    given = [gradient for layer in step.gradients for gradient in layer]
    return max((mine - its).abs().max().item() for mine, its in zip(given, wanted, strict=True))


def _run(setting: Setting) -> Outcome:
    objective = regression_objective(1)
    step = take_step(tiny_net(), objective, X, Y, LR)
    losses = f"{step.losses.mean():.4f}; {step.losses_after.mean():.4f}"
    difference = difference_from_autograd(step, tiny_net(), objective)
    return Outcome({LOSS: losses, DIFFERENCE: difference}, text=walk_through(step), shown=step)


LAYERS = ("inputs", "hidden units", "output")


@picture(11, 4.6, 2)
def _draw(outcomes: Sequence[Outcome], forward: Axes, backward: Axes) -> None:
    step: Step = outcomes[0].shown
    draw_network(forward, [*step.trace.inputs, step.trace.outputs], step.before, LAYERS)
    forward.set_title("forward: each unit's output for the two rows\n(blue: weights and biases)")
    draw_network(backward, [step.x, *step.errors], step.gradients, LAYERS, backward=True)
    backward.set_title("backward: each unit's error for the two rows\n(red: gradients of weights and biases)")


EXPERIMENTS = (
    Experiment(
        name="backpropagation",
        section="10.1.4",
        title="Backpropagation: one step of a 2-2-1 network on a mini-batch of two rows",
        published=(Published(LOSS, "0.6250; 0.0481", by="law"), Published(DIFFERENCE, 0.0, (0.0, 1e-12), by="law")),
        source="worked by hand; autograd in double precision",
        run=_run,
        draw=_draw,
        takes_seeds=False,
    ),
)
