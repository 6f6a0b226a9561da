"""Two checkpoints per run, found by name: the best so far and the last."""

import os
import shutil
from pathlib import Path

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint


class BestAndLast(ModelCheckpoint):
    """Keeps ``best.ckpt``, of the epoch with the lowest monitored figure, and ``last.ckpt``, of the latest epoch.

    Args:
        monitor: a logged figure, lower is better; without a validation set the training loss takes its place.
        dirpath: where to keep them; by default the folder ``checkpoints`` of the run.
    """

    def __init__(self, monitor: str = "val_loss", dirpath: str | None = None) -> None:
        super().__init__(dirpath, "best", monitor, save_last=True, enable_version_counter=False)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Takes the training loss where there is no validation."""
        if stage == "fit" and self.monitor == "val_loss" and not trainer.enable_validation:
            self.monitor = "train_loss"
        super().setup(trainer, pl_module, stage)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps this epoch as the last one; Lightning's own does so only if it is the best so far."""
        self.last_model_path = self.last_model_path or self.format_checkpoint_name({}, self.CHECKPOINT_NAME_LAST)
        super().on_train_epoch_end(trainer, pl_module)
        if not self._should_skip_saving_checkpoint(trainer):
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))

    def _save_checkpoint(self, trainer: pl.Trainer, filepath: str) -> None:
        # The best epoch is also the last one: its file is copied, which costs a tenth of writing it again.
        if self._last_global_step_saved != trainer.global_step or not Path(self._last_checkpoint_saved).is_file():
            super()._save_checkpoint(trainer, filepath)
            return
        if trainer.is_global_zero:
            shutil.copyfile(self._last_checkpoint_saved, filepath + ".part")
            os.replace(filepath + ".part", filepath)
        trainer.strategy.barrier()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps nothing of a dry run; Lightning's own would."""
        if not trainer.fast_dev_run:  # type: ignore[attr-defined]
            super().on_train_end(trainer, pl_module)
