"""Where an Optuna study is kept, how it draws and when it gives trials up."""

import errno
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

try:
    import optuna
except ImportError as _missing:  # an extra
    raise ImportError("a study needs Optuna; install it with `pip install 'torchann[tune]'`") from _missing
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from torchann.engine.generators import mixed_seed

Sampler = Literal["random", "tpe"]
Pruner = Literal["none", "median", "hyperband"]
SECONDS_TO_WAIT = 60  # for another process that writes to an SQLite file
HEARTBEAT = 30
"""Seconds between two signs of life of a trial in a database; one that has been silent for four times that is lost."""


class SeededSampler(BaseSampler):
    """Draws each trial from a generator of its own, which the seed and the trial's number decide.

    A study that is continued draws what it would have drawn without a stop, and processes that share one never draw
    the same.

    Args:
        make: a sampler of Optuna with a seed.
        seed: of the study.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._make, self._seed = make, seed
        self._sampler = make(seed)

    def before_trial(self, study: Any, trial: Any) -> None:
        """Begins anew."""
        self._sampler = self._make(mixed_seed(self._seed, trial.number) % 2**32)
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
        """What is drawn together."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
        """Draws that."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        """Draws one value."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
        """Takes notice of a result."""
        self._sampler.after_trial(study, trial, state, values)


def make_sampler(name: Sampler, seed: int) -> BaseSampler:
    """The sampler of that name.

    Args:
        name: random, or tpe (Tree-structured Parzen Estimator: the first ten at random, then where it went well).
        seed: of the study.

    Raises:
        ValueError: if there is none.

    Example:
        >>> first, again = (optuna.create_study(sampler=make_sampler("random", 42)).ask() for _ in range(2))
        >>> first.suggest_float("lr", 1e-4, 1e-1, log=True) == again.suggest_float("lr", 1e-4, 1e-1, log=True)
        True
    """
    samplers: dict[str, Callable[[int], BaseSampler]] = {
        "random": lambda seed: RandomSampler(seed=seed),
        "tpe": lambda seed: TPESampler(seed=seed, constant_liar=True),
    }
    if name not in samplers:
        raise ValueError(f"there is no sampler {name!r}; choose one of {', '.join(get_args(Sampler))}")
    return SeededSampler(samplers[name], seed)


def make_pruner(name: Pruner) -> BasePruner:
    """What gives a trial up that is behind the others.

    Args:
        name: none, median (worse than the median of the others at the same epoch), or hyperband (successive halving
            in several brackets, by the longest trial so far).

    Raises:
        ValueError: if there is none.

    Example:
        >>> type(make_pruner("median")).__name__
        'MedianPruner'
    """
    pruners: dict[str, Callable[[], BasePruner]] = {
        "none": NopPruner,
        "median": lambda: MedianPruner(n_warmup_steps=2),
        "hyperband": HyperbandPruner,
    }
    if name not in pruners:
        raise ValueError(f"there is no pruner {name!r}; choose one of {', '.join(get_args(Pruner))}")
    return pruners[name]()


def open_storage(given: str | None, folder: Path) -> BaseStorage:
    """Where the trials are kept.

    Args:
        given: ``sqlite:///study.db`` or another URL that SQLAlchemy knows; a path for a journal file, which a network
            file system may hold; None for a journal in the study's folder.
        folder: of the study, which is there.

    Raises:
        OSError: if a journal cannot be written.
        ValueError: if there is no such database.
    """
    if given is not None and "://" in given:
        engine = {"connect_args": {"timeout": SECONDS_TO_WAIT}} if given.startswith("sqlite") else {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)  # the heartbeat, since Optuna 2.9
                return RDBStorage(given, engine, heartbeat_interval=HEARTBEAT, grace_period=4 * HEARTBEAT)
        except Exception as error:  # of SQLAlchemy, of a driver, or that there is none
            password = re.search(r"://[^/@]*?:(.*)@", given)
            shown, message = given, str(error).splitlines()[0]
            if password:
                shown, message = (text.replace(password[1], "***") for text in (shown, message))
            raise ValueError(
                f"the storage {shown!r} cannot be opened ({message}); give sqlite:///study.db, the URL of a database "
                "that there is, or a path for a journal"
            ) from (None if password else error)
    path = folder / "study.journal" if given is None else Path(given)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"cannot keep trials in {path}: there is no folder {path.parent}")
    _cut_torn_line(path)
    return JournalStorage(JournalFileBackend(str(path)))


def _cut_torn_line(path: Path) -> None:
    # After a loss of power the last line may be half there, and what is appended to it would spoil the whole file.
    if not path.is_file() or path.stat().st_size == 0:
        return
    lock = JournalFileSymlinkLock(str(path))
    lock.acquire()  # or another process is writing it
    try:
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            with path.open("r+b") as file:
                file.truncate(content.rfind(b"\n") + 1)
    finally:
        lock.release()


def open_study(
    name: str, storage: BaseStorage, sampler: BaseSampler, pruner: BasePruner, mode: Literal["min", "max"]
) -> optuna.Study:
    """The study of that name, a new one if there is none."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    direction: Any = {"min": "minimize", "max": "maximize"}[mode]
    return optuna.create_study(
        study_name=name, storage=storage, sampler=sampler, pruner=pruner, direction=direction, load_if_exists=True
    )
