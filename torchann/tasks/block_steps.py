"""Several optimiser steps in a training step: what Lightning leaves to a task that steps by itself."""

import lightning.pytorch as pl
from torch.optim.lr_scheduler import ReduceLROnPlateau

from torchann.engine.learner import Learner
from torchann.engine.rows.loader import Block, Rows


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


class BlockSteps:
    """Runs the steps of a block, and moves what Lightning leaves to a task that steps by itself.

    Args:
        learner: takes the steps.
        trainer: of the fit.
    """

    learner: Learner
    trainer: pl.Trainer

    def __init__(self, learner: Learner, trainer: pl.Trainer) -> None:
        self.learner, self.trainer = learner, trainer

    def run(self, block: Block) -> Rows | None:
        """Trains on a block, up to the Trainer's ``max_steps``.

        Args:
            block: inputs, and targets as the head wants them.

        Returns:
            The outputs before each step; fewer rows if the last step came inside the block, None if there are none.
        """
        trainer, steps = self.trainer, block.num_steps
        left = trainer.max_steps - trainer.global_step if trainer.max_steps >= 0 else steps
        outputs = self.learner.take(block, left)
        self._count(min(left, steps), left >= steps)
        if trainer.is_last_batch:
            for config in trainer.lr_scheduler_configs:
                if config.interval == "epoch" and not isinstance(config.scheduler, ReduceLROnPlateau):
                    config.scheduler.step()
        return outputs

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
