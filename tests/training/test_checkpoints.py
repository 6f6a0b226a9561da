"""The two checkpoints of a run, beside what a user may ask for."""

import errno
import os

import pytest
import torch

from tests.tasks.tables import fit, regression_table
from torchann import IrisDataModule, Perceptron, RegressionMLP, Trainer
from torchann.files.checkpoint_files import read_checkpoint
from torchann.training.checkpoints import Checkpoints


def fitted(tmp_path, callback, **options):
    trainer = Trainer(runs=str(tmp_path / "runs"), max_epochs=8, quiet=True, callbacks=callback, **options)
    trainer.fit(Perceptron(), datamodule=IrisDataModule())
    return trainer


def epoch_of(path):
    return read_checkpoint(path)["epoch"]


def test_checkpoints_can_go_by_another_figure_and_to_another_folder(tmp_path):
    trainer = fitted(tmp_path, Checkpoints("train_loss", dirpath=str(tmp_path / "kept")))
    losses = trainer.history["train_loss"]
    assert epoch_of(tmp_path / "kept" / "best.ckpt") == losses.index(min(losses)) > 0
    assert epoch_of(tmp_path / "kept" / "last.ckpt") == 7
    assert trainer.checkpoint_callback.best_epoch == losses.index(min(losses))
    assert trainer.checkpoint_callback.best_model_score.item() == min(losses)


@pytest.mark.parametrize("options", [{}, {"limit_val_batches": 0}, {"check_val_every_n_epoch": 3}])
def test_last_checkpoint_is_of_the_last_epoch_though_an_earlier_one_was_better(tmp_path, options):
    # The Perceptron makes no mistake from its third epoch on; Lightning's ModelCheckpoint then saves no "last" either.
    folder = fitted(tmp_path, [], **options).run_folder / "checkpoints"
    assert epoch_of(folder / "best.ckpt") < epoch_of(folder / "last.ckpt") == 7


def test_highest_accuracy_is_the_best_if_asked_for(tmp_path):
    trainer = fitted(tmp_path, Checkpoints("val_accuracy", mode="max"))
    accuracies = trainer.history["val_accuracy"]
    assert trainer.checkpoint_callback.best_epoch == accuracies.index(max(accuracies))


def test_epoch_that_was_not_validated_is_not_taken_for_the_best(tmp_path):
    # An old figure stays visible to callbacks until the next validation: epochs 2, 5 have one of their own.
    trainer = fitted(tmp_path, Checkpoints(), check_val_every_n_epoch=3)
    assert epoch_of(trainer.checkpoint_callback.best_model_path) in (2, 5)


def test_save_best_only_keeps_no_last(tmp_path):
    trainer = fitted(tmp_path, Checkpoints(save_best_only=True))
    assert [path.name for path in (trainer.run_folder / "checkpoints").iterdir()] == ["best.ckpt"]


def writes_of(monkeypatch, **policy):
    steps = []
    save = Checkpoints.save

    def note(self, trainer, best=False, last=True):
        if last:
            steps.append(trainer.global_step)
        save(self, trainer, best, last)

    monkeypatch.setattr(Checkpoints, "save", note)
    fit(
        RegressionMLP([5], steps_per_execution=1),
        regression_table(70, batch_size=10),
        5,
        callbacks=Checkpoints(**policy),
    )
    return steps


def test_last_is_written_every_so_many_epochs_and_at_the_end(monkeypatch, tmp_path):
    assert writes_of(monkeypatch, every_n_epochs=2, dirpath=str(tmp_path)) == [14, 28, 35]  # 7 steps per epoch


def test_last_is_written_every_so_many_steps_and_at_epoch_ends(monkeypatch, tmp_path):
    steps = writes_of(monkeypatch, every_n_steps=4, dirpath=str(tmp_path))
    assert steps == [4, 7, 8, 12, 14, 16, 20, 21, 24, 28, 32, 35]


def test_last_is_written_every_so_many_minutes(monkeypatch, tmp_path):
    clock = iter(range(0, 10_000, 30))  # each look at it is half a minute later
    monkeypatch.setattr("torchann.training.checkpoints.time.monotonic", lambda: float(next(clock)))
    steps = writes_of(monkeypatch, every_n_minutes=1.0, dirpath=str(tmp_path))
    assert steps[:5] == [2, 4, 6, 7, 9]


@pytest.mark.parametrize("policy", ["every_n_epochs", "every_n_steps", "every_n_minutes"])
def test_interval_that_is_not_above_0_is_refused(policy):
    with pytest.raises(ValueError, match=f"{policy} is 0; give a number above 0"):
        Checkpoints(**{policy: 0})


def test_checkpoint_holds_plain_values_from_which_the_model_is_made_again(tmp_path):
    trainer = fitted(tmp_path, Checkpoints())
    path = trainer.run_folder / "checkpoints" / "last.ckpt"
    again = Perceptron.load_from_checkpoint(path)
    assert again.hparams["in_features"] == 2
    assert torch.equal(again.net.weight, trainer.lightning_module.net.weight)


class FullDisk:
    """A disk on which no more files fit."""

    def __init__(self, monkeypatch, after):
        flush, self.left = os.fsync, after

        def fsync(descriptor):
            self.left -= 1
            if self.left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            flush(descriptor)

        monkeypatch.setattr("torchann.files.atomic.os.fsync", fsync)


def test_full_disk_is_an_error_that_names_the_file_and_leaves_the_one_before(tmp_path, monkeypatch):
    FullDisk(monkeypatch, after=8)  # four an epoch: the file, its name, the same of its second name
    trainer = Trainer(runs=str(tmp_path), max_epochs=8, quiet=True)
    with pytest.raises(OSError, match=r"cannot write .*best.ckpt .* No space left on device; the file that was there"):
        trainer.fit(RegressionMLP([5]), datamodule=regression_table())
    folder = trainer.run_folder / "checkpoints"
    assert {path.name for path in folder.iterdir()} == {"best.ckpt", "last.ckpt"}
    assert epoch_of(folder / "best.ckpt") == epoch_of(folder / "last.ckpt") == 1


def test_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(OSError, match="kept"):
        fitted(tmp_path, Checkpoints(dirpath=str(tmp_path / "kept")))


def test_file_system_without_links_gets_a_copy(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr("torchann.training.checkpoints.os.link", refuse)
    folder = fitted(tmp_path, []).run_folder / "checkpoints"
    assert epoch_of(folder / "last.ckpt") == 7
