"""Which of Lightning's messages say nothing about a run."""

import logging
import warnings

IRRELEVANT = (
    ".*treespec, LeafSpec.* is deprecated",  # Lightning on new torch
    "The number of training batches .* is smaller than the logging interval",  # figures are logged per epoch
    "Checkpoint directory .* exists and is not empty",  # every run has its own
    "The dirpath has changed from .* `best_model_score`",  # a resumed run has its own best
    "Using ModelCheckpoint with manual optimization and every_n_train_steps",  # weights and step are those of the step
    "You're resuming from a checkpoint that ended before the epoch ended",  # the order and the place are known
    "`max_epochs` was not set",  # the default is documented
    "`.fit.ckpt_path=.* was called without a model",  # what OnExceptionCheckpoint left is gone on with, if anything
    ".fit.ckpt_path=.last.. is set, but there is no last checkpoint available",
    "You defined a `validation_step` but have no `val_dataloader`",  # the training loss is watched instead
)


def quieten_framework() -> None:
    """Silences Lightning's banners and tips, and the warnings that say nothing about a run."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in IRRELEVANT:
        warnings.filterwarnings("ignore", message)
