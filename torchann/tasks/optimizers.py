"""The optimiser and the learning-rate schedule that a task's hyperparameters name."""

from math import inf
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn

from torchann.engine.optimizers import make_optimizer, make_schedule
from torchann.tasks.fast_path import total_steps


def check_optimizer(h: Any) -> None:
    """Raise unless hyperparameters name an optimiser and a schedule that there are, with rates that they can take.

    Args:
        h: a task's hyperparameters.

    Raises:
        ValueError: for a name or knob that there is not, or a number that is no rate.
    """
    for name in ("lr", "momentum", "weight_decay"):
        number = h[name]
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number < inf:
            raise ValueError(f"{name} is {number!r}; give a finite number, 0 or more")
    knobs = (h.lr, h.momentum, h.nesterov, h.weight_decay, h.optimizer_options or {})
    optimizer = make_optimizer(h.optimizer, [nn.Parameter(torch.zeros(1, device="cpu"))], *knobs)
    make_schedule(h.lr_schedule, optimizer, h.lr_schedule_options or {}, 10, 1000)
    steps = h.steps_per_execution
    if steps is not None and (type(steps) is not int or steps < 1):
        raise ValueError(f"steps_per_execution is {steps!r}; give a whole number from 1, or None")


def optimizer_and_schedule(task: pl.LightningModule, batches_per_epoch: int | None) -> OptimizerLRScheduler:
    """The optimiser and schedule that a task's hyperparameters name, as Lightning takes them.

    Args:
        task: attached to a Trainer that is about to fit.
        batches_per_epoch: where mini-batches come in blocks; None where each is a batch to Lightning.

    Raises:
        ValueError: for a name or knob that there is not, or a plateau to wait for without validation.
    """
    h: Any = task.hparams
    trainer, parameters = task.trainer, task.net.parameters()  # type: ignore[union-attr]
    knobs = (h.lr, h.momentum, h.nesterov, h.weight_decay, h.optimizer_options or {})
    optimizer = make_optimizer(h.optimizer, parameters, *knobs, fused=not task.automatic_optimization)
    epochs = trainer.max_epochs if (trainer.max_epochs or -1) > 0 else None
    steps = total_steps(trainer, batches_per_epoch, epochs) if h.lr_schedule == "one_cycle" else None
    if h.lr_schedule == "plateau" and not trainer.enable_validation:
        raise ValueError("lr_schedule 'plateau' waits for val_loss and there is no validation; give validation rows")
    schedule = make_schedule(h.lr_schedule, optimizer, h.lr_schedule_options or {}, epochs, steps)
    if schedule is None:
        return optimizer
    if not task.automatic_optimization:
        del schedule["monitor"]  # Lightning leaves stepping to a task that steps by itself
    return {"optimizer": optimizer, "lr_scheduler": schedule}  # type: ignore[return-value]
