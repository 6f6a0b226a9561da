"""Ctrl-C and a request to end are answered at the next step, with everything saved."""

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from torchann.engine.stop import StopTraining
from torchann.files.history import epoch_number
from torchann.files.run import LAST, Run
from torchann.training.checkpoints import Checkpoints, between_steps

REASONS = {signal.SIGINT: "interrupt", signal.SIGTERM: "sigterm"}


class Interrupts(Callback):
    """Ends a fit at the next step after Ctrl-C or SIGTERM, having saved ``last``; a second Ctrl-C ends it at once.

    An epoch whose last step is done is finished first, with its validation.

    Attributes:
        reason: ``"interrupt"`` or ``"sigterm"`` once one has come, None before.

    Example:
        >>> Interrupts().reason is None
        True
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listens, where Python lets a program listen: in its main thread."""
        self.reason = None
        if threading.current_thread() is threading.main_thread():
            ignored = [number for number in REASONS if signal.getsignal(number) == signal.SIG_IGN]  # as nohup wants it
            self._before = {number: signal.signal(number, self._note) for number in REASONS if number not in ignored}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.reason is not None and number == signal.SIGINT:
            self._restore()
            raise KeyboardInterrupt
        self.reason = REASONS[signal.Signals(number)]

    def _asked(self, trainer: pl.Trainer) -> bool:
        asked = self.reason is not None
        if trainer.world_size > 1:  # all processes end at the same step
            asked = bool(trainer.strategy.reduce_boolean_decision(asked, all=False))
            self.reason = self.reason or ("interrupt" if asked else None)
        return asked

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Ends the fit within an epoch."""
        if not self._asked(trainer) or not between_steps(trainer):
            return
        epoch, step = epoch_number(trainer.current_epoch), trainer.global_step
        raise StopTraining(str(self.reason), f"in epoch {epoch}, after step {step:,}; {self._save(trainer)}")

    def _save(self, trainer: pl.Trainer) -> str:
        checkpoints = trainer.checkpoint_callback
        if checkpoints is None or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return "nothing is saved, as this Trainer keeps no checkpoints"
        if isinstance(checkpoints, Checkpoints):
            checkpoints.save(trainer)
            return f"saved as {checkpoints.last_model_path}"
        path = Path(getattr(checkpoints, "dirpath", None) or Run(trainer.log_dir or ".").checkpoints, LAST)
        trainer.save_checkpoint(path)
        return f"saved as {path}"

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Ends the fit between two epochs; the checkpoint of the epoch is yet to be written."""
        if self._asked(trainer):
            trainer.should_stop = True

    def on_train_end(self, *_: Any) -> None:
        """Leaves the signals to whoever had them before."""
        self._restore()

    def on_exception(self, *_: Any) -> None:
        """Leaves the signals to whoever had them before."""
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}


def interruption(trainer: pl.Trainer) -> str | None:
    """Why a fit was asked to end from outside, None if it was not.

    Args:
        trainer: in a fit, or after it.
    """
    found = [callback.reason for callback in trainer.callbacks if isinstance(callback, Interrupts)]  # type: ignore[attr-defined]
    return found[0] if found else None
