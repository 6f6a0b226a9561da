"""Predictions of whole tables: in order, in parts, to files; models by where they lie; what they are in words."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import torchann
from tests.data.own_tables import homes, write_csv
from tests.tasks.tables import fit
from torchann.data.tables.columns import UnseenValues
from torchann.files.run import RunFolderError
from torchann.publishing.model_paths import find_model, model_from


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The folder of a run that learns prices, 3 epochs; `home.safetensors` beside the runs is its model."""
    folder = tmp_path_factory.mktemp("predictions")
    model, data = torchann.RegressionMLP([8], optimizer="adam", lr=0.01), torchann.TabularDataModule(homes(), "price")
    trainer = torchann.Trainer(runs=str(folder / "runs"), name="homes", max_epochs=3, quiet=True)
    trainer.fit(model, datamodule=data)
    torchann.save(model, folder / "home.safetensors")
    return trainer.run_folder


@pytest.fixture
def model(run):
    return torchann.load(run.parents[2] / "home.safetensors")


def rows(count=7, seed=5):
    return {name: column for name, column in homes(count, seed).items() if name != "price"}


def test_rows_are_predicted_in_their_order_some_at_a_time(model, tmp_path, monkeypatch):
    expected = model.predict({name: rows()[name] for name in model.feature_names})[:, 0].tolist()
    path = write_csv(tmp_path / "rows.csv", rows())
    for size in (64, 256, 2**20):  # bytes
        monkeypatch.setattr("torchann.data.tables.csv_table.BLOCK_BYTES", size)
        np.testing.assert_allclose(torchann.predict(model, path)["price"], expected, rtol=1e-5)
        assert torchann.predict(model, path, tmp_path / "out.csv") == 7
        written = np.loadtxt(tmp_path / "out.csv", skiprows=1)
        assert np.float32(written).tolist() == torchann.predict(model, path)["price"].tolist()
    assert (tmp_path / "out.csv").read_text().splitlines()[0] == "price"


def test_model_may_be_a_file_a_checkpoint_a_run_or_all_runs_of_a_name(run, model):
    expected = torchann.predict(model, rows())["price"].tolist()
    saved, last = run.parents[2] / "home.safetensors", run / "checkpoints" / "last.ckpt"
    for path in (saved, str(saved), last):
        assert torchann.predict(path, rows())["price"].tolist() == expected
    assert find_model(run) == find_model(run.parent) == run / "checkpoints" / "best.ckpt"
    again = model_from(run)
    assert not again.training and len(again.history) == 3 and again.feature_names == model.feature_names


def test_columns_that_are_kept_come_first_as_they_were(model, tmp_path):
    table = rows() | {"code": ["01", "x,y", "", "2", "3", "4", "5"], "n": [0.5, *range(6)]}
    torchann.predict(model, write_csv(tmp_path / "rows.csv", table), tmp_path / "out.csv", keep=["id", "code"])
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "id,code,price" and lines[1].startswith("0,01,") and lines[2].startswith('1,"x,y",')
    kept = torchann.predict(model, table, keep=["id", "n"])
    assert list(kept) == ["id", "n", "price"] and kept["id"].tolist() == list(range(7)) and kept["n"][0] == 0.5
    with pytest.raises(ValueError, match="there is no column 'codes'; did you mean it by 'code'"):
        torchann.predict(model, table, keep=["codes"])


def test_truth_can_be_kept_beside_the_prediction_of_the_same_name(model, tmp_path):
    table = homes(20)
    found = torchann.predict(model, table, keep=["price"])
    assert list(found) == ["price", "predicted price"]
    assert found["price"].tolist() == table["price"]
    np.testing.assert_array_equal(found["predicted price"], torchann.predict(model, table)["price"])


def test_table_is_not_written_over_by_its_predictions(model, tmp_path):
    write_csv(tmp_path / "homes.csv", homes(20))
    before = (tmp_path / "homes.csv").read_bytes()
    for data in (tmp_path / "homes.csv", [str(tmp_path / "homes.csv")], str(tmp_path / "ho*.csv")):
        with pytest.raises(ValueError, match="homes.csv is the table itself; name another file for the predictions"):
            torchann.predict(model, data, tmp_path / "homes.csv")
    assert (tmp_path / "homes.csv").read_bytes() == before


@pytest.mark.parametrize("ending", ["onnx", "pt2"])
def test_exported_file_is_called_one(tmp_path, ending):
    (tmp_path / f"homes.{ending}").write_bytes(b"graph")
    with pytest.raises(ValueError, match=f"homes.{ending} is an exported model, which other programs run; its card"):
        torchann.info(tmp_path / f"homes.{ending}")


def test_parquet_goes_in_and_out(model, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    pq.write_table(pa.table(rows(50)), tmp_path / "rows.parquet", row_group_size=20)
    assert torchann.predict(model, tmp_path / "rows.parquet", tmp_path / "out.parquet", keep=["city"]) == 50
    found = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert found["city"] == rows(50)["city"]
    assert found["price"] == torchann.predict(model, rows(50))["price"].tolist()


def test_classes_come_by_name_with_their_probabilities(tmp_path):
    data = torchann.TabularDataModule(homes(), "city")
    task = torchann.ClassificationMLP([4])
    fit(task, data, max_epochs=1)
    found = torchann.predict(task, rows() | {"price": homes(7, 5)["price"]})
    assert list(found) == ["class", "proba Oslo", "proba Paris", "proba Rome"]
    proba = np.stack([found[f"proba {city}"] for city in data.class_names])
    assert found["class"].tolist() == [data.class_names[place] for place in proba.argmax(0)]


def test_surprises_are_counted_over_all_parts(model, tmp_path, monkeypatch):
    monkeypatch.setattr("torchann.data.tables.csv_table.BLOCK_BYTES", 64)
    path = write_csv(tmp_path / "rows.csv", rows() | {"city": ["Ys"] * 7})
    surprises = UnseenValues()
    torchann.predict(model, path, surprises=surprises)
    assert surprises.lines() == [
        "column 'city': 7 values are of no category of the training rows ('Ys' 7); taken as none of them"
    ]


def test_model_of_numbers_with_names_takes_them_from_a_table(tmp_path):
    data = torchann.CaliforniaHousingDataModule(batch_size=4096)
    task = torchann.RegressionMLP([4])
    fit(task, data, max_epochs=1)
    x = data.splits.test.x[:5]
    table = {name: x[:, place].tolist() for place, name in reversed(list(enumerate(data.feature_names)))}
    found = torchann.predict(task, write_csv(tmp_path / "x.csv", table))["MedHouseVal"]
    np.testing.assert_allclose(found, task.predict(x)[:, 0], rtol=1e-5)
    for change, told in (
        ({"AveRooms": ["many"] * 5}, "column 'AveRooms' holds what is no number, 'many'; give numbers"),
        ({"AveRooms": [1, 2, 3, None, 5]}, "rows have nan in row 3, column 'AveRooms'"),
    ):
        with pytest.raises(ValueError, match=told):
            torchann.predict(task, write_csv(tmp_path / "wrong.csv", table | change))


def test_model_without_names_takes_the_columns_in_their_order(tmp_path):
    task = torchann.RegressionMLP([], 2, 1, weight_init="ones")
    assert torchann.predict(task, np.array([[1.0, 2.0], [3.0, 4.0]]))["value"].tolist() == [3, 7]


@pytest.mark.parametrize("ending", [".csv", ".npy", ".parquet"])
def test_what_is_wrong_leaves_the_old_file_and_no_other(model, tmp_path, monkeypatch, ending):
    monkeypatch.setattr("torchann.data.tables.csv_table.BLOCK_BYTES", 64)
    out = tmp_path / f"out{ending}"
    out.write_text("old")
    path = write_csv(tmp_path / "rows.csv", rows() | {"area": [1, 2, 3, 4, 5, 6, "inf"]})
    with pytest.raises(ValueError, match="rows have inf in row 6, column 'area'"):
        torchann.predict(model, path, out)
    assert out.read_text() == "old" and sorted(os.listdir(tmp_path)) == [out.name, "rows.csv"]


def test_another_kind_of_file_is_refused_before_the_model_is_read(tmp_path):
    with pytest.raises(ValueError, match="out.txt; give a file that ends in .csv, .npy or .parquet"):
        torchann.predict("no_model.safetensors", "no_table.csv", tmp_path / "out.txt")


def test_model_that_does_not_say_what_its_outputs_mean_is_refused():
    with pytest.raises(ValueError, match="a MLP does not say what its outputs mean; give a task, or call predict"):
        torchann.predict(torchann.MLP(2, [], 1), np.zeros((2, 2)))


def test_folders_and_checkpoints_that_are_no_models_are_refused(run, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        RunFolderError, match="empty is no folder of a run; give one such as runs/NAME, or a model file"
    ):
        model_from(tmp_path / "empty")
    (tmp_path / "new" / "checkpoints").mkdir(parents=True)
    with pytest.raises(RunFolderError, match="new has no best.ckpt; give a run that has finished an epoch"):
        model_from(tmp_path / "new")
    with pytest.raises(FileNotFoundError, match="there is no file nothing.safetensors"):
        model_from("nothing.safetensors")
    task = torchann.NetTask(nn.Linear(2, 1), {"y": torchann.Output()})
    trainer = torchann.Trainer(runs=str(tmp_path), name="own", max_epochs=1, quiet=True)
    trainer.fit(task, torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 2), torch.ones(4))))
    with pytest.raises(
        ValueError, match="has the weights of a NetTask, not its net's code; load it in Python, with net="
    ):
        model_from(trainer.run_folder)


def test_checkpoint_of_an_older_version_is_known_by_the_config_of_its_run(run, tmp_path):
    content = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    del content["inputs"]["class"]
    folder = tmp_path / "runs" / "old" / "001" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(content, folder / "best.ckpt")
    with pytest.raises(ValueError, match="does not say of what class it is; in Python, torchann.save"):
        model_from(folder / "best.ckpt")
    (folder.parent / "config.yaml").write_text("model:\n  class_path: torchann.RegressionMLP\n  init_args: {}\n")
    assert type(model_from(folder.parent)).__name__ == "RegressionMLP"


def test_info_tells_what_a_model_expects_and_how_it_scored(run):
    told = str(torchann.info(run.parents[2] / "home.safetensors")).splitlines()
    assert told[0].endswith("home.safetensors: RegressionMLP of torchann 0.1.0, 105 weights")  # 11 * 8 + 8 + 8 + 1
    assert told[1:4] == [
        "hidden layers [8], relu",
        "predicts values: price",
        "expects a table with these columns, in any order:",
    ]
    assert [line.split()[:2] for line in told[6:10]] == [
        ["area", "number"],
        ["city", "category"],
        ["sold", "date"],
        ["garden", "boolean"],
    ]
    assert "may be missing" in told[6] and told[7].endswith("Oslo, Paris, Rome")
    assert told[10].startswith("learnt from table, 72 rows, sha256:")
    best = torchann.load(run.parents[2] / "home.safetensors").history.best("val_loss")["epoch"] + 1
    assert told[11].startswith(f"trained for 3 epochs, best in epoch {best}: ") and "val_rmse" in told[11]


def test_info_of_a_run_tells_what_was_measured(run):
    (run / "test.json").write_text('{"checkpoint": "best.ckpt", "test_rmse": 1234.5678}')
    told = str(torchann.info(run)).splitlines()
    assert told[0].endswith("best.ckpt: RegressionMLP, a checkpoint, 105 weights")
    assert told[-1] == "measured by torchann test: test_rmse 1235"


INFOS = {
    "mlp": (lambda: torchann.MLP(2, [3], 1), ["MLP of", "says nothing of its training data"]),
    "classes": (
        lambda: torchann.ClassificationMLP([3], 2, 3),
        ["predicts multiclass classes: 0, 1, 2", "expects 2 numbers per row"],
    ),
    "outputs": (lambda: torchann.WideAndDeep([3], 2, 1), ["predicts values: 1 per row"]),
    "perceptron without names": (lambda: torchann.Perceptron(2), ["predicts binary classes: 0, 1"]),
    "perceptron": (lambda: torchann.Perceptron(2, class_names=["no", "yes"]), ["predicts binary classes: no, yes"]),
}


@pytest.mark.parametrize(("make", "lines"), INFOS.values(), ids=INFOS)
def test_info_of_other_models_says_what_it_can(make, lines, tmp_path):
    torchann.save(make(), tmp_path / "m.safetensors")
    told = str(torchann.info(tmp_path / "m.safetensors"))
    assert all(line in told for line in lines)


def test_info_of_named_numbers_and_estimators(housing_run, tmp_path):
    assert "expects a table with the columns MedInc, HouseAge" in str(torchann.info(housing_run))
    from torchann.estimators import Perceptron

    Perceptron().fit(np.array([[0.0], [1.0]]), [0, 1]).save(tmp_path / "p.safetensors")
    assert "Perceptron" in str(torchann.info(tmp_path / "p.safetensors"))


def test_info_shows_no_letters_that_a_terminal_would_obey(tmp_path):
    table = {"a\x1b[2J": np.arange(50.0) ** 2, "y": ["\x07no", "yes"] * 25}
    task = torchann.ClassificationMLP([])
    fit(task, torchann.TabularDataModule(table, "y"), max_epochs=1)
    torchann.save(task, tmp_path / "m.safetensors")
    told = str(torchann.info(tmp_path / "m.safetensors"))
    assert "\x1b" not in told and "\x07" not in told and "a?[2J" in told


def test_intervals_are_written_beside_predictions_through_every_door(command, tmp_path):
    write_csv(tmp_path / "homes.csv", homes())
    assert command("fit", "homes.csv", "--target", "price", "--epochs", 2, "--quiet").status == 0
    told = command("predict", "runs/homes", "homes.csv", "--interval", 0.8, "--keep", "price", "-o", "out.csv").out
    model = model_from("runs/homes")
    torchann.save(model, "m.safetensors")
    (low, high), names = model.predict_interval(homes(), 0.8)[:, 0].T, ["predicted price", "price_low", "price_high"]
    found = torchann.predict("m.safetensors", "homes.csv", keep=["price"], interval=0.8)
    assert list(found) == ["price", *names]
    assert found["price_low"].tolist() == low.tolist() and found["price_high"].tolist() == high.tolist()
    written = np.loadtxt("out.csv", delimiter=",", skiprows=1, dtype=np.float32)
    assert written[:, 2:].T.tolist() == [low.tolist(), high.tolist()]
    assert "intervals of 80 %: price ± " in told and "by 24 validation rows" in told
    outcome = command("predict", "runs/homes", "homes.csv", "--interval", 0.99)
    assert outcome.status and "24 validation rows allow 0.96 at most" in outcome.err
