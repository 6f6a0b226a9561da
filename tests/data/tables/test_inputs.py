import numpy as np
import pytest
import torch

from torchann.data.tables.raw_inputs import input_rows
from torchann.nets.preprocessing import Pixels, Preprocessing, Standardize

NAMES = ["MedInc", "HouseAge", "Latitude"]


class Frame:
    """As much of a data frame as pandas and polars have in common."""

    def __init__(self, columns, rows, dtype=None):
        self.columns, self.rows, self.dtype = columns, rows, dtype

    def to_numpy(self):
        array = np.array(self.rows, dtype=self.dtype)
        array.flags.writeable = False  # as pandas gives it
        return array


def test_columns_of_a_data_frame_are_put_in_order_by_name():
    frame = Frame(["Latitude", "MedInc", "HouseAge"], [[37.9, 8.3, 41], [34.2, 2.5, 30]])
    assert input_rows(frame, NAMES).tolist() == [[8.3, 41.0, 37.9], [2.5, 30.0, 34.2]]


def test_data_frame_of_a_model_without_names_is_taken_as_it_is():
    assert input_rows(Frame(["b", "a"], [[1, 2]])).tolist() == [[1, 2]]


def test_numbers_in_a_frame_of_objects_are_numbers():
    rows = input_rows(Frame(NAMES, [[1.5, True, 3]], dtype=object), NAMES)
    assert rows.tolist() == [[1.5, 1.0, 3.0]] and rows.dtype == torch.float64


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["MedIncome", "HouseAge", "Latitude"], "there is no column 'MedInc'; did you mean it by 'MedIncome'"),
        (["MedInc", "x", "Latitude"], "there is no column 'HouseAge'; give MedInc, HouseAge, Latitude"),
        (["MedInc", "HouseAge"], "there is no column 'Latitude'; give MedInc, HouseAge, Latitude"),
        ([*NAMES, "MedHouseVal"], "there is a column 'MedHouseVal' too many; give MedInc, HouseAge, Latitude"),
        ([*NAMES, "MedInc"], "columns come twice in MedInc, HouseAge, Latitude, MedInc; give MedInc"),
        ([0, 1, 2], "there is no column 'MedInc'; give MedInc, HouseAge, Latitude"),
    ],
)
def test_other_columns_are_refused_with_the_ones_that_were_meant(columns, told):
    with pytest.raises(ValueError, match=told):
        input_rows(Frame(columns, [[1.0] * len(columns)]), NAMES)


def test_text_in_a_column_is_refused_with_its_name():
    frame = Frame(NAMES, [[1.5, "old", 3]], dtype=object)
    with pytest.raises(ValueError, match="column 'HouseAge' holds what is no number .*'old'.*; give numbers"):
        input_rows(frame, NAMES)


@pytest.mark.parametrize(
    ("x", "told"),
    [
        (torch.zeros(4, 2), r"inputs of shape \(4, 2\); give rows \(rows, 3\) with the columns MedInc, HouseAge, Lat"),
        (np.zeros(3), r"inputs of shape \(3,\); give rows \(rows, 3\)"),
        ([[[1.0, 2.0, 3.0]]], r"inputs of shape \(1, 1, 3\); give rows \(rows, 3\)"),
        ([[1.0, 2.0], [3.0]], "inputs make no array .*; give rows of the same length"),
        ([["a", "b", "c"]], "inputs are of the dtype <U1; give numbers"),
        (None, "inputs are of the dtype object; give numbers"),
    ],
)
def test_what_makes_no_rows_is_refused(x, told):
    with pytest.raises(ValueError, match=told):
        input_rows(x, NAMES)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("make", [torch.tensor, np.array, lambda rows: Frame(NAMES, rows)])
def test_what_is_not_finite_is_refused_with_its_row_and_column(make, value):
    rows = [[1.0, 2.0, 3.0], [1.0, 2.0, value], [value, 2.0, 3.0]]
    with pytest.raises(ValueError, match=f"inputs have {value} in row 1, column 'Latitude'"):
        input_rows(make(rows), NAMES)


def test_inputs_by_name_are_checked_each():
    rows = input_rows({"wide": [[1.0]], "deep": np.ones((1, 2), dtype=np.float32)})
    assert {name: part.dtype for name, part in rows.items()} == {"wide": torch.float64, "deep": torch.float32}
    with pytest.raises(ValueError, match="inputs 'deep' have nan in row 0, column 0"):
        input_rows({"wide": [[1.0]], "deep": [[np.nan]]})


@pytest.mark.parametrize(
    "array",
    [np.arange(6.0)[::-1].reshape(2, 3), np.arange(6, dtype=">f8").reshape(2, 3), np.ones((3, 2), dtype=">i2").T],
)
def test_arrays_that_torch_does_not_take_are_taken(array):
    assert input_rows(array).tolist() == array.tolist()


def test_tensors_and_arrays_are_not_copied():
    tensor, array = torch.zeros(2, 3), np.zeros((2, 3))
    assert input_rows(tensor) is tensor
    assert np.shares_memory(input_rows(array).numpy(), array)


def test_inputs_must_suit_the_preprocessing():
    with pytest.raises(ValueError, match=r"inputs of shape \(1, 2\); give raw rows \(rows, 3\)"):
        input_rows([[1, 2]], None, Preprocessing(Standardize(torch.zeros(3), torch.ones(3))))
    with pytest.raises(ValueError, match="pixels up to 1 were divided by 255 before"):
        input_rows(torch.ones(1, 28, 28), None, Preprocessing(Pixels()))
