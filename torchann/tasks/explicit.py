"""The fast path of a fit: blocks of explicit backpropagation steps, or the reason why autograd trains instead."""

from itertools import islice
from math import gcd, isfinite
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, ProgressBar, Timer
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor, nn, optim
from torch.optim.lr_scheduler import ReduceLROnPlateau

from torchann.batches import Block
from torchann.engine.backprop import Backprop
from torchann.nets.heads import Head
from torchann.nets.mlp import MLP

GRADIENT_HOOKS = ("on_before_zero_grad", "on_before_backward", "on_after_backward", "on_before_optimizer_step")
MODULE_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
BATCH_HOOKS = ("on_train_batch_start", "on_train_batch_end")
NOT_COUNTING = (ProgressBar, ModelCheckpoint, EarlyStopping, Timer)
"""Callbacks whose batch hooks mean the same once per block (steps of a checkpoint are kept in another way)."""
STEP_METHODS = (
    *GRADIENT_HOOKS,
    "configure_optimizers",
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
    if any(type(layer) is not nn.Linear for layer in net.linears()):
        return "a layer is parametrized"
    if any(getattr(module, hooks) for module in net.modules() for hooks in MODULE_HOOKS):
        return "the net has hooks"
    if not all(parameter.requires_grad for parameter in net.parameters()):
        return "some weights are frozen"
    for name in STEP_METHODS:
        if not getattr(type(task), name).__module__.startswith(("torchann.", "lightning.")):
            return f"{type(task).__name__} has its own {name}"
    for callback in callbacks:
        for name in GRADIENT_HOOKS:
            if _overrides(callback, name):
                return f"the callback {type(callback).__name__} has {name}"
        if type(callback).__module__.startswith("lightning.pytorch.tuner"):
            return "a tuner reads Lightning's loss of each batch"
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


def _overrides(callback: Callback, name: str) -> bool:
    method = getattr(callback, name)
    return getattr(method, "__func__", method) is not getattr(Callback, name)


def largest_block(task: pl.LightningModule, trainer: pl.Trainer, batches: int, wanted: int | None) -> int | None:
    """How many mini-batches one call may run so that everything that counts in steps or batches happens on time.

    Args:
        task: what is trained.
        trainer: about to fit.
        batches: mini-batches per epoch.
        wanted: ``steps_per_execution`` as the user gave it; None leaves it to the size of the data.

    Returns:
        ``wanted``, or what divides each interval of steps; 1 where Lightning counts batches, and by default where a
        callback or the task watches each.
    """
    counts_batches = (trainer.limit_train_batches, trainer.val_check_interval, trainer.overfit_batches)  # type: ignore[attr-defined]
    if counts_batches != (1.0, 1.0, 0.0) or trainer.fast_dev_run:  # type: ignore[attr-defined]
        return 1
    counting = [callback for callback in trainer.callbacks if not isinstance(callback, NOT_COUNTING)]  # type: ignore[attr-defined]
    by_batch = any(_overrides(callback, name) for callback in counting for name in BATCH_HOOKS)
    by_batch |= any(getattr(type(task), name) is not getattr(pl.LightningModule, name) for name in BATCH_HOOKS)
    if wanted is None and by_batch:
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


def total_steps(trainer: pl.Trainer, batches: int | None, epochs: int | None) -> int | None:
    """How many optimiser steps a fit will take; None if it is not bounded.

    Args:
        trainer: about to fit.
        batches: mini-batches per epoch where they come in blocks; None where each is a batch to Lightning.
        epochs: of the fit, None if they are not bounded.
    """
    if batches is None:
        estimate = trainer.estimated_stepping_batches
        return int(estimate) if isfinite(estimate) else None
    bounds = [batches * epochs] if epochs is not None else []
    bounds += [trainer.max_steps] if trainer.max_steps >= 0 else []
    return min(bounds, default=None)


def carry_step_count(trainer: pl.Trainer, explicit: bool) -> None:
    """Goes on counting where a checkpoint stopped, also one of the other engine: Lightning has a counter for each.

    Args:
        trainer: that has restored the checkpoint.
        explicit: whether the fast path goes on.
    """
    loop = trainer.fit_loop.epoch_loop
    by_hand, automatic = loop.manual_optimization.optim_step_progress, loop.automatic_optimization.optim_progress
    steps = max(by_hand.total.completed, automatic.optimizer.step.total.completed)
    total = by_hand.total if explicit else automatic.optimizer.step.total
    total.ready, total.completed = max(total.ready, steps), steps


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
