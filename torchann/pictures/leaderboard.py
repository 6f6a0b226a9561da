"""What has been tried on a table, as bars."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from torchann.pictures.style import ALONE, TRAINING, VALIDATION, Styled

MOST = 25


@Styled()
def leaderboard_picture(lines: Sequence[Any], classes: bool) -> Figure:
    """Draw the losses of models on rows that they have not seen, the best at the top.

    Args:
        lines: each with ``name``, ``loss``, ``weight`` and ``parts``, the best first; of many the first are drawn.
        classes: whether the loss is a log loss.

    Example:
        >>> from types import SimpleNamespace
        >>> line = SimpleNamespace(name="relu", loss=0.4, weight=1.0, parts=5)
        >>> len(leaderboard_picture([line], classes=False).axes[0].patches)
        1
    """
    shown = list(lines)[:MOST]
    figure = Figure(figsize=(7.5, 1.2 + 0.28 * len(shown)), dpi=110, layout="constrained")
    panel = figure.add_subplot()
    colours = [ALONE if line.weight else VALIDATION if "," not in line.name else TRAINING for line in shown]
    panel.barh(range(len(shown)), [line.loss for line in shown], color=colours)
    panel.set_yticks(range(len(shown)), [line.name for line in shown])
    panel.invert_yaxis()
    for place, line in enumerate(shown):
        panel.annotate(f"{line.loss:.3g}", (line.loss, place), (3, 0), textcoords="offset points", va="center")
    panel.margins(x=0.12)
    panel.set_xlabel("log loss" if classes else "RMSE, in standard deviations of the target")
    panel.set_title("of rows not trained on; green: in the model, orange: no nets", fontsize=9)
    panel.grid(axis="x")
    return figure
