"""The trainings of a study on one data set: what each scored, which did best, which did not diverge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite
from typing import Any, NamedTuple

HOUSING, FASHION = "housing", "Fashion-MNIST"
DIVERGED = 4.0
"""How many times the lowest last training loss one is that ends high: it has diverged, or has hardly learnt."""
Key = tuple[str, Any]
"""A line and a value of a study."""


class Case(NamedTuple):
    """What is trained: a value of the hyperparameter, the task's options, and the line that it is drawn on."""

    value: Any
    knobs: Mapping[str, Any]
    batch_size: int = 32
    line: str = ""


class Run(NamedTuple):
    """A training: an epoch's lowest validation MAE or highest accuracy, the last training loss, an epoch's seconds."""

    best: float
    loss: float
    seconds: float


@dataclass(frozen=True)
class Results:
    """The runs of a study on one data set, one for each case.

    Several cases of a line and a value are the same at several rates, of which the best counts.

    Example:
        >>> cases = [Case(1, {"lr": 0.1}), Case(1, {"lr": 0.2}), Case(2, {"lr": 0.1})]
        >>> found = Results(HOUSING, cases, [Run(0.5, 0.4, 0.1), Run(0.4, 0.3, 0.1), Run(0.6, 0.5, 0.1)])
        >>> found.best_key, found.score(("", 2)), found.score()
        (('', 1), 0.6, 0.4)
    """

    name: str
    cases: Sequence[Case]
    runs: Sequence[Run]

    @cached_property
    def best(self) -> dict[Key, tuple[Case, Run]]:
        """By line and value, the case and the run that did best."""
        found: dict[Key, tuple[Case, Run]] = {}
        for case, run in zip(self.cases, self.runs, strict=True):
            key = (case.line, case.value)
            if key not in found or self._rank(run.best) < self._rank(found[key][1].best):
                found[key] = (case, run)
        return found

    def _rank(self, score: float) -> float:
        return score if self.name == HOUSING else -score

    @property
    def best_key(self) -> Key:
        """Line and value that did best."""
        return min(self.best, key=lambda key: self._rank(self.score(key)))

    def score(self, key: Key | None = None) -> float:
        """The score of a line and a value; without them the best one."""
        return self.best[key or self.best_key][1].best

    @property
    def steady(self) -> list[Key]:
        """Lines and values whose training ended well: with a loss below four times the lowest."""
        lowest = min((run.loss for _, run in self.best.values() if isfinite(run.loss)), default=inf)
        return [key for key, (_, run) in self.best.items() if run.loss < DIVERGED * lowest]
