"""Limits that outliers do not decide, worked by hand, and mosaics whose tiles are found again."""

import numpy as np
import pytest
import torch

from torchann.pictures.arrays import as_array, drawable, robust_limits, symmetric_limit
from torchann.pictures.labels import shorten
from torchann.pictures.mosaic import mosaic


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool]
)
def test_tensor_of_any_dtype_becomes_an_array(dtype):
    assert as_array(torch.tensor([0, 1], dtype=dtype)).astype(float).tolist() == [0, 1]


def test_tensor_with_a_gradient_and_a_list_become_arrays():
    assert as_array(torch.tensor([1.5], requires_grad=True)).tolist() == [1.5]
    assert as_array([1.5]).tolist() == [1.5]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_that_are_none_cannot_be_drawn_in_any_dtype(dtype):
    assert drawable(np.array([np.nan, np.inf, -np.inf, 1], dtype)).tolist() == [False, False, False, True]


def test_limits_hold_all_values_where_none_lies_far_away():
    values = np.random.default_rng(0).normal(size=1000)
    low, high = robust_limits(values)
    assert low < values.min() < values.max() < high


def test_limits_reach_half_as_far_again_as_the_middle_of_the_values():
    # The middle 99 % of 0 to 1000 are 5 to 995; 995 + 990 / 2 = 1490, and 3 % of 0 to 1490 are a margin of 44.7.
    low, high = robust_limits(np.append(np.arange(1001.0), 1e9))
    assert high == pytest.approx(1490 + 44.7, rel=2e-3)
    assert low == pytest.approx(-44.7, rel=2e-3)


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-5.0], []])
def test_limits_differ_even_if_values_do_not(values):
    low, high = robust_limits(np.array(values))
    assert low < high
    assert all(low < value < high for value in values)


def test_diverging_colours_end_below_the_farthest_hundredth():
    # Of 1 to 1000, 990 and 991 are on either side of 99 %.
    values = np.arange(1, 1001.0)
    assert symmetric_limit(values) == symmetric_limit(-values) == 991


@pytest.mark.parametrize(("values", "limit"), [([0, 0], 1), ([], 1), ([np.nan], 1), ([0] * 999 + [-4], 4)])
def test_diverging_colours_have_an_end_above_zero(values, limit):
    assert symmetric_limit(np.array(values, float)) == limit


def test_mosaic_holds_each_tile_in_its_place():
    tiles = np.random.default_rng(0).random((5, 4, 3, 3))
    sheet = mosaic(tiles, columns=2, below=2, beside=1, fill=1.0)
    assert sheet.shape == (3 * 6, 2 * 4, 3)
    for number, tile in enumerate(tiles):
        top, left = 6 * (number // 2), 4 * (number % 2)
        assert (sheet[top : top + 4, left : left + 3] == tile).all()
    assert (sheet[12:, 4:] == 1).all()


def test_long_name_is_cut_to_its_length_with_a_mark():
    assert shorten("a" * 21) == "a" * 19 + "…"
    assert shorten("a" * 20) == "a" * 20
