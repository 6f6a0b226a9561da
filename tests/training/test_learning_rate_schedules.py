"""Keras' own tests of callbacks that move the learning rate, with schedules and callbacks of this side."""

import lightning.pytorch as pl
import pytest
import torch

import torchann
from tests.tasks.tables import fit, regression_table

NEVER_ENOUGH = {"patience": 0, "factor": 0.1, "threshold": 100, "threshold_mode": "abs"}  # Keras: min_delta=100
PLATEAU = {
    # Keras: patience=1, factor=0.1, two epochs: once
    "reduces": (2, {}, 0.01),
    # Keras: min_lr=0.005, four epochs
    "min_lr": (4, {"min_lr": 0.005}, 0.005),
    # Keras: cooldown=2, four epochs: every other epoch, twice; torch's cooldown is one less
    "cooldown": (4, {"cooldown": 1}, 0.001),
}


@pytest.mark.parametrize("clip", [None, 1e9], ids=["own_steps", "lightning"])
@pytest.mark.parametrize(("epochs", "options", "rate"), PLATEAU.values(), ids=PLATEAU)
def test_plateau_reduces_the_rate_as_in_keras_tests(epochs, options, rate, clip):
    model = torchann.RegressionMLP([4], lr=0.1, lr_schedule="plateau", lr_schedule_options=NEVER_ENOUGH | options)
    trainer = fit(model, regression_table(), epochs, gradient_clip_val=clip)
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(rate)


def test_epoch_that_is_not_validated_does_not_count_for_a_plateau():
    model = torchann.RegressionMLP([4], lr=0.1, lr_schedule="plateau", lr_schedule_options=NEVER_ENOUGH)
    trainer = fit(model, regression_table(), 5, check_val_every_n_epoch=2)
    # Validated are epochs 1 and 3: only the second could be an improvement, and is none.
    assert trainer.history["lr"] == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.01])


class LearningRateScheduler(pl.Callback):
    """Keras' LearningRateScheduler: the rate of an epoch, from its number and the rate before."""

    def __init__(self, schedule):
        self.schedule = schedule

    def on_train_epoch_start(self, trainer, module):
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = self.schedule(trainer.current_epoch, group["lr"])


SCHEDULES = {
    "updates_learning_rate": (lambda epoch, lr: 1 / (2 + epoch), [1 / 2, 1 / 3]),
    "dependent_on_previous_learning_rate": (lambda epoch, lr: lr / 2, [0.015, 0.0075]),
    "in_history": (lambda epoch, lr: 0.5, [0.5, 0.5]),
}


@pytest.mark.parametrize("clip", [None, 1e9], ids=["own_steps", "lightning"])
@pytest.mark.parametrize(("schedule", "rates"), SCHEDULES.values(), ids=SCHEDULES)
def test_callback_sets_the_rate_of_an_epoch(schedule, rates, clip):
    model = torchann.RegressionMLP([4], lr=0.03)
    trainer = fit(model, regression_table(), 2, callbacks=[LearningRateScheduler(schedule)], gradient_clip_val=clip)
    assert trainer.history["lr"] == pytest.approx(rates)


def test_rate_of_a_callback_is_the_one_that_trains():
    model = torchann.RegressionMLP([4], 3, 1, lr=0.03)
    before = torch.nn.utils.parameters_to_vector(model.net.parameters()).clone()
    fit(model, regression_table(), 2, callbacks=[LearningRateScheduler(lambda epoch, lr: 0.0)])
    assert torch.equal(before, torch.nn.utils.parameters_to_vector(model.net.parameters()))
