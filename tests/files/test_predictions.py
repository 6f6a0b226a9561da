"""Predictions as columns by name, and the files they are written to."""

import numpy as np
import pytest
import torch

from torchann.files.predictions import prediction_table, write_predictions

BATCHES = [
    {"class": torch.tensor([1, 0]), "proba": torch.tensor([[0.25, 0.75], [0.5, 0.5]])},
    {"class": torch.tensor([1]), "proba": torch.tensor([[0.125, 0.875]])},
]
NAMES = {"class_names": ["cat", "dog"]}


def test_batches_become_one_column_per_class_in_their_order():
    table = prediction_table(BATCHES, NAMES)
    assert {name: column.tolist() for name, column in table.items()} == {
        "class": ["dog", "cat", "dog"],
        "proba cat": [0.25, 0.5, 0.125],
        "proba dog": [0.75, 0.5, 0.875],
    }


def test_classes_without_names_are_numbers():
    assert list(prediction_table(BATCHES, {"class_names": None})) == ["class", "proba 0", "proba 1"]
    assert prediction_table(BATCHES, {})["class"].tolist() == ["1", "0", "1"]


def test_classes_without_probabilities_stand_alone():
    table = prediction_table([{"class": torch.tensor([0, 1])}], NAMES)
    assert {name: column.tolist() for name, column in table.items()} == {"class": ["cat", "dog"]}


def test_labels_get_a_column_each_and_their_probabilities():
    batch = {"class": torch.tensor([[1, 0]]), "proba": torch.tensor([[0.75, 0.25]])}
    table = prediction_table([batch], {"class_names": ["red", "round"]})
    assert {name: column.tolist() for name, column in table.items()} == {
        "red": [1],
        "round": [0],
        "proba red": [0.75],
        "proba round": [0.25],
    }


def test_values_get_the_names_of_the_targets():
    batches = [{"value": torch.tensor([[1.0, 2.0]])}, {"value": torch.tensor([[3.0, 4.0]])}]
    table = prediction_table(batches, {"target_names": ["height", "width"]})
    assert {name: column.tolist() for name, column in table.items()} == {"height": [1.0, 3.0], "width": [2.0, 4.0]}
    assert list(prediction_table(batches, {"target_names": None})) == ["value_0", "value_1"]


def test_names_that_do_not_fit_the_values_are_refused():
    with pytest.raises(ValueError, match=r"target_names are \['height'\] and a row has 2 values"):
        prediction_table([{"value": torch.zeros(1, 2)}], {"target_names": ["height"]})


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="there are no rows to predict; give a data module"):
        prediction_table([], {})


def test_csv_has_a_header_and_a_line_per_row_in_a_folder_that_is_made(tmp_path):
    path = tmp_path / "new" / "out.csv"
    assert write_predictions(path, BATCHES, NAMES) == 3
    assert path.read_text().splitlines() == [
        "class,proba cat,proba dog",
        "dog,0.25,0.75",
        "cat,0.5,0.5",
        "dog,0.125,0.875",
    ]


def test_csv_gives_back_each_float_as_it_was(tmp_path):
    value = torch.tensor([[1 / 3], [1e-30], [123456.79]])
    write_predictions(tmp_path / "out.csv", [{"value": value}], {})
    assert np.float32((tmp_path / "out.csv").read_text().splitlines()[1:]).tolist() == value[:, 0].tolist()


def test_csv_quotes_a_name_with_a_comma(tmp_path):
    write_predictions(tmp_path / "out.csv", BATCHES, {"class_names": ["cat, black", "dog"]})
    assert (tmp_path / "out.csv").read_text().splitlines()[2] == '"cat, black",0.5,0.5'


def test_npy_is_read_without_pickle_and_has_the_same_columns(tmp_path):
    assert write_predictions(tmp_path / "out.npy", BATCHES, NAMES) == 3
    array = np.load(tmp_path / "out.npy", allow_pickle=False)
    assert array.dtype.names == ("class", "proba cat", "proba dog")
    assert array["class"].tolist() == ["dog", "cat", "dog"]
    assert array["proba dog"].tolist() == [0.75, 0.5, 0.875]


@pytest.mark.parametrize("name", ["out.txt", "out", "out.npz"])
def test_other_files_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=rf"cannot be written to .*{name}; give a file that ends in .csv or .npy"):
        write_predictions(tmp_path / name, BATCHES, NAMES)
    assert list(tmp_path.iterdir()) == []
