"""Confusion matrices: which classes are taken for which."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

from torchann.pictures.arrays import Numbers, as_array
from torchann.pictures.labels import as_given, shorten

BESIDE = 4  # classes, at most, for the two panels to fit beside one another
WITH_NUMBERS = 15  # classes, at most, for numbers to fit in the cells
ALONG = 36  # letters, at most, of names that fit below a panel without being turned
NAMED = 35  # names, at most, that fit along an axis


@as_given
def confusion_matrices(y: Any, predicted: Any, class_names: Sequence[str], title: str = "") -> Figure:
    """Two confusion matrices: how many rows, and which share of the rows of each true class.

    In the second only mistakes are coloured, by a scale that ends at the largest share, to stand out even if few.

    Args:
        y: true classes, ``(rows,)``, numbers from 0.
        predicted: what they are taken for, ``(rows,)``, numbers from 0.
        class_names: all classes, in the order of their numbers; those that do not occur have an empty row.
        title: above the picture.

    Raises:
        ValueError: if the two differ in shape, are empty, or have numbers that no class has.

    Example:
        >>> figure = confusion_matrices([0, 0, 1], [0, 1, 1], ["no", "yes"])
        >>> [text.get_text() for text in figure.axes[1].texts]
        ['50%', '50%', '0%', '100%']
    """
    truth, said, count = as_array(y), as_array(predicted), len(class_names)
    _check_classes(truth, said, count)
    counts = confusion_matrix(truth, said, labels=range(count))
    shares = confusion_matrix(truth, said, labels=range(count), normalize="true")
    beside = count <= BESIDE
    figure = Figure(figsize=(8, 4) if beside else (5.2, 9.8), layout="constrained")
    figure.suptitle(title)
    first, second = figure.subplots(1, 2) if beside else figure.subplots(2, 1)
    _draw_matrix(first, counts, counts, "Blues", "d", class_names)
    first.set_title(f"rows: {counts.trace()} of {counts.sum()} right", fontsize=10)
    mistakes = np.where(np.eye(count, dtype=bool), np.nan, shares)
    _draw_matrix(second, shares, mistakes, "Oranges", ".0%", class_names)
    second.set_title("shares of each true class", fontsize=10)
    for number in np.flatnonzero(counts.sum(1) == 0):
        for text in second.texts[number * count : (number + 1) * count]:
            text.set_text("–")
    return figure


def _check_classes(truth: Numbers, said: Numbers, count: int) -> None:
    if truth.shape != said.shape or truth.ndim != 1 or not len(truth):
        raise ValueError(
            f"y {truth.shape} and predicted {said.shape} must be class numbers, one or more and one for each row; "
            "give the argmax of logits"
        )
    for name, numbers in (("y", truth), ("predicted", said)):
        strange = numbers[~np.isin(numbers, range(count))]
        if strange.size:
            raise ValueError(f"{name} has class {strange[0]}, but class_names names 0 to {count - 1}; name all classes")


def _draw_matrix(
    panel: Axes, matrix: Numbers, coloured: Numbers, colours: str, values_format: str, class_names: Sequence[str]
) -> None:
    count = len(class_names)
    numbers, step = count <= WITH_NUMBERS, ceil(count / NAMED)
    limit = max(np.nanmax(coloured, initial=0), 1e-9)
    display = ConfusionMatrixDisplay(matrix).plot(
        ax=panel,
        include_values=numbers,
        values_format=values_format,
        cmap=colormaps[colours].with_extremes(bad="#e8eef4"),
        colorbar=False,
        im_kw={"vmin": 0, "vmax": limit},
        # Out of the layout, which is twice as fast: they stay in their cells.
        text_kw={"fontsize": 9 if count <= 10 else 7, "in_layout": False},
    )
    display.im_.set_data(coloured)
    for text, value, tint in zip(panel.texts, matrix.flat, coloured.flat, strict=False):
        text.set_color("white" if tint > 0.6 * limit else "black" if value else "#9a9a9a")
    if not numbers:
        panel.figure.colorbar(display.im_, ax=panel, format=PercentFormatter(1) if "%" in values_format else None)
    names = [shorten(name) for name in class_names[::step]]
    size = 9 if count <= 20 else 7
    upright = count > BESIDE or count * max(len(name) for name in names) > ALONG
    panel.set_xticks(range(0, count, step), names, fontsize=size, rotation=90 if upright else 0)
    panel.set_yticks(range(0, count, step), names, fontsize=size)
    panel.set(xlabel="predicted class", ylabel="true class")
