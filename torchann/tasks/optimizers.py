"""The optimiser and the learning-rate schedule that a task's hyperparameters name."""

from math import inf
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.utilities.types import OptimizerLRScheduler

from torchann.engine.optimizers import make_optimizer, make_schedule
from torchann.tasks.fast_path import total_steps


def optimizer_and_schedule(task: pl.LightningModule, batches_per_epoch: int | None) -> OptimizerLRScheduler:
    """The optimiser and schedule that a task's hyperparameters name, as Lightning takes them.

    Args:
        task: attached to a Trainer that is about to fit.
        batches_per_epoch: where mini-batches come in blocks; None where each is a batch to Lightning.

    Raises:
        ValueError: for a name or knob that there is not, or a plateau to wait for without validation.
    """
    h: Any = task.hparams
    for name in ("lr", "momentum", "weight_decay"):
        if not 0 <= h[name] < inf:
            raise ValueError(f"{name} is {h[name]}; give a finite number, 0 or more")
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
