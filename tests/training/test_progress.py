"""The progress bar, as a terminal and as a file see it."""

import io
import re
from functools import partial

import pytest
import torch
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
    trainer = Trainer(runs=str(tmp_path), **({"max_epochs": 3} | options))
    trainer.fit(task or Perceptron(), datamodule=data or IrisDataModule())
    return trainer


def last_line(screen):
    return re.split(r"[\r\n]+", screen.getvalue().strip())[-1]


def test_bar_counts_all_steps_of_the_run_and_shows_epoch_and_figures(tmp_path, screen):
    trainer = fit(tmp_path)
    line = last_line(screen)
    # 150 rows in batches of 32 are 5 steps; 3 epochs are 15.
    assert line.startswith("epoch 3/3: 100%") and " 15/15 " in line
    for name, value in trainer.progress_bar_metrics.items():
        assert f"{name}={value:.4g}" in line


def test_bar_is_one_line_for_the_whole_run(tmp_path, screen):
    fit(tmp_path)
    assert screen.getvalue().strip().count("\n") == 0


def test_bar_ends_at_max_steps(tmp_path, screen):
    fit(tmp_path, max_epochs=-1, max_steps=7)
    assert "epoch 2/?: 100%" in last_line(screen) and " 7/7 " in last_line(screen)


def test_bar_of_a_resumed_run_goes_on_where_it_stopped(tmp_path, screen):
    last = fit(tmp_path, max_epochs=2).run_folder / "checkpoints" / "last.ckpt"
    screen.truncate(0)
    trainer = Trainer(runs=str(tmp_path), max_epochs=3)
    trainer.fit(Perceptron(), datamodule=IrisDataModule(), ckpt_path=last, weights_only=True)
    assert last_line(screen).startswith("epoch 3/3: 100%") and " 15/15 " in last_line(screen)


def test_bar_of_a_loader_without_length_has_no_end(tmp_path, screen):
    class Endless(IterableDataset):
        def __iter__(self):
            return iter([(torch.ones(2, dtype=torch.float64), torch.tensor(1))] * 4)

    trainer = Trainer(runs=str(tmp_path), max_epochs=1, limit_val_batches=0)
    trainer.fit(Perceptron(in_features=2, tol=None), DataLoader(Endless(), batch_size=2))
    assert last_line(screen).startswith("epoch 1/1: ") and " 2/? " in last_line(screen)


def test_bar_goes_over_the_batches_of_a_test_and_of_a_prediction(tmp_path, screen):
    trainer = fit(tmp_path, RegressionMLP([2]), CaliforniaHousingDataModule(batch_size=2000), max_epochs=1)
    screen.truncate(0)
    trainer.test(trainer.lightning_module, datamodule=trainer.datamodule, verbose=False)
    batches = sum(trainer.num_test_batches)
    assert last_line(screen).startswith("test: 100%") and f" {batches}/{batches} " in last_line(screen)
    trainer.predict(trainer.lightning_module, datamodule=trainer.datamodule)
    batches = sum(trainer.num_predict_batches)
    assert last_line(screen).startswith("predict: 100%") and f" {batches}/{batches} " in last_line(screen)


def test_bar_leaves_its_line_when_training_fails(tmp_path, screen):
    class Fails(Perceptron):
        def on_train_epoch_end(self) -> None:
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        fit(tmp_path, Fails())
    assert screen.getvalue().endswith("\n")


@pytest.mark.parametrize("options", [{"quiet": True}, {"enable_progress_bar": False}])
def test_bar_can_be_left_out(tmp_path, screen, options):
    fit(tmp_path, **options)
    assert screen.getvalue() == ""


def test_bar_is_not_written_to_a_file(tmp_path, capfd):
    fit(tmp_path)
    assert capfd.readouterr().err == ""


def test_bar_that_is_disabled_shows_nothing(tmp_path, screen):
    bar = Progress()
    bar.disable()
    fit(tmp_path, callbacks=bar)
    assert screen.getvalue() == ""
