"""How a fit is shown: the bar of a terminal, the lines of a log, the table of a notebook."""

import io
import re
from functools import partial

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm

from torchann import CaliforniaHousingDataModule, IrisDataModule, Perceptron, RegressionMLP, Trainer
from torchann.training.progress import Progress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch):
    """A terminal for the bar to write to."""
    screen = Screen()
    monkeypatch.setattr("torchann.training.progress.tqdm", partial(tqdm, file=screen))
    return screen


def fit(tmp_path, task=None, data=None, **options):
    trainer = Trainer(runs=str(tmp_path), **({"max_epochs": 3, "verbose": 1} | options))
    trainer.fit(task or Perceptron(), datamodule=data or IrisDataModule())
    return trainer


def last_line(screen):
    return re.split(r"[\r\n]+", screen.getvalue().strip())[-1]


def test_bar_goes_over_the_run_and_shows_the_losses_and_what_else_fits(tmp_path, screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    row = fit(tmp_path).history[-1]
    assert last_line(screen).startswith("epoch 3/3: 100%")
    names = [name for name in row if name not in ("epoch", "lr", "seconds")]
    assert all(f"{name}={row[name]:.4g}" in last_line(screen) for name in names)
    monkeypatch.setenv("COLUMNS", "80")
    row = fit(tmp_path).history[-1]
    assert last_line(screen).endswith(f", train_loss={row['train_loss']:.4g}, val_loss={row['val_loss']:.4g}")
    assert len(last_line(screen)) <= 80 and "#" * 10 in last_line(screen)


def test_bar_is_one_line_for_the_whole_run(tmp_path, screen):
    fit(tmp_path)
    assert screen.getvalue().strip().count("\n") == 0


def test_bar_ends_at_max_steps(tmp_path, screen):
    fit(tmp_path, max_epochs=-1, max_steps=7)
    assert "epoch 2/?: 100%" in last_line(screen)


def test_bar_of_a_resumed_run_goes_on_where_it_stopped(tmp_path, screen):
    last = fit(tmp_path, max_epochs=2).run_folder / "checkpoints" / "last.ckpt"
    screen.truncate(0)
    trainer = Trainer(runs=str(tmp_path), max_epochs=3, verbose=1)
    trainer.fit(Perceptron(), datamodule=IrisDataModule(), ckpt_path=last, weights_only=True)
    assert screen.getvalue().lstrip("\r\x00").startswith(" 67%")  # two of three epochs are done
    assert last_line(screen).startswith("epoch 3/3: 100%")


def test_bar_of_a_loader_without_length_has_no_end(tmp_path, screen):
    class Endless(IterableDataset):
        def __iter__(self):
            return iter([(torch.ones(2, dtype=torch.float64), torch.tensor(1))] * 4)

    trainer = Trainer(runs=str(tmp_path), max_epochs=-1, limit_val_batches=0, verbose=1, max_time="00:00:00:01")
    trainer.fit(Perceptron(in_features=2, tol=None), DataLoader(Endless(), batch_size=2))
    assert last_line(screen).startswith("epoch ") and "/?: 00:0" in last_line(screen) and "%" not in last_line(screen)


def test_bar_goes_over_the_batches_of_a_test_and_of_a_prediction(tmp_path, screen):
    trainer = fit(tmp_path, RegressionMLP([2]), CaliforniaHousingDataModule(batch_size=2000), max_epochs=1)
    screen.truncate(0)
    trainer.test(trainer.lightning_module, datamodule=trainer.datamodule, verbose=False)
    assert last_line(screen).startswith("test: 100%")
    trainer.predict(trainer.lightning_module, datamodule=trainer.datamodule)
    assert last_line(screen).startswith("predict: 100%")


def test_bar_leaves_its_line_when_training_fails(tmp_path, screen):
    class Fails(Perceptron):
        def on_train_epoch_end(self) -> None:
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        fit(tmp_path, Fails())
    assert screen.getvalue().endswith("\n")


@pytest.mark.parametrize("options", [{"quiet": True}, {"enable_progress_bar": False}, {"verbose": 0}])
def test_bar_can_be_left_out(tmp_path, screen, options):
    fit(tmp_path, **options)
    assert screen.getvalue() == ""


def test_bar_is_not_written_to_a_file(tmp_path, capfd):
    fit(tmp_path)
    told = capfd.readouterr()
    assert told.err == "" and told.out.startswith("3 epochs, best val_loss")


@pytest.mark.parametrize("verbose", [2, "auto"])
def test_log_has_a_line_per_epoch(tmp_path, capfd, verbose):
    row = fit(tmp_path, verbose=verbose).history[1]
    first, second, third, closing = capfd.readouterr().out.splitlines()
    losses = f"train_loss: {row['train_loss']:.4g} - val_loss: {row['val_loss']:.4g} - "
    assert second.startswith(f"epoch 2/3 - {row['seconds']:.2f}s - {losses}")
    assert (first[:9], third[:9], closing[:8]) == ("epoch 1/3", "epoch 3/3", "3 epochs")


@pytest.mark.parametrize(("verbose", "shown"), [(2, 123), ("auto", 99 + 3 + 1)])  # of the last 24: 100, 110, 120, 123
def test_long_log_has_a_line_per_ten_epochs_unless_asked_for_all(tmp_path, capfd, verbose, shown):
    fit(tmp_path, Perceptron(tol=None), max_epochs=123, verbose=verbose)
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("epoch")]
    assert len(lines) == shown and lines[-1].startswith("epoch 123/123")


def test_log_that_nobody_takes_does_not_cost_the_run(tmp_path, monkeypatch):
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("no space left")

    bar = Progress(2)
    monkeypatch.setattr("sys.stdout", Full())
    trainer = Trainer(logger=False, callbacks=bar, max_epochs=3)
    trainer.fit(Perceptron(), datamodule=IrisDataModule())
    assert len(trainer.history) == 3


def test_way_to_show_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="verbose is 3; give 0 for nothing, 1 for a bar, 2 for a line per epoch"):
        Trainer(verbose=3)


CELL = """import torchann
trainer = torchann.Trainer(max_epochs=12)
trainer.fit(torchann.Perceptron(tol=None), datamodule=torchann.IrisDataModule())"""


def test_notebook_has_a_table_of_the_latest_epochs_and_no_warning(tmp_path):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(book, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
    table, closing = book.cells[0].outputs  # and no warning
    lines = [line for line in table["data"]["text/html"].splitlines() if "<td" in line]
    assert len(lines) == 10 and ">12<" in lines[-1].replace(" ", "") and "val_loss" in table["data"]["text/html"]
    assert closing["name"] == "stdout" and closing["text"].startswith("12 epochs, best val_loss")


def test_bar_that_is_disabled_shows_nothing(tmp_path, screen):
    bar = Progress(1)
    bar.disable()
    fit(tmp_path, callbacks=bar)
    assert screen.getvalue() == ""
