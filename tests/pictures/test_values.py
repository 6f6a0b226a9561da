"""Pictures of predicted values, read back from what is drawn."""

import numpy as np
import pytest
import torch

from torchann.pictures.raster import as_image
from torchann.pictures.values import predicted_against_true, residual_map, residuals

NAME = "MedHouseVal (100,000 USD)"


def values(rows=400, seed=0):
    y, noise = np.random.default_rng(seed).normal(size=(2, rows))
    return y, y + 0.3 * noise


def dots(panel):
    return panel.lines[0].get_xydata()


def test_each_row_is_a_dot_across_what_is_true_and_up_what_is_predicted():
    y, y_hat = values()
    (panel,) = predicted_against_true(torch.tensor(y), torch.tensor(y_hat, requires_grad=True), NAME).axes
    np.testing.assert_array_equal(dots(panel), np.stack([y, y_hat], 1))
    assert panel.get_xlabel() == f"true {NAME}"
    assert panel.get_ylabel() == f"predicted {NAME}"


def test_diagonal_is_where_predicted_and_true_are_equal_on_equal_axes():
    (panel,) = predicted_against_true(*values(), NAME).axes
    diagonal = panel.lines[1]
    assert diagonal.get_xy1() == (0, 0) and diagonal.get_slope() == 1
    assert panel.get_xlim() == panel.get_ylim()
    assert panel.get_aspect() == 1


def test_more_rows_are_fainter():
    faint = [predicted_against_true(*values(rows), NAME).axes[0].lines[0].get_alpha() for rows in (100, 2000, 10_000)]
    assert faint == sorted(set(faint), reverse=True)


def test_outlier_does_not_squash_the_rest_and_is_told():
    y, y_hat = values()
    y_hat[0] = 1e6
    (panel,) = predicted_against_true(y, y_hat, NAME).axes
    assert panel.get_ylim()[1] < 10
    assert panel.get_title() == "1 of 400 rows beyond the axes"


def test_residuals_are_true_minus_predicted_over_predicted():
    panel = residuals([1.0, 2.0], [1.5, 1.0], NAME).axes[0]
    assert dots(panel).tolist() == [[1.5, -0.5], [1.0, 1.0]]
    assert panel.get_ylabel() == f"residual (true − predicted)\n{NAME}"
    assert panel.get_xlabel() == f"predicted {NAME}"


def test_histogram_has_all_rows_and_tells_mean_and_standard_deviation():
    # Residuals 1, -1, 3 and -1: mean 0.5, standard deviation √(¼·0.25 + ½·2.25 + ¼·6.25) = √2.75.
    bars = residuals([1.0, 0.0, 3.0, 0.0], [0.0, 1.0, 0.0, 1.0], NAME).axes[1]
    assert sum(bar.get_width() for bar in bars.patches) == 4
    assert bars.get_title() == "mean 0.5\nstandard deviation 1.66"


def test_map_has_a_dot_for_each_row_coloured_by_its_residual():
    longitude, latitude, left = np.random.default_rng(0).normal(size=(3, 50))
    canvas = residual_map(longitude, latitude, left, NAME)
    panel, bar = canvas.axes
    (shown,) = panel.collections
    np.testing.assert_array_equal(shown.get_offsets(), np.stack([longitude, latitude], 1))
    np.testing.assert_array_equal(shown.get_array(), left)
    assert bar.get_ylabel() == f"residual (true − predicted)\n{NAME}"


def test_colours_of_the_map_are_symmetric_and_cut_off_where_a_hundredth_is_left():
    left = np.append(np.full(999, -2.0), 1e6)
    shown = residual_map(np.zeros(1000), np.zeros(1000), left, NAME).axes[0].collections[0]
    assert shown.get_clim() == (-2, 2)
    assert shown.colorbar.extend == "both"
    assert residual_map([0.0], [0.0], [1.0], NAME).axes[0].collections[0].colorbar.extend == "neither"


@pytest.mark.parametrize(("latitude", "aspect"), [(0.0, 1), (60.0, 2), (-60.0, 2), (90.0, 10), (180.0, 10)])
def test_degree_of_longitude_is_as_wide_as_it_is_at_the_mean_latitude(latitude, aspect):
    # cos 60° = ½; at the pole, and where the numbers are no degrees, there is an end.
    panel = residual_map([0.0, 1.0], [latitude, latitude], [0.0, 1.0], NAME).axes[0]
    assert panel.get_aspect() == pytest.approx(aspect)


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf, 1e200])
@pytest.mark.parametrize("draw", [predicted_against_true, residuals])
def test_predictions_that_are_not_finite_are_left_out_and_told(draw, strange):
    y, y_hat = values(10)
    y_hat[[2, 5]] = strange
    canvas = draw(y, y_hat, NAME, "epoch 3")
    assert canvas.axes[0].get_title() == "2 of 10 rows left out: not finite"
    assert canvas.get_suptitle() == "epoch 3"
    assert len(dots(canvas.axes[0])) == 8
    as_image(canvas)


def test_residuals_that_are_not_finite_are_left_out_of_the_map_and_told():
    panel = residual_map([1.0, 2.0, np.nan], [1.0, 2.0, 3.0], [1.0, np.nan, 3.0], NAME).axes[0]
    assert panel.get_title() == "2 of 3 rows left out: not finite"
    assert panel.collections[0].get_offsets().tolist() == [[1, 1]]


@pytest.mark.parametrize("y_hat", [np.full(5, np.nan), np.zeros(5), np.full(5, 1e99), np.array([0, 1, 1e38, -1e38, 2])])
def test_diverged_and_constant_runs_can_be_drawn(y_hat):
    y = np.arange(5.0)
    for canvas in (predicted_against_true(y, y_hat, NAME), residuals(y, y_hat, NAME), residual_map(y, y, y_hat, NAME)):
        as_image(canvas)


def test_single_row_and_none_can_be_drawn():
    for y in ([], [1.0]):
        for canvas in (predicted_against_true(y, y, NAME), residuals(y, y, NAME), residual_map(y, y, y, NAME)):
            as_image(canvas)


def test_dollar_signs_in_names_are_no_formulas():
    for canvas in (predicted_against_true(*values(), r"$\a$"), residuals(*values(), r"$\a$")):
        as_image(canvas)
    as_image(residual_map([0.0], [0.0], [1.0], r"$\a$"))


@pytest.mark.parametrize("draw", [predicted_against_true, residuals])
def test_column_of_outputs_is_an_error(draw):
    with pytest.raises(ValueError, match=r"y \(3,\), y_hat \(3, 1\) must be .*; squeeze \(rows, 1\) to \(rows,\)"):
        draw(np.zeros(3), np.zeros((3, 1)), NAME)


def test_map_of_unlike_columns_is_an_error():
    with pytest.raises(ValueError, match=r"longitude \(3,\), latitude \(2,\), residuals \(3,\) must be"):
        residual_map(np.zeros(3), np.zeros(2), np.zeros(3), NAME)
