"""`torchann lr-range`: the table and the advice, files where they are asked for, and none else."""

import csv
import re

import pytest
import yaml

from tests.conftest import EXPERIMENTS

HOUSING = EXPERIMENTS / "housing_mlp.yaml"
SHORT = ["--min_lr", 1e-3, "--max_lr", 10, "--steps", 60]


def test_command_prints_the_table_and_the_advice_and_leaves_nothing(command, tmp_path):
    outcome = command("lr-range", "--config", HOUSING, *SHORT)
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0].split()[:3] == ["step", "rate", "loss"] and lines[2].split()[:2] == ["1", "0.001"]
    assert lines[-1].startswith("steepest descent at 0.0") and "half of it is" in lines[-1]
    assert list(tmp_path.iterdir()) == []


def test_table_and_picture_are_written_where_they_are_asked_for(command, tmp_path):
    outcome = command("lr-range", "--config", HOUSING, *SHORT, "--table", "t.csv", "--plot", "p.png", "--quiet")
    assert (outcome.status, outcome.err) == (0, "") and len(outcome.out.splitlines()) == 1
    with (tmp_path / "t.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["lr"]) == 1e-3 and 30 < len(rows) <= 60
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.png", "t.csv"]


@pytest.mark.parametrize("name", ["wide_deep_named", "housing_tuned"])
def test_config_of_any_task_will_do(name, command):
    outcome = command("lr-range", "--config", EXPERIMENTS / f"{name}.yaml", *SHORT, "--quiet")
    assert (outcome.status, outcome.err) == (0, "") and "shoots up at" in outcome.out
    rates = re.search(r"steepest descent at (.*); shoots up at .*, half of it is (.*); train with (.*)", outcome.out)
    assert float(rates[3]) == min(float(rates[1]), float(rates[2]))


def test_config_of_a_run_and_its_weights_will_do(command, housing_run):
    given = ["lr-range", "--config", housing_run / "config.yaml", *SHORT, "--quiet"]
    fresh = command(*given, "--table", "fresh.csv")
    trained = command(*given, "--ckpt_path", housing_run / "checkpoints" / "best.ckpt", "--table", "trained.csv")
    assert (fresh.status, trained.status, fresh.err + trained.err) == (0, 0, "")


def test_perceptron_is_refused_in_words(command):
    outcome = command("lr-range", "--config", EXPERIMENTS / "iris_perceptron.yaml")
    assert outcome.status == 1 and outcome.out == ""
    assert outcome.err.startswith("torchann lr-range: error: a Perceptron follows no gradient")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--step", 9], "unrecognized arguments: --step 9; did you mean '--steps'?"),
        (["--model.hiden_sizes", 9], "did you mean '--model.hidden_sizes'?"),
        (["--min_lr", 11], r"rates go from 11.0 to 10.0; give 0 < min_lr < max_lr"),
        (["--ckpt_path", "no.ckpt"], "no.ckpt"),
    ],
)
def test_what_cannot_be_is_refused(words, said, command):
    outcome = command("lr-range", "--config", HOUSING, *words)
    assert outcome.status in (1, 2) and said in outcome.err and outcome.out == ""


def test_one_rate_is_not_given_twice_over(command, tmp_path):
    config = yaml.safe_load(HOUSING.read_text()) | {"factor": 1.1, "steps": 9, "max_lr": 1.0}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    outcome = command("lr-range", "--config", "c.yaml")
    assert outcome.status == 1 and "are one too many; leave one of them out" in outcome.err
