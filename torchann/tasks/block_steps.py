"""Several optimiser steps in a training step: by explicit backpropagation where the net allows it, else by autograd."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, optim
from torch.optim.lr_scheduler import ReduceLROnPlateau

from torchann.engine.all_reduce_gradients import AllReduceGradients
from torchann.engine.backprop import Backprop
from torchann.engine.cuda_graph import BlockGraph
from torchann.engine.embedded import EmbeddedBackprop
from torchann.engine.rows.loader import Block, Rows, cat_rows, map_rows, num_rows
from torchann.engine.wide_deep import WideDeepBackprop


def carry_step_count(trainer: pl.Trainer, by_hand: bool) -> None:
    """Goes on counting where a checkpoint stopped, also one of the other engine: Lightning has a counter for each.

    Args:
        trainer: that has restored the checkpoint.
        by_hand: whether the task steps by itself.
    """
    loop = trainer.fit_loop.epoch_loop
    manual, automatic = loop.manual_optimization.optim_step_progress, loop.automatic_optimization.optim_progress
    steps = max(manual.total.completed, automatic.optimizer.step.total.completed)
    total = manual.total if by_hand else automatic.optimizer.step.total
    total.ready, total.completed = max(total.ready, steps), steps


def move_plateau_schedules(trainer: pl.Trainer) -> None:
    """Moves the schedules that wait for the validation loss; Lightning does so after it has written the checkpoint.

    Args:
        trainer: at the end of an epoch that was validated.
    """
    for config in trainer.lr_scheduler_configs:
        if isinstance(config.scheduler, ReduceLROnPlateau) and "val_loss" in trainer.callback_metrics:
            config.scheduler.step(trainer.callback_metrics["val_loss"])


class ExplicitStep:
    """A step by backpropagation written out.

    Args:
        backprop: through the net.
        optimizer: plain ``torch.optim.SGD`` is folded into backpropagation, any other is given its gradients.
        row_weight: from the targets of a batch to how much each row counts; None for all the same.
        bucket: adds up the gradients of several processes; None for one.
    """

    optimizer: optim.Optimizer
    row_weight: Callable[[Any], Tensor | None]
    bucket: AllReduceGradients | None

    def __init__(
        self,
        backprop: Backprop | EmbeddedBackprop | WideDeepBackprop,
        optimizer: optim.Optimizer,
        row_weight: Callable[[Any], Tensor | None],
        bucket: AllReduceGradients | None = None,
    ) -> None:
        self.backprop: Any = backprop
        self.optimizer, self.row_weight, self.bucket = optimizer, row_weight, bucket
        self.group: dict[str, Any] = optimizer.param_groups[0]
        self.folded: bool = type(optimizer) is optim.SGD and not self.group["momentum"] and bucket is None
        if self.folded:
            optimizer._opt_called = True  # type: ignore[attr-defined]  # or schedules warn that it never steps

    def __call__(self, x: Rows, y: Rows) -> Rows:
        """Steps on a batch; returns the outputs before the step."""
        weight = self.row_weight(y)
        more = {} if weight is None else {"row_weight": weight}
        outputs: Rows
        if self.folded:
            outputs = self.backprop.descend(x, y, self.group["lr"], self.group["weight_decay"], **more)
            return outputs
        outputs = self.backprop.gradients(x, y, **more)
        if self.bucket is not None:
            self.bucket.share(num_rows(x))
        self.optimizer.step()
        return outputs

    @property
    def can_be_recorded(self) -> bool:
        """Whether a CUDA graph can hold the step: one process, and the optimiser keeps its state on the GPU."""
        if self.bucket is not None:
            return False
        return type(self.optimizer) is optim.SGD or self.optimizer.defaults.get("capturable", False)


class AutogradStep:
    """A step by autograd, for any net.

    Args:
        losses: from inputs and targets to the outputs and the loss of each row.
        optimizer: moves the weights.
        bucket: adds up the gradients of several processes; None for one.
    """

    losses: Callable[[Rows, Rows], tuple[Rows, Tensor]]
    optimizer: optim.Optimizer
    bucket: AllReduceGradients | None

    def __init__(
        self,
        losses: Callable[[Rows, Rows], tuple[Rows, Tensor]],
        optimizer: optim.Optimizer,
        bucket: AllReduceGradients | None = None,
    ) -> None:
        self.losses, self.optimizer, self.bucket = losses, optimizer, bucket

    def __call__(self, x: Rows, y: Rows) -> Rows | None:
        """Steps on a batch; returns the outputs before the step, None of no rows."""
        rows, outputs = num_rows(x), None
        with torch.enable_grad():
            self.optimizer.zero_grad() if self.bucket is None else self.bucket.clear()
            if rows:
                outputs, losses = self.losses(x, y)
                losses.mean().backward()  # type: ignore[no-untyped-call]
            if self.bucket is not None:
                self.bucket.share(rows)
            self.optimizer.step()
        return None if outputs is None else map_rows(Tensor.detach, outputs)


class BlockSteps:
    """Runs the steps of a block, and moves what Lightning leaves to a task that steps by itself.

    Args:
        step: what to do with a batch.
        trainer: of the fit.
    """

    step: ExplicitStep | AutogradStep
    trainer: pl.Trainer

    def __init__(self, step: ExplicitStep | AutogradStep, trainer: pl.Trainer) -> None:
        self.step, self.trainer = step, trainer
        self.per_step: list[Any] = [
            config.scheduler for config in trainer.lr_scheduler_configs if config.interval == "step"
        ]
        self._batch_size = 0
        self._graph = BlockGraph(lambda x, y: self._train(Block(x, y, self._batch_size), None))  # type: ignore[arg-type,return-value]

    def run(self, block: Block) -> Rows | None:
        """Trains on a block, up to the Trainer's ``max_steps``.

        Args:
            block: inputs, and targets as the head wants them.

        Returns:
            The outputs before each step; fewer rows if the last step came inside the block, None if there are none.
        """
        trainer, steps = self.trainer, block.num_steps
        block = self._prepared(block)
        left = trainer.max_steps - trainer.global_step if trainer.max_steps >= 0 else steps
        whole = left >= steps
        outputs = self._replay(block) if whole and self._recordable(block.x) else self._train(block, left)
        self._count(min(left, steps), whole)
        if trainer.is_last_batch:
            for config in trainer.lr_scheduler_configs:
                if config.interval == "epoch" and not isinstance(config.scheduler, ReduceLROnPlateau):
                    config.scheduler.step()
        return outputs

    def _prepared(self, block: Block) -> Block:
        if isinstance(self.step, ExplicitStep):
            return block._replace(x=self.step.backprop.prepare(block.x))
        return block

    def _train(self, block: Block, steps: int | None) -> Rows | None:
        outputs = []
        for x, y in islice(block.batches(), steps):
            before = self.step(x, y)
            if before is not None:
                outputs.append(before)
            for scheduler in self.per_step:
                scheduler.step()
        return cat_rows(outputs) if outputs else None

    def _recordable(self, x: Rows) -> bool:
        step = self.step
        explicit = isinstance(step, ExplicitStep) and step.can_be_recorded and not self.per_step
        return explicit and isinstance(x, Tensor) and x.is_cuda

    def _replay(self, block: Block) -> Rows:
        self._batch_size = block.batch_size
        numbers = tuple(value for value in self.step.optimizer.param_groups[0].values() if isinstance(value, float))
        return self._graph.run(block.x, block.y, (block.batch_size, numbers))  # type: ignore[arg-type]

    def _count(self, steps: int, all_trained: bool) -> None:
        # Lightning has seen one batch, and no step; an epoch that max_steps cuts short has no validation.
        loop = self.trainer.fit_loop.epoch_loop
        progress = loop.manual_optimization.optim_step_progress
        for tracker in (progress.total, progress.current):
            tracker.ready += steps
            tracker.completed += steps
        # The step that loggers are told is all that the loop itself, without its parts, keeps in a checkpoint.
        loop.on_load_checkpoint({name: number + steps - 1 for name, number in loop.on_save_checkpoint().items()})
        if not all_trained:
            loop.batch_progress.is_last_batch = False
            self.trainer.val_check_batch = float("inf")  # as no batch comes any more; each fit sets it anew
