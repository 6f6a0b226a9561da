"""What a study leans on that Optuna does not promise."""

import inspect
import time

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import Trial, TrialState

from torchann.tuning.optuna_internals import give_up_silent, signs_of_life, trial_of
from torchann.tuning.storage import make_pruner, make_sampler, open_storage, open_study

NAMES = {
    # by name: where it is, what it stands for, what relies on it
    "record_heartbeat": (RDBStorage, "a sign of life of a trial", "studies that machines share"),
    "get_heartbeat_interval": (RDBStorage, "seconds between two signs of life", "studies that machines share"),
    "fail_stale_trials": (optuna.storages, "giving up trials that are silent", "studies that machines share"),
    "get_study_id_from_name": (RDBStorage, "a study's place in its storage", "trials that are resumed"),
    "get_trial_id_from_study_id_trial_number": (
        RDBStorage,
        "a trial's place in its storage",
        "trials that are resumed",
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_name_is_there(name):
    place, meaning, user = NAMES[name]
    assert hasattr(place, name), (
        f"Optuna {optuna.__version__} has no {name}, which stood for {meaning}; {user} rely on it: find another way in "
        "torchann/tuning/optuna_internals.py, or keep the upper bound in pyproject.toml"
    )


def test_a_trial_is_made_of_its_study_and_its_id():
    told = f"Optuna {optuna.__version__} makes a Trial of other arguments; trials that are resumed rely on these"
    assert list(inspect.signature(Trial).parameters)[:2] == ["study", "trial_id"], told


def opened(given, folder):
    storage = open_storage(given and given.format(folder), folder)
    return open_study("s", storage, make_sampler("random", 0), make_pruner("none"), "min"), storage


def states(study):
    return [trial.state for trial in study.get_trials()]


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
@pytest.mark.parametrize("given", [None, "sqlite:///{}/all.db"], ids=["journal", "database"])
def test_trial_is_found_by_its_number_and_can_be_told_of(given, tmp_path):
    opened(given, tmp_path)[0].ask().suggest_float("lr", 0, 1)
    study, storage = opened(given, tmp_path)
    study.ask()
    trial = trial_of(study, storage, 0)
    trial.set_user_attr("seconds", 1.5)
    study.tell(trial, 0.5)
    (first, second) = study.get_trials()
    assert first.value == 0.5 and first.user_attrs == {"seconds": 1.5} and set(first.params) == {"lr"}
    assert second.state == TrialState.RUNNING


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
def test_silent_trials_are_given_up_but_those_that_live_or_are_kept(tmp_path, monkeypatch):
    study, storage = opened("sqlite:///{}/all.db", tmp_path)
    for _ in range(3):
        study.ask()
    monkeypatch.setattr(storage, "heartbeat_interval", 0.2)
    for number in (0, 1):
        with signs_of_life(study, storage, number):
            pass
    monkeypatch.setattr(storage, "grace_period", 1)  # the database counts whole seconds
    with signs_of_life(study, storage, 2):
        time.sleep(3.2)
        give_up_silent(study, storage, kept=[1])
    assert states(study) == [TrialState.FAIL, TrialState.RUNNING, TrialState.RUNNING]


def test_a_journal_keeps_no_signs_of_life(tmp_path):
    study, storage = opened(None, tmp_path)
    study.ask()
    with signs_of_life(study, storage, 0):
        give_up_silent(study, storage, kept=[])
    assert states(study) == [TrialState.RUNNING]
