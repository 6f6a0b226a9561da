"""A small network drawn with its numbers: units as circles, connections as arrows with their weights on them."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from torch import Tensor

CIRCLE = {"boxstyle": "circle", "facecolor": "#fdf3d8", "edgecolor": "0.3"}
RADIUS = 17  # in points, of a circle with two numbers
WEIGHT, GRADIENT = "tab:blue", "#b8400e"
BLANK: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
ON_ARROW = 0.34  # share of the way at which a weight is written: two that cross do not meet there


def draw_network(
    panel: Axes,
    units: Sequence[Tensor],
    layers: Sequence[tuple[Tensor, Tensor]],
    names: Sequence[str],
    backward: bool = False,
) -> None:
    """Draws each layer as a column of circles.

    Args:
        panel: where to draw.
        units: for each layer, the inputs first, what is written into its circles, ``(batch, units)``: a line per row.
        layers: for each but the first what is written on its arrows, ``(units, units below)``, and under its circles,
            ``(units,)``.
        names: of the layers, below their columns.
        backward: arrows point to the layer below, and what is written on them are gradients, in another colour.
    """
    places = [
        [(float(column), (values.shape[1] - 1) / 2 - unit) for unit in range(values.shape[1])]
        for column, values in enumerate(units)
    ]
    colour = GRADIENT if backward else WEIGHT
    for below, here, (weight, bias) in zip(places[:-1], places[1:], layers, strict=True):
        for unit, spot in enumerate(here):
            above = (0, 28 if spot[1] > 0 else -36)  # or below, away from the arrows
            label = f"bias {bias[unit]:g}"
            panel.annotate(label, spot, above, textcoords="offset points", ha="center", color=colour)
            for source, start in enumerate(below):
                _connect(panel, start, spot, f"{weight[unit, source]:g}", "<-" if backward else "->", colour)
    for spots, values in zip(places, units, strict=True):
        for unit, spot in enumerate(spots):
            label = "\n".join(f"{value:g}" for value in values[:, unit])
            panel.text(*spot, label, ha="center", va="center", bbox=CIRCLE, zorder=3)
    for column, name in enumerate(names):
        panel.text(column, 0, name, transform=panel.get_xaxis_transform(), ha="center", va="bottom", color="0.35")
    tallest = max(values.shape[1] for values in units)
    panel.set(xlim=(-0.25, len(units) - 0.75), ylim=(-tallest / 2 - 0.05, tallest / 2 - 0.1))
    panel.set_axis_off()


def _connect(
    panel: Axes, start: tuple[float, float], end: tuple[float, float], weight: str, arrow: str, colour: str
) -> None:
    style = {"arrowstyle": arrow, "color": "0.6", "shrinkA": RADIUS, "shrinkB": RADIUS}
    panel.annotate("", end, start, arrowprops=style)
    x, y = (a + ON_ARROW * (b - a) for a, b in zip(start, end, strict=True))
    panel.text(x, y, weight, ha="center", va="center", color=colour, bbox=BLANK)
