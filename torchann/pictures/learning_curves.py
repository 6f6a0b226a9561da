"""Learning curves as the book draws them."""

from collections.abc import Sequence
from math import ceil, isfinite

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from torchann.pictures.picture import Picture

OF_LOG_SCALE = 8  # how many times the lowest value the highest is, for decades to show more than a straight axis
STAGES: dict[str, tuple[str | None, str]] = {
    "train_": ("training", "tab:blue"),
    "val_": ("validation", "tab:orange"),
    "": (None, "tab:green"),
}
LABELS = {
    "loss": "loss",
    "accuracy": "accuracy (share of rows)",
    "rmse": "RMSE (unit of the target)",
    "mae": "MAE (unit of the target)",
    "lr": "learning rate",
}
History = Sequence[dict[str, float]]
"""A row per epoch, with ``epoch``, ``train_loss``, ``val_loss`` and so on."""


def learning_curves(histories: Sequence[History], title: str = "", tags: Sequence[str] | None = None) -> Figure:
    """Training and validation curves over the epochs, one thin line per history.

    Args:
        histories: of one run, or of a run per seed.
        title: above the picture.
        tags: what to draw, a panel for each: ``"loss"`` for ``train_loss`` and ``val_loss``; all that was measured if
            not given, and the learning rate if it moved.
    """
    tags = _tags(histories) if tags is None else tags
    columns = min(3, max(1, len(tags)))
    rows = max(1, ceil(len(tags) / columns))
    figure = Picture(figsize=(5 * columns, 3.8 * rows), layout="constrained")
    figure.suptitle(title)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel, tag in zip(panels, tags, strict=False):
        _plot_metric(panel, histories, tag)
    for panel in panels[len(tags) :]:
        panel.remove()
    return figure


def mark_best(figure: Figure, epoch: float) -> None:
    """Draws a line at the best epoch through the first panel of a picture, and says which it is.

    Args:
        figure: made by :func:`learning_curves`.
        epoch: counted from 0, as it is logged; axes count from 1.
    """
    label = f"best: epoch {epoch + 1:.0f}"
    figure.axes[0].axvline(epoch + 1, color="black", linestyle="--", linewidth=1, label=label)
    figure.axes[0].legend()


def _tags(histories: Sequence[History]) -> list[str]:
    names = dict.fromkeys(name for history in histories for row in history for name in row)
    tags = dict.fromkeys(name.removeprefix("train_").removeprefix("val_") for name in names)
    rates = {row["lr"] for history in histories for row in history if "lr" in row}
    unseen = {"epoch", "seconds"} | ({"lr"} if len(rates) < 2 else set())
    # The losses first, the whole before its parts, the learning rate at the end.
    order = sorted(tags, key=lambda tag: (tag == "lr", not tag.endswith("loss"), tag != "loss"))
    return [tag for tag in order if tag not in unseen]


def _mark_divergence(panel: Axes, histories: Sequence[History], tag: str) -> None:
    # A seed that ends in numbers that are none leaves its curves short: its epochs without them are tinted.
    label: str | None = "no longer a number"
    for history in histories:
        epochs = [row["epoch"] + 1 for row in history if not isfinite(row.get(f"train_{tag}", 0.0))]
        if epochs:
            panel.axvspan(min(epochs) - 0.5, max(epochs) + 0.5, color="tab:red", alpha=0.12, linewidth=0, label=label)
            label = None


def _plot_metric(panel: Axes, histories: Sequence[History], tag: str) -> None:
    for stage, (label, colour) in STAGES.items():
        for number, history in enumerate(histories):
            rows = [row for row in history if f"{stage}{tag}" in row]
            epochs, values = [row["epoch"] + 1 for row in rows], [row[f"{stage}{tag}"] for row in rows]
            if rows:
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
    panel.set_ylabel(LABELS.get(tag, tag))
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.grid(alpha=0.3)
    if panel.get_legend_handles_labels()[0]:
        panel.legend()
