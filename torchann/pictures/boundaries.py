"""Decision boundaries as the book draws them: rows in the plane of two features, and the line that parts them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor

from torchann.pictures.arrays import as_array
from torchann.pictures.labels import as_given, shorten

# Told apart by colour-blind readers.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#000000", "#882255", "#9966ff")
SHAPES = ("s", "o", "^", "D", "v", "P", "X", "<", "p", ">")
COLOURS, MARKERS = PALETTE[:3], SHAPES[:3]  # of three classes
GRID = 240  # points of the plane each way
PART = 8192  # points that are predicted at once


def draw_rows(panel: Axes, x: Tensor, y: Tensor, class_names: Sequence[str]) -> None:
    """Marks each row by its class.

    Args:
        panel: where to draw.
        x: rows, ``(rows, 2)``.
        y: class indices, ``(rows,)``.
        class_names: in the order of their numbers; the colours of ten classes differ, the markers of a hundred.
    """
    for number, name in enumerate(class_names):
        across, up = x[y == number].t()
        colour, marker = PALETTE[number % 10], SHAPES[(number + number // 10) % 10]
        panel.scatter(across, up, 36, c=colour, marker=marker, edgecolors="white", linewidths=0.5, label=name, zorder=3)


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


@as_given
def decision_regions(
    predict: Callable[[Tensor], Tensor],
    x: Any,
    y: Any,
    class_names: Sequence[str],
    feature_names: Sequence[str],
    title: str = "",
) -> Figure:
    """The plane tinted by what is predicted there, with rows marked by what they are, and rings round the mistakes.

    Args:
        predict: the class of each row, ``(n,)``, numbers from 0, of rows ``(n, 2)`` as in ``x`` and of its dtype.
        x: rows, ``(rows, 2)``, floats.
        y: true classes, ``(rows,)``, numbers from 0.
        class_names: in the order of their numbers.
        feature_names: of the two columns, with units.
        title: above the picture.

    Raises:
        ValueError: if rows have not two columns, or ``predict`` does not give one number for each.

    Example:
        >>> x = torch.tensor([[0.0, 0.0], [4.0, 2.0], [1.0, 2.0]])
        >>> figure = decision_regions(lambda x: (x[:, 0] > 2).long(), x, [0, 1, 1], ["left", "right"], ["a", "b"])
        >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        ['left', 'right', '1 of 3 rows wrong']
    """
    rows, truth = torch.as_tensor(x).detach().cpu(), torch.as_tensor(as_array(y))
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(f"x is {tuple(rows.shape)}; give rows of two features, (rows, 2)")
    figure = Figure(figsize=(7, 5), layout="constrained")
    figure.suptitle(title)
    panel = figure.subplots()
    (left, right), (low, high) = (_limits(column) for column in rows.t())
    # The middles of the cells of the grid.
    steps = (torch.arange(GRID) + 0.5) / GRID
    up, across = torch.meshgrid(low + steps * (high - low), left + steps * (right - left), indexing="ij")
    regions = _classes(predict, torch.stack([across.flatten(), up.flatten()], 1).to(rows.dtype)).reshape(GRID, GRID)
    tints = np.array([to_rgb(colour) for colour in PALETTE])[regions.numpy() % len(PALETTE)]
    extent = (left, right, low, high)
    panel.imshow(0.75 + 0.25 * tints, extent=extent, origin="lower", aspect="auto", interpolation="nearest")
    draw_rows(panel, rows, truth, [shorten(name) for name in class_names])
    wrong = rows[_classes(predict, rows) != truth]
    if len(wrong):
        label = f"{len(wrong)} of {len(rows)} rows wrong"
        thick = 1.2 if len(wrong) < 100 else 0.5
        panel.scatter(wrong[:, 0], wrong[:, 1], 90, facecolors="none", edgecolors="black", lw=thick, label=label)
    panel.set(xlim=(left, right), ylim=(low, high), xlabel=feature_names[0], ylabel=feature_names[1])
    panel.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return figure


def _limits(column: Tensor) -> tuple[float, float]:
    known = column[column.isfinite()]
    low, high = (known.min().item(), known.max().item()) if len(known) else (0.0, 1.0)
    margin = 0.07 * (high - low) or 0.07 * abs(high) or 1.0
    return low - margin, high + margin


def _classes(predict: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    # A part at a time: what a wide net makes of all of them might not fit into memory.
    said = torch.cat([predict(part).detach().cpu() for part in torch.split(rows, PART)])
    if said.shape != rows.shape[:1]:
        raise ValueError(
            f"predict gave {tuple(said.shape)} for {len(rows)} rows; let it give a class for each, as argmax(1) does"
        )
    return said
