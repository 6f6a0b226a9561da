"""The history of a run: which figures a row has, the file it leaves, and that a run that goes on goes on with it."""

import csv
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import pytest
import torch

import torchann
from tests.tasks.tables import class_table, regression_table
from torchann.files.history import History
from torchann.training.record_history import RecordHistory


class Foreign(pl.LightningModule):
    """Not of this project: logs a validation figure, and one of training when the epoch has ended."""

    def __init__(self, late=(0.5, 0.25, 0.125, 0.0625)):
        super().__init__()
        self.layer, self.late = torch.nn.Linear(3, 1), late

    def training_step(self, batch, batch_idx):
        return self.layer(batch[0]).mean()

    def validation_step(self, batch, batch_idx):
        self.log("recall", float(self.current_epoch))

    def on_train_epoch_end(self):
        self.log("regret", self.late[self.current_epoch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Break(pl.Callback):
    """Ends a fit within an epoch, after a batch, or at its end."""

    def __init__(self, epoch, within, batch=0):
        self.epoch, self.within, self.batch = epoch, within, batch

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        if self.within and trainer.current_epoch == self.epoch and batch_idx == self.batch:
            trainer.save_checkpoint(Path(trainer.log_dir, "checkpoints", "last.ckpt"))
            raise OSError("disk is full")

    def on_train_epoch_end(self, trainer, *_):
        if not self.within and trainer.current_epoch == self.epoch:
            raise OSError("disk is full")


def fit(model=None, data=None, folder=None, callbacks=(), **options):
    model = torchann.RegressionMLP([4], lr=0.01) if model is None else model
    ckpt_path = options.pop("ckpt_path", None)
    options = {"max_epochs": 3, "quiet": True, "callbacks": list(callbacks)} | options
    options |= {"logger": False} if folder is None else {"runs": str(folder)}
    trainer = torchann.Trainer(**options)
    trainer.fit(model, datamodule=regression_table() if data is None else data, ckpt_path=ckpt_path)
    return trainer, trainer.history


def without_seconds(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def table(run):
    with (run / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (torchann.RegressionMLP([4]), regression_table()),
        (torchann.Perceptron(tol=None), class_table(num_classes=2)),
        (torchann.WideAndDeep([4], aux_weight=0.1), regression_table()),
        (torchann.RegressionMLP([4], steps_per_execution=1), regression_table()),
    ],
    ids=["regression", "perceptron", "wide_and_deep", "single_steps"],
)
def test_row_has_all_figures_of_its_epoch(model, data):
    trainer, history = fit(model, data)
    assert [row["epoch"] for row in history] == [0, 1, 2]
    for row in history:
        assert set(row) == {"epoch", "seconds", *model.figure_names()}
    last = {name: np.float32(value) for name, value in history[-1].items() if name not in ("epoch", "seconds")}
    assert last == {name: np.float32(value.item()) for name, value in trainer.callback_metrics.items()}


def test_history_is_that_of_the_model():
    model = torchann.RegressionMLP([4])
    assert fit(model)[1] is model.history


def test_callback_of_ones_own_finds_the_row_of_the_epoch():
    class Look(pl.Callback):
        def on_train_epoch_end(self, trainer, module):
            seen.append({**module.history[-1]})

    seen = []
    history = fit(callbacks=[Look()])[1]
    assert seen == history.rows


def test_epoch_that_is_not_validated_has_no_validation_figure():
    history = fit(max_epochs=5, check_val_every_n_epoch=3)[1]  # Keras: validation_freq=3, epochs=5
    assert ["val_loss" in row for row in history] == [False, False, True, False, False]
    assert len(history["val_loss"]) == 1 and len(history["train_loss"]) == 5


def test_sanity_check_is_no_epoch():
    assert "recall" not in fit(Foreign(), num_sanity_val_steps=1, check_val_every_n_epoch=2)[1][0]


def test_figures_of_a_module_of_someone_elses_are_in_the_rows_of_their_epochs(tmp_path):
    trainer, history = fit(Foreign(), folder=tmp_path, check_val_every_n_epoch=2)
    expected = [{"epoch": 0, "regret": 0.5}, {"epoch": 1, "recall": 1.0, "regret": 0.25}, {"epoch": 2, "regret": 0.125}]
    assert without_seconds(history) == expected
    assert without_seconds(History.from_csv(trainer.run_folder / "history.csv")) == expected


def test_file_is_the_history(tmp_path):
    trainer, history = fit(folder=tmp_path)
    assert (trainer.run_folder / "history.csv").read_text() == history.to_csv()
    assert all(float(row["seconds"]) > 0 for row in table(trainer.run_folder))


def test_file_gains_a_column_when_a_figure_comes_later(tmp_path):
    trainer, history = fit(folder=tmp_path, max_epochs=4, check_val_every_n_epoch=2)
    assert [row["val_loss"] != "" for row in table(trainer.run_folder)] == [False, True, False, True]
    assert (trainer.run_folder / "history.csv").read_text() == history.to_csv()


def test_file_has_the_shortest_decimals_that_were_measured(tmp_path):
    trainer, history = fit(Foreign(late=(0.1, 0.3, 1 / 3)), folder=tmp_path)  # logged as float32
    assert [row["regret"] for row in table(trainer.run_folder)] == ["0.1", "0.3", "0.33333334"]
    assert history["regret"] == [0.1, 0.3, 0.33333334]


def test_loss_that_is_no_number_is_in_the_file(tmp_path):  # Keras: test_stop_training_csv
    trainer, _ = fit(torchann.RegressionMLP([4, 4], lr=1e9), folder=tmp_path, terminate_on_nan=False)
    assert table(trainer.run_folder)[-1]["train_loss"] in ("nan", "inf")


def test_row_is_appended_and_the_file_is_not_written_anew(tmp_path, monkeypatch):
    rewrites = []
    rewrite = RecordHistory._rewrite
    monkeypatch.setattr(RecordHistory, "_rewrite", lambda self: rewrites.append(len(self.history)) or rewrite(self))
    trainer, _ = fit(folder=tmp_path, max_epochs=30)
    assert rewrites == [1] and len(table(trainer.run_folder)) == 30


@pytest.mark.parametrize("options", [{"logger": False}, {"fast_dev_run": True}], ids=str)
def test_trainer_without_a_run_folder_writes_no_file(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainer = torchann.Trainer(max_epochs=1, quiet=True, **options)
    trainer.fit(torchann.RegressionMLP([4]), datamodule=regression_table())
    assert not list(tmp_path.rglob("history.csv"))


def test_error_leaves_the_rows_of_the_epochs_before_it(tmp_path):
    with pytest.raises(OSError, match="disk is full"):
        fit(folder=tmp_path, callbacks=[Break(2, within=True)])
    assert [row["epoch"] for row in table(tmp_path / "run" / "001")] == ["0", "1"]


@pytest.mark.parametrize("make", [lambda: torchann.RegressionMLP([4], 3, 1, lr=0.01), Foreign], ids=["task", "foreign"])
@pytest.mark.parametrize("within", [False, True], ids=["at_its_end", "within"])
def test_run_that_goes_on_has_the_history_of_one_that_was_never_stopped(within, make, tmp_path):
    def made():
        torch.manual_seed(0)
        return make()

    _, whole = fit(made(), folder=tmp_path / "whole", max_epochs=4)
    with pytest.raises(OSError, match="disk is full"):
        fit(made(), folder=tmp_path, max_epochs=4, callbacks=[Break(2, within)])
    trainer, resumed = fit(made(), folder=tmp_path, max_epochs=4, ckpt_path="last")
    assert without_seconds(resumed) == without_seconds(whole)
    assert (trainer.run_folder / "history.csv").read_text() == resumed.to_csv()


def test_validation_before_a_checkpoint_within_an_epoch_is_not_lost(tmp_path):
    def go(folder, callbacks=(), **options):
        data = regression_table(batch_size=14)  # five batches, validated after the third
        return fit(Foreign(), data, folder, callbacks, val_check_interval=3, **options)

    _, whole = go(tmp_path / "whole")
    with pytest.raises(OSError, match="disk is full"):
        go(tmp_path, [Break(2, within=True, batch=3)])
    resumed = go(tmp_path, ckpt_path="last")[1]
    assert without_seconds(resumed) == without_seconds(whole) and resumed["recall"] == [0.0, 1.0, 2.0]


def test_measuring_with_a_checkpoint_leaves_the_history(tmp_path):
    trainer, history = fit(torchann.RegressionMLP([4], lr=1.0), folder=tmp_path)
    text = history.to_csv()
    trainer.test(trainer.lightning_module, datamodule=regression_table(), ckpt_path="best", verbose=False)
    assert trainer.history.to_csv() == text == (trainer.run_folder / "history.csv").read_text()


def test_trainer_that_fits_again_goes_on_and_another_begins_anew(tmp_path):
    model = torchann.RegressionMLP([4])
    trainer, _ = fit(model, folder=tmp_path)
    trainer.fit_loop.max_epochs = 5
    trainer.fit(model, datamodule=regression_table())
    assert [row["epoch"] for row in model.history] == [0, 1, 2, 3, 4]
    assert [row["epoch"] for row in table(trainer.run_folder)] == ["0", "1", "2", "3", "4"]
    fit(model)
    assert [row["epoch"] for row in model.history] == [0, 1, 2]
