"""Tells overfitting, epoch by epoch: the chapter's example of a callback of one's own."""

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from tqdm import tqdm


class PrintValTrainRatio(Callback):
    """Prints ``val_loss / train_loss`` after each epoch that was validated, above the progress bar.

    It climbs when a net learns what is true of the training rows alone.

    Example:
        >>> import torchann
        >>> trainer = torchann.Trainer(callbacks=[PrintValTrainRatio()], logger=False, quiet=True)
    """

    def __init__(self) -> None:
        self._val_loss: float | None = None

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps the validation loss; an epoch without validation has none."""
        if not trainer.sanity_checking:
            self._val_loss = trainer.callback_metrics["val_loss"].item()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Prints the ratio."""
        if self._val_loss is not None and trainer.is_global_zero:
            ratio = self._val_loss / trainer.callback_metrics["train_loss"].item()
            tqdm.write(f"epoch {trainer.current_epoch + 1}, val/train: {ratio:.2f}")
        self._val_loss = None
