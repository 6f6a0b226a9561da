"""Few rows, or more columns than rows: what `torchann fit` trains on them unasked, and what it says of them."""

import numpy as np
import pytest
import yaml
from sklearn.linear_model import LinearRegression

import torchann
from tests.data.own_tables import write_csv
from torchann.publishing.small_tables import cross_validated, kind_of


def linear(rows, columns=3, seed=0):
    draws = np.random.default_rng(seed)
    x = draws.normal(size=(rows, columns))
    table = {f"c{number}": x[:, number] for number in range(columns)}
    return table | {"y": x[:, :3] @ [1.0, 2.0, -1.0] + draws.normal(scale=0.3, size=rows)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_few_rows_get_a_linear_model_of_all_of_them_and_a_line_that_says_so(command, folder):
    table = linear(40)
    write_csv(folder / "train.csv", {name: values[:16] for name, values in table.items()})
    write_csv(folder / "test.csv", {name: values[16:] for name, values in table.items()})
    outcome = command("fit", "train.csv", "--target", "y", "--data.test_source", "test.csv")
    assert outcome.status == 0, outcome.err
    assert "only 15 rows to train on: a linear model with a penalty on its weights" in outcome.out
    assert "5-fold cross-validation: rmse 0." in outcome.out
    config = yaml.safe_load((folder / "runs" / "train" / "001" / "config.yaml").read_text())
    options = config["model"]["init_args"]
    assert (options["hidden_sizes"], options["weight_decay"], config["trainer"]["max_epochs"]) == ([], 0.02, 300)
    x, y = (np.stack([table[f"c{number}"] for number in range(3)], 1), table["y"])
    wanted = LinearRegression().fit(x[:16], y[:16]).score(x[16:], y[16:])
    predicted = torchann.predict("runs/train", "test.csv")["y"]
    found = 1 - ((predicted - y[16:]) ** 2).sum() / ((y[16:] - y[16:].mean()) ** 2).sum()
    assert wanted > 0.9 and found > wanted - 0.05


def test_a_small_table_is_measured_and_searched(command, folder):
    write_csv(folder / "few.csv", linear(30))
    assert command("fit", "few.csv", "--target", "y", "--epochs", "2", "--quiet").status == 0
    measured = command("test", "--data", "few.csv", "--target", "y")  # by the net that was trained
    assert measured.status == 0 and "test_rmse" in measured.out
    space = "{model.lr: {low: 0.001, high: 0.1}}"
    searched = command("tune", "few.csv", "--target", "y", "--tune.trials", "1", "--tune.space", space, "--epochs", "1")
    assert searched.status == 0, searched.err
    best = yaml.safe_load((folder / "studies" / "few" / "best.yaml").read_text())
    assert best["data"]["init_args"].get("val_size") is None  # one row, as of a fit, would judge the trials


def test_the_python_door_does_the_same(capsys):
    model = torchann.fit(linear(20), "y", logger=False, epochs=100)
    told = capsys.readouterr().out
    assert model.hparams["hidden_sizes"] == [] and "only 15 rows to train on" in told and "5-fold" in told
    assert torchann.fit(linear(20), "y", logger=False, epochs=1, val_size=4, verbose=0).hparams["hidden_sizes"] == [
        128,
        64,
    ]


def test_more_columns_than_rows_get_a_penalty(command, folder):
    write_csv(folder / "wide.csv", linear(90, 120))
    outcome = command("fit", "wide.csv", "--target", "y", "--epochs", "2", "--hidden", "8", "--data.test_size", "10")
    assert outcome.status == 0, outcome.err
    assert (
        "120 columns and only 79 rows: a net with a penalty on its weights" in outcome.out and "2 epochs" in outcome.out
    )
    options = yaml.safe_load((folder / "runs" / "wide" / "001" / "config.yaml").read_text())["model"]["init_args"]
    assert (options["hidden_sizes"], options["weight_decay"]) == ([8], 0.1)


@pytest.mark.parametrize(
    ("rows", "columns", "words", "wanted"),
    [
        (40, 3, [], "few"),
        (90, 3, [], None),
        (90, 200, [], "wide"),
        (40, 3, ["val_size"], None),
        (90, 200, ["callbacks"], None),
    ],
)
def test_a_table_is_small_by_its_rows_and_columns_unless_a_user_says_how_to_validate(rows, columns, words, wanted):
    data = torchann.TabularDataModule(linear(rows, columns), "y")
    data.setup()
    assert kind_of(data, words) == wanted


def test_cross_validation_of_fewer_rows_than_folds_is_left_out():
    data = torchann.TabularDataModule(linear(6), "y", val_size=1, test_size=1)
    data.setup()
    assert data.num_rows("train") == 4 and cross_validated(None, data, 1, 0) is None
