"""A network drawn as boxes, one for each input, layer and function, with arrows down to those that take its result."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from torchann.nets.steps import Step
from torchann.nets.summary import Summary

Spot = int | tuple[int, int, int]
"""The number of a step, or where an arrow passes by others: from which step, to which, on which level."""
HEIGHT, GAP, LETTER = 0.46, 0.28, 0.075  # inches: of a box, between boxes, of a letter
COLOURS = {"input": "#e5e5e5", "function": "#fdf3d8"}
WITH_PARAMETERS = "#c6dbef"
WORDS = {"cat": "concatenate", "getitem": "slice"}


def draw_architecture(summary: Summary, title: str = "") -> Figure:
    """Draws a network from the inputs, on top, to the outputs; steps that do not wait for each other share a level.

    Layers that were not called are left out of a :func:`~torchann.nets.summary.summary`, and so of the picture.

    Example:
        >>> from torchann.nets.mlp import MLP
        >>> from torchann.nets.summary import summary
        >>> figure = draw_architecture(summary(MLP(784, [300, 100], 10), (28, 28)), "an image classifier")
        >>> [text.get_text() for text in figure.axes[0].texts][2]
        '1: Linear\\n(None, 300), 235,500 parameters'
    """
    texts = [_text(step) for step in summary.steps]
    places, paths = _layout(summary.steps)
    width = LETTER * max(len(line) for text in texts for line in text.split("\n")) + 0.2
    spots = {spot: (column * (width + GAP), -level * (HEIGHT + GAP)) for spot, (column, level) in places.items()}
    across, down = zip(*spots.values(), strict=True)
    left, right = min(across) - width / 2 - 0.1, max(across) + width / 2 + 0.1
    bottom, top = min(down) - HEIGHT / 2 - 0.1, HEIGHT / 2 + (0.45 if title else 0.1)
    spare = max(0.0, LETTER * 1.4 * len(title) - (right - left)) / 2
    figure = Figure(figsize=(right - left + 2 * spare, top - bottom))
    panel = figure.add_axes((0, 0, 1, 1), xlim=(left - spare, right + spare), ylim=(bottom, top))
    panel.set_axis_off()
    for path in paths:
        _draw_arrow(panel, [spots[spot] for spot in path])
    for number, (step, text) in enumerate(zip(summary.steps, texts, strict=True)):
        if number in spots:
            colour = COLOURS.get(step.type, WITH_PARAMETERS if step.parameters else "white")
            _draw_box(panel, spots[number], width, colour, text)
    figure.text(0.5, 1 - 0.1 / (top - bottom), title, ha="center", va="top", fontsize=11)
    return figure


def _text(step: Step) -> str:
    name = WORDS.get(step.name, step.name) if step.type == "function" else step.name
    head = f"{name}: {step.type}" if name and step.type != "function" else name or step.type
    shapes = ", ".join(map(str, step.shapes))
    return f"{head}\n{shapes}" + (f", {step.parameters:,} parameters" if step.parameters else "")


def _layout(steps: Sequence[Step]) -> tuple[dict[Spot, tuple[float, int]], list[list[Spot]]]:
    """Column and level of each spot, and the way of each arrow: a level below all parents, a lane past other boxes."""
    levels: list[int] = []
    paths: list[list[Spot]] = []
    for number, step in enumerate(steps):
        levels.append(1 + max((levels[parent] for parent in step.parents), default=-1))
        for parent in step.parents:
            passing = range(levels[parent] + 1, levels[number])
            paths.append([parent, *((parent, number, level) for level in passing), number])
    on_level: list[list[Spot]] = [[] for _ in range(max(levels) + 1)]
    for number, step in enumerate(steps):
        if step.shapes:
            on_level[levels[number]].append(number)
    above: dict[Spot, list[Spot]] = {}
    for path in paths:
        for level, spot in enumerate(path[1:-1], levels[path[0]] + 1):  # type: ignore[index]
            on_level[level].append(spot)
        for upper, lower in pairwise(path):
            above.setdefault(lower, []).append(upper)
    places: dict[Spot, tuple[float, int]] = {}
    for level, spots in enumerate(on_level):
        # Each under the middle of what it takes its input from, then as far apart as the boxes need.
        wishes = {spot: fmean([places[upper][0] for upper in above.get(spot, [])] or [0]) for spot in spots}
        columns: list[float] = []
        for wish in sorted(wishes.values()):
            columns.append(max(wish, columns[-1] + 1) if columns else wish)
        pushed = fmean(columns) - fmean(wishes.values())
        for spot, column in zip(sorted(spots, key=wishes.__getitem__), columns, strict=True):
            places[spot] = (column - pushed, level)
    return places, paths


def _draw_box(panel: Axes, spot: tuple[float, float], width: float, colour: str, text: str) -> None:
    corner = (spot[0] - width / 2, spot[1] - HEIGHT / 2)
    style = "round,pad=0,rounding_size=0.06"
    panel.add_patch(FancyBboxPatch(corner, width, HEIGHT, style, facecolor=colour, edgecolor="0.3", zorder=2))
    panel.text(*spot, text, ha="center", va="center", fontsize=8.5, linespacing=1.4, zorder=3)


def _draw_arrow(panel: Axes, points: Sequence[tuple[float, float]]) -> None:
    half = HEIGHT / 2
    ends = [(x, y + side) for x, y in points for side in (half, -half)][1:-1]
    panel.add_patch(FancyArrowPatch(path=Path(ends), arrowstyle="-|>", mutation_scale=9, color="0.35", zorder=1))
