"""Pictures as arrays of pixels, which TensorBoard takes."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

DPI = 100  # pixels per inch of a figure's size


def as_image(figure: Figure) -> NDArray[np.uint8]:
    """Draw a picture into an array; needs no screen.

    Args:
        figure: the picture, on a background that is not transparent.

    Returns:
        Red, green and blue, ``(height, width, 3)``, 0 to 255: what ``add_image(..., dataformats="HWC")`` takes.

    Example:
        >>> as_image(Figure(figsize=(6, 4))).shape
        (400, 600, 3)
    """
    before, agg = figure.dpi, FigureCanvasAgg(figure)
    figure.dpi = DPI
    try:
        agg.draw()  # type: ignore[no-untyped-call]
        return np.asarray(agg.buffer_rgba())[:, :, :3].copy()  # type: ignore[no-untyped-call]
    finally:
        figure.dpi = before
