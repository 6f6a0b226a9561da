"""Stops when a figure no longer improves, and gives back the weights of its best epoch."""

from math import isnan
from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.callbacks import EarlyStopping as LightningEarlyStopping
from torch import Tensor

from torchann.files.history import no_such_figure
from torchann.tasks.monitor import direction
from torchann.training.lightning_internals import logged_now


class EarlyStopping(LightningEarlyStopping):
    """Early stopping as Keras decides it, with the best weights put back whatever ended the fit.

    The figure is looked at when it is logged: a validation figure in epochs that validate, one of training at the end
    of each epoch. The weights of the best epoch are kept in memory and in checkpoints, and put back when training
    ends: by this callback, by ``max_epochs``, by Ctrl-C or by an error. Checkpoints are what they are without it.

    Keras takes a first figure that is nan for the best, and then improves no more; here nan is never the best.

    Args:
        monitor: a logged figure; without a validation set the training loss takes the place of ``val_loss``.
        patience: epochs without improvement before training stops.
        min_delta: the least change that counts as an improvement.
        mode: min for figures that should fall, max for those that should rise; auto for what the figure is known for.
        baseline: epochs count as an improvement only if they are better than this, too.
        start_from_epoch: epochs at the beginning that are neither counted nor candidates for the best.
        restore_best_weights: whether the model ends with the weights of its best epoch, or of its last.

    Attributes:
        best_score: the best figure so far, None before there is one.
        best_epoch: its epoch, counted from 0.
        wait_count: epochs since the last improvement.
        stopped_epoch: in which it stopped training; 0 if it has not.

    Raises:
        ValueError: for an unknown mode; when a fit starts, if ``auto`` is not known; when a figure should have been
            logged and was not.

    Example:
        >>> EarlyStopping(patience=5).patience
        5
    """

    best_score: float | None  # type: ignore[assignment]
    best_epoch: int | None
    min_delta: float
    baseline: float | None
    start_from_epoch: int

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: Literal["auto", "min", "max"] = "auto",
        baseline: float | None = None,
        start_from_epoch: int = 0,
        restore_best_weights: bool = True,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode is {mode!r}; give min for figures that should fall, max for others, or auto")
        super().__init__(monitor, patience=patience)
        self._monitor_given, self.min_delta, self.mode = monitor, abs(min_delta), mode
        self.baseline, self.start_from_epoch = baseline, start_from_epoch
        self.restore_best_weights = restore_best_weights
        self._reset()

    def _reset(self) -> None:
        self.best_score, self.best_epoch = None, None
        self.wait_count = self.stopped_epoch = 0
        self._best_weights: dict[str, Tensor] = {}
        self._seen = self._validated = self._fitting = False

    @property
    def state_key(self) -> str:
        """What its state is called in a checkpoint: the same before and after it has taken another figure."""
        return f"{type(self).__qualname__}{ {'monitor': self._monitor_given} }"

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Begins anew, as Keras does in each fit, and looks at the training figures where there is no validation."""
        self._fitting = stage == "fit"
        if not self._fitting:
            return
        self._reset()
        self._fitting = True
        if self.monitor == "val_loss" and not trainer.enable_validation:
            self.monitor = "train_loss"
        # Behind all others: a checkpoint that is written when training ends holds the weights it ended with.
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        others = [callback for callback in callbacks if getattr(callback, "stopping", None) is not self]
        callbacks[:] = [*others, _PutBack(self)]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Finds out where the figure should go, and stops at once if that was decided before the checkpoint."""
        self._rises = (direction(self.monitor, pl_module) if self.mode == "auto" else self.mode) == "max"
        if self.stopped_epoch and self.wait_count >= self.patience:
            trainer.should_stop = True

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Looks at the figure if it is one of validation."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._validated = True
            self._look(trainer, pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Looks at the figure if it is one of training."""
        self._look(trainer, pl_module)
        if not self._seen and (self._validated or not trainer.enable_validation):
            raise ValueError(f"EarlyStopping: {no_such_figure(self.monitor, sorted(trainer.callback_metrics))}")

    def _look(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        logged = logged_now(trainer)
        if self.monitor not in logged or trainer.fast_dev_run:  # type: ignore[attr-defined]
            self._seen |= bool(trainer.fast_dev_run)  # type: ignore[attr-defined]
            return
        self._seen, epoch = True, trainer.current_epoch
        if epoch < self.start_from_epoch:
            return
        figure = logged[self.monitor].item()
        self.wait_count += 1
        if self._better(figure, self.best_score):
            self.best_score, self.best_epoch = figure, epoch
            if self.restore_best_weights:
                state = pl_module.state_dict()
                self._best_weights = {name: value.detach().clone() for name, value in state.items()}
            if self._better(figure, self.baseline):
                self.wait_count: int = 0
        # Keras: an improvement that misses the baseline stops nothing, nor does the first epoch.
        elif self.wait_count >= self.patience and epoch > 0:
            self.stopped_epoch: int = epoch
            trainer.should_stop = True

    def _better(self, figure: float, than: float | None) -> bool:
        if than is None:
            return not isnan(figure)
        return figure - self.min_delta > than if self._rises else figure + self.min_delta < than

    def put_back(self, pl_module: pl.LightningModule) -> None:
        """Gives a model the best weights."""
        if self._best_weights:
            pl_module.load_state_dict(self._best_weights)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Gives the best weights also to a model whose run had nothing left to train."""
        self.put_back(pl_module)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        names = ("best_score", "best_epoch", "wait_count", "stopped_epoch", "_best_weights")
        return {name.lstrip("_"): getattr(self, name) for name in names}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a checkpoint; one that is only measured or predicted with changes nothing."""
        if self._fitting:
            self.best_score, self.best_epoch = state_dict["best_score"], state_dict["best_epoch"]
            self.wait_count, self.stopped_epoch = state_dict["wait_count"], state_dict["stopped_epoch"]
            self._best_weights = state_dict["best_weights"]


class _PutBack(Callback):
    def __init__(self, stopping: EarlyStopping) -> None:
        self.stopping = stopping

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.stopping.put_back(pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self.stopping.put_back(pl_module)
