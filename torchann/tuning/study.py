"""A study: trials that are drawn, trained, kept and gone on with, by one process or several."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

# isort: off
# The first of these says how to install Optuna where it is missing.
from torchann.tuning.storage import Pruner, Sampler, make_pruner, make_sampler, open_storage, open_study

# isort: on
from filelock import FileLock
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import Study as OptunaStudy
from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from torchann.dashboard.trial_session import write_trial
from torchann.files.history import no_such_figure
from torchann.files.run import check_name
from torchann.tasks.named_metrics import rises
from torchann.tuning.space import Range, read_space
from torchann.tuning.study_table import StudyTable
from torchann.tuning.trial_ownership import TrialOwnership
from torchann.tuning.trial_runs import TrialRuns
from torchann.tuning.trials import Candidate, Criterion, Make, Params, Scores


class Study:
    """Searches a space of hyperparameters with Optuna, in a folder that holds all that it has found.

    Trials are ordinary runs of :class:`torchann.Trainer`. Whoever runs a study of the same name, in the same folder or
    with the same storage, goes on with it: finished trials count, and one that was killed or stopped goes on from its
    run's last checkpoint, within its epoch, with the bits of the trial that was never stopped. Processes share a study
    by running it at the same time.

    Args:
        name: of the study and of its folder, which is one folder.
        make: from a candidate's values to a model, its data module and the Trainer's arguments.
        space: ranges by name; see :func:`torchann.tuning.space.read_space`.
        folder: of all studies.
        sampler: random or tpe.
        pruner: none, median or hyperband.
        folds: parts of the training rows that are held out in turn; None to judge by the validation rows.
        metric: the figure to judge by: ``val_loss`` is also the loss on held-out rows.
        mode: min if it should fall, max if it should rise; auto for losses, errors and accuracies.
        seed: of what is drawn and of each training.
        storage: see :func:`torchann.tuning.storage.open_storage`.
        settings: more that trials of the study must have in common, plain values by name.
        quiet: no progress bar.

    Attributes:
        stopped_by: ``"interrupt"`` after Ctrl-C, else None.

    Raises:
        ValueError: for a range, sampler, pruner, metric that there is not, or other settings than the study has.
        TypeError: if the data cannot be divided into folds.

    Example:
        >>> import tempfile, torchann
        >>> housing = torchann.CaliforniaHousingDataModule(batch_size=256)
        >>> def make(params):
        ...     return torchann.RegressionMLP([10], lr=params["lr"]), housing, {"max_epochs": 1}
        >>> study = Study("demo", make, {"lr": {"low": 1e-3, "high": 1e-1}}, folder=tempfile.mkdtemp(), quiet=True)
        >>> study.run(trials=2)
        >>> len(study.table), 1e-3 < study.best.params["lr"] < 1e-1
        (2, True)
    """

    name: str
    make: Make
    space: dict[str, Range]
    quiet: bool

    def __init__(
        self,
        name: str,
        make: Make,
        space: Mapping[str, Any],
        *,
        folder: str | Path = "studies",
        sampler: Sampler = "tpe",
        pruner: Pruner = "none",
        folds: int | None = None,
        metric: str = "val_loss",
        mode: Literal["auto", "min", "max"] = "auto",
        seed: int = 42,
        storage: str | None = None,
        settings: Mapping[str, Any] | None = None,
        quiet: bool = False,
    ) -> None:
        self.name, self.make, self.space, self.quiet = check_name(name), make, read_space(space), quiet
        self.criterion: Criterion = Criterion(metric, _mode(metric, mode), folds, seed)
        self.folder: Path = Path(folder, name)
        self.stopped_by: str | None = None
        self._evaluate = TrialRuns(make, self.criterion, prunes=pruner != "none")
        how = make_sampler(sampler, seed), make_pruner(pruner), self.criterion.mode
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "study.lock"):
            opened = open_storage(storage, self.folder)
            self.optuna: OptunaStudy = open_study(name, opened, *how)
            self._claims = TrialOwnership(self.optuna, opened, self.space, self.folder, complete=storage is None)
            self._compare({"space": _plain(space), **self.criterion._asdict(), **_plain(settings or {})})

    def _compare(self, now: dict[str, Any]) -> None:
        saved = self.optuna.user_attrs.get("settings")
        if saved is None:
            self.optuna.set_user_attr("settings", now)
            return
        for name in {**saved, **now}:
            if saved.get(name) != now.get(name):
                raise ValueError(
                    f"the study {self.name!r} has {name}={saved.get(name)!r} and this search {now.get(name)!r}; give "
                    f"what it has, or the search another name (its folder is {self.folder})"
                )

    def run(self, trials: int) -> None:
        """Goes on until the study has so many trials, or Ctrl-C: ``stopped_by`` says so, and what is done is kept.

        Args:
            trials: that are finished or under way, in all processes; more can be asked for later.

        Raises:
            OSError: if a file cannot be written; the trial goes on in the next run.
        """
        if trials < 1:
            raise ValueError(f"trials is {trials}; give 1 or more")
        self.stopped_by = None
        total = {"total": trials, "initial": min(trials, len(self.table.finished)), "unit": " trials"}
        with tqdm(desc=self.name, disable=True if self.quiet else None, **total) as bar:  # type: ignore[call-overload]
            self._show_best(bar)
            try:
                while self.stopped_by is None and self._try_one(trials, bar):
                    pass
            except KeyboardInterrupt:  # between two trainings
                self.stopped_by = "interrupt"

    def _try_one(self, trials: int, bar: Any) -> bool:
        with ExitStack() as locks:
            candidate = self._claims.take(trials, locks)
            if candidate is None:
                return False
            try:
                scores = self._evaluate(candidate)
                if scores.state == "interrupted":
                    self.stopped_by = "interrupt"
                    return False
                self._keep(candidate, scores)
            except UpdateFinishedTrialError:
                return True  # this machine was silent for so long that another has given the trial up
            except Exception as error:
                if not isinstance(error, (OSError, MemoryError)):  # for which there may be room tomorrow
                    self.optuna.tell(candidate.trial, state=TrialState.FAIL)
                raise
            with self._claims.alone():
                self.table.to_csv(self.folder / "study.csv")
            bar.update()
            self._show_best(bar)
        return True

    def _keep(self, candidate: Candidate, scores: Scores) -> None:
        folds = [{"figure": figure, "epochs": n} for figure, n in zip(scores.figures, scores.epochs, strict=True)]
        if "folds" not in candidate.trial.user_attrs:  # runs keep them by themselves, as they come
            candidate.trial.set_user_attr("folds", folds)
        candidate.trial.set_user_attr("seconds", round(scores.seconds, 3))
        figures = {self.criterion.score_name: scores.score(self.criterion), "epochs": float(sum(scores.epochs))}
        if self.criterion.folds is not None:
            figures |= {f"fold_{number}": figure for number, figure in enumerate(scores.figures, 1)}
        write_trial(candidate.folder / "summary", candidate.trial.params, figures | {"seconds": scores.seconds})
        pruned = scores.state == "pruned"
        state = TrialState.PRUNED if pruned else TrialState.COMPLETE
        self.optuna.tell(candidate.trial, None if pruned else scores.score(self.criterion), state)

    def params_of(self, trial: Any) -> Params:
        """The values of one of Optuna's trials by the names of the space, such as a list of hidden sizes."""
        return self._claims.params_of(trial)

    def _show_best(self, bar: Any) -> None:
        best = self.table.best
        if best is not None:
            bar.set_postfix_str(f"best {self.criterion.score_name} {best.score:.4g}, trial {best.number}")

    @property
    def table(self) -> StudyTable:
        """All trials as they are now, also those of other processes."""
        return StudyTable.of(self.optuna.get_trials(deepcopy=False), self.criterion)

    @property
    def best(self) -> FrozenTrial:
        """Optuna's best trial; ``params`` are its values.

        Raises:
            ValueError: if no trial is complete, or all have diverged.
        """
        best, ranked = self.table.best, self.table.ranked
        if best is None and ranked:
            raise ValueError(
                f"all {len(ranked)} complete trials of the study {self.name!r} have diverged; search smaller "
                "learning rates, in a study of another name"
            )
        if best is None:
            raise ValueError(f"the study {self.name!r} has no complete trial; run it first")
        return self.optuna.get_trials(deepcopy=False)[best.number]


def _plain(values: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(values, default=str))


def _mode(metric: str, mode: Literal["auto", "min", "max"]) -> Literal["min", "max"]:
    if mode in ("min", "max"):
        return mode
    if mode != "auto":
        raise ValueError(f"mode is {mode!r}; give min, max or auto")
    rising = rises(metric)
    if rising is not None:
        return "max" if rising else "min"
    known = no_such_figure(metric, ["val_loss", "val_rmse", "val_mae", "val_accuracy"])
    raise ValueError(f"nobody says whether {metric!r} should fall or rise ({known}); give mode min or max")
