"""Pictures as arrays of pixels."""

import numpy as np
from matplotlib.figure import Figure

from torchann.pictures.raster import as_image


def test_image_has_a_hundred_pixels_per_inch():
    image = as_image(Figure(figsize=(5, 3)))
    assert image.dtype == np.uint8
    assert image.shape == (300, 500, 3)


def test_image_has_red_green_and_blue_in_this_order():
    assert as_image(Figure(figsize=(1, 1), facecolor="#ff8000"))[50, 50].tolist() == [255, 128, 0]


def test_image_starts_at_the_top():
    figure = Figure(figsize=(1, 1))
    figure.add_axes((0, 0.5, 1, 0.5), facecolor="black").set(xticks=[], yticks=[])
    image = as_image(figure)
    assert image[25, 50].tolist() == [0, 0, 0]
    assert image[75, 50].tolist() == [255, 255, 255]


def test_canvas_keeps_its_own_resolution():
    figure = Figure(figsize=(2, 1), dpi=72)
    as_image(figure)
    assert figure.dpi == 72


def test_image_does_not_change_with_what_is_drawn_later():
    figure = Figure(figsize=(1, 1))
    image = as_image(figure)
    figure.set_facecolor("black")
    as_image(figure)
    assert image.min() == 255
    assert image.flags.owndata and image.flags.c_contiguous
