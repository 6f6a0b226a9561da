"""Whether a task takes its optimiser steps by itself in a fit, several per call, and how."""

import logging
import weakref
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities import CombinedLoader

from torchann.engine.all_reduce_gradients import AllReduceGradients
from torchann.engine.compiled_steps import CompiledSteps, why_not_compiled
from torchann.engine.learner import AutogradStep, ExplicitStep, Learner, TorchSteps, why_not_explicit
from torchann.engine.rows.loader import TensorLoader
from torchann.engine.rows.resumable_loader import ResumableLoader
from torchann.tasks.block_steps import BlockSteps, carry_step_count
from torchann.tasks.fast_path import largest_block, why_single_steps

log: logging.Logger = logging.getLogger("torchann")


class StepChoice:
    """The steps that a task takes by itself; Lightning takes them where it has been asked for more than they can do.

    Attributes:
        blocks: what runs the steps of a block, None where Lightning takes them.
        batches_per_epoch: where mini-batches come in blocks, None where each is a batch to Lightning.
        learner_state: of a checkpoint to resume from.

    Example:
        >>> StepChoice().taken_in(pl.Trainer(logger=False, enable_checkpointing=False))
        False
    """

    def __init__(self) -> None:
        self.blocks: BlockSteps | None = None
        self.batches_per_epoch: int | None = None
        self.learner_state: dict[str, Any] | None = None
        self._trainer: weakref.ref[pl.Trainer] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: all of it belongs to a Trainer."""
        return {"blocks": None, "batches_per_epoch": None, "learner_state": None, "_trainer": None}

    def taken_in(self, trainer: pl.Trainer | None) -> bool:
        """Whether they were chosen for this Trainer."""
        return trainer is not None and self._trainer is not None and self._trainer() is trainer

    def choose(self, task: Any, data: Any) -> None:
        """Decides before a fit, says what keeps it from the fastest way, and asks the data for blocks.

        Args:
            task: attached to a Trainer that is about to fit.
            data: its data module, or None.
        """
        trainer = task.trainer
        single = why_single_steps(task, trainer)
        self._trainer = None if single is not None else weakref.ref(trainer)
        self.blocks, self.batches_per_epoch, self.learner_state = None, None, None
        if single is not None:
            _say(task, f"by autograd, one batch per step: {single}")
        if trainer.world_size > 1:
            _say(task, f"in {_processes(trainer, data)}")
        if single is None and hasattr(data, "steps_per_execution"):
            loader = data.train_dataloader()
            if isinstance(loader, ResumableLoader):
                wanted = largest_block(task, trainer, loader.num_batches(), task.hparams["steps_per_execution"])
                data.steps_per_execution = wanted
                self.batches_per_epoch = loader.num_batches() if wanted != 1 else None

    def start(self, task: Any) -> None:
        """Prepares them when training starts, and goes on counting where a checkpoint stopped."""
        self.blocks = None  # also after a fit that was broken off
        if self.taken_in(task.trainer):
            learner = _learner(task)
            if self.learner_state is not None:
                learner.load_state(self.learner_state)
            self.blocks = BlockSteps(learner, task.trainer)
        for loader in CombinedLoader(task.trainer.train_dataloader).flattened:
            if isinstance(loader, TensorLoader):
                loader.empty_batches = True
        carry_step_count(task.trainer, by_hand=self.blocks is not None)


def _learner(task: Any) -> Learner:
    trainer = task.trainer
    optimizer, bucket = trainer.optimizers[0], None
    schedules = [config.scheduler for config in trainer.lr_scheduler_configs if config.interval == "step"]
    own = task.why_own_forward()
    if own is None and torch.is_anomaly_enabled():  # the Trainer's detect_anomaly, as training starts
        own = "detect_anomaly"
    changed = task.changed_backprop()
    compiled = own or changed or why_not_compiled(task.net, optimizer, task.ends(), trainer.world_size)
    if compiled is None:
        return CompiledSteps(task.net, optimizer, task.ends(), task.row_weight, schedules)
    if trainer.world_size > 1:
        bucket = AllReduceGradients(task.net.parameters())
    explicit = own or why_not_explicit(task.net)
    if explicit is None:
        return TorchSteps(ExplicitStep(task.backprop(), optimizer, task.row_weight, bucket), schedules)
    _say(task, f"by autograd: {compiled if compiled == explicit else f'{compiled}, and {explicit}'}")
    return TorchSteps(AutogradStep(task.outputs_and_losses, optimizer, bucket), schedules)


def _say(task: Any, how: str) -> None:
    level = logging.INFO if getattr(task.trainer, "quiet", False) else logging.WARNING
    if task.trainer.is_global_zero:
        log.log(level, "%s trains %s", type(task).__name__, how)


def _processes(trainer: pl.Trainer, data: Any) -> str:
    world, rows = trainer.world_size, getattr(data, "batch_size", None)
    graphs = ", without CUDA graphs" if trainer.strategy.root_device.type == "cuda" else ""
    if rows is None:
        return f"{world} processes{graphs}"
    return f"{world} processes × {rows} rows = {world * rows} rows per step{graphs}"
