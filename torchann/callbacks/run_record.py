"""What a run's folder says of how it came about, and the line that says where it is."""

import json
from pathlib import Path

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from torchann.callbacks.checkpoints import Checkpoints
from torchann.callbacks.interrupts import interruption
from torchann.dashboard.run_logger import RunLogger
from torchann.run_folders import versions


class RunRecord(Callback):
    """Writes what a run was made with into its folder, and says at the end where that is.

    Args:
        quiet: no closing line.

    Example:
        >>> RunRecord(quiet=True).quiet
        True
    """

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self._trained = False

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Begins anew."""
        self._trained = False

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Notes that something was trained."""
        self._trained = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes the hyperparameters and the versions."""
        folder = Path(trainer.log_dir or ".")  # all processes ask: the first tells the others
        if not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        data = {name: getattr(trainer.datamodule, name, None) for name in ("batch_size", "seed")}  # type: ignore[attr-defined]
        for logger in trainer.loggers:
            if trainer.ckpt_path and isinstance(logger, RunLogger):
                logger.purge_step = trainer.current_epoch
            logger.log_hyperparams({**pl_module.hparams, **data, "max_epochs": trainer.max_epochs})
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "versions.json").write_text(json.dumps(versions(), indent=2) + "\n")

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Says how it went and where it is."""
        folder = trainer.log_dir
        if self.quiet or not trainer.is_global_zero or trainer.fast_dev_run or interruption(trainer):  # type: ignore[attr-defined]
            return
        best, figure = trainer.checkpoint_callback, ""
        if isinstance(best, (Checkpoints, ModelCheckpoint)) and best.best_model_score is not None:
            figure = f"best {best.monitor} {best.best_model_score:.4f}; "
            if not trainer.callback_metrics.get(best.monitor or "", best.best_model_score).isfinite():
                figure = f"{best.monitor} is no longer finite: training diverged, lower the learning rate; "
        epochs = "1 epoch" if trainer.current_epoch == 1 else f"{trainer.current_epoch} epochs"
        nothing = "nothing left to train: " if trainer.ckpt_path and not self._trained else ""
        print(f"{nothing}{epochs}, {figure}run folder {folder}")
