"""Decision boundaries as the book draws them: rows in the plane of two features, and the line that parts them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

COLOURS = ("#0072b2", "#e69f00", "#009e73")  # told apart by colour-blind readers
MARKERS = ("s", "o", "^")


def draw_rows(panel: Axes, x: Tensor, y: Tensor, class_names: Sequence[str]) -> None:
    """Marks each row by its class.

    Args:
        panel: where to draw.
        x: rows, ``(rows, 2)``.
        y: class indices, ``(rows,)``.
        class_names: at most three.
    """
    for number, name in enumerate(class_names):
        across, up = x[y == number].t()
        colour, marker = COLOURS[number], MARKERS[number]
        panel.scatter(across, up, 36, c=colour, marker=marker, edgecolors="white", linewidths=0.5, label=name)


def draw_line(
    panel: Axes, weight: Tensor, bias: Tensor, colour: str = "black", style: str = "-", label: str | None = None
) -> None:
    """The line on which the weighted sum is zero; nothing if both weights are zero.

    Args:
        panel: where to draw.
        weight: ``(2,)``.
        bias: one number.
        colour: of the line.
        style: of the line, as matplotlib has it.
        label: for the legend.
    """
    across, up = weight.tolist()
    if across or up:
        nearest = -float(bias) / (across**2 + up**2)
        start = (nearest * across, nearest * up)
        panel.axline(start, (start[0] - up, start[1] + across), color=colour, linestyle=style, label=label)


def tint_side(panel: Axes, weight: Tensor, bias: Tensor, colour: str) -> None:
    """Tints the side of the line where the weighted sum is above zero, within the limits that the panel has.

    Args:
        panel: where to draw.
        weight: ``(2,)``.
        bias: one number.
        colour: of the tint.
    """
    across, up = np.meshgrid(np.linspace(*panel.get_xlim(), 400), np.linspace(*panel.get_ylim(), 400))
    sums = float(weight[0]) * across + float(weight[1]) * up + float(bias)
    if sums.max() > 0:
        panel.contourf(across, up, sums, [0, sums.max()], colors=[colour], alpha=0.15, zorder=0)


def petal_axes(panel: Axes) -> None:
    """Axes that hold all iris flowers.

    Args:
        panel: whose axes are set.
    """
    panel.set(xlim=(0, 7.2), ylim=(0, 2.7), xlabel="petal length (cm)", ylabel="petal width (cm)")
