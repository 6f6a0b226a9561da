"""Every YAML in experiments/: its first line, that it runs, and that it trains what the chapter's table trains."""

import importlib
import inspect
import shlex

import pytest
import yaml

from tests.conftest import EXPERIMENTS as FOLDER
from torchann.chapter.experiment import Setting, Training
from torchann.chapter.experiments import EXPERIMENTS
from torchann.chapter.reproduce import FIRST_SEED

FILES = sorted(file for file in FOLDER.glob("*.yaml") if not file.stem.startswith("tune_"))  # see test_tune.py
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def made(section):
    if not isinstance(section, dict) or "class_path" not in section:
        return section
    module, _, name = section["class_path"].rpartition(".")
    return getattr(importlib.import_module(module), name)(
        **{key: made(value) for key, value in section.get("init_args", {}).items()}
    )


def test_every_experiment_of_the_table_has_a_file_and_every_file_a_row():
    trained = {name for name, experiment in EXPERIMENTS.items() if isinstance(experiment.run, Training)}
    assert {file.stem for file in FILES} == trained


@each_file
def test_file_begins_with_the_command_that_runs_it(file):
    assert file.read_text().splitlines()[0] == f"# torchann fit --config experiments/{file.name}"


@each_file
def test_first_line_of_a_file_runs(file, command, tmp_path, fashion_mnist_folder, monkeypatch):
    monkeypatch.setenv("TORCHANN_DATA", str(fashion_mnist_folder))
    monkeypatch.chdir(FOLDER.parent)
    words = shlex.split(file.read_text().splitlines()[0].removeprefix("# torchann "))
    few = ["--trainer.max_epochs", 2, "--trainer.limit_train_batches", 20, "--trainer.runs", tmp_path / "runs"]
    outcome = command(*words, *few, "--trainer.limit_val_batches", 20)
    assert (outcome.status, outcome.err) == (0, "")
    run = tmp_path / "runs" / file.stem / "001"
    closing = [line for line in outcome.out.splitlines() if line.endswith(f"; run folder {run}")]
    assert len(closing) == 1 and closing[0].startswith("2 epochs, best val_loss ")
    assert len((run / "history.csv").read_text().splitlines()) == 1 + 2


@each_file
def test_file_describes_the_training_of_the_table(file):
    config, experiment = yaml.safe_load(file.read_text()), EXPERIMENTS[file.stem]
    seed = config.get("seed_everything", 42)  # the command line's default
    task, data = experiment.run.make(Setting(file.stem, FIRST_SEED))
    assert seed == FIRST_SEED
    callbacks = [made(callback) for callback in config["trainer"].pop("callbacks", [])]
    assert not config["trainer"].pop("terminate_on_nan", False)  # no run of the table ends by it
    assert config["trainer"] == {"max_epochs": experiment.run.max_epochs}
    assert [vars(callback) for callback in callbacks] == [vars(callback) for callback in experiment.run.callbacks()]
    described, served = made(config["model"]), made(config["data"])
    assert type(described) is type(task) and dict(described.hparams) == dict(task.hparams)
    nets = [getattr(model, "net", None) for model in (described, task)]
    assert type(nets[0]) is type(nets[1]) and str(nets[0]) == str(nets[1])
    arguments = inspect.signature(type(data)).parameters
    assert type(served) is type(data)
    assert {name: getattr(served, name) for name in arguments} == {name: getattr(data, name) for name in arguments}
