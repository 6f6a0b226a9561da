"""What TensorBoard's report costs: the seconds in its hooks beside those of the epochs."""

import functools
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from tabulate import tabulate

import torchann
from torchann import TensorBoardReport

EVERYTHING = {"histogram_freq": 1, "write_images": True, "update_freq": 100, "embeddings_freq": 1, "pictures_freq": 1}
REPORTS = {
    "the Trainer's own (pictures_freq=0)": {"pictures_freq": 0},
    "the command's own (pictures_freq=end)": {},
    "histogram_freq=1": {"histogram_freq": 1, "pictures_freq": 0},
    "everything, each epoch": EVERYTHING,
}
HOOKS = ("on_train_start", "on_train_batch_start", "on_train_batch_end", "on_train_epoch_end", "on_fit_end")
OF_THE_RUN = ("on_train_start", "on_fit_end")


class TimedReport(TensorBoardReport):
    """A report that adds up the seconds spent in each of its hooks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seconds: dict[str, float] = defaultdict(float)
        for name in HOOKS:
            setattr(self, name, self._timed(name, getattr(self, name)))

    def _timed(self, name: str, hook: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(hook)  # or the Trainer would take it for a hook that wants each batch by itself
        def timed(*args: Any) -> None:
            started = time.perf_counter()
            hook(*args)
            self.seconds[name] += time.perf_counter() - started

        return timed


def fit(task: str, epochs: int, options: dict[str, Any]) -> tuple[float, float, float]:
    """Trains; returns the seconds of an epoch without its report, and the report's in an epoch and once in the run."""
    report = TimedReport(**options)
    trainer = torchann.Trainer(runs=tempfile.mkdtemp(), max_epochs=epochs, quiet=True, callbacks=[report])
    torch.manual_seed(42)
    if task == "fashion":
        trainer.fit(torchann.ClassificationMLP([300, 100], lr=0.01), datamodule=torchann.FashionMNISTDataModule())
    else:
        trainer.fit(torchann.RegressionMLP([30], lr=1e-3), datamodule=torchann.CaliforniaHousingDataModule())
    of_run = sum(report.seconds[name] for name in OF_THE_RUN)
    of_epoch = (sum(report.seconds.values()) - of_run) / epochs
    return statistics.median(row["seconds"] for row in trainer.history) - of_epoch, of_epoch, of_run


def report_table(rounds: int = 3) -> str:
    """A row per data set and report: medians over rounds, the reports alternating in each."""
    rows = []
    for task, epochs in (("fashion", 5), ("housing", 20)):
        fit(task, 2, EVERYTHING)  # what is imported and drawn for the first time
        found = defaultdict(list)
        for _ in range(rounds):
            for name, options in REPORTS.items():
                found[name].append(fit(task, epochs, options))
        for name, measured in found.items():
            epoch, in_epoch, once = (statistics.median(values) for values in zip(*measured, strict=True))
            thirty = (in_epoch + once / 30) / epoch
            rows.append([task, name, f"{epoch:.3f}", f"{in_epoch * 1e3:.2f}", f"{once * 1e3:.0f}", f"{thirty:.1%}"])
    headers = ["data", "report", "s / epoch without", "ms in an epoch", "ms once a run", "share of 30 epochs"]
    return tabulate(rows, headers, "github", disable_numparse=True)


if __name__ == "__main__":
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # TensorBoard would import it where it is installed
    print(report_table())
