"""Runs an experiment for one seed or several."""

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from torchann.chapter.experiments import Experiment, Figure
from torchann.chapter.plots import History, plot_learning_curves
from torchann.dashboard.run_logger import RunLogger
from torchann.data import DataFileError, DataNotFoundError
from torchann.runs import Trainer

FIRST_SEED = 42


@dataclass
class Result:
    """What an experiment gave: a figure for each seed, or the reason why there is none.

    Attributes:
        experiment: what was to be run.
        figures: one per seed.
        seconds: wall time per seed, reading the data included.
        why_not: why it was not run.
    """

    experiment: Experiment
    figures: list[Figure] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    why_not: str | None = None

    @property
    def median(self) -> Figure:
        """The median over the seeds; what cannot be ordered is the same for all."""
        numbers = [figure for figure in self.figures if isinstance(figure, float)]
        return statistics.median(numbers) if numbers else self.figures[0]

    @property
    def in_band(self) -> bool:
        """Whether the experiment was run and its median counts as the published figure."""
        return bool(self.figures) and self.experiment.met_by(self.median)


def reproduce(
    experiment: Experiment, seeds: int, runs: str, output: Path, data_dir: str | None = None, quiet: bool = False
) -> Result:
    """Trains with seeds 42, 43, ... and measures; writes the learning curves to ``output/NAME.png``.

    Args:
        experiment: what to run.
        seeds: how many seeds; 1 is enough for what no seed changes.
        runs: the folder of the run folders.
        output: the folder of the curves.
        data_dir: where Fashion-MNIST's files are; None to look for them.
        quiet: no progress bars, and no line for each run.

    Returns:
        The figures; where the data cannot be had, the reason.
    """
    result, histories = Result(experiment), []
    seeds = seeds if experiment.takes_seeds else 1
    for number in range(seeds):
        if not quiet:
            print(f"{experiment.name}{f', seed {number + 1} of {seeds}' if seeds > 1 else ''}", flush=True)
        started = time.perf_counter()
        try:
            figure, history = _run(experiment, FIRST_SEED + number, runs, data_dir, quiet)
        except (DataNotFoundError, DataFileError) as error:
            result.why_not = str(error)
            return result
        result.figures.append(figure)
        result.seconds.append(time.perf_counter() - started)
        histories.append(history)
    plot_learning_curves(histories, experiment.title, output / f"{experiment.name}.png")
    return result


def _run(experiment: Experiment, seed: int, runs: str, data_dir: str | None, quiet: bool) -> tuple[Figure, History]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        task, data = experiment.make(seed, data_dir)
        trainer = Trainer(runs=runs, name=experiment.name, quiet=quiet, max_epochs=experiment.max_epochs)
        trainer.fit(task, datamodule=data)
    assert isinstance(trainer.logger, RunLogger)
    return experiment.measure(trainer), trainer.logger.history
