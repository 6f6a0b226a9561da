"""``--ensemble`` and ``--time-limit``: a run folder like that of a fit, with several nets in one model."""

import json
import re

import numpy as np
import pytest

import torchann
from tests.data.own_tables import write_csv
from torchann.estimators.portfolio import search, table_net
from torchann.estimators.portfolio.recipes import Recipe
from torchann.publishing.model_paths import model_from


@pytest.fixture
def folder(tmp_path, monkeypatch):
    x = np.arange(120) % 17
    write_csv(tmp_path / "line.csv", {"x": x, "city": np.array(["Oslo", "Rome"])[x % 2], "y": 3.0 * x})
    monkeypatch.chdir(tmp_path)
    recipes = (Recipe("quick", (8,), "relu", 0.01, 0.0),)
    monkeypatch.setattr(table_net, "Search", lambda *a, **k: search.Search(*a, **k, recipes=recipes))
    return tmp_path


def test_run_is_like_that_of_a_fit(command, folder):
    outcome = command("fit", "line.csv", "--target", "y", "--ensemble", "2")
    assert outcome.status == 0, outcome.err
    assert "2 nets in one model; run folder runs/line/001" in outcome.out
    run = folder / "runs" / "line" / "001"
    assert (run / "leaderboard.csv").read_text().startswith("name,loss,metric,parts,seconds,weight\n")
    assert (run / "leaderboard.png").stat().st_size > 1000
    measured = json.loads((run / "fit.json").read_text())
    assert measured["rows"] == 24
    outcome = command("test", "runs/line")
    assert outcome.status == 0, outcome.err
    tested = json.loads((run / "test.json").read_text())
    assert tested["test_rmse"] == pytest.approx(measured["metrics"]["net"]["rmse"], rel=1e-5)
    assert command("predict", "runs/line", "line.csv", "--interval", "0.8").status == 0


def test_python_door_is_the_same(folder):
    model = torchann.fit("line.csv", "y", ensemble=2, logger=False, verbose=0)
    assert len(model.net.members) == 2
    assert model.report.rows == 24
    assert any(line.weight for line in model.leaderboard.lines)


def test_options_that_a_search_would_not_heed_are_refused_in_python(folder):
    with pytest.raises(ValueError, match="batch_size, max_epochs would not be heeded"):
        torchann.fit("line.csv", "y", ensemble=2, epochs=9, batch_size=8, logger=False)


def test_without_test_rows_only_the_leaderboard_judges(folder, capsys):
    model = torchann.fit("line.csv", "y", time_limit=30, test_size=0, logger=False)
    assert model.judged is None
    assert "there are no test rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["line.csv", "--target", "y", "--ensemble", "2", "--lr", "0.1"],
            "choose the nets, and lr would not be heeded",
        ),
        (["--model", "torchann.Perceptron", "--data", "torchann.IrisDataModule", "--ensemble", "2"], "are for a table"),
        (["line.csv", "--target", "y", "--ensemble", "2", "--epochs", "9"], "and max_epochs would not be heeded"),
        (["line.csv", "--target", "y", "--ensemble", "2", "--resume"], "search anew each time; leave --resume"),
        (["line.csv", "--target", "y", "--ensemble", "1"], "ensemble is 1; give a whole number from 2"),
        (["line.csv", "--target", "y", "--epochs", "0"], "max_epochs is 0, and a net that is not trained"),
    ],
)
def test_what_would_not_be_heeded_is_refused(command, folder, words, told):
    outcome = command("fit", *words)
    assert outcome.status == 1
    assert told in outcome.err
    assert not (folder / "runs" / "line").exists()


def test_columns_that_swing_get_waves_unasked(command, folder):
    generator = np.random.default_rng(0)
    x, z = generator.uniform(-1.7, 1.7, size=(2, 3_500))
    write_csv(folder / "swing.csv", {"x": x, "z": z, "y": np.sin(12 * x) + z})
    outcome = command("fit", "swing.csv", "--target", "y", "--epochs", "2")
    assert outcome.status == 0, outcome.err
    assert re.search(r"^x .* standardised, waves of 6 octaves\nz .* standardised\n", outcome.out, re.MULTILINE)
    outcome = command("fit", "swing.csv", "--target", "y", "--epochs", "3", "--resume")
    assert outcome.status == 0, outcome.err
    outcome = command("fit", "swing.csv", "--target", "y", "--ensemble", "2")
    assert "quick, quantiles with waves" in outcome.out
    model = torchann.fit("swing.csv", "y", epochs=1, logger=False, verbose=0)
    assert model.preprocessing.describe() == model_from("runs/swing/001").preprocessing.describe()
    plain = torchann.fit("swing.csv", "y", epochs=1, logger=False, verbose=0, numbers="standard")
    assert len(plain.preprocessing.steps) == 1
    outcome = command("fit", "swing.csv", "--target", "y", "--epochs", "2", "--numbers", "standard")
    assert "waves" not in outcome.out
