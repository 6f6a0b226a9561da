"""Receiver operating characteristics: which share of a class is found at which share of false alarms."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import auc, roc_curve

from torchann.pictures.arrays import as_array
from torchann.pictures.labels import as_given, shorten

MOST_CURVES = 10


@as_given
def roc_curves(truth: Any, proba: Any, names: Sequence[str], title: str = "") -> Figure:
    """A curve for each class or label against all others, with the area below it.

    Args:
        truth: whether a row is of a class, 0 or 1, ``(rows, classes)``.
        proba: probability of it, ``(rows, classes)``.
        names: of the classes; of more than ten those with the smallest areas are drawn.
        title: above the picture.

    Example:
        >>> figure = roc_curves([[0], [1], [1]], [[0.2], [0.1], [0.9]], ["yes"])
        >>> figure.axes[0].get_legend_handles_labels()[1]
        ['yes: area 0.500', 'chance: area 0.5']
    """
    y, scores = as_array(truth), as_array(proba)
    curves = []
    for number, name in enumerate(names):
        if 0 < y[:, number].sum() < len(y) and np.isfinite(scores[:, number]).all():
            false, right, _ = roc_curve(y[:, number], scores[:, number])
            curves.append((float(auc(false, right)), name, false, right))
    if len(curves) > MOST_CURVES:
        curves = sorted(curves, key=lambda curve: curve[0])[:MOST_CURVES]
    figure = Figure(figsize=(5.2, 5), layout="constrained")
    figure.suptitle(title)
    panel = figure.subplots()
    for area, name, false, right in curves:
        panel.plot(false, right, label=f"{shorten(name)}: area {area:.3f}")
    panel.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="chance: area 0.5")
    panel.set(
        xlabel="false alarms (share of the other rows)", ylabel="found (share of the class's rows)", aspect="equal"
    )
    panel.grid()
    panel.legend(loc="lower right", fontsize="small")
    return figure
