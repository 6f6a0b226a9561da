"""Learning curves as the book draws them."""

from collections.abc import Sequence
from math import isfinite

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

OF_LOG_SCALE = 8  # how many times the lowest value the highest is, for decades to show more than a straight axis
History = Sequence[dict[str, float]]
LABELS = {
    "loss": "loss",
    "accuracy": "accuracy (share of rows)",
    "rmse": "RMSE (unit of the target)",
}


def learning_curves(histories: Sequence[History], title: str) -> Canvas:
    """Training and validation curves over the epochs, one thin line per seed.

    Args:
        histories: for each seed a row per epoch, with ``epoch``, ``train_loss``, ``val_loss`` and so on.
        title: above the picture.
    """
    shown = [tag for tag in LABELS if f"train_{tag}" in histories[0][0]]
    canvas = Canvas(figsize=(5 * len(shown), 3.8), layout="constrained")
    canvas.suptitle(title)
    panels = canvas.subplots(1, len(shown), squeeze=False)[0]
    for panel, tag in zip(panels, shown, strict=True):
        _plot_metric(panel, histories, tag)
    return canvas


def _mark_divergence(panel: Axes, histories: Sequence[History], tag: str) -> None:
    # A seed that ends in numbers that are none leaves its curves short: its epochs without them are tinted.
    label: str | None = "no longer a number"
    for history in histories:
        epochs = [row["epoch"] + 1 for row in history if not isfinite(row.get(f"train_{tag}", 0.0))]
        if epochs:
            panel.axvspan(min(epochs) - 0.5, max(epochs) + 0.5, color="tab:red", alpha=0.12, linewidth=0, label=label)
            label = None


def _plot_metric(panel: Axes, histories: Sequence[History], tag: str) -> None:
    for stage, label, colour in (("train", "training", "tab:blue"), ("val", "validation", "tab:orange")):
        for number, history in enumerate(histories):
            rows = [row for row in history if f"{stage}_{tag}" in row]
            epochs, values = [row["epoch"] + 1 for row in rows], [row[f"{stage}_{tag}"] for row in rows]
            panel.plot(
                epochs,
                values,
                color=colour,
                linewidth=1.2,
                alpha=0.8,
                marker="." if len(rows) < 15 else None,
                label=label if number == 0 else None,
            )
    _mark_divergence(panel, histories, tag)
    finite = [value for line in panel.lines for value in np.asarray(line.get_ydata(), float) if np.isfinite(value)]
    if finite and 0 < OF_LOG_SCALE * min(finite) < max(finite):
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter(NullFormatter())
    panel.set_xlabel("epoch")
    panel.set_ylabel(LABELS[tag])
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.grid(alpha=0.3)
    panel.legend()
