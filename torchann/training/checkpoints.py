"""Two checkpoints per run, found by name: the best so far and the last."""

import os
import time
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint
from torch import Tensor

from torchann.files.atomic import replaced_when_whole, write_atomically
from torchann.files.metric_name import MetricName
from torchann.files.run import BEST, LAST, Run
from torchann.tasks.monitor import direction
from torchann.training.lightning_internals import validation_is_next


class Checkpoints(Checkpoint):
    """Keeps ``best.ckpt``, of the epoch with the best monitored figure, and ``last.ckpt``, to go on from.

    Both hold all that a run is made of: a fit that goes on from either ends as if it had never been stopped. ``last``
    is written at the end of an epoch and, in long ones, every few minutes; the file before it stays until the new one
    is on the disk.

    Args:
        monitor: a logged figure; without a validation set the training loss takes the place of ``val_loss``.
        mode: min for figures that should fall, max for those that should rise; auto asks the figure, which knows.
        save_best_only: no ``last``, as in Keras' ``ModelCheckpoint(save_best_only=True)``.
        every_n_epochs: epochs between two ``last``; the final one is always written.
        every_n_steps: also within an epoch, after so many optimiser steps, or at the end of the block of steps then
            under way.
        every_n_minutes: also within an epoch, after so many minutes; null for never.
        dirpath: where to keep them; by default the folder ``checkpoints`` of the run.

    Attributes:
        best_model_path: of the best checkpoint, empty as long as there is none.
        best_model_score: the best figure, None as long as there is none.
        best_epoch: its epoch, counted from 0.
        last_model_path: of the last checkpoint, empty as long as there is none.

    Raises:
        ValueError: if an interval is not above 0.

    Example:
        >>> Checkpoints("val_accuracy", every_n_steps=1000).best_model_path
        ''
    """

    monitor: str
    save_best_only: bool
    every_n_epochs: int
    every_n_steps: int | None
    every_n_minutes: float | None
    best_model_path: str
    last_model_path: str

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: Literal["auto", "min", "max"] = "auto",
        save_best_only: bool = False,
        every_n_epochs: int = 1,
        every_n_steps: int | None = None,
        every_n_minutes: float | None = 10.0,
        dirpath: str | None = None,
    ) -> None:
        for name, value in {"epochs": every_n_epochs, "steps": every_n_steps, "minutes": every_n_minutes}.items():
            if value is not None and value <= 0:
                raise ValueError(f"every_n_{name} is {value}; give a number above 0")
        self.monitor, self.mode, self.save_best_only = monitor, mode, save_best_only
        self.every_n_epochs, self.every_n_steps, self.every_n_minutes = every_n_epochs, every_n_steps, every_n_minutes
        self.dirpath = dirpath
        self.best_model_path, self.last_model_path = "", ""
        self.best_model_score: Tensor | None = None
        self.best_epoch: int | None = None
        self._step_saved = 0
        self._time_saved = 0.0
        self._validated = self._rises = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Takes the training loss where there is no validation, and finds the folder."""
        if stage != "fit":
            return
        if self.monitor == "val_loss" and not trainer.enable_validation:
            self.monitor = "train_loss"
        if self.dirpath is None and trainer.log_dir is not None:  # all processes ask: the first tells the others
            self.dirpath = str(Run(trainer.log_dir).checkpoints)
        self.dirpath = self.dirpath or str(Run(trainer.default_root_dir).checkpoints)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the clock, and finds the best again where a run goes on."""
        self._rises = (direction(self.monitor, pl_module) if self.mode == "auto" else self.mode) == "max"
        self._step_saved, self._time_saved = trainer.global_step, time.monotonic()
        best = Path(self.dirpath or ".", BEST)
        if self.best_epoch is not None and best.is_file():
            self.best_model_path = str(best)
        elif not self.best_model_path:  # a new run that begins from another's checkpoint has its own best
            self.best_model_score, self.best_epoch = None, None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Has not validated this epoch yet."""
        self._validated = False

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Keeps a ``last`` within the epoch, if it is time."""
        if not self.save_best_only and self._due(trainer) and between_steps(trainer):
            self.save(trainer)

    def _due(self, trainer: pl.Trainer) -> bool:
        steps = self.every_n_steps
        due = steps is not None and trainer.global_step // steps > self._step_saved // steps
        if not due and self.every_n_minutes is not None:
            due = time.monotonic() - self._time_saved >= 60 * self.every_n_minutes
            due = bool(trainer.strategy.broadcast(due)) if trainer.world_size > 1 else due  # the first one's clock
        return due

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Looks at the figure of a validation within an epoch; one at its end waits for the end."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        self._validated = True
        if not trainer.is_last_batch:
            self.save(trainer, best=self._improves(trainer), last=not self.save_best_only and self._due(trainer))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps the epoch as the last one, and as the best if it is."""
        final = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        final |= 0 <= trainer.max_steps <= trainer.global_step
        due = final or (trainer.current_epoch + 1) % self.every_n_epochs == 0
        self.save(trainer, best=self._improves(trainer), last=due and not self.save_best_only)

    def _improves(self, trainer: pl.Trainer) -> bool:
        figure = trainer.callback_metrics.get(self.monitor)
        stale = MetricName.parse(self.monitor).stage == "val" and not self._validated
        if figure is None or not figure.isfinite() or stale:
            return False
        best = self.best_model_score
        if best is not None and not (figure > best if self._rises else figure < best):
            return False
        self.best_model_score, self.best_epoch = figure.detach().clone().cpu(), trainer.current_epoch
        return True

    def save(self, trainer: pl.Trainer, best: bool = False, last: bool = True) -> None:
        """Writes what is asked for; called by all processes, written by the first.

        Args:
            trainer: in the middle of a fit.
            best: whether this is the best state so far.
            last: whether to keep it as the last.

        Raises:
            OSError: if a file cannot be written; the one before it is untouched.
        """
        if trainer.fast_dev_run or not (best or last):  # type: ignore[attr-defined]
            return
        best_file, last_file = (str(Path(self.dirpath or ".", name)) for name in (BEST, LAST))
        self.best_model_path = best_file if best else self.best_model_path
        self.last_model_path = last_file if last else self.last_model_path
        if last:
            self._step_saved, self._time_saved = trainer.global_step, time.monotonic()
        # The best first: a run that goes on from an older last comes by here again.
        trainer.save_checkpoint(best_file if best else last_file)
        if best and last:
            if trainer.is_global_zero:
                _give_second_name(Path(best_file), Path(last_file))
            trainer.strategy.barrier()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: the best figure so far, and whether this epoch has been validated."""
        return {"best_model_score": self.best_model_score, "best_epoch": self.best_epoch, "validated": self._validated}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a checkpoint."""
        self.best_model_score, self.best_epoch = state_dict["best_model_score"], state_dict["best_epoch"]
        self._validated = state_dict["validated"]


def _give_second_name(path: Path, second: Path) -> None:
    # No second copy: neither file is ever changed, only replaced.
    try:
        with replaced_when_whole(second) as beside:
            beside.unlink()
            os.link(path, beside)
    except OSError:  # a file system without links
        write_atomically(second, path.read_bytes())


def between_steps(trainer: pl.Trainer) -> bool:
    """Whether a run can be gone on with from here, at the end of a batch.

    Not from the last batch of an epoch, nor from one that is about to be validated, both of which write a checkpoint
    when that is done; nor from one whose gradients wait for those of the next.

    Args:
        trainer: in ``on_train_batch_end``.
    """
    batches = trainer.fit_loop.epoch_loop.batch_progress.current.ready
    if trainer.is_last_batch or batches % trainer.accumulate_grad_batches:
        return False
    return not validation_is_next(trainer)


def best_path(callback: object) -> str:
    """Where a checkpoint callback, of this project or of Lightning, keeps the best; empty if nowhere."""
    return str(callback.best_model_path) if isinstance(callback, (Checkpoints, ModelCheckpoint)) else ""
