"""Tables with few rows, or more columns than rows: what is trained on them by default, and how it is judged."""

from collections.abc import Collection
from statistics import fmean, stdev
from typing import Any

from torchann.data.tabular import TabularDataModule
from torchann.training.trainer import Trainer

FEW = 50  # rows to train on and to validate: of fewer a validation part has too few to choose an epoch by
FOLDS = 5
EPOCHS = {"few": 300, "wide": 20}
MODEL: dict[str, dict[str, Any]] = {
    "few": {"hidden_sizes": [], "lr": 0.01, "weight_decay": 0.02},
    "wide": {"weight_decay": 0.1},
}
"""Options of the model, beside those of any table."""
OWN = {"val_size", "val_source", "split", "callbacks", "limit_val_batches"}
"""Options by which a user says how epochs are chosen."""


def kind_of(data: TabularDataModule, given: Collection[str] = ()) -> str | None:
    """Return few or wide for a table that is small in that way and read already, None for any other.

    Args:
        data: the table.
        given: names of options; one that says how to validate makes it any other.

    Example:
        >>> data = TabularDataModule({"x": range(30), "y": range(30)}, "y", kinds={"x": "number"}, task="regression")
        >>> data.setup()
        >>> kind_of(data), kind_of(data, ["val_size"])
        ('few', None)
    """
    rows = data.num_rows("train") + data.num_rows("val")
    if OWN & set(given):
        return None
    return "few" if rows < FEW else "wide" if data.in_features > rows else None


def settings_of(kind: str, data: TabularDataModule) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return options of the model, the data and the Trainer that suit a small table.

    All rows but those to test are trained on, for a number of epochs, with a penalty on the weights.

    Args:
        kind: few or wide.
        data: the table.
    """
    least = 1 if data.task == "regression" else data.num_classes  # of a part that has each class
    return MODEL[kind], {"val_size": least}, {"max_epochs": EPOCHS[kind], "limit_val_batches": 0}


def said_of(kind: str, data: TabularDataModule, epochs: int) -> str:
    """Return a line that says what is done with a small table for so many epochs, and what else can be."""
    rows = data.num_rows("train")
    what = f"only {rows} rows to train on" if kind == "few" else f"{data.in_features:,} columns and only {rows:,} rows"
    net = "a linear model" if kind == "few" else "a net"
    return (
        f"{what}: {net} with a penalty on its weights by default, trained on all of them for {epochs} epochs and "
        f"judged by {FOLDS} folds of them; hidden_sizes, weight_decay, epochs and val_size change that"
    )


def cross_validated(model: Any, data: TabularDataModule, epochs: int, seed: int) -> str | None:
    """Return how models like one do on parts of the training rows that they have not seen; None for too few rows.

    Args:
        model: that was trained on the table.
        data: the table, in memory.
        epochs: of each training.
        seed: of each training.
    """
    from torchann.data.folds import folds_of  # scikit-learn, which no other table needs

    metric = "rmse" if data.task == "regression" else "accuracy"
    try:
        parts = folds_of(data, FOLDS)
    except (TypeError, ValueError, RuntimeError):
        return None
    found = []
    for part in parts:
        again = type(model)(**{name: value for name, value in model.hparams.items() if name != "metrics"})
        trainer = Trainer(max_epochs=epochs, seed=seed, logger=False, quiet=True, limit_val_batches=0)
        trainer.fit(again, datamodule=part)
        found.append(trainer.test(again, datamodule=part, verbose=False)[0][f"test_{metric}"])
    spread = f"± {stdev(found):.2g}, mean and deviation of the folds"
    return f"{FOLDS}-fold cross-validation: {metric} {fmean(found):.4g} {spread}"
