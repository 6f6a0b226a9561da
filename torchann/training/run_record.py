"""What a run's folder says of how it came about, and the line that says where it is."""

import json
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from torchann.dashboard.tensorboard_logger import RunLogger
from torchann.files.run import Run, versions
from torchann.nets.names import printable
from torchann.training.checkpoints import Checkpoints
from torchann.training.interrupts import interruption


class RunRecord(Callback):
    """Keeps a run's folder: for itself while it trains, with what it was made with; says at the end where that is.

    Args:
        quiet: no closing line.

    Example:
        >>> RunRecord(quiet=True).quiet
        True
    """

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self._trained = self._told = False
        self._held = ExitStack()

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Takes the folder for this process.

        Raises:
            OSError: if it cannot be made.
            RunFolderError: if another process trains in it.
        """
        self._trained = self._told = False
        self._held.close()
        if stage != "fit":
            return
        folder = Path(trainer.log_dir or ".")  # all processes ask: the first tells the others
        if not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        self._held.enter_context(Run(folder).lock())

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Gives the folder free."""
        self._held.close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Gives the folder free."""
        self._held.close()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Notes that something was trained."""
        self._trained = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the hyperparameters and the versions."""
        self._told = True  # of all processes: on_fit_end asks for the folder in all or none
        folder = Path(trainer.log_dir or ".")  # all processes ask: the first tells the others
        if not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        given = {
            "seed": getattr(trainer, "seed", None),
            "shuffle_seed": getattr(data, "seed", None),
            "batch_size": getattr(data, "batch_size", None) or getattr(trainer.train_dataloader, "batch_size", None),
            "max_epochs": trainer.max_epochs,
            "parameters": sum(parameter.numel() for parameter in pl_module.parameters()),
        }
        # TensorBoard's table begins with what differs, by the alphabet: what comes with the data would hide the rest.
        of_data = {*getattr(pl_module, "sizes", ()), *getattr(pl_module, "names", ())}
        chosen = {name: value for name, value in pl_module.hparams.items() if name not in of_data}
        for logger in trainer.loggers:
            again = self._last_row(pl_module) if trainer.ckpt_path and isinstance(logger, RunLogger) else {}
            if isinstance(logger, RunLogger) and (trainer.ckpt_path or logger.goes_on):
                logger.forget_from(int(again.get("epoch", -1)) + 1, trainer.global_step + 1)
            logger.log_hyperparams({**chosen, **given})
            if again:  # a run may be killed when its checkpoint is written and TensorBoard has not been told
                logger.log_metrics(again)
        Run(folder).versions.write_text(json.dumps(versions(), indent=2) + "\n")

    def _last_row(self, pl_module: pl.LightningModule) -> dict[str, float]:
        history = getattr(pl_module, "history", None)
        row = history[-1] if history else {}
        return {name: value for name, value in row.items() if name != "seconds"}

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Says how it went and where it is."""
        folder = trainer.log_dir
        if trainer.ckpt_path and not self._told:  # a run that had all its steps may have been killed before it told so
            self.on_train_start(trainer, pl_module)
        if not self._trained and not trainer.ckpt_path and trainer.current_epoch and trainer.is_global_zero:
            done = trainer.current_epoch
            warnings.warn(
                f"nothing was trained: this Trainer has done its {done} epochs; give max_epochs above {done}, or make "
                "another Trainer",
                stacklevel=2,
            )
        if self.quiet or not trainer.is_global_zero or trainer.fast_dev_run or interruption(trainer):  # type: ignore[attr-defined]
            return
        best, figure = trainer.checkpoint_callback, ""
        if isinstance(best, (Checkpoints, ModelCheckpoint)) and best.best_model_score is not None:
            figure = f"best {best.monitor} {best.best_model_score:.4f}; "
            if not trainer.callback_metrics.get(best.monitor or "", best.best_model_score).isfinite():
                figure = f"{best.monitor} is no longer finite: training diverged, lower the learning rate; "
        epochs = "1 epoch" if trainer.current_epoch == 1 else f"{trainer.current_epoch} epochs"
        nothing = "nothing left to train: " if trainer.ckpt_path and not self._trained else ""
        print(printable(f"{nothing}{epochs}, {figure}run folder {folder}"))
