"""Stops when a figure no longer improves, and gives back the weights of its best epoch."""

from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import EarlyStopping as LightningEarlyStopping
from torch import Tensor


class EarlyStopping(LightningEarlyStopping):
    """Early stopping as in Keras: Lightning's own, with the best weights restored whatever ended the fit.

    The weights of the best epoch are kept in memory and put back when training ends: by this callback, by
    ``max_epochs`` or by a stop from outside. Checkpoints are what they are without it.

    Args:
        monitor: a logged figure.
        patience: epochs without improvement before training stops.
        min_delta: the least change that counts as an improvement.
        mode: min for figures that should fall, max for those that should rise.
        start_from_epoch: epochs at the beginning that are neither counted nor candidates for the best.
        restore_best_weights: whether the model ends with the weights of its best epoch, or of its last.

    Example:
        >>> EarlyStopping(patience=5).patience
        5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: Literal["min", "max"] = "min",
        start_from_epoch: int = 0,
        restore_best_weights: bool = True,
    ) -> None:
        super().__init__(monitor, min_delta, patience, mode=mode, check_finite=False)
        self.start_from_epoch = start_from_epoch
        self.restore_best_weights = restore_best_weights
        self.best_epoch: int | None = None
        self._best_weights: dict[str, Tensor] = {}

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Looks at the training figures where there is no validation."""
        if stage == "fit" and self.monitor == "val_loss" and not trainer.enable_validation:
            self.monitor = "train_loss"
        super().setup(trainer, pl_module, stage)

    def _run_early_stopping_check(self, trainer: pl.Trainer) -> None:
        if trainer.current_epoch < self.start_from_epoch:
            return
        best_before = self.best_score
        super()._run_early_stopping_check(trainer)
        if self.best_score is not best_before:
            self.best_epoch = trainer.current_epoch
            if self.restore_best_weights:
                state = trainer.lightning_module.state_dict()
                self._best_weights = {name: value.detach().clone() for name, value in state.items()}

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Puts the best weights back."""
        if self._best_weights:
            pl_module.load_state_dict(self._best_weights)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Puts them back also after Ctrl-C."""
        self.on_train_end(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: also which epoch was best, and its weights."""
        return super().state_dict() | {"best_epoch": self.best_epoch, "best_weights": self._best_weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a checkpoint."""
        super().load_state_dict(state_dict)
        self.best_epoch, self._best_weights = state_dict.get("best_epoch"), state_dict.get("best_weights", {})
