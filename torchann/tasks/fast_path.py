"""What a Trainer option or a callback allows: several steps per call, and how many of them."""

import re
from math import gcd, isfinite
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import (
    BatchSizeFinder,
    Callback,
    EarlyStopping,
    LearningRateFinder,
    ModelCheckpoint,
    ProgressBar,
    Timer,
)
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy

GRADIENT_HOOKS = ("on_before_zero_grad", "on_before_backward", "on_after_backward", "on_before_optimizer_step")
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


def why_single_steps(task: pl.LightningModule, trainer: pl.Trainer) -> str | None:
    """What only Lightning's own step can honour, in a few words; None if the task may step by itself.

    Args:
        task: what is trained, a subclass of this package's ``Task``.
        trainer: about to fit it.
    """
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    for name in STEP_METHODS:
        if not getattr(type(task), name).__module__.startswith(("torchann.", "lightning.")):
            return f"{type(task).__name__} has its own {name}"
    for callback in callbacks:
        for name in GRADIENT_HOOKS:
            if _overrides(callback, name):
                return f"the callback {type(callback).__name__} has {name}"
        if isinstance(callback, (LearningRateFinder, BatchSizeFinder)):
            return f"Lightning's {type(callback).__name__} looks at each batch"
    if trainer.gradient_clip_val:
        return f"gradient_clip_val={trainer.gradient_clip_val}"
    if trainer.accumulate_grad_batches != 1 or any(hasattr(callback, "scheduling") for callback in callbacks):
        return "gradients are accumulated"
    if trainer.precision not in ("32-true", "64-true"):
        return f"precision {trainer.precision}"
    return _why_strategy(trainer)


def _why_strategy(trainer: pl.Trainer) -> str | None:
    if type(trainer.strategy) is DDPStrategy:  # in whose place the gradients of own steps are added up
        if not hasattr(trainer, "gradient_hook"):
            return "Lightning's own Trainer does not say whether its DDPStrategy has a hook for gradients"
        return f"{trainer.gradient_hook} of the strategy" if trainer.gradient_hook else None
    known = isinstance(trainer.strategy, SingleDeviceStrategy)
    return None if known else f"the strategy {type(trainer.strategy).__name__}"


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
    shares = (trainer.limit_train_batches, trainer.val_check_interval, trainer.overfit_batches)  # type: ignore[attr-defined]
    counts_batches = isinstance(shares[0], int) or isinstance(shares[1], int)  # 1 is one batch, 1.0 all of them
    if counts_batches or shares != (1.0, 1.0, 0.0) or trainer.fast_dev_run:  # type: ignore[attr-defined]
        return 1
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    counting = [callback for callback in callbacks if not isinstance(callback, NOT_COUNTING)]
    hooks = [getattr(callback, name) for callback in counting for name in BATCH_HOOKS if _overrides(callback, name)]
    by_batch = not all(hook.__module__.startswith("torchann.") for hook in hooks)  # ours know blocks
    by_batch |= any(getattr(type(task), name) is not getattr(pl.LightningModule, name) for name in BATCH_HOOKS)
    if wanted is None and by_batch:
        return 1
    every: list[int] = [
        steps
        for callback in trainer.callbacks  # type: ignore[attr-defined]
        if isinstance(callback, ModelCheckpoint) and (steps := _steps_between(callback)) > 0
    ]
    wanted = _with_own_checkpoints(trainer, wanted)
    if not every:
        return wanted
    together = gcd(batches, *every)
    return together if wanted is None else gcd(together, wanted)


def _steps_between(callback: ModelCheckpoint) -> int:
    # Lightning tells it only in the key under which the callback's state is kept; without it, any step may be due.
    found = re.search(r"'every_n_train_steps': (\d+)", callback.state_key)
    return int(found[1]) if found else 1


def _with_own_checkpoints(trainer: pl.Trainer, wanted: int | None) -> int | None:
    # They are written at the end of the block in which they fall due: it need not divide, but not be longer.
    due = [steps for callback in trainer.callbacks if (steps := getattr(callback, "every_n_steps", None))]  # type: ignore[attr-defined]
    return min([*due, *([wanted] if wanted else [])], default=None)


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
