"""The fast path of a fit: blocks of explicit backpropagation steps, or the reason why autograd trains instead."""

from math import gcd
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor, nn, optim

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
    """Runs optimiser steps of an MLP without autograd.

    Args:
        net: what is trained.
        head: whose error goes backwards.
        optimizer: plain ``torch.optim.SGD`` is folded into backpropagation, any other is given its gradients.
    """

    def __init__(self, net: MLP, head: Head, optimizer: optim.Optimizer) -> None:
        self.backprop = Backprop(net, head.error)
        self.optimizer = optimizer
        self.group = group = optimizer.param_groups[0]
        self.folded = type(optimizer) is optim.SGD and not group["momentum"]
        if self.folded:
            optimizer._opt_called = True  # type: ignore[attr-defined]  # or schedules warn that it never steps

    def step(self, x: Tensor, y: Tensor) -> Tensor:
        """One optimiser step on a mini-batch; returns the outputs before it, ``(batch, out_features)``."""
        if self.folded:
            return self.backprop.descend(x, y, self.group["lr"], self.group["weight_decay"])
        outputs = self.backprop.gradients(x, y)
        self.optimizer.step()
        return outputs


def count_steps(trainer: pl.Trainer, steps: int, all_trained: bool) -> None:
    """Tells Lightning what a call has done, of which it has seen one batch.

    Args:
        trainer: that made the call.
        steps: optimiser steps.
        all_trained: whether the whole block was trained; if not, the epoch does not end with it.
    """
    loop = trainer.fit_loop.epoch_loop
    progress = loop.manual_optimization.optim_step_progress
    for tracker in (progress.total, progress.current):
        tracker.ready += steps
        tracker.completed += steps
    loop._batches_that_stepped += steps - 1
    if not all_trained:
        loop.batch_progress.is_last_batch = False
        loop._skip_next_val = True


class Threads(Callback):
    """Gives a fit as many threads as its products can use, and the caller his own back."""

    def __init__(self) -> None:
        self.before: int | None = None

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Chooses by the sizes of the layers."""
        net, batch_size = getattr(pl_module, "net", None), getattr(trainer.datamodule, "batch_size", 32)  # type: ignore[attr-defined]
        if isinstance(net, MLP):
            self.before = torch.get_num_threads()
            torch.set_num_threads(threads_for(net, batch_size))

    def _restore(self) -> None:
        if self.before is not None:
            torch.set_num_threads(self.before)
            self.before = None

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restores the number of threads."""
        self._restore()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Restores the number of threads."""
        self._restore()


def threads_for(net: MLP, batch_size: int) -> int:
    """How many threads a net's products can use: two cores help from some millions of operations on.

    Small products spread over threads can wait 8 ms for a core that another process holds.

    Args:
        net: whose layers are multiplied.
        batch_size: rows per product.
    """
    largest = max(2 * batch_size * layer.in_features * layer.out_features for layer in net.linears())
    return torch.get_num_threads() if largest >= 4_000_000 else 1
