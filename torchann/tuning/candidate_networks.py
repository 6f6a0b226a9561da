"""The candidates of a search as networks of a population, one for each fold, as far as there can be."""

import warnings
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from torchann.engine.population import Member
from torchann.tuning.can_batch import network_of, why_not, why_not_these
from torchann.tuning.network_folds import Fold, prepare

Params = Mapping[str, Any]
Split = tuple[Any, Any]
Pair = tuple[int, int]
"""Numbers of a candidate and of a fold."""


class CandidateNetwork(NamedTuple):
    """A candidate in one fold.

    Attributes:
        member: of a population.
        network: scikit-learn's, which takes over what the member has learnt.
        fold: its rows.
    """

    member: Member
    network: Any
    fold: Fold


class CandidateNetworks:
    """Makes networks of candidates.

    Args:
        estimator: that is searched for.
        X: rows.
        y: targets.
        fit_params: what else ``fit`` is given.
        resource: the argument of which the same candidate comes again with more, such as ``"max_iter"``: then its
            networks go on. None if there is no such.
    """

    estimator: Any
    y: Any
    fit_params: Params

    def __init__(self, estimator: Any, X: Any, y: Any, fit_params: Params, resource: str | None = None) -> None:
        self.estimator, self.X, self.y, self.fit_params = estimator, X, y, fit_params
        self.resource = resource
        self._prepared: tuple[Sequence[Split], list[Fold]] = ((), [])
        self._known: dict[Hashable, CandidateNetwork] = {}
        self._told: set[str] = set()

    def of(self, candidates: Sequence[Params], splits: Sequence[Split]) -> dict[Pair, CandidateNetwork]:
        """Networks of all candidates that can be trained together; one line says why others cannot.

        A candidate that scikit-learn would not train has none either: it says why when its turn comes.

        Args:
            candidates: arguments to set.
            splits: numbers of training and test rows of each fold.
        """
        trainees: dict[Pair, CandidateNetwork] = {}
        ready, keys = self._ready(candidates), self._keys(candidates)
        folds = self._folds(splits) if ready else []
        for (number, estimator), (split, fold) in product(ready.items(), enumerate(folds)):
            try:
                if self.resource is None:
                    trainees[number, split] = CandidateNetwork(*fold.start(estimator), fold)
                else:
                    trainees[number, split] = self._going_on((keys[number], split), fold, estimator)
            except ValueError:
                continue
        return trainees

    def _ready(self, candidates: Sequence[Params]) -> dict[int, Any]:
        if reason := why_not(self.estimator, self.X, self.y, self.fit_params):
            self._tell(Counter({reason: len(candidates)}), len(candidates))
            return {}
        ready, reasons = {}, Counter[str]()
        for number, params in enumerate(candidates):
            try:
                estimator = clone(self.estimator).set_params(**clone(params, safe=False))
            except ValueError:
                continue
            if reason := why_not_these(estimator, params):
                reasons[reason] += 1
            else:
                ready[number] = estimator
        self._tell(reasons, len(candidates))
        return ready

    def _tell(self, reasons: Mapping[str, int], count: int) -> None:
        for reason, number in reasons.items():
            if reason not in self._told:
                self._told.add(reason)
                who = "candidates are" if number == count else f"{number} of {count} candidates are"
                warnings.warn(f"{who} trained one by one, as scikit-learn does: {reason}", stacklevel=2)

    def _folds(self, splits: Sequence[Split]) -> list[Fold]:
        """Those of the last time, if the splits are; none if the rows cannot be learnt from."""
        before, folds = self._prepared
        if len(before) != len(splits) or any(
            not np.array_equal(old[0], new[0]) for old, new in zip(before, splits, strict=True)
        ):
            self._known.clear()
            try:
                folds = prepare(self.estimator, self.X, self.y, [train for train, _ in splits])
            except (ValueError, TypeError):
                folds = []
            self._prepared = (splits, folds)
        return folds

    def _keys(self, candidates: Sequence[Params]) -> list[Hashable]:
        """By what a candidate is known again that comes with more of the resource."""
        keys: list[Hashable] = []
        seen = Counter[str]()
        for params in candidates:
            own = repr(sorted((name, repr(value)) for name, value in params.items() if name != self.resource))
            keys.append((own, seen[own]))  # the same may have been drawn twice
            seen[own] += 1
        return keys

    def _going_on(self, key: Hashable, fold: Fold, estimator: Any) -> CandidateNetwork:
        if key not in self._known:
            self._known[key] = CandidateNetwork(*fold.start(estimator), fold)
        trainee, max_iter = self._known[key], network_of(estimator).max_iter
        trainee.network.set_params(max_iter=max_iter)
        trainee.member.go_on(max_iter)
        return trainee
