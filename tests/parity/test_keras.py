"""Against Keras: the loss of each of 40 steps, from the same weights, on the same batches in the same order.

trajectories.npz is what benchmarks/keras_trajectories.py got from Keras, in float64. float32 must agree to 1e-5 (each
of two outputs to 3e-5), which is room for its rounding; float64 to 1e-10, or the formulas differ. The learning rate
stays where it is: when it moves, Keras' momentum goes on with the rates of earlier steps, and torch's does not.
"""

from itertools import count
from math import sqrt
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import optim

import torchann
from tests.tasks.tables import Table
from torchann.engine.backprop import Backprop
from torchann.engine.optimizers import make_optimizer

TRAJECTORIES = Path(__file__).parent / "trajectories.npz"
EPOCHS, BATCH = 5, 32
RTOL = {torch.float32: 1e-5, torch.float64: 1e-10}
OPTIMIZERS = {
    "sgd": {"optimizer": "sgd", "lr": 0.05},
    "sgd_decay": {"optimizer": "sgd", "lr": 0.05, "weight_decay": 0.1},
    "momentum": {"optimizer": "sgd", "lr": 0.01, "momentum": 0.9},
    "nesterov": {"optimizer": "sgd", "lr": 0.01, "momentum": 0.9, "nesterov": True},
    "adam": {"optimizer": "adam", "lr": 0.01},
    "adamw": {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.1},
    "rmsprop": {"optimizer": "rmsprop", "lr": 0.001},
    "rmsprop_momentum": {"optimizer": "rmsprop", "lr": 0.001, "momentum": 0.5},
}
MLPS = {
    "regression": lambda **knobs: torchann.RegressionMLP([30, 30], 8, 1, **knobs),
    "multiclass": lambda **knobs: torchann.ClassificationMLP([16], 20, 5, **knobs),
    "binary": lambda **knobs: torchann.ClassificationMLP([16], 8, 2, **knobs),
}


def wide_and_deep(**knobs):
    paths = {"wide_features": [0, 1, 2, 3, 4], "deep_features": [2, 3, 4, 5, 6, 7], "aux_weight": 0.1}
    return torchann.WideAndDeep([30, 30], 8, 1, **paths, **knobs)


TASKS = {**MLPS, "wide_and_deep": wide_and_deep}


@pytest.fixture(scope="module")
def keras():
    with np.load(TRAJECTORIES) as file:
        return dict(file)


def made(keras, problem, name):
    """The task with Keras' initial weights, whose matrices are (in, out)."""
    model = TASKS[problem](**OPTIMIZERS[name])
    with torch.no_grad():
        for i, parameter in enumerate(model.net.parameters()):
            parameter.copy_(torch.from_numpy(keras[f"{problem}/weight_{i}"].T))
    return model


def use_keras_constants(optimizer):
    group = optimizer.param_groups[0]
    if isinstance(optimizer, optim.RMSprop):
        group.update(alpha=0.9, eps=1e-15)  # outside of the root what Keras' 1e-30 is inside
    if isinstance(optimizer, (optim.Adam, optim.AdamW)):
        steps = count(1)

        def set_eps(*_):  # torch corrects the bias before it adds epsilon, Keras afterwards
            group["eps"] = 1e-7 / sqrt(1 - 0.999 ** next(steps))

        optimizer.register_step_pre_hook(set_eps)


def test_every_trajectory_is_compared(keras):
    stored = {name.partition("/")[0::2] for name in keras if "/" in name}
    trajectories = {(problem, name) for problem, name in stored if name not in ("x", "y") and "weight_" not in name}
    assert trajectories == {(problem, name) for problem in TASKS for name in OPTIMIZERS}


@pytest.mark.parametrize("dtype", RTOL)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("problem", MLPS)
def test_explicit_steps_have_the_losses_of_keras(keras, problem, name, dtype):
    model, knobs, losses = made(keras, problem, name).to(dtype), dict(OPTIMIZERS[name]), []
    optimizer = make_optimizer(knobs.pop("optimizer"), model.net.parameters(), **knobs)
    use_keras_constants(optimizer)
    backprop = Backprop(model.net, model.objective.error)
    x = torch.from_numpy(keras[f"{problem}/x"]).to(dtype)
    y = model.prepare_target(torch.from_numpy(keras[f"{problem}/y"]))
    for x_batch, y_batch in EPOCHS * list(zip(x.split(BATCH), y.split(BATCH), strict=True)):
        if name.startswith("sgd"):
            outputs = backprop.descend(x_batch, y_batch, **knobs)
        else:
            outputs = backprop.gradients(x_batch, y_batch)
            optimizer.step()
        losses.append(model.objective.losses(outputs, y_batch).mean().item())
    np.testing.assert_allclose(losses, keras[f"{problem}/{name}"], rtol=RTOL[dtype])


class Record(pl.Callback):
    """Keeps the loss of each step."""

    def __init__(self):
        self.losses = []

    def on_train_start(self, trainer, module):
        use_keras_constants(trainer.optimizers[0])

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.losses.append(outputs["loss"].item())


def fit(keras, problem, model, record, **options):
    """Trains on Keras' batches."""
    table = Table(*(torch.from_numpy(keras[f"{problem}/{part}"]) for part in "xy"), batch_size=BATCH)
    options |= {"max_epochs": EPOCHS, "limit_val_batches": 0, "callbacks": [record]}
    torchann.Trainer(logger=False, quiet=True, **options).fit(model, datamodule=table)


@pytest.mark.parametrize("engine", [{}, {"gradient_clip_val": 1e9}], ids=["own steps", "autograd"])
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("problem", MLPS)
def test_mlps_have_the_losses_of_keras(keras, problem, name, engine):
    model, record = made(keras, problem, name), Record()
    fit(keras, problem, model, record, **engine)
    assert model.automatic_optimization is bool(engine)
    np.testing.assert_allclose(record.losses, keras[f"{problem}/{name}"], rtol=1e-5)


class RecordOutputs(Record):
    """Keeps the squared error of each output before each step, too."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        values = module.predict_step(batch, batch_idx)
        self.parts.append([((values[f"{output}_value"] - batch[1]) ** 2).mean().item() for output in ("main", "aux")])


@pytest.mark.parametrize(("precision", "rtol"), [("32-true", 3e-5), ("64-true", 1e-10)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_wide_and_deep_has_both_losses_of_keras(keras, name, precision, rtol):
    model, record = made(keras, "wide_and_deep", name), RecordOutputs()
    fit(keras, "wide_and_deep", model, record, precision=precision)
    losses = np.column_stack([record.losses, record.parts])
    np.testing.assert_allclose(losses, keras[f"wide_and_deep/{name}"], rtol=rtol)
