import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

from torchann.nets.preprocessing import Pixels, Preprocessing, Standardize
from torchann.nets.waves import Waves

ONE, TWO = torch.tensor([1.0]), torch.tensor([2.0])
TABLE = np.random.default_rng(0).normal(50, [1, 1e-3, 1e6], (200, 3))


def scaled() -> Preprocessing:
    scaler = StandardScaler().fit(TABLE)
    return Preprocessing(Standardize(torch.from_numpy(scaler.mean_), torch.from_numpy(scaler.scale_)))


def test_standardised_rows_have_the_bits_of_standard_scaler():
    expected = StandardScaler().fit_transform(TABLE).astype(np.float32)
    np.testing.assert_array_equal(scaled()(torch.from_numpy(TABLE)), expected)


def test_preprocessing_rebuilt_from_plain_values_and_tensors_gives_the_same_bits():
    first = Preprocessing(*scaled().steps, Waves([2, 0], 3))
    again = Preprocessing.rebuild(first.describe(), first.tensors())
    x = torch.from_numpy(TABLE)
    assert again.describe() == [{"step": "standardize"}, {"step": "waves", "columns": [2, 0], "frequencies": 3}]
    assert first(x).shape == (200, 3 + 2 * 2 * 3) and torch.equal(again(x), first(x))


def test_pixels_are_divided_by_255_in_any_dtype():
    # 51 / 255 is a fifth
    for dtype in (torch.uint8, torch.int64, torch.float32, torch.float64):
        x = torch.tensor([[0, 51, 255]], dtype=dtype)
        assert torch.equal(Preprocessing(Pixels())(x), torch.tensor([[0.0, 0.2, 1.0]]))


def test_waves_are_sines_of_all_columns_then_cosines_for_each_frequency():
    z = torch.tensor([[0.5, 1.0]], dtype=torch.float64)
    r = 0.5**0.5  # pi / 2 times 1/2 and 1, then pi times 1/2 and 1
    expected = [[0.5, 1.0, r, 1.0, r, 0.0, 1.0, 0.0, 0.0, -1.0]]
    torch.testing.assert_close(Waves([0, 1], 2)(z), torch.tensor(expected, dtype=torch.float64))


def test_preprocessing_is_one_module_that_torch_can_export():
    x = torch.from_numpy(TABLE)
    preprocessing = Preprocessing(*scaled().steps, Waves([0], 1))
    exported = torch.export.export(nn.Sequential(preprocessing.module, nn.Linear(5, 1)), (x,))
    assert exported.module()(x).dtype == torch.float32


@pytest.mark.parametrize(
    ("mean", "std", "told"),
    [
        (ONE, torch.ones(2), r"mean \(1,\) torch.float32 and std \(2,\) torch.float32 must have one shape"),
        (ONE, TWO.double(), "std .* torch.float64 must have one shape, that of a row, and one floating dtype"),
        (ONE.long(), ONE.long(), "torch.int64 must have one shape, that of a row, and one floating dtype"),
        (ONE[0], ONE[0], r"mean \(\) torch.float32 .* must have one shape, that of a row"),
        (ONE, torch.zeros(1), "std above 0; leave constant inputs out"),
        (ONE, -TWO, "must be finite and std above 0"),
        (ONE / 0, TWO, "must be finite and std above 0"),
        (ONE, TWO * torch.nan, "must be finite and std above 0"),
    ],
)
def test_mean_and_deviation_that_cannot_be_are_refused(mean, std, told):
    with pytest.raises(ValueError, match=told):
        Standardize(mean, std)


@pytest.mark.parametrize("columns", [[], [-1], ["a"], [True]])
def test_waves_of_columns_that_are_none_are_refused(columns):
    with pytest.raises(ValueError, match=r"columns are \[.*\]; give column numbers from 0, at least one"):
        Waves(columns, 1)


@pytest.mark.parametrize("frequencies", [0, 53, 10**9, 1.0])
def test_number_of_waves_is_bounded(frequencies):
    with pytest.raises(ValueError, match=f"frequencies is {frequencies}; give a whole number from 1 to 52"):
        Waves([0], frequencies)


def test_number_of_columns_with_waves_is_bounded():
    with pytest.raises(ValueError, match="100 columns with 6 frequencies; give fewer than 1000 waves"):
        Waves(range(100), 6)


@pytest.mark.parametrize(
    ("step", "x", "told"),
    [
        (Standardize(ONE, TWO), torch.zeros(3, 2), r"inputs of shape \(3, 2\); give raw rows \(rows, 1\)"),
        (Standardize(ONE, TWO), torch.zeros(1), r"inputs of shape \(1,\); give raw rows \(rows, 1\)"),
        (Waves([4], 1), torch.zeros(3, 2), r"inputs of shape \(3, 2\); give rows that have the columns \[4\]"),
        (Pixels(), torch.tensor([[0.0, 0.5]]), "pixels up to 0.5 were divided by 255 before; give them raw"),
    ],
)
def test_inputs_that_cannot_be_raw_are_refused(step, x, told):
    with pytest.raises(ValueError, match=told):
        Preprocessing(step).check(x)


def test_black_images_are_raw_in_any_dtype():
    Preprocessing(Pixels()).check(torch.zeros(2, 28, 28))


@pytest.mark.parametrize(
    ("steps", "tensors", "told"),
    [
        ({}, {}, "preprocessing is {}; wanted a list of 1 to 8 steps"),
        ([], {}, r"preprocessing is \[\]; wanted a list of 1 to 8 steps"),
        ([{"step": "pixels"}] * 9, {}, r"preprocessing is \[.*; wanted a list of 1 to 8 steps"),
        (["pixels"], {}, r"preprocessing is \['pixels'\]; wanted a list of 1 to 8 steps"),
        ([{"step": "os.system"}], {}, "there is no preprocessing 'os.system'; wanted standardize, pixels, waves"),
        ([{"step": ["pixels"]}], {}, r"there is no preprocessing \['pixels'\]"),
        ([{"step": "pixels", "by": 3}], {}, "preprocessing .*pixels.*unexpected keyword argument 'by'"),
        ([{"step": "standardize"}], {"0.mean": ONE}, "preprocessing .*standardize.* missing 1 required .* 'std'"),
        ([{"step": "pixels"}], {"1.mean": ONE}, r"no step of the preprocessing has tensors \['1.mean'\]"),
        ([{"step": "waves", "columns": 3, "frequencies": 1}], {}, "preprocessing .*waves.*not iterable"),
        ([{"step": "waves", "columns": [0], "frequencies": 10**9}], {}, "frequencies is 1000000000"),
    ],
)
def test_preprocessing_that_was_tampered_with_is_refused(steps, tensors, told):
    with pytest.raises(ValueError, match=told):
        Preprocessing.rebuild(steps, tensors)
