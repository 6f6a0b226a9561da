"""Keeps what is measured in each epoch: in memory, in the run's folder and in its checkpoints."""

import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from torchann.files.history import History, Row, csv_lines
from torchann.files.run import Run
from torchann.training.lightning_internals import leave_figures_in_place, logged_now


class RecordHistory(Callback):
    """Records a row per epoch: the figures that were logged in it, with the seconds it took.

    An epoch without validation has no validation figures. The table is ``history`` of this callback and of the model,
    and grows line by line as ``history.csv`` in the run's folder; a run that goes on from a checkpoint goes on with
    its rows.

    Attributes:
        history: of the fit under way, or of the last one.

    Example:
        >>> RecordHistory().history
        History(0 epochs of nothing)
    """

    def __init__(self) -> None:
        self.history: History = History()
        self._validated: Row = {}
        self._logged_before: dict[str, Tensor] | None = None
        self._columns: list[str] = []
        self._lines: list[str] = []
        self._path: Path | None = None
        self._started = 0.0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Begins anew; a Trainer that fits again keeps the epochs it counts on from."""
        if stage == "fit":
            self.history = History(row for row in self.history if row["epoch"] < trainer.current_epoch)
            self._validated, self._logged_before = {}, None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Finds the folder, and writes the epochs before a checkpoint."""
        folder = trainer.log_dir  # all processes ask: the first tells the others
        keeps = trainer.loggers and trainer.is_global_zero and not trainer.fast_dev_run  # type: ignore[attr-defined]
        self._path = Run(folder).history if keeps and folder else None
        pl_module.history = self.history  # type: ignore[assignment]
        self._columns, self._lines = [], []
        if self.history.rows:
            self._rewrite()
        self._started = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes the validation figures, for the row of the epoch under way."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._validated |= _plain(logged_now(trainer))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Adds the row of the epoch."""
        now = time.perf_counter()
        row = {"epoch": trainer.current_epoch, **self._validated, **_plain(logged_now(trainer))}
        self.history.rows.append(row | {"seconds": round(now - self._started, 3)})
        self._validated, self._started = {}, now
        self._logged_before = dict(trainer.callback_metrics)
        leave_figures_in_place(trainer)

    def _complete(self, trainer: pl.Trainer) -> None:
        # What a module logs in its own on_train_epoch_end comes after that of the callbacks.
        if self._logged_before is None:
            return
        before, self._logged_before = self._logged_before, None
        row = self.history.rows[-1]
        row |= _plain({name: v for name, v in trainer.callback_metrics.items() if before.get(name) is not v})
        if not set(row) <= set(self._columns):
            self._rewrite()
            return
        self._lines.append(csv_lines([[row.get(name, "") for name in self._columns]]))
        if self._path is not None:
            with self._path.open("a", newline="") as file:
                file.write(self._lines[-1])

    def _rewrite(self) -> None:
        self._columns, self._lines = self.history.columns, [self.history.to_csv()]
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text("".join(self._lines), newline="")

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the row of the epoch before."""
        self._complete(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the last row."""
        self._complete(trainer)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Writes the last row."""
        self._complete(trainer)

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: Any) -> None:
        """Adds the rows to a checkpoint, as text: one that held them as numbers would cost more with each epoch."""
        self._complete(trainer)
        checkpoint["history"] = {"csv": "".join(self._lines), "validated": self._validated}

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: Any) -> None:
        """Takes them out again."""
        if trainer.state.fn == "fit" and "history" in checkpoint:
            self.history = History.from_text(checkpoint["history"]["csv"])
            pl_module.history = self.history  # type: ignore[assignment]
            self._validated = dict(checkpoint["history"]["validated"])


def _plain(figures: dict[str, Tensor]) -> Row:
    # Figures are float32: the shortest decimals that say the same.
    return {name: float(str(np.float32(figure.item()))) for name, figure in figures.items()}
