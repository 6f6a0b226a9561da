"""``torchann predict``: predictions of a table, or of the rows of a config's data module, in their order."""

import argparse
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import LambdaCallback

from torchann.commands.error_report import report_error
from torchann.data.tables.columns import UnseenValues
from torchann.files.predictions import open_predictions, prediction_table
from torchann.nets.names import printable
from torchann.publishing.model_paths import find_model, model_from
from torchann.publishing.table_predictions import predict
from torchann.tasks.interval import interval_in_words
from torchann.training.quiet import quieten_framework


def run(options: argparse.Namespace) -> int:
    """Predicts a table; says on standard error what no training row had. Returns the exit status."""
    quieten_framework()
    output, surprises = Path(options.output), UnseenValues()
    files = options.data if len(options.data) > 1 else options.data[0]
    try:
        model = find_model(options.model)
        words = ("keep", "delimiter", "encoding", "decimal", "guard_formulas", "interval")
        more = {name: getattr(options, name) for name in words}
        rows = predict(model, files, output, surprises=surprises, **more)
        intervals = None if options.interval is None else interval_in_words(model_from(model), options.interval)
    except (ValueError, OSError, RuntimeError) as error:
        return report_error("predict", error)
    for line in surprises.lines():
        print(f"torchann predict: {printable(line)}", file=sys.stderr)
    if not options.quiet:
        say_which(options.model, model)
        if intervals:
            print(printable(intervals))
        print(f"{rows:,} rows in {printable(str(output))}")
    return 0


def say_which(given: str, model: Path) -> None:
    """Print the checkpoint that a command takes, where a run was given."""
    if model != Path(given):
        print(printable(f"checkpoint {model}"))


def write_predictions(trainer: pl.Trainer, task: pl.LightningModule, data: pl.LightningDataModule, output: Path) -> int:
    """Predict the rows of a data module and write each batch as it comes. Return the number of rows."""
    rows: list[int] = []
    with open_predictions(output) as write:

        def write_batch(_: Any, task: pl.LightningModule, found: Any, *__: Any) -> None:
            rows.append(write(prediction_table(found, task.hparams)))

        trainer.callbacks.append(LambdaCallback(on_predict_batch_end=write_batch))  # type: ignore[attr-defined]
        trainer.predict(task, datamodule=data, return_predictions=False)
    return sum(rows)
