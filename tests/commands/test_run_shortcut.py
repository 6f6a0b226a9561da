"""Every command that works on a trained model takes a run, the runs of a name, and a checkpoint."""

import pytest

from tests.data.own_tables import homes, write_csv

BEST = "runs/homes/001/checkpoints/best.ckpt"
GIVEN = ["runs/homes", "homes", "runs/homes/001", BEST]
AFTER = {
    "test": ["--quiet"],
    "validate": ["--quiet"],
    "info": [],
    "predict": ["homes.csv", "--quiet"],
    "export": ["-o", "homes.pt2", "--quiet"],
    "plot": ["--output", "drawn"],
    "lr-range": ["--steps", 30, "--quiet"],
}


@pytest.fixture
def run(command, tmp_path):
    """A run of one epoch on a table."""
    write_csv(tmp_path / "homes.csv", homes())
    assert command("fit", "homes.csv", "--target", "price", "--epochs", 1, "--quiet").status == 0
    return tmp_path / "runs" / "homes" / "001"


@pytest.mark.parametrize("name", AFTER)
def test_command_takes_a_run_its_name_and_its_checkpoint(command, run, name):
    outcomes = [command(name, given, *AFTER[name]) for given in GIVEN]
    assert [outcome.status for outcome in outcomes] == [0] * len(GIVEN), outcomes
    assert len({outcome.out for outcome in outcomes}) == 1


@pytest.mark.parametrize("name", ["test", "validate", "predict", "export"])
def test_command_says_which_run_it_took(command, run, name):
    words = [word for word in AFTER[name] if word != "--quiet"]
    assert command(name, "runs/homes", *words).out.splitlines()[0] == f"checkpoint {BEST}"


def test_last_checkpoint_of_a_run_is_measured_on_request(command, run):
    outcome = command("test", "runs/homes", "--ckpt_path", "last")
    assert outcome.out.splitlines()[0] == "checkpoint runs/homes/001/checkpoints/last.ckpt"


def test_search_takes_the_config_of_a_run(command, run):
    pytest.importorskip("optuna")
    outcome = command(
        "tune", "runs/homes", "--tune.space", "{model.dropout: [0.0, 0.5]}", "--tune.trials", 1, "--quiet"
    )
    assert outcome.status == 0 and "config studies/homes/best.yaml" in outcome.out


@pytest.mark.parametrize("name", AFTER)
@pytest.mark.parametrize(
    ("given", "meant"), [("runs/home", "runs/homes"), ("hoomes", "runs/homes"), ("run/homes/001", "runs/homes/001")]
)
def test_run_that_is_not_there_is_refused_with_the_one_that_was_meant(command, run, name, given, meant):
    outcome = command(name, given, *AFTER[name])
    assert outcome.status in (1, 2) and f"there is no {given}; did you mean '{meant}'?" in outcome.err


def test_model_without_a_config_cannot_say_what_its_rows_are(command, run):
    (run / "config.yaml").unlink()
    told = "there is no runs/homes/001/config.yaml to say what the rows are; give the config with --config"
    assert told in command("test", "runs/homes").err


def test_name_that_is_near_no_other_is_refused(command, run):
    assert "there is no run else/where; give one such as runs/NAME" in command("test", "else/where").err
