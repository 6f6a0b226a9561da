"""Runs experiments for one seed or several, in one process or side by side."""

import multiprocessing
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

import torch

from torchann.chapter.experiment import Experiment, Measurement, Outcome, Published, Setting, seeded
from torchann.chapter.experiments import EXPERIMENTS
from torchann.data import DataFileError, DataNotFoundError

FIRST_SEED = 42


@dataclass
class Result:
    """What an experiment gave: an outcome and the wall time for each seed, or the reason why it was not run."""

    experiment: Experiment
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    why_not: str | None = None

    def measurements(self, published: Published) -> list[Measurement]:
        """What the seeds gave for a published figure."""
        return [outcome.measurements[published.measurement] for outcome in self.outcomes]

    def median(self, published: Published) -> Measurement:
        """The median over the seeds; what cannot be ordered is the same for all."""
        measurements = self.measurements(published)
        numbers = [measurement for measurement in measurements if isinstance(measurement, float)]
        return statistics.median(numbers) if numbers else measurements[0]

    def in_band(self, published: Published) -> bool:
        """Whether the experiment was run and its median counts as the published figure."""
        return bool(self.outcomes) and published.met_by(self.median(published))

    @property
    def met(self) -> bool:
        """Whether all its figures are in their bands."""
        return all(self.in_band(published) for published in self.experiment.published)


def reproduce(names: Sequence[str], seeds: int, setting: Setting, jobs: int = 1) -> Iterator[Result]:
    """Run experiments with seeds 42, 43, ...; what no seed changes runs once. Each process gets its share of the cores.

    Yields:
        A result when its last seed is through; where the data cannot be had, with the reason.
    """
    results = {name: Result(EXPERIMENTS[name]) for name in names}
    waiting = {name: seeds if EXPERIMENTS[name].takes_seeds else 1 for name in names}
    todo = [replace(setting, name=name, seed=FIRST_SEED + number) for name in names for number in range(waiting[name])]
    for done, outcome, seconds in _run_all(todo, jobs):
        result = results[done.name]
        if isinstance(outcome, Outcome):
            result.outcomes.append(outcome)
            result.seconds.append(seconds)
        else:
            result.why_not = outcome
        waiting[done.name] -= 1
        if not setting.quiet and len(todo) > 1:
            print(f"{done.name}, seed {done.seed}: {seconds:.1f} s", flush=True)
        if waiting[done.name] == 0:
            yield result


def _run_all(todo: Sequence[Setting], jobs: int) -> Iterator[tuple[Setting, Outcome | str, float]]:
    if jobs == 1:
        yield from map(_run, todo)
        return
    threads = max(1, torch.get_num_threads() // jobs)
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(jobs, context, torch.set_num_threads, (threads,)) as pool:
        futures = [pool.submit(_run, replace(setting, quiet=True)) for setting in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _run(setting: Setting) -> tuple[Setting, Outcome | str, float]:
    started = time.perf_counter()
    outcome: Outcome | str
    try:
        outcome = seeded(EXPERIMENTS[setting.name], setting)
    except (DataNotFoundError, DataFileError) as error:
        outcome = str(error)
    return setting, outcome, time.perf_counter() - started
