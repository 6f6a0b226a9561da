"""What columns are worth to a model: how much lower its metric is without what they say."""

from collections.abc import Mapping, Sequence

import numpy as np

from torchann.pictures.boundaries import COLOURS
from torchann.pictures.labels import as_given, shorten
from torchann.pictures.picture import Picture

MOST_BARS = 30


@as_given
def importances(drops: Mapping[str, Sequence[float]], metric: str, title: str = "") -> Picture:
    """Draw a bar for the mean drop of each column, and a dot for each time that it was measured.

    Args:
        drops: how much lower the metric is, by column, in order from the top; of more than 30 the first are drawn.
        metric: what is measured.
        title: above the picture.

    Example:
        >>> figure = importances({"area": [0.5, 0.7], "garden": [0.0, 0.1]}, "R2")
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['area', 'garden']
    """
    names, more = list(drops)[:MOST_BARS], len(drops) - MOST_BARS
    figure = Picture(figsize=(7, 1.4 + 0.28 * len(names)), layout="constrained")
    figure.suptitle(title + (f"\n{more} less important columns left out" if more > 0 else ""), fontsize=11)
    panel, places = figure.subplots(), range(len(names))
    panel.barh(places, [float(np.mean(drops[name])) for name in names], color=COLOURS[0], alpha=0.45)
    for place, name in enumerate(names):
        label = None if place else "each shuffle"
        panel.plot(drops[name], [place] * len(drops[name]), "|", color=COLOURS[0], markersize=9, label=label)
    panel.axvline(0, color="black", linewidth=1)
    panel.set_yticks(places, [shorten(name) for name in names])
    panel.invert_yaxis()
    panel.set(xlabel=f"{metric} lower by, with the column shuffled")
    panel.grid(axis="x")
    panel.legend(loc="lower right", fontsize="small")
    return figure
