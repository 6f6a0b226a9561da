"""Pictures of pictures: images with captions, and the weights of a first layer as images or as a table."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from torchann.pictures.arrays import Numbers, as_array, drawable, symmetric_limit
from torchann.pictures.boundaries import PALETTE
from torchann.pictures.labels import as_given, shorten
from torchann.pictures.mosaic import mosaic

RIGHT, WRONG = PALETTE[0], PALETTE[5]  # blue and vermilion, told apart by colour-blind readers
COLUMNS, CELL = 6, 1.3  # images in a line, and inches of each
MOST_UNITS = 100
MOST_NAMES = 40


@as_given
def labelled_images(images: Any, captions: Sequence[str], right: Sequence[bool], title: str = "") -> Figure:
    """Images with captions below, blue if they are right and red if they are wrong.

    Args:
        images: grey, ``(n, height, width)``, or red, green and blue, ``(n, 3, height, width)``; unsigned bytes, or
            numbers of which the lowest of all is drawn black and the highest white.
        captions: one each, of one or two short lines.
        right: one each.
        title: above the picture.

    Raises:
        ValueError: if the images have another shape, or there are more or fewer captions.

    Example:
        >>> figure = labelled_images(np.zeros((2, 28, 28)), ["Bag 98%", "Coat 60%\\nis Shirt"], [True, False])
        >>> [text.get_color() for text in figure.axes[0].texts]
        ['#0072b2', '#d55e00']
    """
    tiles = as_array(images)
    if tiles.ndim not in (3, 4) or (tiles.ndim == 4 and tiles.shape[1] != 3) or not len(tiles):
        raise ValueError(f"images are {tiles.shape}; give one or more, (n, height, width) or (n, 3, height, width)")
    if not len(tiles) == len(captions) == len(right):
        raise ValueError(f"{len(tiles)} images, {len(captions)} captions and {len(right)} right; give one of each")
    tiles = _shades(tiles)
    tiles = np.repeat(tiles[..., None], 3, 3) if tiles.ndim == 3 else np.moveaxis(tiles, 1, 3)
    height, width, columns = *tiles.shape[1:3], min(COLUMNS, len(tiles))
    lines = 1 + max(caption.count("\n") for caption in captions)
    beside = max(1, width // 12)
    inch = (width + beside) / CELL
    below = ceil((0.08 + 0.16 * lines) * inch)
    sheet = mosaic(tiles, columns, below, beside, 1.0)
    picture, above = sheet.shape[0] / inch, 0.4 if title else 0.1
    figure = Figure(figsize=(max(0.09 * len(title), columns * CELL), picture + above))
    figure.suptitle(title, y=1 - 0.08 / (picture + above), va="top", fontsize=11)
    panel = figure.add_axes((0, 0, 1, picture / (picture + above)))
    panel.imshow(sheet, extent=(0, sheet.shape[1], sheet.shape[0], 0), interpolation="nearest")
    panel.set_xlim(-beside / 2, sheet.shape[1] - beside / 2)
    panel.set_axis_off()
    for number, (caption, is_right) in enumerate(zip(captions, right, strict=True)):
        row, column = divmod(number, columns)
        place = (column * (width + beside) + width / 2, row * (height + below) + height + 0.03 * inch)
        said = "\n".join(shorten(line) for line in caption.split("\n"))
        panel.text(*place, said, ha="center", va="top", fontsize=8, color=RIGHT if is_right else WRONG)
    return figure


def _shades(images: Numbers) -> Numbers:
    # From 0, black, to 1, white.
    if images.dtype == np.uint8:
        return images / np.float32(255)
    known = drawable(images)
    lowest, highest = (images[known].min(), images[known].max()) if known.any() else (0, 1)
    return np.asarray((np.where(known, images, lowest) - float(lowest)) / (float(highest) - lowest or 1))


@as_given
def weights_as_images(weight: Any, shape: tuple[int, int], title: str = "") -> Figure:
    """The weights of each unit as an image: red pixels excite it, blue ones inhibit it.

    Args:
        weight: of a linear layer whose inputs are the pixels, ``(units, height * width)``; 100 units at most are drawn.
        shape: height and width.
        title: above the picture.

    Raises:
        ValueError: if there is not a weight for each pixel.

    Example:
        >>> figure = weights_as_images(np.ones((300, 784)), (28, 28), "weights")
        >>> figure.axes[0].get_title()
        'the first 100 of 300 units'
    """
    weights, (height, width) = as_array(weight), shape
    if weights.ndim != 2 or weights.shape[1] != height * width:
        raise ValueError(f"weight is {weights.shape}, with shape {shape}; give weights (units, {height * width})")
    shown = weights[:MOST_UNITS].reshape(-1, height, width).astype(float)
    gap = max(1, min(shape) // 10)
    # As wide as high, more or less.
    columns = max(1, min(len(shown), ceil((len(shown) * height / width) ** 0.5)))
    sheet = mosaic(shown, columns, gap, gap, np.nan)[:-gap, :-gap]
    tall = 5.6 * sheet.shape[0] / sheet.shape[1] + 0.6
    figure = Figure(figsize=(6.5, min(10.0, max(2.5, tall))), layout="constrained")
    panel = figure.subplots()
    _draw_weights(figure, panel, sheet, title, len(weights), interpolation="nearest")
    panel.set_axis_off()
    return figure


@as_given
def weight_table(weight: Any, feature_names: Sequence[str], title: str = "") -> Figure:
    """The weights of each unit in a column, a line for each feature: red excites it, blue inhibits it.

    Args:
        weight: of a linear layer, ``(units, features)``; 100 units at most are drawn.
        feature_names: one for each feature.
        title: above the picture.

    Raises:
        ValueError: if there are more or fewer names than features.

    Example:
        >>> figure = weight_table(np.ones((3, 2)), ["petal length", "petal width"])
        >>> figure.axes[0].images[0].get_array().shape
        (2, 3)
    """
    weights, count = as_array(weight), len(feature_names)
    if weights.ndim != 2 or weights.shape[1] != count:
        raise ValueError(f"weight is {weights.shape}, with {count} feature_names; give weights (units, {count})")
    figure = Figure(figsize=(7.5, min(9.0, 1.6 + 0.3 * count)), layout="constrained")
    panel = figure.subplots()
    _draw_weights(figure, panel, weights[:MOST_UNITS].astype(float).T, title, len(weights), aspect="auto")
    step = ceil(count / MOST_NAMES) or 1
    panel.set_yticks(range(0, count, step), [shorten(name) for name in feature_names[::step]], fontsize=9)
    panel.set_xlabel("unit, numbered from 0")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _draw_weights(figure: Figure, panel: Axes, sheet: Numbers, title: str, units: int, **how: Any) -> None:
    limit = symmetric_limit(sheet)
    figure.suptitle(title)
    image = panel.imshow(sheet, cmap=colormaps["RdBu_r"], vmin=-limit, vmax=limit, **how)
    cut = "both" if (np.abs(sheet) > limit).any() else "neither"
    figure.colorbar(image, ax=panel, label="weight", extend=cut, aspect=30)
    if units > MOST_UNITS:
        panel.set_title(f"the first {MOST_UNITS} of {units} units", fontsize=9)
