"""`torchann reproduce`: the table, the curves, the seeds, and what happens where data are missing."""

from dataclasses import replace

import pytest

from tests.conftest import EXPERIMENTS as FILES
from tests.conftest import rows
from torchann.chapter.experiment import Outcome
from torchann.chapter.experiments import EXPERIMENTS

PNG = b"\x89PNG\r\n\x1a\n"


def shortened(name, band):
    """An experiment for one epoch, with its figure on the test rows alone."""
    whole = EXPERIMENTS[name]
    published = replace(whole.published[-1], band=band)
    return replace(whole, run=replace(whole.run, max_epochs=1), published=(published,))


@pytest.fixture
def short(monkeypatch):
    """Housing for one epoch instead of twenty, and a band that this meets."""
    changed = shortened("housing_mlp", (0.0, 5.0))
    monkeypatch.setitem(EXPERIMENTS, "housing_mlp", changed)
    return changed


def row(text, name):
    """The cells of a row of the table on the screen, by its two-space gaps."""
    line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_list_names_the_experiments_and_runs_none(command, tmp_path):
    outcome = command("reproduce", "--list")
    assert (outcome.status, outcome.err) == (0, "")
    assert [line.split()[0] for line in outcome.out.splitlines()[2:]] == list(EXPERIMENTS)
    assert list(tmp_path.iterdir()) == []


def test_unknown_experiment_is_refused_with_the_one_that_was_meant(command, tmp_path):
    outcome = command("reproduce", "--only", "housing_mpl")
    said = "torchann reproduce: error: there is no experiment 'housing_mpl'; did you mean 'housing_mlp'?\n"
    assert outcome == (2, "", said)
    assert "'xyz'; `torchann reproduce --list` names them" in command("reproduce", "--only", "xyz").err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("option", "number"), [("--seeds", 0), ("--seeds", -1), ("--jobs", 0)])
def test_no_seeds_or_jobs_are_refused(command, option, number):
    said = f"torchann reproduce: error: {option} is {number}; give 1 or more\n"
    assert command("reproduce", f"{option}={number}") == (2, "", said)


def test_jobs_side_by_side_give_the_figures_of_one_after_the_other(command, tmp_path):
    alone, together = (
        command("reproduce", "--only", "housing_mlp", "--seeds", 2, "--jobs", jobs, "--quiet") for jobs in (1, 2)
    )
    assert alone.status == together.status
    assert row(alone.out, "housing_mlp")[:-1] == row(together.out, "housing_mlp")[:-1]  # all but the seconds
    assert len(list((tmp_path / "runs" / "housing_mlp").iterdir())) == 4


def test_interrupted_command_keeps_the_rows_that_are_through(command, monkeypatch, tmp_path):
    def interrupted(setting):
        raise KeyboardInterrupt

    monkeypatch.setitem(EXPERIMENTS, "housing_mlp", replace(EXPERIMENTS["housing_mlp"], run=interrupted))
    outcome = command("reproduce", "--only", "iris_perceptron", "housing_mlp", "--quiet")
    assert outcome.status == 130 and row(outcome.out, "iris_perceptron")[6] == "yes"
    assert "| iris_perceptron" in (tmp_path / "results" / "chapter.md").read_text()


def test_perceptron_ends_at_the_published_weights(command, tmp_path):
    outcome = command("reproduce", "--only", "iris_perceptron", "iris_perceptron_shuffled", "--quiet")
    assert (outcome.status, outcome.err) == (0, "")
    # scikit-learn's figures: weights; bias; epochs; the class of [2, 0.5]
    for name, published, by in (
        ("iris_perceptron", "-0.5, -0.8; 2; 8; 1", "peer"),
        ("iris_perceptron_shuffled", "-0.7, -1.2; 2; 7; 0", "book"),
    ):
        assert row(outcome.out, name)[2:7] == [published, by, "the same", "equal", "yes"]
        assert (tmp_path / "results" / f"{name}.png").read_bytes()[:8] == PNG


def test_table_goes_to_the_screen_and_with_the_curves_to_a_page(command, short, tmp_path):
    outcome = command("reproduce", "--only", "housing_mlp", "--output", "out", "--runs", "mine", "--quiet")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.endswith("\ntable and pictures in out\n")
    page = (tmp_path / "out" / "chapter.md").read_text()
    cells = row(outcome.out, "housing_mlp")
    assert cells[:4] == ["housing_mlp", "test MSE", "0.4212", "book"] and cells[5:7] == ["0 to 5", "yes"]
    in_page = next(line for line in page.splitlines() if line.startswith("| test MSE"))
    assert [cell.strip() for cell in in_page.strip("|").split("|") if cell.strip()] == cells[1:7]
    summary = next(line for line in page.splitlines() if line.startswith("| housing_mlp"))
    assert [cell.strip() for cell in summary.strip("|").split("|")][:3] == ["housing_mlp", short.section, "1 of 1"]
    assert f"![{short.title}](housing_mlp.png)" in page and "torch 2." in page and "One seed." in page
    assert (tmp_path / "out" / "housing_mlp.png").read_bytes()[:8] == PNG
    assert (tmp_path / "mine" / "housing_mlp" / "001" / "checkpoints" / "best.ckpt").is_file()


def test_experiment_trains_as_its_file_does(command, short, tmp_path):
    assert command("reproduce", "--only", "housing_mlp", "--runs", "a", "--quiet").status == 0
    file = ["--config", FILES / "housing_mlp.yaml", "--trainer.max_epochs", 1, "--trainer.runs", "b", "--quiet"]
    assert command("fit", *file).status == 0
    first, second = (rows(tmp_path / runs / "housing_mlp" / "001")[0] for runs in "ab")
    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_seeds_give_their_median_and_range(command, short, monkeypatch):
    history = [{"epoch": 0, "train_loss": 1.0}]

    def outcome_of(measurement):
        return Outcome({"test MSE": measurement}, history)

    measurements = iter([0.5, 0.25, 1.0])  # in order 0.25, 0.5, 1.0: the median is 0.5
    monkeypatch.setitem(EXPERIMENTS, "housing_mlp", replace(short, run=lambda setting: outcome_of(next(measurements))))
    outcome = command("reproduce", "--only", "housing_mlp", "--seeds", 3)
    assert outcome.status == 0
    assert row(outcome.out, "housing_mlp")[4:6] == ["0.5000", "0.2500 to 1.0000"]
    assert "housing_mlp, seed 43: " in outcome.out


def test_experiment_that_no_seed_changes_runs_once(command, tmp_path):
    assert command("reproduce", "--only", "iris_perceptron", "--seeds", 3, "--quiet").status == 0
    assert [path.name for path in (tmp_path / "runs" / "iris_perceptron").iterdir()] == ["001"]


def test_experiment_that_is_named_twice_runs_once(command, tmp_path):
    command("reproduce", "--only", "iris_perceptron", "--only", "iris_perceptron", "--quiet")
    assert [path.name for path in (tmp_path / "runs" / "iris_perceptron").iterdir()] == ["001"]


def test_figure_out_of_its_band_is_marked_and_the_status_is_1(command, short, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "housing_mlp", shortened("housing_mlp", (0.0, 0.1)))
    outcome = command("reproduce", "--only", "housing_mlp", "--quiet")
    assert outcome.status == 1
    assert row(outcome.out, "housing_mlp")[5:7] == ["0 to 0.1", "NO"]


def test_missing_data_leave_their_row_not_run_and_the_others_as_they_are(command, bare_machine, tmp_path):
    outcome = command("reproduce", "--only", "fashion_mnist_mlp", "iris_perceptron", "--quiet")
    assert outcome.status == 1
    cells = row(outcome.out, "fashion_mnist_mlp")
    assert cells == ["fashion_mnist_mlp", "validation accuracy", "0.8920", "book", "not run", "0.88 to 0.9"]
    assert row(outcome.out, "iris_perceptron")[6] == "yes"
    assert "fashion_mnist_mlp was not run: Fashion-MNIST is not on this machine" in outcome.err
    for way in ("apt-get install dataset-fashion-mnist", "TORCHANN_DATA=FOLDER", "torchann data fashion-mnist"):
        assert way in outcome.err
    assert "Traceback" not in outcome.err
    page = (tmp_path / "results" / "chapter.md").read_text()
    assert "Not run: Fashion-MNIST is not on this machine" in page and "(fashion_mnist_mlp.png)" not in page


def test_folder_that_is_named_and_lacks_the_data_is_said(command, tmp_path):
    outcome = command("reproduce", "--only", "fashion_mnist_mlp", "--data-dir", tmp_path, "--quiet")
    assert outcome.status == 1 and f"the folder {tmp_path}, named by data_dir, lacks train-images" in outcome.err


def test_fashion_mnist_runs_on_the_files_of_the_folder(command, synthetic_fashion_mnist, monkeypatch):
    changed = shortened("fashion_mnist_mlp", (0.9, 1.0))  # of bright bands, easy to learn
    monkeypatch.setitem(EXPERIMENTS, "fashion_mnist_mlp", changed)
    folder = ["--data-dir", synthetic_fashion_mnist]
    outcome = command("reproduce", "--only", "fashion_mnist_mlp", *folder, "--quiet")
    assert (outcome.status, outcome.err) == (0, "")


def test_quiet_run_prints_the_table_and_nothing_before_it(command, short):
    outcome = command("reproduce", "--only", "housing_mlp", "--quiet")
    assert outcome.out.lstrip("\n").startswith("experiment ") and outcome.err == ""
