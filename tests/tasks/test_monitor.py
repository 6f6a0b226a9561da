"""A figure that nobody logs is an error before training, and known figures say which way is better."""

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping as LightningEarlyStopping
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from torchmetrics import MeanMetric

import torchann
from tests.tasks.tables import class_table, regression_table
from torchann.tasks.monitor import direction
from torchann.training.early_stopping import EarlyStopping


def fit(*callbacks, data=None, model=None, **options):
    model = torchann.RegressionMLP([4]) if model is None else model
    data = regression_table() if data is None else data
    trainer = torchann.Trainer(max_epochs=2, quiet=True, callbacks=list(callbacks), **{"logger": False, **options})
    trainer.fit(model, datamodule=data)
    return trainer


@pytest.mark.parametrize(
    "make",
    [
        lambda: EarlyStopping("val_los"),
        lambda: LightningEarlyStopping("val_los"),
        lambda: ModelCheckpoint(monitor="val_los"),
    ],
    ids=["own", "lightning", "checkpoint"],
)
def test_mistyped_figure_is_refused_before_the_first_step(make, tmp_path):
    callback = make()
    there_are = "lr, train_loss, train_mae, train_rmse, val_loss, val_mae, val_rmse"
    told = rf"{type(callback).__name__} watches 'val_los' and there is no figure 'val_los'; did you mean 'val_loss'\? "
    model = torchann.RegressionMLP([4])
    with pytest.raises(ValueError, match=told + f"There are {there_are}"):
        fit(callback, model=model, default_root_dir=tmp_path)
    assert model.trainer.global_step == 0


def test_figure_of_validation_without_validation_is_refused():
    told = "watches 'val_rmse' and there is no validation; give validation rows, or watch one of lr, train_loss"
    with pytest.raises(ValueError, match=told):
        fit(EarlyStopping("val_rmse"), limit_val_batches=0)


def test_default_is_the_training_loss_without_validation():
    stopping = EarlyStopping()
    fit(stopping, limit_val_batches=0)
    assert stopping.monitor == "train_loss" and stopping.best_score is not None


TASKS = {
    "regression": (lambda: torchann.RegressionMLP([4]), regression_table),
    "classification": (lambda: torchann.ClassificationMLP([4]), class_table),
    "perceptron": (torchann.Perceptron, lambda: class_table(num_classes=2)),
    "auxiliary": (lambda: torchann.WideAndDeep([4], aux_weight=0.1), regression_table),
    "single_steps": (lambda: torchann.RegressionMLP([4], steps_per_execution=1), regression_table),
}


@pytest.mark.parametrize(("make", "data"), TASKS.values(), ids=TASKS)
def test_names_of_figures_are_those_that_are_logged(make, data):
    model = make()
    assert set(fit(model=model, data=data()).callback_metrics) == set(model.figure_names())


@pytest.mark.parametrize("monitor", ["epoch", "val_main_rmse", None])
def test_checkpoint_may_watch_what_there_is(monitor, tmp_path):
    keep = ModelCheckpoint(tmp_path, monitor=monitor)
    model = torchann.WideAndDeep([4], aux_weight=0.1)
    fit(keep, LearningRateMonitor(), model=model, logger=True, runs=str(tmp_path / "runs"))
    assert list(tmp_path.glob("*.ckpt"))


def test_figure_of_a_callback_of_ones_own_can_be_watched():
    class Norm(pl.Callback):
        def on_validation_epoch_end(self, trainer, module):
            module.log("val_norm", torch.nn.utils.parameters_to_vector(module.parameters()).norm())

    stopping = EarlyStopping("val_norm", mode="min")
    fit(Norm(), stopping)
    assert stopping.best_score > 0


@pytest.mark.parametrize(
    ("model", "monitor", "expected"),
    [
        (torchann.ClassificationMLP([], 3, 3), "val_accuracy", "max"),  # Keras: ("auto", "val_accuracy", "max")
        (torchann.ClassificationMLP([], 3, 3), "train_loss", "min"),  # ("auto", "loss", "min")
        (torchann.RegressionMLP([], 3, 1), "val_rmse", "min"),  # ("auto", "val_mse", "min")
        (torchann.WideAndDeep([4], 3, 1, aux_weight=0.1), "val_aux_mae", "min"),
        (torchann.WideAndDeep([4], 3, 1, aux_weight=0.1), "val_aux_loss", "min"),
    ],
)
def test_direction_of_a_figure_is_that_of_its_metric(model, monitor, expected):
    assert direction(monitor, model) == expected


def test_figure_of_no_known_direction_is_an_error():  # Keras: test_monitor_op_logic
    model = torchann.RegressionMLP([4])
    with pytest.raises(ValueError, match="nobody says whether 'lr' should fall or rise; give mode='min' or mode='max'"):
        fit(EarlyStopping("lr"), model=model)
    model.speed = MeanMetric()
    with pytest.raises(ValueError, match="whether 'val_speed'"):
        direction("val_speed", model)
