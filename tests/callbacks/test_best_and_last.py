"""The two checkpoints of a run, beside what a user may ask for."""

import pytest
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from torchann import IrisDataModule, Perceptron, Trainer
from torchann.callbacks.best_and_last import BestAndLast


def fitted(tmp_path, callback, **options):
    trainer = Trainer(runs=str(tmp_path / "runs"), max_epochs=8, quiet=True, callbacks=callback, **options)
    trainer.fit(Perceptron(), datamodule=IrisDataModule())
    return trainer


def epoch_of(path):
    return torch.load(path, weights_only=True)["epoch"]


def test_checkpoints_can_go_by_another_figure_and_to_another_folder(tmp_path):
    trainer = fitted(tmp_path, BestAndLast("train_loss", dirpath=str(tmp_path / "kept")))
    losses = [row["train_loss"] for row in trainer.logger.history]
    assert epoch_of(tmp_path / "kept" / "best.ckpt") == losses.index(min(losses)) > 0
    assert epoch_of(tmp_path / "kept" / "last.ckpt") == 7


@pytest.mark.parametrize("options", [{}, {"limit_val_batches": 0}, {"check_val_every_n_epoch": 3}])
def test_last_checkpoint_is_of_the_last_epoch_though_an_earlier_one_was_better(tmp_path, options):
    # The Perceptron makes no mistake from its third epoch on; Lightning's ModelCheckpoint then saves no "last" either.
    folder = fitted(tmp_path, [], **options).run_folder / "checkpoints"
    assert epoch_of(folder / "best.ckpt") < epoch_of(folder / "last.ckpt") == 7


def test_checkpoint_holds_plain_values_from_which_the_model_is_made_again(tmp_path):
    trainer = fitted(tmp_path, BestAndLast())
    path = trainer.run_folder / "checkpoints" / "last.ckpt"
    again = Perceptron.load_from_checkpoint(path, weights_only=True)
    assert again.hparams["in_features"] == 2
    assert torch.equal(again.net.weight, trainer.lightning_module.net.weight)


def test_mistyped_figure_is_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(
        MisconfigurationException, match=r"'val_los'.* could not find .* returned metrics: .*'val_loss'"
    ):
        fitted(tmp_path, BestAndLast("val_los"))
