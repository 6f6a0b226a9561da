"""What is said of a value that cannot be used: which it is, where it is, and what to do."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from torch import nn

from torchann.nets.checks import check_classes, check_finite, check_tensor, check_width, explain

NAN, INF = float("nan"), float("inf")
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@settings(max_examples=200, deadline=None)
@given(arrays(np.float64, array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)))
def test_check_finite_agrees_with_numpy(array):
    # in float64 nothing overflows; the array that numpy calls finite is the one that passes
    rows = torch.from_numpy(array)
    if np.isfinite(array).all():
        check_finite(rows, "inputs", dtype=torch.float64)
    else:
        first = np.argwhere(~np.isfinite(array))[0]
        bad = np.unique(np.argwhere(~np.isfinite(array))[:, 0])
        told = rf"inputs have {array[tuple(first)]:g} in row {first[0]}\b.*\({len(bad)} in all\)"
        with pytest.raises(ValueError, match=told):
            check_finite(rows, "inputs", dtype=torch.float64)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_every_float_dtype_is_looked_at(dtype, value):
    rows = torch.ones(4, 3, dtype=dtype)
    check_finite(rows * torch.finfo(dtype).max, "inputs", dtype=dtype)
    rows[2, 1] = value
    with pytest.raises(ValueError, match=rf"^inputs have {value:g} in row 2, column 1; drop such rows \(1 in all\)"):
        check_finite(rows, "inputs")


def test_integers_and_no_rows_are_finite():
    for rows in (torch.tensor([[1, 2]]), torch.tensor([True]), torch.zeros(0, 3), torch.zeros(3, 0)):
        check_finite(rows, "inputs")


def test_number_that_the_net_cannot_hold_is_refused():
    # float32 ends at 3.4028e38
    rows = torch.tensor([[1.0], [3.5e38]], dtype=torch.float64)
    check_finite(rows, "inputs", dtype=torch.float64)
    with pytest.raises(
        ValueError, match=r"inputs have 3.5e\+38 in row 1, column 0, more than torch.float32 can hold; drop"
    ):
        check_finite(rows, "inputs")


def test_place_has_the_column_s_name_where_there_is_one_for_each():
    rows = torch.tensor([[1.0, 2.0], [3.0, NAN]])
    with pytest.raises(ValueError, match="nan in row 11, column 'width';"):
        check_finite(rows, "inputs", ["length", "width"], numbers=range(10, 20))
    with pytest.raises(ValueError, match="nan in row 1, column 1;"):
        check_finite(rows, "inputs", ["length"])
    with pytest.raises(ValueError, match=r"nan in row 0, place \(1, 1\);"):
        check_finite(rows[None], "images", ["length", "width"])


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (("setosa", "virginica"), "y are a tuple of str; give a tensor, with classes numbered from 0"),
        (np.array(["setosa"]), "y are a ndarray of str; give a tensor, with classes numbered from 0"),
        (np.zeros(3), "y are a ndarray; give a tensor, as torch.as_tensor makes one"),
        ([], "y are a list; give a tensor, as torch.as_tensor makes one"),
        (None, "y are a NoneType; give a tensor"),
        (torch.zeros(2, dtype=torch.complex64), "y are torch.complex64; give real numbers"),
    ],
    ids=str,
)
def test_what_is_no_tensor_of_real_numbers_is_refused(part, told):
    with pytest.raises(TypeError, match=told):
        check_tensor(part, "y")


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((70, 4), r"inputs \(70, 4\) have 4 numbers per row and in_features is 3; give \(rows, 3\)$"),
        ((70, 1), r"inputs \(70, 1\) have 1 number per row"),
        ((70, 2, 2), r"inputs \(70, 2, 2\) have 4 numbers per row"),
        ((70,), r"inputs \(70,\) have 1 number per row .*; are x and y swapped\?$"),
    ],
)
def test_rows_of_another_width_are_refused(shape, told):
    with pytest.raises(ValueError, match=told):
        check_width(torch.zeros(shape), 3, "inputs")


def test_rows_may_be_images_unless_they_must_be_vectors():
    check_width(torch.zeros(5, 2, 3), 6, "inputs")
    with pytest.raises(
        ValueError, match=r"inputs \(5, 2, 3\) have 6 numbers per row and in_features is 6; give \(rows, 6\)"
    ):
        check_width(torch.zeros(5, 2, 3), 6, "inputs", flat=True)
    with pytest.raises(
        ValueError, match=r"inputs \(5,\) have 1 number per row and in_features is 1; give \(rows, 1\)$"
    ):
        check_width(torch.zeros(5), 1, "inputs")


@pytest.mark.parametrize(
    ("y", "num_classes", "told"),
    [
        ([1, -1, 1], 2, r"a target -1; give whole numbers from 0 to 1: for -1 and \+1, \(y \+ 1\) / 2"),
        ([1, 2, 3], 3, "a target 3; give whole numbers from 0 to 2: for classes counted from 1, y - 1"),
        ([0, 1, 3], 3, "a target 3; give whole numbers from 0 to 2, or a larger num_classes"),
        ([0, 1, 2], 2, "a target 2; give whole numbers from 0 to 1$"),
        ([0, -1, 1], 3, "a target -1; give whole numbers from 0 to 2$"),
        ([0.5, 1.0], 2, "a target 0.5; give whole numbers from 0 to 1$"),
        ([NAN, 1.0], 2, "a target nan; give whole numbers from 0 to 1$"),
        ([INF, 1.0], 3, "a target inf; give whole numbers from 0 to 2"),
    ],
)
def test_targets_that_are_no_classes_are_refused(y, num_classes, told):
    with pytest.raises(ValueError, match=told):
        check_classes(torch.tensor(y), num_classes)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bool, torch.int64, torch.float32])
def test_classes_may_be_of_any_number_type(dtype):
    check_classes(torch.tensor([0, 1, 1]).to(dtype), 2)
    check_classes(torch.tensor([[0], [1]]).to(dtype), 2)


@pytest.mark.parametrize(
    ("net", "x", "told"),
    [
        (
            nn.Linear(3, 1),
            torch.zeros(5, 2),
            r"Linear does not take inputs \(5, 2\): mat1 and mat2 .* cannot be multiplied",
        ),
        (
            nn.Conv1d(3, 1, 2),
            torch.zeros(5, 2, 4),
            r"Conv1d does not take inputs \(5, 2, 4\): .*; give rows of the width",
        ),
        (
            nn.BatchNorm1d(3),
            torch.zeros(1, 3),
            "a training batch has 1 row and batch normalisation needs 2; give a batch",
        ),
    ],
    ids=str,
)
def test_error_of_torch_is_explained(net, x, told):
    with pytest.raises((RuntimeError, ValueError)) as caught:
        net(x)
    with pytest.raises(ValueError, match=told) as explained:
        explain(caught.value, net, x)
    assert explained.value.__cause__ is caught.value


def test_error_that_is_not_about_shapes_is_left_as_it_is():
    explain(RuntimeError("out of memory"), nn.Linear(1, 1), torch.zeros(1, 1))
