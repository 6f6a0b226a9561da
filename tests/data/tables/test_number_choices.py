"""``numbers=`` of a table: what becomes of each column, in data module, model file, export, resumed run and command."""

import numpy as np
import pytest
import torch

import torchann
from tests.data.own_tables import homes, write_csv
from torchann.publishing.model_paths import model_from

QUICK = {"epochs": 2, "verbose": 0}
COORDINATES = {"area": "waves", "sold": "piecewise_target"}
FILES = pytest.param(COORDINATES, id="two columns")


def ready(**options):
    data = torchann.TabularDataModule(homes(600), "price", **options)
    data.setup()
    return data


@pytest.mark.parametrize(
    ("numbers", "area", "kinds"),
    [
        ("standard", "standardised", None),
        ("robust", "quartiles from the median, bent", {"standard": [2], "robust": [0, 1]}),
        ("quantile", "normal quantiles", {"standard": [2], "quantile": [0, 1]}),
        ("piecewise", "standardised, bins by quantiles", {"standard": [0, 1, 2], "piecewise": [0, 1]}),
        ("piecewise_target", "standardised, bins by the target", {"standard": [0, 1, 2], "piecewise": [0, 1]}),
        ("waves", "standardised, waves of 6 octaves", {"standard": [0, 1, 2], "waves": [0, 1]}),
        (COORDINATES, "standardised, waves of 6 octaves", {"standard": [0, 1, 2], "waves": [0], "piecewise": [1]}),
        ({"garden": "robust"}, "standardised", {"standard": [0, 1], "robust": [2]}),
    ],
)
def test_numbers_and_dates_are_encoded_and_truth_values_where_they_are_named(numbers, area, kinds):
    data, usual = ready(numbers=numbers), ready()
    parts = [part for step in data.preprocessing.describe()[1:] for part in step["parts"]]
    assert ({part["kind"]: part["columns"] for part in parts} or None) == kinds
    assert next(line.summary for line in data.report.columns if line.name == "area") == f"{area}; 1 if missing"
    found, standard = data.prepare(data.splits.val.x), usual.prepare(usual.splits.val.x)
    assert found.shape[1] == data.in_features and torch.equal(
        found[:, -7:], standard[:, -7:]
    )  # waves of dates, gaps, city


def test_encoding_is_fitted_to_the_training_rows_alone():
    data = torchann.TabularDataModule({"x": np.arange(100.0), "y": np.arange(100.0)}, "y", numbers="quantile")
    data.settings.kinds["x"] = "number"
    data.setup()
    train = data.prepare(data.splits.train.x)
    assert train.max() == pytest.approx(2.395, abs=0.01)  # normal quantile of the last of 60 rows, 1 - 0.5 / 60


@pytest.mark.parametrize("numbers", ["quantile", "piecewise", FILES])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_encoding_travels_with_model_file_and_export(tmp_path, numbers):
    table = homes(600)
    model = torchann.fit(table, "price", numbers=numbers, logger=False, **QUICK)
    torchann.save(model, tmp_path / "homes.safetensors")
    again = torchann.load(tmp_path / "homes.safetensors")
    assert np.array_equal(again.predict(table), model.predict(table))
    assert again.preprocessing.describe()[1]["step"] == "numbers"
    usual = torchann.TabularDataModule(table, "price")  # judged as the model knows its table, not as this one would be
    trainer = torchann.Trainer(logger=False, quiet=True)
    rmse = trainer.test(again, datamodule=usual, verbose=False)[0]["test_rmse"]
    assert rmse == pytest.approx(model.report.metrics["net"]["rmse"])
    torchann.export(again, tmp_path / "homes.onnx")  # which compares its predictions with the model's
    assert "in several views: standard of" in torchann.model_card(again)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ("quantil", "numbers are to be 'quantil'; did you mean 'quantile'"),
        (3, "numbers are to be 3; give standard, robust, quantile, piecewise, piecewise_target, waves"),
        ({"area": "wave"}, "numbers of column 'area' are to be 'wave'; did you mean 'waves'"),
        ({"are": "waves"}, "there is no column 'are'; did you mean it by 'area'"),
        ({"city": "waves"}, "numbers name the column 'city', which is a category; give one of area, sold, garden"),
        ({"id": "waves"}, "numbers name the column 'id', which is not learnt from; give one of area, sold, garden"),
    ],
)
def test_encodings_that_cannot_be_are_refused(numbers, told):
    with pytest.raises(ValueError, match=told):
        ready(numbers=numbers)


def test_table_in_blocks_has_standard_numbers_or_those_of_a_model(tmp_path, monkeypatch):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("torchann.data.tables.table_settings.bytes_of", lambda size: 3000)
    monkeypatch.setattr("torchann.data.tabular.READING", 0)
    path = tmp_path / "homes.parquet"
    pq.write_table(pa.table(homes()), path, row_group_size=50)
    blocks = {"max_memory": 1, "test_source": path}
    with pytest.raises(ValueError, match="numbers='robust' needs all training rows at once, .* read in blocks; give"):
        torchann.TabularDataModule(path, "price", numbers="robust", **blocks).setup()
    model = torchann.fit(homes(), "price", numbers="piecewise", logger=False, kinds={"id": "ignore"}, **QUICK)
    trainer = torchann.Trainer(logger=False, quiet=True)
    data = torchann.TabularDataModule(path, "price", **blocks)
    with pytest.warns(UserWarning, match="or its split has changed since the model was trained"):
        found = trainer.test(model, datamodule=data, verbose=False)[0]["test_rmse"]
    errors = model.predict(homes())[:, 0] - torch.tensor(homes()["price"])
    assert found == pytest.approx(float(errors.square().mean().sqrt()))


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (["--numbers", "piecewise_target"], ["standard", "piecewise"]),
        (["--data.numbers={area: waves, sold: quantile}"], ["standard", "waves", "quantile"]),
    ],
)
def test_command_fits_resumes_and_predicts_with_encodings(command, tmp_path, words, kinds):
    write_csv(tmp_path / "homes.csv", homes(300))
    fit = ["fit", "homes.csv", "--target", "price", *words]
    first = command(*fit, "--epochs", 1)
    assert (first.status, first.err) == (0, "")
    resumed = command(*fit, "--epochs", 2, "--resume")
    assert (resumed.status, resumed.err) == (0, "") and "epoch 2/2" in resumed.out
    model = model_from("runs/homes")
    assert [part["kind"] for part in model.preprocessing.describe()[1]["parts"]] == kinds
    assert command("predict", "runs/homes", "homes.csv", "-o", "found.csv").status == 0
    assert command("test", "runs/homes").status == 0
    other = command(*fit[:4], "--numbers", "robust", "--epochs", 3, "--resume")
    assert other.status == 1 and "the run to go on with had numbers=" in other.err
