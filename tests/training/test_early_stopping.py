"""Early stopping as Keras has it: when it stops, and that the best weights come back whatever ended the fit."""

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

import torchann
from tests.tasks.tables import class_table, regression_table
from torchann.engine.stop import StopTraining
from torchann.training.checkpoints import Checkpoints
from torchann.training.early_stopping import EarlyStopping


class Scripted(torchann.RegressionMLP):
    """Logs a validation loss of its own for each epoch, and has the epoch's number as its only bias."""

    def __init__(self, losses):
        super().__init__([], 3, 1)
        self.losses = losses

    def on_validation_epoch_end(self):
        self.net.linears()[0].bias.data.fill_(self.trainer.current_epoch)
        self.log("val_loss", torch.tensor(self.losses[self.trainer.current_epoch]))


class End(pl.Callback):
    """Ends training in an epoch, by an exception."""

    def __init__(self, epoch, error):
        self.epoch, self.error = epoch, error

    def on_train_epoch_end(self, trainer, module):
        if trainer.current_epoch == self.epoch:
            raise self.error


def epoch_of(model):
    return model.net.linears()[0].bias.item()


def run(losses, max_epochs=None, callbacks=(), trainer=(), **options):
    model, stopping = Scripted(losses), EarlyStopping(**options)
    options = {"logger": False, "quiet": True, "max_epochs": len(losses) if max_epochs is None else max_epochs}
    trainer = torchann.Trainer(callbacks=[stopping, *callbacks], **options | dict(trainer))
    trainer.fit(model, datamodule=regression_table())
    return trainer.current_epoch, epoch_of(model), stopping


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
        # nor is it the best where it comes first, as Keras has it
        ([float("nan"), 3.0, 2.0, 4.0, 5.0], {"patience": 2}, 5, 2),
        # nor does it stop anything in the first epoch
        ([float("nan"), 1.0, 2.0, 0.5], {"patience": 0}, 3, 1),
        # no epoch beats the baseline: patience counts from the first, and the best of them comes back
        ([0.9, 0.8, 0.7, 0.71, 0.72, 0.73], {"patience": 5, "baseline": 0.5}, 5, 2),
        # the first epoch stops nothing, whatever the patience
        ([1.0, 2.0], {"patience": 0}, 2, 0),
    ],
)
def test_training_stops_and_the_best_weights_come_back(losses, options, epochs, best):
    assert run(losses, **options)[:2] == (epochs, best)


@pytest.mark.parametrize("patience", [0, 1, 2, 3])
def test_stopped_epoch_follows_the_patience(patience):  # Keras: test_early_stopping_patience
    stopping = run([10.0, 9.0, 8.0, 9.0, 8.9, 8.8, 8.7, 8.6, 8.5], patience=patience)[2]
    assert stopping.stopped_epoch == max(patience, 1) + 2 and stopping.best_epoch == 2 and stopping.best_score == 8.0


def test_last_weights_stay_if_they_are_wanted():
    assert run([5.0, 1.0, 3.0], restore_best_weights=False)[1] == 2


def test_fit_that_was_not_stopped_has_no_epoch_in_which_it_was():
    stopping = run([5.0, 1.0, 3.0])[2]
    assert (stopping.stopped_epoch, stopping.wait_count, stopping.best_epoch) == (0, 1, 1)


@pytest.mark.parametrize(
    "error", [OSError("disk is full"), KeyboardInterrupt()], ids=lambda error: type(error).__name__
)
def test_best_weights_come_back_after_an_exception(error):
    model = Scripted([5.0, 1.0, 3.0, 2.0])
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=4, callbacks=[EarlyStopping(), End(3, error)])
    with pytest.raises(type(error)):
        trainer.fit(model, datamodule=regression_table())
    assert epoch_of(model) == 1


def test_best_weights_come_back_when_another_callback_stops(capfd):
    class Stop(pl.Callback):
        def on_train_epoch_end(self, trainer, module):
            trainer.should_stop = trainer.current_epoch == 3

    losses = [0.9, 0.8, 0.7, 0.71, 0.72, 0.73]  # Keras: the third case of its test of the final weights
    assert run(losses, callbacks=[Stop()], patience=5, baseline=0.5)[:2] == (4, 2)
    model = Scripted([5.0, 1.0, 3.0, 2.0])
    ends = [EarlyStopping(), End(2, StopTraining("enough", "that is enough"))]
    torchann.Trainer(logger=False, quiet=True, max_epochs=4, callbacks=ends).fit(model, datamodule=regression_table())
    assert epoch_of(model) == 1 and "that is enough" in capfd.readouterr().err


def test_checkpoint_that_is_written_at_the_end_holds_the_last_weights(tmp_path):
    keep = ModelCheckpoint(tmp_path, "end", save_on_exception=True)
    model, end = Scripted([5.0, 1.0, 3.0, 2.0]), End(2, OSError("disk is full"))
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=4, callbacks=[EarlyStopping(), end, keep])
    with pytest.raises(OSError, match="disk is full"):
        trainer.fit(model, datamodule=regression_table())
    saved = torch.load(sorted(tmp_path.glob("end*"))[-1], weights_only=True)["state_dict"]
    assert epoch_of(model) == 1 and saved["net.1.bias"].item() == 2


def test_callback_that_is_used_again_begins_anew():  # Keras: test_state_reset_across_fit_calls
    stopping, epochs = EarlyStopping(patience=2), []
    for losses in ([1.0, 2.0, 3.0, 4.0], [9.0, 8.0, 9.0, 9.0]):  # against the best of the first fit it would stop at 2
        model, trainer = (
            Scripted(losses),
            torchann.Trainer(logger=False, quiet=True, max_epochs=4, callbacks=[stopping]),
        )
        trainer.fit(model, datamodule=regression_table())
        epochs.append((trainer.current_epoch, epoch_of(model)))
    assert epochs == [(3, 0), (4, 1)]


def test_training_loss_is_watched_where_nothing_is_validated():
    stopping = EarlyStopping(patience=2)
    model = torchann.RegressionMLP([4], 3, 1, lr=1e-9)
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=50, callbacks=[stopping])
    trainer.fit(model, regression_table().train_dataloader())
    assert stopping.monitor == "train_loss" and trainer.current_epoch < 50


def test_epoch_that_is_not_validated_does_not_count():
    # Validated are the epochs 1, 3 and 5: one improvement, then two without.
    losses = [0.0, 2.0, 0.0, 3.0, 0.0, 4.0, 0.0, 1.0]
    epochs, best, stopping = run(losses, patience=2, trainer={"check_val_every_n_epoch": 2})
    assert (epochs, best, stopping.stopped_epoch) == (6, 1, 5)


def test_figure_that_a_module_logs_at_the_end_of_an_epoch_is_watched():
    class Late(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def training_step(self, batch, batch_idx):
            return self.layer(batch[0]).mean()

        def on_train_epoch_end(self):
            self.log("regret", [3.0, 2.0, 2.5, 2.5, 1.0][self.trainer.current_epoch])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    stopping = EarlyStopping("regret", patience=2, mode="min")
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=5, callbacks=[stopping])
    trainer.fit(Late(), regression_table().train_dataloader())
    assert (stopping.stopped_epoch, stopping.best_epoch) == (3, 1)


def test_figure_that_should_rise_is_known():
    stopping = EarlyStopping("val_accuracy", patience=3)
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=4, callbacks=[stopping])
    trainer.fit(torchann.ClassificationMLP([4], lr=0.5), datamodule=class_table())
    assert stopping.best_score == 1.0 and stopping.best_epoch > 0


@pytest.mark.parametrize("epochs", [2, 3, 4])
def test_resumed_run_stops_at_the_same_epoch_with_the_same_weights(tmp_path, epochs):
    losses = [5.0, 1.0, 3.0, 4.0, 5.0, 6.0, 0.5]
    first = torchann.Trainer(runs=str(tmp_path), quiet=True, max_epochs=epochs, callbacks=[EarlyStopping(patience=3)])
    first.fit(Scripted(losses), datamodule=regression_table())
    again, resumed = Scripted(losses), EarlyStopping(patience=3)
    further = torchann.Trainer(runs=str(tmp_path), quiet=True, max_epochs=7, callbacks=[resumed])
    further.fit(again, datamodule=regression_table(), ckpt_path="last")
    assert (further.current_epoch, resumed.stopped_epoch, resumed.best_epoch) == (5, 4, 1)
    assert (resumed.best_score, resumed.wait_count, epoch_of(again)) == (1.0, 3, 1)


def test_run_that_was_stopped_does_not_go_on(tmp_path):
    losses = [5.0, 1.0, 3.0, 4.0, 0.5]
    for _ in range(2):
        model, stopping = Scripted(losses), EarlyStopping(patience=2)
        trainer = torchann.Trainer(runs=str(tmp_path), quiet=True, max_epochs=5, callbacks=[stopping])
        path = "last" if (tmp_path / "run").exists() else None
        trainer.fit(model, datamodule=regression_table(), ckpt_path=path)
        assert (trainer.current_epoch, stopping.stopped_epoch, epoch_of(model)) == (4, 3, 1)


def test_lightnings_own_trainer_does_not_go_on_with_a_run_that_was_stopped(tmp_path):
    silent = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    for path in (None, tmp_path / "last.ckpt"):
        model, stopping, keep = Scripted([5.0, 1.0, 3.0, 4.0, 0.5]), EarlyStopping(patience=2), Checkpoints()
        keep.dirpath = str(tmp_path)
        trainer = pl.Trainer(max_epochs=5, callbacks=[stopping, keep], num_sanity_val_steps=0, **silent)
        trainer.fit(model, datamodule=regression_table(), ckpt_path=path, weights_only=path and True)
        assert (trainer.current_epoch, stopping.stopped_epoch, epoch_of(model)) == (4, 3, 1)


def test_measuring_with_a_checkpoint_leaves_what_the_fit_decided(tmp_path):
    model, stopping = Scripted([5.0, 1.0, 3.0, 4.0]), EarlyStopping(patience=2)
    trainer = torchann.Trainer(runs=str(tmp_path), quiet=True, max_epochs=4, callbacks=[stopping])
    trainer.fit(model, datamodule=regression_table())
    trainer.test(model, datamodule=regression_table(), ckpt_path="best", verbose=False)
    assert (stopping.stopped_epoch, stopping.wait_count) == (3, 2)


def test_figure_that_nobody_logged_is_an_error_with_those_there_are():
    with pytest.raises(ValueError, match=r"there is no figure 'val_los'; did you mean 'val_loss'\? There are .*train_"):
        run([1.0, 2.0], monitor="val_los", mode="min")


def test_unknown_mode_is_an_error():
    with pytest.raises(ValueError, match="mode is 'maximum'; give min"):
        EarlyStopping(mode="maximum")
