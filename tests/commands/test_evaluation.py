"""`torchann validate`, `test` and `predict`: which checkpoint they take, what they say, what they write."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
import torch
from sklearn import metrics

from tests.conftest import EXPERIMENTS
from torchann import CaliforniaHousingDataModule, ClassificationMLP, IrisDataModule, RegressionMLP

HOUSING = ["--config", EXPERIMENTS / "housing_mlp.yaml"]
SPECIES = ["--model", "ClassificationMLP", "--model.hidden_sizes", "[10]", "--model.lr", 0.1]
SPECIES += ["--data", "IrisDataModule", "--data.target", "species", "--trainer.name", "species"]
NAMES = ["setosa", "versicolor", "virginica"]


@pytest.fixture
def housing(housing_run, tmp_path):
    """A copy of the run of the housing MLP in this test's folder `runs`."""
    return shutil.copytree(housing_run, tmp_path / "runs" / "housing_mlp" / "001")


@pytest.fixture
def species(species_run, tmp_path):
    """A copy of the run on the species of iris in this test's folder `runs`."""
    return shutil.copytree(species_run, tmp_path / "runs" / "species" / "001")


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def figures(out):
    return {
        name: float(value) for name, value in (line.split() for line in out.splitlines() if re.match(r"\w+_\w+ ", line))
    }


def test_test_takes_the_best_checkpoint_of_the_latest_run_and_says_which(command, housing):
    second = shutil.copytree(housing, housing.with_name("002"))
    outcome = command("test", *HOUSING)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0] == "checkpoint runs/housing_mlp/002/checkpoints/best.ckpt"
    assert json.loads((second / "test.json").read_text())["checkpoint"].endswith("002/checkpoints/best.ckpt")


def test_figures_of_a_regression_are_those_of_scikit_learn_on_the_predictions(command, housing):
    shown = figures(command("test", *HOUSING).out)
    assert command("predict", *HOUSING).status == 0
    values = [float(row["MedHouseVal"]) for row in read(housing / "predictions.csv")]
    data = CaliforniaHousingDataModule()
    data.setup()
    y = data.splits.test.y.numpy()
    assert shown == {
        "test_loss": pytest.approx(metrics.mean_squared_error(y, values), abs=6e-5),  # four decimals are shown
        "test_mae": pytest.approx(metrics.mean_absolute_error(y, values), abs=6e-5),
        "test_rmse": pytest.approx(metrics.root_mean_squared_error(y, values), abs=6e-5),
    }
    written = json.loads((housing / "test.json").read_text())
    assert written["test_loss"] == pytest.approx(metrics.mean_squared_error(y, values), rel=1e-5)


@pytest.mark.parametrize("subcommand", ["test", "validate"])
def test_figures_of_a_classification_are_those_of_scikit_learn_on_the_predictions(command, species, subcommand):
    shown = figures(command(subcommand, *SPECIES).out)
    assert command("predict", *SPECIES).status == 0
    rows = read(species / "predictions.csv")
    proba = np.array([[float(row[f"proba {name}"]) for name in NAMES] for row in rows])
    proba /= proba.sum(1, keepdims=True)  # float32 sums to 1 within 1e-7, too far for scikit-learn's float64
    data = IrisDataModule(target="species")
    data.setup()
    y = data.splits.test.y.numpy()  # iris validates and tests on the same 150 rows
    stage = {"test": "test", "validate": "val"}[subcommand]
    assert shown == {
        f"{stage}_accuracy": pytest.approx(metrics.accuracy_score(y, proba.argmax(1)), abs=6e-5),
        f"{stage}_loss": pytest.approx(metrics.log_loss(y, proba), abs=6e-5),
    }


def test_validate_gives_the_figures_of_the_best_epoch_again(command, housing):
    shown = figures(command("validate", *HOUSING).out)
    best = min(read(housing / "history.csv"), key=lambda row: float(row["val_loss"]))
    assert shown == {name: pytest.approx(float(best[name]), abs=6e-5) for name in ("val_loss", "val_mae", "val_rmse")}


def test_looking_at_a_run_leaves_its_config_checkpoints_and_curves_alone(command, housing):
    kept = [path for path in housing.rglob("*") if path.is_file() and path.suffix != ".json"]
    before = {path: path.read_bytes() for path in kept}
    for subcommand in ("validate", "test", "predict"):
        assert command(subcommand, *HOUSING, "--quiet").status == 0
    assert {path: path.read_bytes() for path in kept} == before
    assert list(housing.glob("validation/*")) == [path for path in kept if path.parent.name == "validation"]
    assert sorted(path.name for path in housing.parent.iterdir()) == ["001"]


def test_ckpt_path_takes_best_last_or_a_path(command, species):
    for wanted, epoch in (("best", "best"), ("last", "last"), (species / "checkpoints" / "last.ckpt", "last")):
        outcome = command("test", *SPECIES, "--ckpt_path", wanted)
        assert outcome.status == 0
        assert outcome.out.splitlines()[0].endswith(f"species/001/checkpoints/{epoch}.ckpt")


def test_checkpoint_that_lies_elsewhere_makes_no_run_and_predicts_beside_itself(command, species, tmp_path):
    moved = tmp_path / "models" / "2024" / "kept.ckpt"
    moved.parent.mkdir(parents=True)
    shutil.move(species / "checkpoints" / "best.ckpt", moved)
    shutil.rmtree(tmp_path / "runs")
    assert command("test", *SPECIES, "--ckpt_path", moved).status == 0
    assert command("predict", *SPECIES, "--ckpt_path", moved).status == 0
    assert not (tmp_path / "runs").exists()
    assert sorted(path.name for path in moved.parent.iterdir()) == ["kept.ckpt", "predictions.csv"]
    assert sorted(path.name for path in moved.parent.parent.iterdir()) == ["2024"]


def test_predictions_are_the_models_own_in_the_order_of_the_rows(command, species, tmp_path):
    outcome = command("predict", *SPECIES, "--output", "new/out.csv")
    assert outcome.out.splitlines()[-1] == "150 rows in new/out.csv"
    rows = read(tmp_path / "new" / "out.csv")
    assert list(rows[0]) == ["class", *(f"proba {name}" for name in NAMES)]
    model = ClassificationMLP.load_from_checkpoint(species / "checkpoints" / "best.ckpt", weights_only=True)
    data = IrisDataModule(target="species")
    data.setup()
    x = data.splits.test.x
    assert [row["class"] for row in rows] == [NAMES[index] for index in model.predict(x)]
    proba = torch.tensor([[float(row[f"proba {name}"]) for name in NAMES] for row in rows])
    torch.testing.assert_close(proba, model.predict_proba(x))
    torch.testing.assert_close(proba.sum(1), torch.ones(150))


def columns(path):
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        return {name: np.array(column) for name, column in parquet.read_table(path).to_pydict().items()}
    if path.suffix == ".npy":
        array = np.load(path)
        return {name: array[name] for name in array.dtype.names}
    return {name: np.float32([row[name] for row in read(path)]) for name in read(path)[0]}


@pytest.mark.parametrize("ending", [".csv", ".npy", ".parquet"])
def test_both_forms_of_predict_write_the_same_table_in_each_format(command, housing, tmp_path, ending):
    checkpoint = housing / "checkpoints" / "best.ckpt"
    data = CaliforniaHousingDataModule()
    data.setup()
    x = data.splits.test.x.numpy()
    np.savez(tmp_path / "test.npz", **{name: x[:, place] for place, name in enumerate(data.feature_names)})
    assert command("predict", *HOUSING, "--output", f"config{ending}", "--quiet") == (0, "", "")
    assert command("predict", checkpoint, "test.npz", "-o", f"table{ending}", "--quiet") == (0, "", "")
    expected = RegressionMLP.load_from_checkpoint(checkpoint, weights_only=True).predict(x)
    for form in ("config", "table"):
        found = columns(tmp_path / f"{form}{ending}")
        assert list(found) == ["MedHouseVal"]
        np.testing.assert_allclose(found["MedHouseVal"], expected[:, 0], rtol=1e-5, atol=1e-6)


def test_predictions_that_fail_leave_the_old_file_and_nothing_beside_it(command, housing, tmp_path, monkeypatch):
    (tmp_path / "out.csv").write_text("old")
    step, calls = RegressionMLP.predict_step, []

    def fail_second(self, batch, batch_idx):
        calls.append(batch_idx)
        if len(calls) == 2:
            raise ValueError("the second batch is damaged")
        return step(self, batch, batch_idx)

    monkeypatch.setattr(RegressionMLP, "predict_step", fail_second)
    before = set(tmp_path.iterdir())
    assert "the second batch is damaged" in command("predict", *HOUSING, "--output", "out.csv").err
    assert (tmp_path / "out.csv").read_text() == "old" and set(tmp_path.iterdir()) == before


def test_perceptron_predicts_classes_and_no_probabilities(command, tmp_path):
    config = ["--config", EXPERIMENTS / "iris_perceptron.yaml", "--quiet"]
    assert command("fit", *config).status == 0
    # The best checkpoint has validation loss 0: no mistake on the 150 rows, of which the first 50 are setosa.
    assert command("predict", *config, "--output", "out.csv").status == 0
    assert read(tmp_path / "out.csv") == [{"class": "setosa"}] * 50 + [{"class": "not setosa"}] * 100


def test_other_files_for_predictions_are_refused(command, housing, tmp_path):
    outcome = command("predict", *HOUSING, "--output", "out.txt")
    assert outcome.status == 1 and not (tmp_path / "out.txt").exists()
    assert "predictions cannot be written to out.txt; give a file that ends in .csv, .npy or .parquet" in outcome.err


def test_quiet_test_prints_figures_and_nothing_else(command, housing):
    outcome = command("test", *HOUSING, "--quiet")
    assert [line.split()[0] for line in outcome.out.splitlines()] == ["test_loss", "test_mae", "test_rmse"]
    assert outcome.err == ""


@pytest.mark.parametrize("subcommand", ["validate", "test", "predict"])
def test_run_that_is_not_there_is_an_error(command, subcommand):
    outcome = command(subcommand, *HOUSING)
    assert (outcome.status, outcome.out) == (1, "")
    assert "there is no finished epoch of a run 'housing_mlp' in runs; start one with `torchann fit`" in outcome.err


def test_checkpoint_that_is_not_there_is_an_error(command, housing):
    outcome = command("test", *HOUSING, "--ckpt_path", "bset")
    assert outcome.status == 1
    assert "there is no checkpoint bset; give best, last or a .ckpt file" in outcome.err


def test_config_of_another_net_than_the_checkpoints_is_an_error_with_both_values(command, housing):
    outcome = command("test", *HOUSING, "--model.hidden_sizes", "[5,5]")
    assert outcome.status == 1
    assert "was trained with hidden_sizes=[30] and the command says [5, 5]" in outcome.err
    assert "give the config of that run, runs/housing_mlp/001/config.yaml" in outcome.err


def test_knobs_of_training_alone_do_not_keep_a_checkpoint_from_being_tested(command, housing):
    assert command("test", *HOUSING, "--model.lr", 0.5).out == command("test", *HOUSING).out


def test_checkpoint_of_another_model_is_an_error(command, housing):
    checkpoint = housing / "checkpoints" / "best.ckpt"
    for config, kind in (("fashion_mnist_mlp", "ClassificationMLP"), ("iris_perceptron", "Perceptron")):
        outcome = command("test", "--config", EXPERIMENTS / f"{config}.yaml", "--ckpt_path", checkpoint)
        assert outcome.status == 1
        assert f"{checkpoint} makes no {kind} (" in outcome.err
        assert "give another file, or the class that it is of" in outcome.err


@pytest.mark.parametrize("keep", [0, 1000])
def test_truncated_checkpoint_is_an_error(command, housing, keep):
    checkpoint = housing / "checkpoints" / "best.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:keep])
    outcome = command("test", *HOUSING)
    assert outcome.status == 1
    assert "best.ckpt is damaged, cut off or no checkpoint" in outcome.err


def test_config_of_a_run_means_that_run_and_not_the_latest(command, housing):
    before = command("test", *HOUSING).out.splitlines()[1:]
    command("fit", *HOUSING, "--trainer.max_epochs", 1, "--model.lr", 1e-6, "--quiet")
    assert command("test", *HOUSING).out.splitlines()[1:] != before
    assert command("test", "--config", housing / "config.yaml").out.splitlines()[1:] == before
    assert (housing / "config.yaml").read_text().count("quiet: true") == 0


def test_config_of_a_resumed_run_does_not_resume_again(command, housing):
    resumed = ["--ckpt_path", housing / "checkpoints" / "last.ckpt", "--trainer.max_epochs", 30]
    assert command("fit", *HOUSING, *resumed, "--quiet").status == 0
    assert "ckpt_path" not in (housing.parent / "002" / "config.yaml").read_text()
