"""Images with captions, read back from what is drawn."""

import numpy as np
import pytest
import torch

from torchann.pictures.images import RIGHT, WRONG, labelled_images
from torchann.pictures.raster import as_image


def sheet_of(canvas):
    return canvas.axes[0].images[0].get_array()


def tile(canvas, number, height, width):
    """The pixels above a caption."""
    across, up = canvas.axes[0].texts[number].get_position()
    left, bottom = round(across - width / 2), int(up)
    return sheet_of(canvas)[bottom - height : bottom, left : left + width]


def test_captions_are_coloured_by_right_and_wrong():
    canvas = labelled_images(torch.rand(3, 8, 8), ["a", "b\nis c", "d"], [True, False, True])
    assert [text.get_text() for text in canvas.axes[0].texts] == ["a", "b\nis c", "d"]
    assert [text.get_color() for text in canvas.axes[0].texts] == [RIGHT, WRONG, RIGHT]


def test_captions_are_below_their_images_in_lines_of_six():
    canvas = labelled_images(np.zeros((8, 28, 28)), [str(number) for number in range(8)], [True] * 8)
    places = np.array([text.get_position() for text in canvas.axes[0].texts])
    assert len(set(places[:6, 1])) == 1
    assert places[6, 1] > places[0, 1]  # The y-axis leads down.
    np.testing.assert_array_equal(places[6:, 0], places[:2, 0])
    assert canvas.axes[0].yaxis_inverted()


def test_grey_images_are_drawn_from_the_lowest_black_to_the_highest_white():
    images = np.random.default_rng(0).normal(size=(8, 28, 20))
    canvas = labelled_images(images, [""] * 8, [True] * 8)
    for number, image in enumerate(images):
        wanted = (image - images.min()) / (images.max() - images.min())
        np.testing.assert_allclose(tile(canvas, number, 28, 20), np.stack([wanted] * 3, 2))


def test_bytes_keep_their_shades():
    images = torch.full((1, 8, 8), 51, dtype=torch.uint8)
    np.testing.assert_allclose(tile(labelled_images(images, [""], [True]), 0, 8, 8), 0.2)


def test_coloured_images_keep_their_colours():
    images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    images[1, 2, :3] = 255  # the upper lines
    canvas = labelled_images(images, ["", ""], [True, False])
    assert tile(canvas, 0, 8, 8).max() == 0
    assert (tile(canvas, 1, 8, 8)[:3] == [0, 0, 1]).all()
    assert (tile(canvas, 1, 8, 8)[3:] == 0).all()


@pytest.mark.parametrize("pixel", [0.0, np.nan, np.inf])
def test_images_without_shades_can_be_drawn(pixel):
    canvas = labelled_images(np.full((2, 8, 8), pixel), ["", ""], [True, False])
    assert sheet_of(canvas).min() == 0
    as_image(canvas)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.int64])
def test_pixel_that_is_no_number_is_black_among_others_of_any_dtype(dtype):
    images = torch.arange(64).view(1, 8, 8).to(dtype)
    if dtype.is_floating_point:
        images[0, 3, 3] = float("nan")
    shown = tile(labelled_images(images, [""], [True]), 0, 8, 8)
    assert shown[0, 0, 0] == 0 and shown[7, 7, 0] == 1
    assert shown[3, 3, 0] == (0 if dtype.is_floating_point else pytest.approx(27 / 63))


def test_images_are_one_drawing():
    (panel,) = labelled_images(np.zeros((32, 28, 28)), [""] * 32, [True] * 32).axes
    assert len(panel.images) == 1


@pytest.mark.parametrize("count", [1, 4, 24])
def test_title_and_captions_fit_into_the_picture(count):
    title = "the surest mistakes of the 5000 validation rows, epoch 29"
    canvas = labelled_images(
        np.zeros((count, 28, 28)), ["T-shirt/top 100%\nis Ankle boot"] * count, [False] * count, title
    )
    as_image(canvas)
    for text in [*canvas.axes[0].texts, *canvas.texts]:
        box = text.get_window_extent()
        assert canvas.bbox.x0 <= box.x0 and box.x1 <= canvas.bbox.x1
        assert canvas.bbox.y0 <= box.y0 and box.y1 <= canvas.bbox.y1


def test_dollar_signs_in_captions_are_no_formulas():
    as_image(labelled_images(np.zeros((1, 8, 8)), [r"$\a$"], [True], r"$\b$"))


@pytest.mark.parametrize("shape", [(8, 8), (2, 4, 8, 8), (0, 8, 8)])
def test_images_of_another_shape_are_an_error(shape):
    with pytest.raises(ValueError, match=r"images are \(.*\); give one or more, \(n, height, width\) or"):
        labelled_images(np.zeros(shape), [""] * shape[0], [True] * shape[0])


def test_missing_caption_is_an_error():
    with pytest.raises(ValueError, match="2 images, 1 captions and 2 right; give one of each"):
        labelled_images(np.zeros((2, 8, 8)), [""], [True, True])
