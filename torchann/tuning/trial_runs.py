"""Trains candidates as ordinary runs, each fold in a run folder that can be gone on with."""

import shutil
import time
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, Checkpoint

from torchann.dashboard.tensorboard_logger import RunLogger
from torchann.data.folds import folds_of
from torchann.engine.stop import StopTraining
from torchann.files.history import no_such_figure
from torchann.files.metric_name import MetricName
from torchann.files.run import Run
from torchann.training.checkpoints import Checkpoints
from torchann.training.trainer import Trainer
from torchann.tuning.trials import Candidate, Criterion, Make, Scores

WHOLE = "fit"
"""Name of the only run of a trial without folds."""


class TrialRuns:
    """Evaluates candidates by torchann's Trainer, with all that a run has: exact resume, TensorBoard, any callback.

    Beside training on the bare engine a run costs some milliseconds per epoch (checkpoint, event files); in return a
    trial that was killed goes on within its epoch, and whatever ``torchann fit`` can train can be searched.

    Args:
        make: from values to model, data and Trainer's arguments.
        judge: what candidates are judged by.
        prunes: whether figures are told on the way, and trials may be given up.
    """

    make: Make
    criterion: Criterion
    prunes: bool

    def __init__(self, make: Make, criterion: Criterion, prunes: bool = False) -> None:
        self.make, self.criterion, self.prunes = make, criterion, prunes

    def __call__(self, candidate: Candidate) -> Scores:
        """Train a candidate, in each fold that has not been trained yet.

        Raises:
            TypeError: if the data cannot be divided into folds.
            ValueError: if the metric is not logged, or a candidate cannot be trained.
        """
        trial, criterion = candidate.trial, self.criterion
        _, data, _ = self.make(candidate.params)
        parts = [data] if criterion.folds is None else folds_of(data, criterion.folds)
        done: list[dict[str, float]] = list(trial.user_attrs.get("folds", []))
        for number in range(len(done), len(parts)):
            found = self._run(candidate, number, parts[number])
            if found is None:
                return _scores(done, "interrupted")
            figure, epochs, seconds, pruned = found
            done.append({"figure": figure, "epochs": epochs, "seconds": seconds})
            trial.set_user_attr("folds", done)
            if pruned:
                return _scores(done, "pruned")
            if criterion.folds is not None:  # what is left to go on with is of no use any more
                shutil.rmtree(fold_run(candidate.folder, number, criterion).checkpoints, ignore_errors=True)
        return _scores(done, "complete")

    def _run(self, candidate: Candidate, number: int, data: Any) -> tuple[float, int, float, bool] | None:
        started, criterion = time.perf_counter(), self.criterion
        model, _, given = self.make(candidate.params)
        watch, name = _Watch(criterion, candidate.trial if self.prunes else None), _name(number, criterion)
        callbacks: list[Callback] = [watch]
        if criterion.folds is None and not any(isinstance(callback, Checkpoint) for callback in listed(given)):
            callbacks.append(Checkpoints(criterion.metric, criterion.mode))  # its best is the study's
        trainer = trial_trainer(candidate.folder, name, criterion.seed, given, callbacks)
        watch.first_step = number * max(1, trainer.max_epochs or 1)
        begun = any(run.can_resume for run in Run.all(candidate.folder, name))
        trainer.fit(model, datamodule=data, ckpt_path="last" if begun else None)
        if trainer.stopped_by == "interrupt":
            return None
        if trainer.stopped_by == "nan" and (criterion.folds is not None or not len(trainer.history)):
            figure = criterion.worst  # the weights of the step before are of no use
        elif criterion.folds is None:
            if criterion.metric not in trainer.history.columns:
                raise ValueError(f"a study is judged by {no_such_figure(criterion.metric, trainer.history.columns)}")
            figures = [value for value in trainer.history[criterion.metric] if isfinite(value)]
            figure = (min if criterion.mode == "min" else max)(figures, default=criterion.worst)
        else:
            measured = trainer.test(model, datamodule=data, verbose=False)[0]
            key = MetricName("test", "", criterion.figure).key
            if key not in measured:
                raise ValueError(f"a study is judged by {no_such_figure(key, sorted(measured))}")
            figure = measured[key]
        seconds = time.perf_counter() - started
        return figure if isfinite(figure) else criterion.worst, len(trainer.history), round(seconds, 3), watch.pruned


def _name(number: int, criterion: Criterion) -> str:
    return WHOLE if criterion.folds is None else f"fold-{number + 1}"


def fold_run(folder: Path, number: int, criterion: Criterion) -> Run:
    """Return the latest run of a trial's fold."""
    return Run.all(folder, _name(number, criterion))[-1]


def _scores(done: Sequence[Mapping[str, float]], state: Any) -> Scores:
    epochs = [int(fold["epochs"]) for fold in done]
    return Scores([fold["figure"] for fold in done], epochs, sum(fold["seconds"] for fold in done), state)


def listed(given: Mapping[str, Any]) -> list[Callback]:
    """The callbacks among a Trainer's arguments, which takes one, several or none."""
    callbacks = given.get("callbacks") or []
    return [callbacks] if isinstance(callbacks, Callback) else list(callbacks)


class _TrialTrainer(Trainer):
    def _report_interruption(self, model: pl.LightningModule, where: str) -> None:
        pass  # the study says how to go on

    def _report_stop(self, stop: StopTraining) -> None:
        pass  # its score says it


def trial_trainer(
    folder: Path, name: str, seed: int, given: Mapping[str, Any], callbacks: Sequence[Callback] = ()
) -> Trainer:
    """A quiet Trainer whose run lies in a study, without hyperparameters of its own in TensorBoard.

    Args:
        folder: of the trial.
        name: of the run.
        seed: of the training.
        given: the Trainer's arguments.
        callbacks: beside those among the arguments.
    """
    mine = {"runs": str(folder), "name": name, "seed": seed, "quiet": True}
    trainer = _TrialTrainer(**{**given, **mine, "callbacks": [*listed(given), *callbacks]})
    if trainer.world_size > 1:
        raise ValueError(f"a trial trains in one process and the Trainer has {trainer.world_size}; give devices=1")
    for logger in trainer.loggers:
        if isinstance(logger, RunLogger):
            logger.session = False
    return trainer


class _Watch(Callback):
    # Ends what has diverged, tells figures on the way, and ends what is behind the others.

    def __init__(self, criterion: Criterion, trial: Any) -> None:
        self.criterion, self.trial = criterion, trial
        self.first_step, self.pruned = 0, False

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        figure = trainer.callback_metrics.get(self.criterion.metric)
        if trainer.sanity_checking or trainer.state.fn != "fit" or figure is None:
            return
        if not figure.isfinite():
            trainer.should_stop = True
        elif self.trial is not None:
            step = self.first_step + trainer.current_epoch
            if step not in self.trial.study.get_trials(deepcopy=False)[self.trial.number].intermediate_values:
                self.trial.report(figure.item(), step)
            if self.trial.should_prune():
                self.pruned = trainer.should_stop = True
