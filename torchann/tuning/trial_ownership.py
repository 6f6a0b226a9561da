"""Which trials a process works on: those whose process has died, then new ones, each by one process at a time."""

import time
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from optuna import Study
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from torchann.tuning.optuna_internals import give_up_silent, signs_of_life, trial_of
from torchann.tuning.space import Range
from torchann.tuning.trials import Candidate, Params

SECONDS_TO_BEGIN = 60
"""A trial without a folder after that time was drawn by a process that has died since."""


class TrialOwnership:
    """Takes trials for this process, and tells which are whose by locks that a killed process cannot leave behind.

    Args:
        study: Optuna's.
        storage: where it is kept.
        space: what is drawn.
        folder: of the study.
        complete: whether the folder is where the study is kept: a trial without a folder in it is nobody's. Else it is
            that of a machine with a folder of its own.
    """

    study: Study
    storage: BaseStorage
    space: Mapping[str, Range]
    folder: Path
    complete: bool

    def __init__(
        self, study: Study, storage: BaseStorage, space: Mapping[str, Range], folder: Path, complete: bool
    ) -> None:
        self.study, self.storage, self.space, self.folder, self.complete = study, storage, space, folder, complete

    def alone(self) -> FileLock:
        """Return what one process holds at a time, while it draws."""
        return FileLock(self.folder / "study.lock")

    def take(self, trials: int, held: ExitStack) -> Candidate | None:
        """Take a trial to work on, a stale one before a new one.

        Args:
            trials: how many the study is to have.
            held: keeps its lock.

        Returns:
            None when the study has enough.
        """
        with self.alone():
            self._give_up_lost()
            begun = self.study.get_trials(deepcopy=False)
            stale = ((frozen, lock) for frozen in begun if (lock := self._lock_of_stale(frozen)) is not None)
            if (found := next(stale, None)) is not None:
                trial, lock = trial_of(self.study, self.storage, found[0].number), found[1]
            elif sum(frozen.state not in (TrialState.FAIL, TrialState.WAITING) for frozen in begun) >= trials:
                return None
            else:
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "Heartbeat of storage")  # it is looked after below
                    trial = self.study.ask()
                folder = self.folder_of(trial.number)
                folder.mkdir(parents=True, exist_ok=True)
                lock = FileLock(folder / "trial.lock").acquire()
            held.enter_context(lock)
            candidate = self._candidate(trial)
        held.enter_context(signs_of_life(self.study, self.storage, trial.number))
        return candidate

    def _give_up_lost(self) -> None:
        # Of machines that are silent; what was begun here goes on from its checkpoint, however long ago.
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        begun = [trial.number for trial in running if self.folder_of(trial.number).is_dir()]
        give_up_silent(self.study, self.storage, kept=begun)

    def _lock_of_stale(self, frozen: FrozenTrial) -> AbstractContextManager[Any] | None:
        if frozen.state != TrialState.RUNNING:
            return None
        folder = self.folder_of(frozen.number)
        if not folder.is_dir():
            began = frozen.datetime_start.timestamp() if frozen.datetime_start else time.time()
            if not self.complete or time.time() - began < SECONDS_TO_BEGIN:
                return None
            folder.mkdir(parents=True)
        try:
            held = FileLock(folder / "trial.lock").acquire(timeout=0)
        except Timeout:  # its process lives
            return None
        if self.study.get_trials(deepcopy=False)[frozen.number].state == TrialState.RUNNING:
            return held
        held.lock.release()  # it was finished meanwhile
        return None

    def folder_of(self, number: int) -> Path:
        """Where a trial's runs are."""
        return self.folder / "trials" / f"{number:03}"

    def _candidate(self, trial: Trial) -> Candidate:
        params = {name: values.draw(trial, name) for name, values in self.space.items()}
        return Candidate(trial.number, params, self.folder_of(trial.number), trial)

    def params_of(self, trial: Any) -> Params:
        """The values of a trial by the names of the space, such as a list of hidden sizes."""
        return {name: values.draw(_Drawn(trial.params), name) for name, values in self.space.items()}


class _Drawn:
    # Gives back what a trial has drawn.

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params

    def suggest_int(self, name: str, *_: Any, **__: Any) -> Any:
        return self.params[name]

    suggest_float = suggest_categorical = suggest_int
