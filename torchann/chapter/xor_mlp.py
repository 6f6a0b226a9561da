"""Section 10.1.4, figure 10-6: one hidden layer solves XOR, with weights set by hand and with learnt ones."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.picture import picture
from torchann.engine.backprop import Backprop
from torchann.nets.functional import heaviside
from torchann.nets.heads import classification_objective
from torchann.nets.mlp import MLP

CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = torch.tensor([0, 1, 1, 0])
HIDDEN_WEIGHT, HIDDEN_BIAS = torch.tensor([[1.0, 1.0], [1.0, 1.0]]), torch.tensor([-1.5, -0.5])  # AND, OR
OUTPUT_WEIGHT, OUTPUT_BIAS = torch.tensor([-1.0, 1.0]), -0.5  # OR, unless AND
HAND_SET: dict[str, Callable[[Tensor], Tensor]] = {"heaviside": heaviside, "sigmoid": torch.sigmoid}
LEARNT = {"sigmoid": 2.0, "tanh": 0.3}  # hidden activation and learning rate
STEPS = 2000
POINTS = torch.linspace(-0.2, 1.2, 140)
Surface = np.ndarray[Any, np.dtype[Any]]


def xor_mlp(x: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """The book's 2-2-1 network with its weights: the first hidden unit is AND, the second OR.

    Args:
        x: inputs ``(batch, 2)``, false is 0 and true is 1.
        activation: of the hidden units and of the output unit.

    Returns:
        The output unit's value, ``(batch,)``.

    Example:
        >>> xor_mlp(CORNERS, heaviside)
        tensor([0., 1., 1., 0.])
        >>> xor_mlp(CORNERS, torch.sigmoid)  # the right order, but no corner above one half
        tensor([0.4244, 0.4366, 0.4366, 0.4244])
    """
    hidden = activation(x @ HIDDEN_WEIGHT.T + HIDDEN_BIAS)
    return activation(hidden @ OUTPUT_WEIGHT + OUTPUT_BIAS)


def learn_xor(hidden_size: int, activation: str, lr: float, steps: int) -> Callable[[Tensor], Tensor]:
    """Gradient descent on the four corners at once, from random weights.

    Args:
        hidden_size: hidden units; with 2 descent often ends where XOR is not solved, with 4 hardly ever.
        activation: of the hidden units, a name that :class:`~torchann.nets.mlp.MLP` knows.
        lr: learning rate.
        steps: of gradient descent.

    Returns:
        From inputs ``(batch, 2)`` to the probability of 1, ``(batch,)``.
    """
    net, head = MLP(2, [hidden_size], 1, activation), classification_objective("binary", 2)
    backprop = Backprop(net, head.error)
    for _ in range(steps):
        backprop.descend(CORNERS, XOR, lr)
    return lambda x: head.activation(net(x)).detach()


def _outcome(functions: Mapping[str, Callable[[Tensor], Tensor]], decided: Callable[[Tensor], Tensor]) -> Outcome:
    square = torch.cartesian_prod(POINTS, POINTS)
    answers = {name: function(CORNERS) for name, function in functions.items()}
    measurements = {f"outputs, {name}": " ".join(f"{y:.4g}" for y in decided(answers[name])) for name in functions}
    text = ["x1 x2   " + "   ".join(f"{name:>9}" for name in functions)]
    for row, (x1, x2) in enumerate(CORNERS):
        text.append(f" {x1:.0f}  {x2:.0f}   " + "   ".join(f"{y[row]:9.4f}" for y in answers.values()))
    surfaces = {name: function(square).reshape(len(POINTS), -1).T.numpy() for name, function in functions.items()}
    return Outcome(measurements, text="\n".join(text), shown=surfaces)


def _hand_set(setting: Setting) -> Outcome:
    functions = {name: partial(xor_mlp, activation=function) for name, function in HAND_SET.items()}
    return _outcome(functions, lambda y: y)


def _learnt(setting: Setting) -> Outcome:
    functions = {name: learn_xor(4, name, lr, STEPS) for name, lr in LEARNT.items()}
    return _outcome(functions, lambda y: (y > 0.5).int())


@picture(9.5, 4.5, 2)
def _draw(outcomes: Sequence[Outcome], *panels: Axes) -> None:
    surfaces: dict[str, Surface] = outcomes[0].shown
    for panel, (name, surface) in zip(panels, surfaces.items(), strict=True):
        _draw_surface(panel, surface)
        panel.set_title(f"activation: {name}", fontsize=11)
    panel.figure.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def _draw_surface(panel: Axes, surface: Surface) -> None:
    points = POINTS.numpy()
    image = panel.pcolormesh(points, points, surface, cmap="cividis", shading="nearest", rasterized=True)
    panel.contour(points, points, surface, levels=7, colors="white", linewidths=0.6)
    for answer, marker in ((0, "s"), (1, "^")):
        x1, x2 = CORNERS[answer == XOR].T.numpy()
        panel.scatter(x1, x2, 110, marker=marker, color="white", edgecolor="black", label=f"XOR = {answer}", zorder=3)
    panel.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    panel.figure.colorbar(image, ax=panel, label="output", shrink=0.8)


EXPERIMENTS = (
    Experiment(
        name="xor_mlp",
        section="10.1.4",
        title="XOR by the 2-2-1 network with hand-set weights",
        published=(
            Published("outputs, heaviside", "0 1 1 0", by="law"),
            Published("outputs, sigmoid", "0.4244 0.4366 0.4366 0.4244", by="law"),
        ),
        source="figure 10-6 and the truth table of XOR; sigmoid worked by hand",
        run=_hand_set,
        draw=_draw,
        takes_seeds=False,
    ),
    Experiment(
        name="xor_mlp_learnt",
        section="10.1.4",
        title=f"XOR learnt by a 2-4-1 network, {STEPS:,} steps of gradient descent",
        published=(Published("outputs, sigmoid", "0 1 1 0", by="law"), Published("outputs, tanh", "0 1 1 0", by="law")),
        source="the truth table of XOR",
        run=_learnt,
        draw=_draw,
    ),
)
