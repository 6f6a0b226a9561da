"""`torchann fit`: its run folder, its config, what it shows on the screen, and how it ends."""

import csv
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest
import torch
import yaml

from tests.conftest import EXPERIMENTS

HOUSING = EXPERIMENTS / "housing_mlp.yaml"
IRIS = EXPERIMENTS / "iris_perceptron.yaml"
SPECIES = ["--model", "ClassificationMLP", "--data", "IrisDataModule", "--data.target", "species"]
ADVERTISING = ["litlogger", "GPU available", "TPU", "Tip", "LeafSpec", "num_workers", "Warning", "warn", "rank_zero"]


def history(run):
    with (run / "history.csv").open() as file:
        return [{k: float(v) for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def test_config_of_a_run_gives_the_same_run_again(command, tmp_path):
    few = ["--trainer.max_epochs", 2, "--trainer.limit_train_batches", 30, "--model.lr", 0.005]
    assert command("fit", "--config", HOUSING, *few).status == 0
    first = tmp_path / "runs" / "housing_mlp" / "001"
    assert command("fit", "--config", first / "config.yaml").status == 0
    second = first.with_name("002")
    assert history(second) == history(first)
    assert yaml.safe_load((second / "config.yaml").read_text()) == yaml.safe_load((first / "config.yaml").read_text())


def test_config_of_a_run_names_all_that_was_used(housing_run):
    config = yaml.safe_load((housing_run / "config.yaml").read_text())
    assert config["seed_everything"] == 42
    assert config["model"]["class_path"] == "torchann.RegressionMLP"
    assert config["model"]["init_args"]["hidden_sizes"] == [30] and config["model"]["init_args"]["lr"] == 0.001
    assert config["data"]["init_args"] == {"batch_size": 32, "seed": 42, "periodic_coordinates": 0}
    assert config["trainer"]["max_epochs"] == 3 and config["trainer"]["name"] == "housing_mlp"


def test_run_is_named_after_its_config_its_model_or_as_asked(command, tmp_path):
    assert command("fit", "--config", IRIS, "--quiet").status == 0
    assert command("fit", *SPECIES, "--trainer.max_epochs", 1, "--quiet").status == 0
    assert command("fit", "--config", IRIS, "--trainer.name", "mine", "--quiet").status == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "ClassificationMLP",
        "iris_perceptron",
        "mine",
    ]


@pytest.mark.parametrize("how", [["--resume"], ["--ckpt_path", "last"]])
def test_fit_goes_on_from_the_last_checkpoint_in_the_folder_of_the_run(command, tmp_path, how):
    for epochs, resume in ((2, []), (4, how)):
        outcome = command("fit", *SPECIES, "--trainer.name", "iris", "--trainer.max_epochs", epochs, *resume)
        assert (outcome.status, outcome.err) == (0, "")
    assert "checkpoint runs/iris/001/checkpoints/last.ckpt\n" in outcome.out
    assert command("fit", *SPECIES, "--trainer.name", "whole", "--trainer.max_epochs", 4).status == 0
    runs = tmp_path / "runs"
    assert [path.name for path in (runs / "iris").iterdir()] == ["001"]
    # The law of a resumed run: its epochs are those of the run that was not interrupted.
    assert history(runs / "iris" / "001") == history(runs / "whole" / "001")
    assert len(history(runs / "iris" / "001")) == 4


def test_checkpoint_by_its_path_begins_a_new_run(command, tmp_path):
    assert command("fit", *SPECIES, "--trainer.name", "iris", "--trainer.max_epochs", 2).status == 0
    last = tmp_path / "runs" / "iris" / "001" / "checkpoints" / "last.ckpt"
    more = ["--trainer.max_epochs", 3, "--ckpt_path", last]
    assert command("fit", *SPECIES, "--trainer.name", "iris", *more).status == 0
    assert [row["epoch"] for row in history(tmp_path / "runs" / "iris" / "002")] == [0, 1, 2]
    assert len(history(tmp_path / "runs" / "iris" / "001")) == 2


def test_resume_starts_a_run_where_there_is_none_to_go_on_with(command, tmp_path):
    outcome = command("fit", *SPECIES, "--trainer.name", "iris", "--trainer.max_epochs", 1, "--resume")
    assert outcome.status == 0 and "nothing to resume: there is no run of 'iris'; a new one starts" in outcome.out
    (tmp_path / "runs" / "other" / "002").mkdir(parents=True)  # killed before it had anything
    outcome = command("fit", *SPECIES, "--trainer.name", "other", "--trainer.max_epochs", 1, "--resume")
    assert "nothing to resume: runs/other/002 has no checkpoint of 'other'; a new one starts" in outcome.out
    assert (tmp_path / "runs" / "other" / "003" / "checkpoints" / "last.ckpt").is_file()


def test_resume_takes_the_latest_run_that_has_a_checkpoint(command, tmp_path):
    assert command("fit", *SPECIES, "--trainer.name", "iris", "--trainer.max_epochs", 1).status == 0
    (tmp_path / "runs" / "iris" / "002").mkdir()  # of a fit that failed at its start
    outcome = command("fit", *SPECIES, "--trainer.name", "iris", "--trainer.max_epochs", 2, "--resume")
    assert outcome.status == 0 and "checkpoint runs/iris/001/checkpoints/last.ckpt\n" in outcome.out
    assert len(history(tmp_path / "runs" / "iris" / "001")) == 2


def test_resume_of_a_finished_run_trains_nothing(command, tmp_path):
    for _ in range(2):
        outcome = command("fit", *SPECIES, "--trainer.name", "iris", "--trainer.max_epochs", 2, "--resume")
    assert outcome.status == 0 and "nothing left to train: 2 epochs" in outcome.out
    assert len(history(tmp_path / "runs" / "iris" / "001")) == 2


def test_resume_with_other_settings_is_an_error_that_gives_both(command):
    assert command("fit", *SPECIES, "--trainer.name", "iris", "--trainer.max_epochs", 1).status == 0
    outcome = command(
        "fit", *SPECIES, "--trainer.name", "iris", "--trainer.max_epochs", 2, "--model.lr", 0.5, "--resume"
    )
    assert outcome.status == 1 and "had lr=" in outcome.err and "this fit has 0.5; give" in outcome.err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--model.hidden_sizes", "[3]"], r"had hidden_sizes=\[.*\] and this fit has \[3\]"),
        (["--seed_everything", "7"], "had seed=42 and this fit has 7"),
        (["--data.batch_size", "5"], "had batch_size=.* and this fit has 5"),
        (["--trainer.max_epochs", "1"], "has 2 epochs and max_epochs is 1; give at least 2"),
    ],
)
def test_resume_that_is_refused_changes_nothing_of_a_finished_run(command, tmp_path, given, told):
    name = ["--trainer.name", "iris", "--trainer.max_epochs", 2]
    assert command("fit", *SPECIES, *name).status == 0

    def files():  # but those that TensorBoard's writer opens and leaves empty
        found = [path for path in (tmp_path / "runs").rglob("*") if path.is_file() and "tfevents" not in path.name]
        return {path: path.read_bytes() for path in found}

    before = files()
    outcome = command("fit", *SPECIES, *name, *given, "--resume")
    assert outcome.status == 1 and re.search(told, outcome.err), outcome.err
    assert files() == before


def test_resume_beside_a_checkpoint_is_refused(command):
    outcome = command("fit", *SPECIES, "--resume", "--ckpt_path", "last")
    assert outcome.status == 1 and "--resume and --ckpt_path last exclude each other" in outcome.err


def test_seed_decides_the_run(command, tmp_path):
    for seed in (1, 1, 2):
        few = ["--trainer.max_epochs", 1, "--trainer.limit_train_batches", 5]
        assert command("fit", "--config", HOUSING, "--seed_everything", seed, *few).status == 0
    first, again, other = (history(tmp_path / "runs" / "housing_mlp" / number) for number in ("001", "002", "003"))
    assert first == again != other


@pytest.mark.parametrize("quiet", [["--quiet"], ["--verbose", 0]])
def test_quiet_fit_says_nothing_but_its_folder(command, quiet):
    assert command("fit", "--config", IRIS, *quiet) == (0, "runs/iris_perceptron/001\n", "")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--data.batch_size", 0], "batch_size is 0"),
        (["--model.activation", "rleu"], "there is no activation 'rleu'; did you mean 'relu'?"),
        (["--model.lr_schedule", "step", "--model.lr_schedule_options.gama", 1], "has no option 'gama'"),
        (["--trainer.accelerator", "cpuu"], "'cpuu'"),
        (["--ckpt_path", "no.ckpt"], "there is no checkpoint no.ckpt; give best, last or a .ckpt file"),
    ],
)
def test_value_that_cannot_be_used_is_an_error_and_no_traceback(command, given, told):
    outcome = command("fit", "--config", HOUSING, "--trainer.max_epochs", 1, *given)
    assert outcome.status == 1
    assert outcome.err.startswith("torchann fit: error: ") and told in outcome.err
    assert "Traceback" not in outcome.err and len(outcome.err.splitlines()) == 2


def test_figure_that_does_not_exist_is_an_error_and_no_traceback(command):
    stop = ["--trainer.callbacks", "torchann.EarlyStopping", "--trainer.callbacks.monitor", "val_los"]
    outcome = command("fit", "--config", IRIS, *stop)
    assert outcome.status == 1 and "no figure 'val_los'; did you mean 'val_loss'?" in outcome.err


def test_traceback_is_there_for_whoever_asks(command, monkeypatch):
    monkeypatch.setenv("TORCHANN_TRACEBACK", "1")
    with pytest.raises(ValueError, match="batch_size is 0"):
        command("fit", "--config", HOUSING, "--data.batch_size", 0)


def test_run_whose_folder_cannot_be_made_is_an_error_that_names_it(command, tmp_path):
    (tmp_path / "runs").write_text("a file")
    outcome = command("fit", "--config", IRIS)
    assert outcome.status == 1 and "runs" in outcome.err and "Traceback" not in outcome.err


def test_real_process_writes_a_line_per_epoch_and_one_more_and_no_advertising(tmp_path):
    few = ["--trainer.max_epochs", "1", "--trainer.limit_train_batches", "10"]
    done = subprocess.run(
        [sys.executable, "-m", "torchann", "fit", "--config", str(HOUSING), *few],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert [word for word in ADVERTISING if word in done.stderr + done.stdout] == []
    assert (done.returncode, done.stderr) == (0, "")
    epoch, closing = done.stdout.splitlines()
    assert epoch.startswith("epoch 1/1 - ") and "train_loss: " in epoch
    assert re.fullmatch(r"1 epoch, best val_loss \d+\.\d{4}; run folder runs/housing_mlp/001", closing)


class Terminal:
    """A terminal with a program in it."""

    def __init__(self, words, folder, columns=160):
        here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("4H", 40, columns, 0, 0))

        def take_terminal():
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # the tests may run where Ctrl-C is ignored
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        files = {"stdin": there, "stdout": there, "stderr": there}
        self.program = subprocess.Popen(words, cwd=folder, **files, start_new_session=True, preexec_fn=take_terminal)
        os.close(there)
        self.screen, self._here = "", here

    def read_until(self, condition, seconds=90):
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            if select.select([self._here], [], [], 0.1)[0]:
                try:
                    self.screen += os.read(self._here, 65536).decode()
                except OSError:  # the program has ended
                    return
        assert condition(), self.screen[-1000:]

    def press_ctrl_c(self):
        os.write(self._here, b"\x03")

    def close(self):
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        os.close(self._here)


def test_terminal_shows_epochs_and_figures_and_ctrl_c_keeps_the_last_checkpoint(tmp_path):
    words = [sys.executable, "-m", "torchann", "fit", *SPECIES, "--trainer.name", "long"]
    terminal = Terminal([*words, "--trainer.max_epochs", "100000"], tmp_path)
    last = tmp_path / "runs" / "long" / "001" / "checkpoints" / "last.ckpt"
    try:
        shown = r"epoch +\d+/100000: +\d+%\|.*train_loss=[\d.]+, val_loss=[\d.]+, val_accuracy=[\d.]+"
        terminal.read_until(lambda: re.search(shown, terminal.screen) and last.is_file())
        terminal.press_ctrl_c()
        terminal.read_until(lambda: terminal.program.poll() is not None, seconds=20)
    finally:
        terminal.close()
    assert terminal.program.returncode == 130
    end = r"interrupted after epoch (\d+); saved as runs/long/001/checkpoints/last.ckpt; the model has the best"
    said = re.search(end, terminal.screen.replace(f"{tmp_path}/", "").replace("\r\n", ""))
    assert said and "Traceback" not in terminal.screen, terminal.screen[-1000:]
    assert torch.load(last, weights_only=True)["epoch"] == int(said[1]) - 1
    assert [word for word in ADVERTISING if word in terminal.screen] == []
