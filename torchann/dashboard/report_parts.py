"""What a report shows every so many epochs: layers, pictures and the projector's vectors, and at which step."""

from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
from torch.utils.tensorboard import SummaryWriter

from torchann.dashboard.layers import write_layers
from torchann.dashboard.projector import last_hidden_layer, write_embedding
from torchann.dashboard.sample import first_rows, predict_sample, undisturbed

SAMPLE_ROWS = 1024
"""Training rows whose activations and gradients are shown."""
EVALUATED_ROWS = 10_000
"""Rows of the pictures, at most."""
EMBEDDED_ROWS = 1_000
"""Rows in the projector."""


def write_histograms(trainer: pl.Trainer, task: Any, writer: SummaryWriter, epoch: int, step: int) -> None:
    """Write histograms of each layer, of the weights after an epoch, at a step."""
    write_layers(writer, task, first_rows(trainer, SAMPLE_ROWS, training=True), step)


def write_pictures(
    trainer: pl.Trainer, task: Any, writer: SummaryWriter, epoch: int, step: int, write_images: bool = False
) -> None:
    """Write pictures of how the task does, with the weights of an epoch, at a step."""
    from torchann.dashboard.evaluation import write_evaluation, write_first_layer  # with all that draws

    rows = first_rows(trainer, EVALUATED_ROWS)
    if rows is not None:
        with undisturbed(task):
            write_evaluation(writer, task, rows, predict_sample(task, rows), epoch, step, write_images)
    if write_images:
        write_first_layer(writer, task, None if rows is None else rows.seen, epoch, step)


def write_vectors(trainer: pl.Trainer, task: Any, folder: Path, epoch: int) -> None:
    """Write what the last hidden layer makes of rows, for the projector."""
    from torchann.dashboard.classification_pictures import images_of
    from torchann.dashboard.evaluation import labels_of

    rows = first_rows(trainer, EMBEDDED_ROWS)
    if rows is not None:
        with undisturbed(task):
            vectors = last_hidden_layer(task, rows.x)
            labels = labels_of(task, predict_sample(task, rows), len(vectors))
        write_embedding(folder, vectors, labels, images_of(rows.seen), epoch)


def epoch_of_weights(trainer: pl.Trainer, last: int) -> int:
    """Return the epoch of the weights that a fit ends with: early stopping may have put back those of an earlier one.

    Args:
        trainer: at the end of a fit.
        last: epoch that was trained.
    """
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    restored = (getattr(c, "best_epoch", None) for c in callbacks if getattr(c, "restore_best_weights", False))
    return next((epoch for epoch in restored if epoch is not None), last)


def last_step(every: int | Literal["end"], epoch: int, last: int) -> int | None:
    """Return the step of what is written of the weights that a fit ends with; None if it is there already.

    Steps rise: weights of an epoch before one that was written come after the last epoch.

    Args:
        every: epochs from one to the next.
        epoch: of the weights.
        last: epoch that was trained.

    Example:
        >>> [last_step("end", 29, 35), last_step(5, 34, 35), last_step(5, 33, 33), last_step(5, 29, 39)]
        [29, 36, 33, 40]
        >>> last_step(5, 30, 39) is last_step(1, 29, 39) is None
        True
    """
    if every == "end" or epoch > last - last % every:
        return epoch
    return None if epoch % every == 0 else last + 1
