"""Whether a task takes its optimiser steps by itself in a fit, several per call, and how."""

import logging
import weakref
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities import CombinedLoader

from torchann.engine.all_reduce_gradients import AllReduceGradients
from torchann.engine.rows.loader import TensorLoader
from torchann.engine.rows.stream_loader import StreamLoader
from torchann.tasks.block_steps import AutogradStep, BlockSteps, ExplicitStep, carry_step_count
from torchann.tasks.fast_path import largest_block, why_single_steps

log: logging.Logger = logging.getLogger("torchann")


class StepChoice:
    """The steps that a task takes by itself; Lightning takes them where it has been asked for more than they can do.

    Attributes:
        blocks: what runs the steps of a block, None where Lightning takes them.
        batches_per_epoch: where mini-batches come in blocks, None where each is a batch to Lightning.

    Example:
        >>> StepChoice().taken_in(pl.Trainer(logger=False, enable_checkpointing=False))
        False
    """

    def __init__(self) -> None:
        self.blocks: BlockSteps | None = None
        self.batches_per_epoch: int | None = None
        self._trainer: weakref.ref[pl.Trainer] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: all of it belongs to a Trainer."""
        return {"blocks": None, "batches_per_epoch": None, "_trainer": None}

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
        reason = single or task.why_autograd()
        self._trainer = None if single is not None else weakref.ref(trainer)
        self.blocks, self.batches_per_epoch = None, None
        if reason is not None:
            _say(task, f"by autograd{'' if single is None else ', one batch per step'}: {reason}")
        if trainer.world_size > 1:
            _say(task, f"in {_processes(trainer, data)}")
        if single is None and hasattr(data, "steps_per_execution"):
            loader = data.train_dataloader()
            if isinstance(loader, (TensorLoader, StreamLoader)):
                wanted = largest_block(task, trainer, loader.num_batches(), task.hparams["steps_per_execution"])
                data.steps_per_execution = wanted
                self.batches_per_epoch = loader.num_batches() if wanted != 1 else None

    def start(self, task: Any) -> None:
        """Prepares them when training starts, and goes on counting where a checkpoint stopped."""
        self.blocks = None  # also after a fit that was broken off
        if self.taken_in(task.trainer):
            step: ExplicitStep | AutogradStep
            optimizer = task.trainer.optimizers[0]
            bucket = AllReduceGradients(task.net.parameters()) if task.trainer.world_size > 1 else None
            explicit = task.why_autograd() is None
            if explicit and torch.is_anomaly_enabled():  # which the Trainer's detect_anomaly does as training starts
                explicit = False
                _say(task, "by autograd: detect_anomaly")
            if explicit:
                step = ExplicitStep(task.backprop(), optimizer, task.row_weight, bucket)
            else:
                step = AutogradStep(task.outputs_and_losses, optimizer, bucket)
            self.blocks = BlockSteps(step, task.trainer)
        for loader in CombinedLoader(task.trainer.train_dataloader).flattened:
            if isinstance(loader, TensorLoader):
                loader.empty_batches = True
        carry_step_count(task.trainer, by_hand=self.blocks is not None)


def _say(task: Any, how: str) -> None:
    if task.trainer.is_global_zero:
        level = logging.INFO if getattr(task.trainer, "quiet", False) else logging.WARNING
        log.log(level, "%s trains %s", type(task).__name__, how)


def _processes(trainer: pl.Trainer, data: Any) -> str:
    world, rows = trainer.world_size, getattr(data, "batch_size", None)
    graphs = ", without CUDA graphs" if trainer.strategy.root_device.type == "cuda" else ""
    if rows is None:
        return f"{world} processes{graphs}"
    return f"{world} processes × {rows} rows = {world * rows} rows per step{graphs}"
