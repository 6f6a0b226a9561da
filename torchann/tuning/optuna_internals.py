"""What a study leans on that Optuna does not promise, in one place; no private name of Optuna is among it.

Optuna looks after a trial's signs of life only within ``Study.optimize``; a study of this package asks and tells.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from optuna import Study
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, RDBStorage, fail_stale_trials
from optuna.trial import Trial


def trial_of(study: Study, storage: BaseStorage, number: int) -> Trial:
    """Return a trial that was asked for before, by this process or another one, ready to be told of.

    Args:
        study: Optuna's.
        storage: where it is kept.
        number: number of the trial.
    """
    return Trial(study, _id_of(study, storage, number))


def _id_of(study: Study, storage: BaseStorage, number: int) -> int:
    study_id = storage.get_study_id_from_name(study.study_name)
    return storage.get_trial_id_from_study_id_trial_number(study_id, number)


def _with_signs_of_life(storage: BaseStorage) -> RDBStorage | None:
    return storage if isinstance(storage, RDBStorage) and storage.get_heartbeat_interval() is not None else None


@contextmanager
def signs_of_life(study: Study, storage: BaseStorage, number: int) -> Iterator[None]:
    """Record every few seconds that a trial is being worked on, where its storage keeps that.

    Args:
        study: Optuna's.
        storage: where it is kept.
        number: number of the trial.
    """
    database = _with_signs_of_life(storage)
    if database is None:
        yield
        return
    trial_id, ended = _id_of(study, storage, number), Event()

    def record() -> None:
        database.record_heartbeat(trial_id)
        while not ended.wait(database.get_heartbeat_interval()):
            database.record_heartbeat(trial_id)

    thread = Thread(target=record, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def give_up_silent(study: Study, storage: BaseStorage, kept: Iterable[int]) -> None:
    """Let the running trials fail that have given no sign of life for longer than the storage's grace period.

    Args:
        study: Optuna's.
        storage: where it is kept; only a database keeps signs of life.
        kept: numbers of running trials that are not given up, however long they have been silent.
    """
    database = _with_signs_of_life(storage)
    if database is None:
        return
    for number in kept:
        database.record_heartbeat(_id_of(study, storage, number))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        fail_stale_trials(study)
