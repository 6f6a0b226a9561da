"""How well values are predicted: against the true ones, what is left over, and where on the map."""

from math import cos, radians
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from torchann.pictures.arrays import Numbers, as_array, drawable, robust_limits, symmetric_limit
from torchann.pictures.boundaries import COLOURS
from torchann.pictures.labels import as_given

RESIDUAL = "true − predicted"


@as_given
def predicted_against_true(y: Any, y_hat: Any, name: str, title: str = "") -> Figure:
    """What is predicted for each row over what is true, with the diagonal on which the two are equal.

    Args:
        y: true values, ``(rows,)``.
        y_hat: predicted values, ``(rows,)``; rows with one that is not finite are left out, and the title says so.
        name: of the target, with its unit.
        title: above the picture.

    Raises:
        ValueError: if the two differ in shape.

    Example:
        >>> figure = predicted_against_true([1.0, 2.0, 3.0], [1.1, 1.9, float("nan")], "length (cm)")
        >>> figure.axes[0].get_title()
        '1 of 3 rows left out: not finite'
    """
    (true, predicted), left_out = _columns(y=y, y_hat=y_hat)
    limits = robust_limits(np.concatenate([true, predicted]))
    figure = Figure(figsize=(6, 6), layout="constrained")
    figure.suptitle(title)
    panel = figure.subplots()
    _draw_cloud(panel, true, predicted)
    panel.axline((0, 0), slope=1, color="black", linewidth=1, linestyle="--", label="predicted = true")
    panel.set(xlim=limits, ylim=limits, aspect="equal", xlabel=f"true {name}", ylabel=f"predicted {name}")
    outside = ~(_within(true, limits) & _within(predicted, limits))
    panel.set_title(_told(left_out, outside, len(as_array(y))), fontsize=9)
    panel.legend(loc="upper left")
    return figure


@as_given
def residuals(y: Any, y_hat: Any, name: str, title: str = "") -> Figure:
    """What is left over of each row, true minus predicted: over what is predicted, and how often.

    Args:
        y: true values, ``(rows,)``.
        y_hat: predicted values, ``(rows,)``; rows with one that is not finite are left out, and the title says so.
        name: of the target, with its unit.
        title: above the picture.

    Raises:
        ValueError: if the two differ in shape.

    Example:
        >>> figure = residuals([1.0, 2.0, 3.0], [1.5, 2.5, 3.5], "length (cm)")
        >>> figure.axes[1].get_title()
        'mean -0.5\\nstandard deviation 0'
    """
    (true, predicted), left_out = _columns(y=y, y_hat=y_hat)
    left = true - predicted
    across, up = robust_limits(predicted), robust_limits(left)
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    figure.suptitle(title)
    panel, bars = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    _draw_cloud(panel, predicted, left)
    panel.set(xlim=across, ylim=up, xlabel=f"predicted {name}", ylabel=f"residual ({RESIDUAL})\n{name}")
    panel.set_title(_told(left_out, ~(_within(predicted, across) & _within(left, up)), len(as_array(y))), fontsize=9)
    bars.hist(left, 50, range=up, orientation="horizontal", color=COLOURS[0])
    bars.set(xlabel="rows")
    if left.size:
        bars.set_title(f"mean {left.mean():.3g}\nstandard deviation {left.std():.3g}", fontsize=9)
    for axes in (panel, bars):
        axes.axhline(0, color="black", linewidth=1, linestyle="--")
    return figure


@as_given
def residual_map(longitude: Any, latitude: Any, residuals: Any, name: str, title: str = "") -> Figure:
    """Where on the map too little is predicted (red), and where too much (blue).

    Args:
        longitude: degrees, ``(rows,)``.
        latitude: degrees, ``(rows,)``.
        residuals: true minus predicted, ``(rows,)``; rows with one that is not finite are left out, and the title says
            so. The one in a hundred farthest from zero has the colours at the ends.
        name: of the target, with its unit.
        title: above the picture.

    Raises:
        ValueError: if the three differ in shape.

    Example:
        >>> figure = residual_map([-122.0, -118.0], [60.0, 60.0], [-0.5, 2.0], "price (USD)")
        >>> round(figure.axes[0].get_aspect(), 6)
        2.0
    """
    (across, up, left), left_out = _columns(longitude=longitude, latitude=latitude, residuals=residuals)
    limit = symmetric_limit(left)
    figure = Figure(figsize=(6.5, 6), layout="constrained")
    figure.suptitle(title)
    panel = figure.subplots()
    dots = panel.scatter(across, up, 11, c=left, cmap="RdBu_r", vmin=-limit, vmax=limit, linewidths=0)
    cut = "both" if (np.abs(left) > limit).any() else "neither"
    figure.colorbar(dots, ax=panel, label=f"residual ({RESIDUAL})\n{name}", extend=cut, shrink=0.8)
    # At the poles, or where the numbers are no degrees, the panel would be a thread.
    panel.set(xlabel="longitude (°)", ylabel="latitude (°)", facecolor="#c4c4c4")
    panel.set_aspect(1 / max(cos(radians(up.mean())), 0.1) if up.size else 1)
    panel.set_title(_told(left_out, np.zeros(0, bool), len(as_array(residuals))), fontsize=9)
    return figure


def _columns(**given: Any) -> tuple[list[Numbers], int]:
    # The rows that can be drawn, and how many cannot.
    columns = {name: as_array(values).astype(float) for name, values in given.items()}
    shapes = {column.shape for column in columns.values()}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1:
        message = ", ".join(f"{name} {column.shape}" for name, column in columns.items())
        raise ValueError(f"{message} must be columns of numbers as long as one another; squeeze (rows, 1) to (rows,)")
    rows = drawable(*columns.values())
    return [column[rows] for column in columns.values()], int((~rows).sum())


def _within(values: Numbers, limits: tuple[float, float]) -> Numbers:
    return np.asarray((values >= limits[0]) & (values <= limits[1]))


def _told(left_out: int, outside: Numbers, count: int) -> str:
    message = [f"{left_out} of {count} rows left out: not finite"] if left_out else []
    return "; ".join(message + ([f"{outside.sum()} of {count} rows beyond the axes"] if outside.any() else []))


def _draw_cloud(panel: Axes, across: Numbers, up: Numbers) -> None:
    # The more rows, the fainter each, for their density to show.
    faint = min(0.8, max(0.15, 800 / max(1, len(up))))
    panel.plot(across, up, "o", markersize=3, markeredgewidth=0, color=COLOURS[0], alpha=faint)
    panel.grid(alpha=0.3)
