"""Section 10.1.4: neurons that start alike stay alike for ever; random weights break the symmetry."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

import torch
from matplotlib.axes import Axes
from torch import Tensor

from torchann.chapter.experiment import Experiment, Measurement, Outcome, Published, Setting
from torchann.chapter.picture import picture
from torchann.engine.backprop import Backprop
from torchann.nets.heads import classification_objective
from torchann.nets.mlp import MLP
from torchann.pictures.style import MEDIAN_WIDTH, SEED_ALPHA, SEED_WIDTH

NEURONS, ROWS, BATCH, EPOCHS, LR = 8, 400, 20, 150, 1.0
STARTS = {"zeros": "zero weights", "xavier_uniform": "random weights"}
APART = "distance between neurons after training"
ACCURACY = "accuracy on the training rows"


class Course(NamedTuple):
    """How a training went: a value for the start, then one for each epoch.

    Attributes:
        distance: between the hidden neurons' weights (biases among them), mean over all pairs.
        accuracy: share of the training rows told apart.
        neurons: weights and bias of each hidden neuron at the end, ``(neurons, in_features + 1)``.
    """

    distance: list[float]
    accuracy: list[float]
    neurons: Tensor


def xor_square(rows: int) -> tuple[Tensor, Tensor]:
    """XOR made continuous: points of the square [-1, 1]², of class 1 where the signs of the coordinates differ.

    Returns:
        Points ``(rows, 2)`` and their classes 0 or 1, ``(rows,)``.
    """
    x = torch.rand(rows, 2) * 2 - 1
    return x, (x.prod(1) < 0).long()


def train(x: Tensor, y: Tensor, weight_init: str, epochs: int) -> Course:
    """Trains one hidden layer of sigmoid neurons by gradient descent on mini-batches.

    Args:
        x: inputs ``(rows, in_features)``.
        y: classes 0 or 1, ``(rows,)``.
        weight_init: how all weights start, a name that :class:`~torchann.nets.mlp.MLP` knows; biases start at zero.
        epochs: passes over the rows, each in a new order.
    """
    head = classification_objective("binary", 2)
    net = MLP(x.shape[1], [NEURONS], 1, "sigmoid", weight_init)
    backprop = Backprop(net, head.error)
    distance, accuracy = [], []
    for epoch in range(epochs + 1):
        distance.append(torch.pdist(neurons_of(net)).mean().item())
        accuracy.append(((backprop.forward(x).outputs[:, 0] > 0) == y).float().mean().item())
        for batch in torch.randperm(len(x)).chunk(math.ceil(len(x) / BATCH)) if epoch < epochs else ():
            backprop.descend(x[batch], y[batch], LR)
    return Course(distance, accuracy, neurons_of(net))


def neurons_of(net: MLP) -> Tensor:
    """Weights and bias of each neuron of the first hidden layer, ``(neurons, in_features + 1)``."""
    layer = net.linears()[0]
    return torch.cat([layer.weight, layer.bias[:, None]], 1).detach()


def _run(setting: Setting) -> Outcome:
    x, y = xor_square(ROWS)
    courses = {label: train(x, y, start, EPOCHS) for start, label in STARTS.items()}
    measurements: dict[str, Measurement] = {}
    text = [f"{'':16}{'moved by training':>18}{'apart at start':>16}{'at the end':>12}{'accuracy':>10}"]
    for label, course in courses.items():
        measurements |= {f"{APART}, {label}": course.distance[-1], f"{ACCURACY}, {label}": course.accuracy[-1]}
        numbers = f"{course.distance[0]:16.4f}{course.distance[-1]:12.4f}{course.accuracy[-1]:10.4f}"
        text.append(f"{label:16}{course.neurons.norm(dim=1).mean():18.4f}{numbers}")
    return Outcome(measurements, text="\n".join(text), shown=courses)


@picture(10, 4, 2, grid=True)
def _draw(outcomes: Sequence[Outcome], distance: Axes, accuracy: Axes) -> None:
    for label, colour, style in zip(STARTS.values(), ("tab:orange", "tab:blue"), ("-", "--"), strict=True):
        courses: list[Course] = [outcome.shown[label] for outcome in outcomes]
        for panel, seeds in ((distance, [c.distance for c in courses]), (accuracy, [c.accuracy for c in courses])):
            for seed in seeds:
                panel.plot(seed, color=colour, linewidth=SEED_WIDTH, alpha=SEED_ALPHA)
            of = f", median of {len(seeds)} seeds" if len(seeds) > 1 else ""
            look: dict[str, Any] = {"color": colour, "linestyle": style, "linewidth": MEDIAN_WIDTH}
            panel.plot([median(values) for values in zip(*seeds, strict=True)], label=f"{label}{of}", **look)
    distance.set(xlabel="epoch", ylabel="mean distance between neurons", title="the hidden neurons' weights")
    accuracy.set(xlabel="epoch", ylabel="accuracy (share of rows)", title="XOR on the square", ylim=(0.3, 1.02))
    for panel in (distance, accuracy):
        panel.legend()


EXPERIMENTS = (
    Experiment(
        name="symmetry",
        section="10.1.4",
        title=f"{NEURONS} hidden neurons from zero weights and from random ones",
        published=(
            Published(f"{APART}, zero weights", 0.0, (0.0, 0.0), by="law"),
            Published(f"{ACCURACY}, zero weights", 2 / 3, (0.4, 0.75), by="law"),
            Published(f"{APART}, random weights", 1.0, (1.0, 20.0), by="own"),
            Published(f"{ACCURACY}, random weights", 1.0, (0.95, 1.0), by="own"),
        ),
        source="the chapter's claim; one neuron draws a line, and the best line has 2/3 of the square right",
        run=_run,
        draw=_draw,
    ),
)
