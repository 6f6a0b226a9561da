"""Learning curves as the book draws them."""

from collections.abc import Sequence
from math import ceil, inf, isfinite
from statistics import median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from torchann.pictures.picture import Picture
from torchann.pictures.style import ALONE, MEDIAN_WIDTH, SEED_ALPHA, SEED_WIDTH, TRAINING, VALIDATION, Styled

OF_LOG_SCALE = 8  # how many times the lowest value the highest is, for decades to show more than a straight axis
STAGES: dict[str, tuple[str | None, str]] = {
    "train_": ("training", TRAINING),
    "val_": ("validation", VALIDATION),
    "": (None, ALONE),
}
LABELS = {
    "loss": "loss",
    "accuracy": "accuracy (share of rows)",
    "rmse": "RMSE (unit of the target)",
    "mae": "MAE (unit of the target)",
    "lr": "learning rate",
}
UNITS = {"rmse": "RMSE", "mae": "MAE"}
ERRORS = ("loss", "rmse", "mae")
History = Sequence[dict[str, float]]
"""A row per epoch, with ``epoch``, ``train_loss``, ``val_loss`` and so on."""


@Styled()
def learning_curves(
    histories: Sequence[History], title: str = "", tags: Sequence[str] | None = None, unit: str = ""
) -> Figure:
    """Training and validation curves over the epochs; of several seeds their median, and each as a thin line.

    A dashed line marks the epoch with the lowest validation loss, of several seeds the median of theirs.

    Args:
        histories: of one run, or of a run per seed.
        title: above the picture.
        tags: what to draw, a panel for each: ``"loss"`` for ``train_loss`` and ``val_loss``; all that was measured if
            not given, and the learning rate if it moved.
        unit: of the target, for the axes of errors, and for a loss that is their square; none if not given.
    """
    tags = _tags(histories) if tags is None else tags
    columns = min(3, max(1, len(tags)))
    rows = max(1, ceil(len(tags) / columns))
    figure = Picture(figsize=(5 * columns, 3.8 * rows), layout="constrained")
    figure.suptitle(title)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    best = _best_epoch(histories)
    for panel, tag in zip(panels, tags, strict=False):
        _plot_metric(panel, histories, tag, unit)
        if best is not None and tag != "lr":
            label = f"lowest validation loss: epoch {best:g}"
            panel.axvline(best, color="black", linestyle="--", linewidth=1, label=label)
    errors = [panel for panel, tag in zip(panels, tags, strict=False) if tag.endswith(ERRORS)]
    if any(_needs_log(panel) for panel in errors):
        for panel in errors:  # one scale for what says the same
            _set_log(panel)
    for panel in panels[: len(tags)]:
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize="small")
    for panel in panels[len(tags) :]:
        panel.remove()
    return figure


def _best_epoch(histories: Sequence[History]) -> float | None:
    # Counted from 1, as the axes are.
    best = []
    for history in histories:
        losses = [(row["val_loss"], row["epoch"] + 1) for row in history if isfinite(row.get("val_loss", float("nan")))]
        best += [min(losses)[1]] if len(history) > 1 and losses else []
    return float(median(best)) if best else None


def _tags(histories: Sequence[History]) -> list[str]:
    names = dict.fromkeys(name for history in histories for row in history for name in row)
    tags = dict.fromkeys(name.removeprefix("train_").removeprefix("val_") for name in names)
    rates = {row["lr"] for history in histories for row in history if "lr" in row}
    unseen = {"epoch", "seconds"} | ({"lr"} if len(rates) < 2 else set())
    # The losses first, the whole before its parts, the learning rate at the end.
    order = sorted(tags, key=lambda tag: (tag == "lr", not tag.endswith("loss"), tag != "loss"))
    return [tag for tag in order if tag not in unseen]


def _rows_of(history: History, name: str) -> dict[float, float]:
    return {row["epoch"] + 1: row[name] for row in history if name in row}


def _mark_divergence(panel: Axes, histories: Sequence[History], name: str, colour: str) -> str | None:
    # A seed whose loss is no number any more ends in a cross; says so.
    ends = []
    for history in histories:
        curve = _rows_of(history, name)
        gone = [epoch for epoch, value in curve.items() if not isfinite(value)]
        if gone:
            finite = [epoch for epoch, value in curve.items() if isfinite(value) and epoch < min(gone)]
            ends.append((min(gone), max(finite, default=None)))
            if finite:
                panel.plot(max(finite), curve[max(finite)], "x", color=colour, markersize=9, markeredgewidth=2)
    if not ends:
        return None
    of = f"{len(ends)} of {len(histories)} seeds: " if len(histories) > 1 else ""
    return f"{of}no longer a number from epoch {min(epoch for epoch, _ in ends):g} on"


def _plot_metric(panel: Axes, histories: Sequence[History], tag: str, unit: str) -> None:
    several, told = len(histories) > 1, None
    for stage, (label, colour) in STAGES.items():
        name = f"{stage}{tag}"
        curves = [curve for curve in (_rows_of(history, name) for history in histories) if curve]
        if not curves:
            continue
        epochs = dict.fromkeys(epoch for curve in curves for epoch in curve)
        # Of a seed whose loss is no number any more, worse than any.
        middle = {e: median(v if isfinite(v := curve[e]) else inf for curve in curves if e in curve) for e in epochs}
        marker = "." if len(middle) < 15 else None
        named = label or LABELS.get(tag, tag)
        for curve in curves if several else ():
            panel.plot(list(curve), list(curve.values()), color=colour, linewidth=SEED_WIDTH, alpha=SEED_ALPHA)
        wide = {"linewidth": MEDIAN_WIDTH, "label": f"{named}, median of {len(curves)} seeds"} if several else {}
        look: dict[str, Any] = {"linewidth": 1.4, "label": label} | wide
        panel.plot(list(middle), list(middle.values()), color=colour, marker=marker, **look)
        told = _mark_divergence(panel, histories, name, colour) or told
    if several and panel.lines:
        panel.plot([], [], color="0.4", linewidth=SEED_WIDTH, label="each seed")
    if told is not None:
        panel.plot([], [], "x", color="0.2", markersize=8, label=told)
    panel.set_xlabel("epoch")
    panel.set_ylabel(_label(tag, unit))
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    panel.grid()


def _label(tag: str, unit: str) -> str:
    if not unit or tag not in (*UNITS, "loss"):
        return LABELS.get(tag, tag)
    return f"mean squared error, ({unit})²" if tag == "loss" else f"{UNITS[tag]} ({unit})"


def _needs_log(panel: Axes) -> bool:
    lines = [np.asarray(line.get_ydata(), float) for line in panel.lines if line.get_linestyle() != "--"]
    finite = [value for line in lines for value in line if np.isfinite(value)]
    return bool(finite) and 0 < OF_LOG_SCALE * min(finite) < max(finite)


def _set_log(panel: Axes) -> None:
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter(NullFormatter())
