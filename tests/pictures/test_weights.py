"""The weights of a first layer as images and as a table, read back from what is drawn."""

import numpy as np
import pytest
import torch
from matplotlib import colormaps

from torchann.pictures.images import weight_table, weights_as_images
from torchann.pictures.raster import as_image

DRAW = [lambda weight: weights_as_images(weight, (2, 3)), lambda weight: weight_table(weight, list("abcdef"))]


def sheet_of(canvas):
    return np.ma.filled(canvas.axes[0].images[0].get_array(), np.nan)


def test_weights_of_each_unit_are_an_image_by_rows_of_pixels():
    weight = torch.arange(4 * 6.0).view(4, 6)
    sheet = sheet_of(weights_as_images(weight, (2, 3)))
    # 2 by 3 pixels: √(4·2/3) is 1.6, so two columns, with a pixel between.
    assert sheet.shape == (2 + 1 + 2, 3 + 1 + 3)
    np.testing.assert_array_equal(sheet[:2, :3], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(sheet[3:, 4:], [[18, 19, 20], [21, 22, 23]])
    assert np.isnan(sheet[2]).all() and np.isnan(sheet[:, 3]).all()


@pytest.mark.parametrize("draw", DRAW)
def test_colours_of_weights_are_symmetric_about_zero_with_a_bar(draw):
    canvas = draw(np.linspace(-3, 1, 24).reshape(4, 6))
    image = canvas.axes[0].images[0]
    assert image.get_clim() == (-3, 3)
    assert image.cmap == colormaps["RdBu_r"]
    assert canvas.axes[1].get_ylabel() == "weight"


@pytest.mark.parametrize("draw", DRAW)
def test_no_more_than_a_hundred_units_are_drawn_and_the_title_says_so(draw):
    assert draw(np.ones((100, 6))).axes[0].get_title() == ""
    canvas = draw(np.ones((101, 6)))
    assert canvas.axes[0].get_title() == "the first 100 of 101 units"
    assert np.nansum(sheet_of(canvas)) == 100 * 6


@pytest.mark.parametrize("draw", DRAW)
@pytest.mark.parametrize("weight", [0.0, np.nan, np.inf])
def test_weights_of_a_diverged_run_can_be_drawn(draw, weight):
    as_image(draw(np.full((4, 6), weight, np.float32)))


def test_table_has_a_line_for_each_feature_and_a_column_for_each_unit():
    weight = torch.randn(5, 3, requires_grad=True)
    panel = weight_table(weight, ["MedInc", "HouseAge", "AveRooms"]).axes[0]
    np.testing.assert_array_equal(panel.images[0].get_array(), weight.detach().numpy().T)
    assert [label.get_text() for label in panel.get_yticklabels()] == ["MedInc", "HouseAge", "AveRooms"]
    assert panel.get_xlabel() == "unit, numbered from 0"


def test_single_unit_has_its_number_alone():
    canvas = weight_table(np.ones((1, 2)), ["a", "b"])
    as_image(canvas)
    assert [tick for tick in canvas.axes[0].get_xticks() if -0.5 < tick < 0.5] == [0]


def test_very_many_features_are_named_at_intervals():
    panel = weight_table(np.ones((2, 81)), [str(number) for number in range(81)]).axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == [str(number) for number in range(0, 81, 3)]


def test_weights_without_a_pixel_each_are_an_error():
    with pytest.raises(ValueError, match=r"weight is \(4, 6\), with shape \(2, 2\); give weights \(units, 4\)"):
        weights_as_images(np.ones((4, 6)), (2, 2))


def test_weights_without_a_name_each_are_an_error():
    with pytest.raises(ValueError, match=r"weight is \(4, 6\), with 2 feature_names; give weights \(units, 2\)"):
        weight_table(np.ones((4, 6)), ["a", "b"])
