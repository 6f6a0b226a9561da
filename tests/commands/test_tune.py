"""`torchann tune`: what it prints and leaves, that it goes on, and that its best config trains its best model."""

import csv
import json
import os
import re
import shlex
import signal
import threading
import time
from pathlib import Path

import pytest
import yaml

pytest.importorskip("optuna")

from tests.conftest import EXPERIMENTS
from torchann import load
from torchann.tuning.space import read_space

CONFIG = EXPERIMENTS / "tune_housing.yaml"
SHORT = ["--trainer.max_epochs", 1, "--tune.folds", 2, "--data.batch_size", 512, "--tune.trials", 2]


@pytest.fixture(autouse=True)
def ctrl_c_raises():
    """Whoever started the tests may have told them to ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def tune(command, monkeypatch):
    """Runs `torchann tune` on the book's config with few short trials."""
    monkeypatch.setenv("PYTHONPATH", str(EXPERIMENTS.parent))  # for the processes that it starts
    return lambda *words: command("tune", "--config", CONFIG, *SHORT, *words)


def test_config_searches_the_books_space_and_begins_with_its_command():
    text = CONFIG.read_text()
    assert text.splitlines()[0] == "# torchann tune --config experiments/tune_housing.yaml"
    given = yaml.safe_load(text)
    space = given["tune"]["space"]
    assert space["model.hidden_sizes"] == {"layers": [0, 3], "neurons": [1, 99]}
    assert space["model.lr"] == {"low": 3e-4, "high": 3e-2}
    assert (given["tune"]["trials"], given["tune"]["folds"], given["trainer"]["max_epochs"]) == (10, 3, 100)
    assert shlex.split(text.splitlines()[0])[2] == "tune"


def test_study_leaves_a_table_a_model_and_a_config_that_trains_it(tune, command, tmp_path):
    outcome = tune()
    assert (outcome.status, outcome.err) == (0, "")
    folder = tmp_path / "studies" / "tune_housing"
    with (folder / "study.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["complete", "complete"] and float(rows[0]["fold_2"]) > 0
    best = json.loads((folder / "best.json").read_text())
    assert best["score"] == min(float(row["cv_loss"]) for row in rows)
    table, _, told = outcome.out.partition("\n\n")
    assert len(table.splitlines()) == 4 and f"trial {best['trial']} of the study tune_housing" in told
    assert f"test_loss  {best['figures']['test_loss']:.4f}" in told
    assert load(folder / "best.safetensors").hparams["hidden_sizes"] == best["params"]["model.hidden_sizes"]

    config = "studies/tune_housing/best.yaml"
    assert (folder / "best.yaml").read_text().splitlines()[0] == f"# torchann fit --config {config}"
    assert command("fit", "--config", config, "--quiet").status == 0
    tested = command("test", "--config", config, "--ckpt_path", "last", "--quiet")
    assert float(re.search(r"test_loss +(\S+)", tested.out)[1]) == pytest.approx(best["figures"]["test_loss"], abs=1e-4)


def test_same_command_goes_on_and_more_trials_can_be_asked_for(tune, tmp_path):
    assert tune("--tune.trials", 1).status == 0
    more = tune("--tune.sampler", "tpe", "--tune.pruner", "median")
    assert (more.status, more.err) == (0, "")
    trials = tmp_path / "studies" / "tune_housing" / "trials"
    assert sorted(path.name for path in trials.iterdir()) == ["000", "001"]
    other = tune("--model.optimizer", "adam")
    assert other.status == 1 and "the study 'tune_housing' has model={" in other.err


def test_knobs_of_the_data_can_be_searched_and_null_is_kept(command, tmp_path):
    given = yaml.safe_load(CONFIG.read_text())
    given["tune"] |= {"space": {"data.batch_size": [256, 512]}, "folds": None, "trials": 1, "name": "sizes"}
    given["model"]["init_args"] = {"hidden_sizes": [5], "weight_init": None}
    given["trainer"]["max_epochs"] = 1
    (tmp_path / "sizes.yaml").write_text(yaml.safe_dump(given))
    outcome = command("tune", "--config", "sizes.yaml", "--quiet")
    assert (outcome.status, outcome.err) == (0, "")
    best = yaml.safe_load((tmp_path / "studies" / "sizes" / "best.yaml").read_text())
    assert best["data"]["init_args"]["batch_size"] in (256, 512) and "tune" not in best
    assert best["model"]["init_args"] == {"hidden_sizes": [5], "weight_init": None}
    assert best["trainer"]["name"] == "sizes_best"


def test_jobs_share_a_study(tune, tmp_path):
    outcome = tune("--tune.jobs", 2, "--tune.trials", 3, "--quiet")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.count("of the study tune_housing") == 1
    trials = tmp_path / "studies" / "tune_housing" / "trials"
    assert len(list(trials.iterdir())) == 3


def test_interrupted_command_says_how_to_go_on_and_does(tmp_path, tune):
    fold = tmp_path / "studies" / "tune_housing" / "trials" / "000" / "fold-1"

    def interrupt():
        deadline = time.monotonic() + 60
        while not (fold / "001" / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    words = ["--trainer.max_epochs", 25, "--tune.trials", 1]
    watcher = threading.Thread(target=interrupt)
    watcher.start()
    first = tune(*words)
    watcher.join()
    assert first.status == 130 and "running" in first.out
    assert first.err == "\nstopped: 0 trials are done; the same command goes on\n"
    begun = len((fold / "001" / "history.csv").read_text().splitlines())
    assert begun < 26
    again = tune(*words, "--quiet")
    assert (again.status, again.err) == (0, "") and [path.name for path in fold.iterdir()] == ["001"]
    assert len((fold / "001" / "history.csv").read_text().splitlines()) > begun


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tune.trails", 3], "unrecognized arguments: --tune.trails 3; did you mean '--tune.trials'?"),
        (["--tune.sampler", "grid"], "give one of random, tpe"),
        (["--tune.space", "{model.hiden_sizes: [[3]]}"], "which there is not; did you mean 'model.hidden_sizes'?"),
        (["--tune.space", "{lr: {low: 0.1, high: 1.0}}"], "'lr', which there is not; did you mean 'model.lr'?"),
        (["--tune.space", "{model.learning_rate: [0.1]}"], "which there is not; did you mean 'model.lr'?"),
        (["--tune.space", "{model.optimizer: [sgd, nope]}"], "has 'nope' for model.optimizer; give one of sgd, adam,"),
        (["--tune.space", "{model.lr: [0.1, -1]}"], "has -1 for model.lr; lr is -1.0; give a finite number, 0 or"),
        (["--tune.space", "{model.hidden_sizes: {layers: [1, 2], neurons: [0, 3]}}"], "has [0, 0] for model.hidden"),
        (["--tune.space", "{xyz: [1]}"], "'xyz', which there is not; name an option of the model or data"),
        (["--tune.jobs", 0], "jobs is 0; give 1 or more"),
        (["--tune.trials", 0], "trials is 0; give 1 or more"),
        (["--model", "Perceptron", "--tune.space", "{model.lr: [1.0]}"], "torchann tune: error"),
    ],
)
def test_what_cannot_be_is_refused(words, said, tune):
    outcome = tune(*words)
    assert outcome.status in (1, 2) and said in outcome.err and outcome.out == ""
    message, *rest = outcome.err.splitlines()
    assert message.startswith("torchann tune: error: ") and len(rest) <= 1
    assert "search space" not in message or not Path("studies").exists()  # no trial was begun


def test_values_that_are_good_only_together_are_let_pass(tune):
    space = "{model.nesterov: [false, true], model.momentum: {low: 0.5, high: 0.9}}"
    assert tune("--tune.space", space, "--tune.trials", 1, "--tune.name", "together", "--quiet").status == 0


def test_search_without_a_space_shows_how_one_is_written(command):
    message, *example, where = command("tune", "--config", EXPERIMENTS / "housing_mlp.yaml").err.splitlines()
    assert message.endswith("such as --tune.space '{model.lr: {low: 0.0001, high: 0.1}}', or in a config:")
    section = yaml.safe_load("\n".join(example))["tune"]
    assert set(read_space(section["space"])) == {"model.lr", "model.hidden_sizes"} and section["trials"] == 20
    assert where == "Help: torchann tune --help"


def test_fit_takes_the_config_of_a_search(command, tmp_path):
    words = [EXPERIMENTS / "tune_housing.yaml", "--epochs", 1, "--trainer.limit_train_batches", 2]
    outcome = command("fit", *words)
    assert outcome.status == 0
    assert outcome.out.splitlines()[0] == "the section tune is for `torchann tune`; fit takes the rest of the config"
    assert "tune:" not in (tmp_path / "runs/tune_housing/001/config.yaml").read_text()
