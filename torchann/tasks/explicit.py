"""The fast path of a fit: blocks of explicit backpropagation steps, or the reason why autograd trains instead."""

from itertools import islice
from math import gcd
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor, nn, optim
from torch.optim.lr_scheduler import ReduceLROnPlateau

from torchann.batches import Block
from torchann.engine.backprop import Backprop
from torchann.nets.heads import Head
from torchann.nets.mlp import MLP

GRADIENT_HOOKS = ("on_before_zero_grad", "on_before_backward", "on_after_backward", "on_before_optimizer_step")
STEP_METHODS = (
    *GRADIENT_HOOKS,
    "training_step",
    "forward",
    "backward",
    "configure_gradient_clipping",
    "optimizer_step",
    "optimizer_zero_grad",
    "lr_scheduler_step",
)


def why_autograd(task: pl.LightningModule, net: nn.Module, trainer: pl.Trainer) -> str | None:
    """What the fast path could not honour, in a few words; None if it can take the fit.

    Args:
        task: what is trained, a subclass of this package's ``Task``.
        net: of the task.
        trainer: about to fit it.
    """
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    if type(net) is not MLP:
        return f"the net is a {type(net).__name__}, not an MLP"
    if any(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks for module in net.modules()):
        return "the net has hooks"
    if not all(parameter.requires_grad for parameter in net.parameters()):
        return "some weights are frozen"
    for name in STEP_METHODS:
        if not getattr(type(task), name).__module__.startswith(("torchann.", "lightning.")):
            return f"{type(task).__name__} has its own {name}"
    for callback in callbacks:
        for name in GRADIENT_HOOKS:
            if getattr(type(callback), name) is not getattr(Callback, name):
                return f"the callback {type(callback).__name__} has {name}"
    if trainer.gradient_clip_val:
        return f"gradient_clip_val={trainer.gradient_clip_val}"
    if trainer.accumulate_grad_batches != 1 or any(hasattr(callback, "scheduling") for callback in callbacks):
        return "gradients are accumulated"
    if trainer.precision not in ("32-true", "64-true"):
        return f"precision {trainer.precision}"
    if not isinstance(trainer.strategy, SingleDeviceStrategy):
        return f"the strategy {type(trainer.strategy).__name__}"
    if trainer._detect_anomaly:
        return "detect_anomaly"
    return None


def largest_block(trainer: pl.Trainer, batches: int, wanted: int | None) -> int | None:
    """How many mini-batches one call may run so that everything that counts in steps or batches happens on time.

    Args:
        trainer: about to fit.
        batches: mini-batches per epoch.
        wanted: ``steps_per_execution`` as the user gave it; None leaves it to the size of the data.

    Returns:
        ``wanted``, or what divides each interval of steps; 1 where Lightning counts batches.
    """
    counts_batches = (trainer.limit_train_batches, trainer.val_check_interval, trainer.overfit_batches)  # type: ignore[attr-defined]
    if counts_batches != (1.0, 1.0, 0.0) or trainer.fast_dev_run:  # type: ignore[attr-defined]
        return 1
    every: list[int] = [
        callback._every_n_train_steps
        for callback in trainer.callbacks  # type: ignore[attr-defined]
        if isinstance(callback, ModelCheckpoint) and callback._every_n_train_steps > 0
    ]
    if not every:
        return wanted
    together = gcd(batches, *every)
    return together if wanted is None else gcd(together, wanted)


class ExplicitSteps:
    """Runs optimiser steps of an MLP without autograd, and moves what Lightning leaves to a task that steps by itself.

    Args:
        net: what is trained.
        head: whose error goes backwards.
        trainer: of the fit, whose first optimiser is stepped: plain ``torch.optim.SGD`` is folded into backpropagation,
            any other is given its gradients.
    """

    def __init__(self, net: MLP, head: Head, trainer: pl.Trainer) -> None:
        self.backprop = Backprop(net, head.error)
        self.trainer = trainer
        self.optimizer = trainer.optimizers[0]
        self.group = self.optimizer.param_groups[0]
        self.folded = type(self.optimizer) is optim.SGD and not self.group["momentum"]
        if self.folded:
            self.optimizer._opt_called = True  # type: ignore[attr-defined]  # or schedules warn that it never steps

    def run(self, x: Tensor, y: Tensor, batch_size: int) -> Tensor:
        """Trains a block of mini-batches, up to the Trainer's ``max_steps``.

        Args:
            x: inputs ``(rows, in_features)``.
            y: targets as the head wants them.
            batch_size: rows per step.

        Returns:
            The outputs before each step, ``(rows, out_features)``; fewer rows if the last step came inside the block.
        """
        trainer, outputs = self.trainer, []
        left = trainer.max_steps - trainer.global_step if trainer.max_steps >= 0 else len(x)
        per_step = [config.scheduler for config in trainer.lr_scheduler_configs if config.interval == "step"]
        for x_batch, y_batch in islice(Block(x, y, batch_size).batches(), left):
            outputs.append(self._step(x_batch, y_batch))
            for scheduler in per_step:
                scheduler.step()
        self._count(len(outputs), all_trained=left * batch_size >= len(x))
        if trainer.is_last_batch:
            for config in trainer.lr_scheduler_configs:
                if config.interval == "epoch" and not isinstance(config.scheduler, ReduceLROnPlateau):
                    config.scheduler.step()
        return torch.cat(outputs)

    def _step(self, x: Tensor, y: Tensor) -> Tensor:
        if self.folded:
            return self.backprop.descend(x, y, self.group["lr"], self.group["weight_decay"])
        outputs = self.backprop.gradients(x, y)
        self.optimizer.step()
        return outputs

    def _count(self, steps: int, all_trained: bool) -> None:
        # Lightning has seen one batch, and no step; an epoch that max_steps cuts short has no validation.
        loop = self.trainer.fit_loop.epoch_loop
        progress = loop.manual_optimization.optim_step_progress
        for tracker in (progress.total, progress.current):
            tracker.ready += steps
            tracker.completed += steps
        loop._batches_that_stepped += steps - 1
        if not all_trained:
            loop.batch_progress.is_last_batch = False
            loop._skip_next_val = True

    def end_epoch(self) -> None:
        """Moves the schedules that wait for the validation loss."""
        figures = self.trainer.callback_metrics
        for config in self.trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, ReduceLROnPlateau) and "val_loss" in figures:
                config.scheduler.step(figures["val_loss"])
