"""Predictions as columns by name, and the one file that they are written to as they come."""

import tracemalloc
import warnings

import numpy as np
import pytest
import torch

from torchann.files.predictions import open_predictions, prediction_table

CLASSES = {"class": torch.tensor([1, 0]), "proba": torch.tensor([[0.25, 0.75], [0.5, 0.5]])}
NAMES = {"class_names": ["cat", "dog"]}


def test_classes_become_one_column_each_in_their_order():
    table = prediction_table(CLASSES, NAMES)
    assert {name: column.tolist() for name, column in table.items()} == {
        "class": ["dog", "cat"],
        "proba cat": [0.25, 0.5],
        "proba dog": [0.75, 0.5],
    }


def test_classes_without_names_are_numbers():
    assert list(prediction_table(CLASSES, {"class_names": None})) == ["class", "proba 0", "proba 1"]
    assert prediction_table(CLASSES, {})["class"].tolist() == ["1", "0"]


def test_classes_without_probabilities_stand_alone():
    table = prediction_table({"class": torch.tensor([0, 1])}, NAMES)
    assert {name: column.tolist() for name, column in table.items()} == {"class": ["cat", "dog"]}


def test_labels_get_a_column_each_and_their_probabilities():
    batch = {"class": torch.tensor([[1, 0]]), "proba": torch.tensor([[0.75, 0.25]])}
    table = prediction_table(batch, {"class_names": ["red", "round"]})
    assert {name: column.tolist() for name, column in table.items()} == {
        "red": [1],
        "round": [0],
        "proba red": [0.75],
        "proba round": [0.25],
    }


def test_values_get_the_names_of_the_targets():
    batch = {"value": torch.tensor([[1.0, 2.0], [3.0, 4.0]])}
    table = prediction_table(batch, {"target_names": ["height", "width"]})
    assert {name: column.tolist() for name, column in table.items()} == {"height": [1.0, 3.0], "width": [2.0, 4.0]}
    assert list(prediction_table(batch, {"target_names": None})) == ["value_0", "value_1"]


def test_names_that_do_not_fit_the_values_are_refused():
    with pytest.raises(ValueError, match=r"target_names are \['height'\] and a row has 2 values"):
        prediction_table({"value": torch.zeros(1, 2)}, {"target_names": ["height"]})


def test_other_results_of_a_predict_step_are_refused():
    with pytest.raises(ValueError, match="predict_step gave a Tensor; give a dictionary with 'class' and 'proba'"):
        prediction_table(torch.zeros(2), {})  # type: ignore[arg-type]


def write_all(path, parts):
    with open_predictions(path) as write:
        return sum(write({name: np.asarray(column) for name, column in part.items()}) for part in parts)


def read(path):
    """The columns of a file by name, as lists of what its format holds: strings in CSV, typed values elsewhere."""
    if path.suffix == ".csv":
        names, *rows = (line.split(",") for line in path.read_text().splitlines())
        return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    if path.suffix == ".npy":
        array = np.load(path, allow_pickle=False)
        return {name: array[name].tolist() for name in array.dtype.names}
    return pytest.importorskip("pyarrow.parquet").read_table(path).to_pydict()


PARTS = [
    {"id": [1.0, 2.0], "class": ["dog", "cat"], "proba cat": np.float32([0.25, 0.1])},
    {"id": [2.5], "class": ["longer"], "proba cat": np.float32([0.125])},
]
TYPED = {"id": [1, 2, 2.5], "class": ["dog", "cat", "longer"], "proba cat": np.float32([0.25, 0.1, 0.125]).tolist()}
WRITTEN = {
    ".csv": {"id": ["1.0", "2.0", "2.5"], "class": TYPED["class"], "proba cat": ["0.25", "0.1", "0.125"]},
    ".npy": TYPED,
    ".parquet": TYPED,
}
endings = pytest.mark.parametrize("ending", WRITTEN)


@endings
def test_parts_become_one_table_whose_types_hold_all_of_them_in_a_folder_that_is_made(tmp_path, ending):
    assert write_all(tmp_path / "new" / f"out{ending}", PARTS) == 3
    assert read(tmp_path / "new" / f"out{ending}") == WRITTEN[ending]
    assert [file.name for file in (tmp_path / "new").iterdir()] == [f"out{ending}"]


@endings
def test_a_failure_between_two_parts_leaves_the_old_file_and_nothing_beside_it(tmp_path, ending):
    (tmp_path / f"out{ending}").write_text("old")

    def parts():
        yield PARTS[0]
        raise RuntimeError("the rows end here")

    with pytest.raises(RuntimeError, match="the rows end here"):
        write_all(tmp_path / f"out{ending}", parts())
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(f"out{ending}", "old")]


@endings
def test_no_rows_are_refused_and_leave_no_file(tmp_path, ending):
    with pytest.raises(ValueError, match="there are no rows to predict; give a data module"):
        write_all(tmp_path / f"out{ending}", [])
    assert list(tmp_path.iterdir()) == []


@endings
def test_names_of_any_script_are_columns(tmp_path, ending):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_all(tmp_path / f"out{ending}", [{"価格": ["ä", "語"]}])
    assert read(tmp_path / f"out{ending}") == {"価格": ["ä", "語"]}


def test_npy_is_what_numpy_itself_saves(tmp_path):
    array = np.array([(1, "dog", 0.25), (2, "cat", 0.5)], [("id", "<i8"), ("class", "<U3"), ("proba cat", "<f4")])
    np.save(tmp_path / "numpy.npy", array)
    write_all(tmp_path / "out.npy", [{name: array[name] for name in array.dtype.names}])
    assert (tmp_path / "out.npy").read_bytes() == (tmp_path / "numpy.npy").read_bytes()


def test_csv_gives_back_each_float_as_it_was(tmp_path):
    value = np.float32([1 / 3, 1e-30, 123456.79])
    write_all(tmp_path / "out.csv", [{"value": value}])
    assert np.float32((tmp_path / "out.csv").read_text().splitlines()[1:]).tolist() == value.tolist()


def test_csv_quotes_a_name_with_a_comma(tmp_path):
    write_all(tmp_path / "out.csv", [{"class": ["cat, black"], "proba": [0.5]}])
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == '"cat, black",0.5'


@pytest.mark.parametrize("name", ["out.txt", "out", "out.npz", "out.xlsx"])
def test_other_files_are_refused(tmp_path, name):
    told = rf"cannot be written to .*{name}; give a file that ends in .csv, .npy or .parquet"
    with pytest.raises(ValueError, match=told):
        write_all(tmp_path / name, PARTS)
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_to_are_refused(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(IsADirectoryError, match="folder.csv is a folder; name a file in it"):
        write_all(tmp_path / "folder.csv", [])
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write .*out.csv: .*; name another folder"):
        write_all(tmp_path / "file" / "out.csv", [])


def test_memory_of_a_csv_does_not_grow_with_its_columns(tmp_path):
    numbers = np.random.default_rng(0).random((4_000, 300), np.float32)
    tracemalloc.start()
    with open_predictions(tmp_path / "p.csv") as write:
        write({f"proba {place}": numbers[:, place] for place in range(300)})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 40_000_000  # 1.2 million texts at a time take twice as much
    assert np.array_equal(np.loadtxt(tmp_path / "p.csv", np.float32, delimiter=",", skiprows=1), numbers)
