"""Early stopping as Keras has it: when it stops, and that the best weights come back whatever ended the fit."""

import lightning.pytorch as pl
import pytest
import torch

import torchann
from tests.tasks.tables import regression_table
from torchann.callbacks.early_stopping import EarlyStopping


class Scripted(torchann.RegressionMLP):
    """Logs a validation loss of its own for each epoch, and has the epoch's number as its only bias."""

    def __init__(self, losses):
        super().__init__([], 3, 1)
        self.losses = losses

    def on_validation_epoch_end(self):
        self.net.linears()[0].bias.data.fill_(self.trainer.current_epoch)
        self.log("val_loss", torch.tensor(self.losses[self.trainer.current_epoch]))


def run(losses, max_epochs=None, callbacks=(), **options):
    model, stopping = Scripted(losses), EarlyStopping(**options)
    epochs = len(losses) if max_epochs is None else max_epochs
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=epochs, callbacks=[stopping, *callbacks])
    trainer.fit(model, datamodule=regression_table())
    return trainer.current_epoch, model.net.linears()[0].bias.item(), stopping


@pytest.mark.parametrize(
    ("losses", "options", "epochs", "best"),
    [
        # two epochs without improvement end it (Keras: patience), the third epoch's weights come back
        ([5.0, 4.0, 3.0, 3.5, 3.2, 1.0], {"patience": 2}, 5, 2),
        # the last epoch was the best, nothing stopped it
        ([5.0, 4.0, 3.0], {"patience": 2}, 3, 2),
        # max_epochs came first: the best weights come back all the same (Keras 2 left the last ones)
        ([5.0, 1.0, 3.0], {"patience": 10}, 3, 1),
        # a change of 0.1 is none if 0.5 is asked for
        ([5.0, 4.9, 4.8, 4.7], {"patience": 2, "min_delta": 0.5}, 3, 0),
        # what happens before start_from_epoch is neither counted nor remembered
        ([0.1, 9.0, 8.0, 5.0, 6.0, 7.0, 8.0], {"patience": 2, "start_from_epoch": 2}, 6, 3),
        # figures that should rise
        ([1.0, 2.0, 1.5, 1.4], {"patience": 2, "mode": "max"}, 4, 1),
        # a loss that is no number is no improvement
        ([2.0, float("nan"), float("nan"), 1.0], {"patience": 2}, 3, 0),
    ],
)
def test_training_stops_and_the_best_weights_come_back(losses, options, epochs, best):
    assert run(losses, **options)[:2] == (epochs, best)


def test_last_weights_stay_if_they_are_wanted():
    assert run([5.0, 1.0, 3.0], restore_best_weights=False)[1] == 2


def test_best_weights_come_back_after_an_exception():
    class Fail(pl.Callback):
        def on_train_epoch_end(self, trainer, module):
            if trainer.current_epoch == 3:
                raise OSError("disk is full")

    model = Scripted([5.0, 1.0, 3.0, 2.0])
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=4, callbacks=[EarlyStopping(), Fail()])
    with pytest.raises(OSError, match="disk is full"):
        trainer.fit(model, datamodule=regression_table())
    assert model.net.linears()[0].bias.item() == 1


def test_best_epoch_is_told():
    assert run([5.0, 1.0, 3.0])[2].best_epoch == 1


def test_training_loss_is_watched_where_nothing_is_validated():
    stopping = EarlyStopping(patience=2)
    model = torchann.RegressionMLP([4], 3, 1, lr=1e-9)
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=50, callbacks=[stopping])
    trainer.fit(model, regression_table().train_dataloader())
    assert stopping.monitor == "train_loss" and trainer.current_epoch < 50


def test_checkpoint_carries_the_best_weights_on(tmp_path):
    model, stopping = Scripted([5.0, 1.0, 3.0, 4.0, 5.0]), EarlyStopping(patience=3)
    trainer = torchann.Trainer(runs=str(tmp_path), quiet=True, max_epochs=3, callbacks=[stopping])
    trainer.fit(model, datamodule=regression_table())
    again, resumed = Scripted([5.0, 1.0, 3.0, 4.0, 5.0]), EarlyStopping(patience=3)
    further = torchann.Trainer(runs=str(tmp_path), quiet=True, max_epochs=5, callbacks=[resumed])
    path = trainer.checkpoint_callback.last_model_path
    further.fit(again, datamodule=regression_table(), ckpt_path=path, weights_only=True)
    assert resumed.best_epoch == 1 and again.net.linears()[0].bias.item() == 1
