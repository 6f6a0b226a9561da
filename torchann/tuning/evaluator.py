"""Trains and scores the candidates of a search: together where it can be done, else one by one as scikit-learn does."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from types import TracebackType
from typing import Any

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.utils.parallel import Parallel, delayed

from torchann.engine.population import Member, Population, Workers
from torchann.estimators.sklearn_internals import fit_and_score
from torchann.tuning.candidate_networks import CandidateNetwork, CandidateNetworks, Pair, Params, Split
from torchann.tuning.fitted_network import take_over
from torchann.tuning.progress import SearchProgress

Result = dict[str, Any]
SCORER = type(make_scorer(accuracy_score))
"""Class of the scorers that look at nothing but predictions."""


class Evaluator:
    """What trains and scores the candidates of one search.

    Args:
        search: whose arguments say how.
        X: rows.
        y: targets.
        scorer: one or several of scikit-learn, or a function.
        routed: parameters for ``fit`` and for scorers.

    Attributes:
        interrupted: whether Ctrl-C has ended it.
    """

    search: Any
    y: Any
    scorer: Any
    fit_params: Any
    score_params: Any

    def __init__(self, search: Any, X: Any, y: Any, scorer: Any, routed: Any) -> None:
        self.search, self.X, self.y, self.scorer = search, X, y, scorer
        self.fit_params, self.score_params = routed.estimator.fit, routed.scorer.score
        self.estimator: Any = clone(search.estimator)
        resource = getattr(search, "resource", "")
        self.grows: bool = resource.endswith("max_iter")
        self.trainees: CandidateNetworks = CandidateNetworks(
            self.estimator, X, y, self.fit_params, resource if self.grows else None
        )
        self.workers: Workers = Workers(search.n_jobs)
        self.interrupted: bool = False

    def __enter__(self) -> "Evaluator":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.workers.stop()

    def evaluate(self, candidates: Sequence[Params], splits: Sequence[Split]) -> list[Result | None]:
        """Trains each candidate in each fold and scores it. Ctrl-C ends it.

        Args:
            candidates: arguments to set.
            splits: numbers of training and test rows of each fold.

        Returns:
            What ``fit_and_score`` returns, fold by fold of the first candidate, then of the next; None for what has
            not been done.
        """
        pairs, search = list(product(range(len(candidates)), range(len(splits)))), self.search
        with SearchProgress(len(candidates), len(splits), search.refit, hidden=not search.verbose) as progress:
            try:
                trainees = self.trainees.of(candidates, splits)
                for pair, result in self._together(trainees, splits):
                    progress.note(pair, result)
                alone = [pair for pair in pairs if pair not in progress.done]
                for pair, result in zip(alone, self._one_by_one(alone, candidates, splits), strict=True):
                    progress.note(pair, result)
            except KeyboardInterrupt:
                self.interrupted = True
        return [progress.done.get(pair) for pair in pairs]

    def refit(self, estimator: Any) -> Any:
        """Fits an estimator on all rows.

        Args:
            estimator: with the best arguments.

        Returns:
            It, fitted, or one like it.
        """
        targets = () if self.y is None else (self.y,)
        return estimator.fit(self.X, *targets, **self.fit_params)

    def _together(
        self, trainees: Mapping[Pair, CandidateNetwork], splits: Sequence[Split]
    ) -> Iterator[tuple[Pair, Result]]:
        before = {pair: trainee.member.seconds for pair, trainee in trainees.items()}
        share = {id(trainee.fold): 0 for trainee in trainees.values()}
        for trainee in trainees.values():
            share[id(trainee.fold)] += 1
        for pair, trainee in self._trained(trainees):
            seconds = trainee.member.seconds - before[pair] + trainee.fold.seconds / share[id(trainee.fold)]
            yield pair, self._result(trainee, splits[pair[1]], seconds)
        if not self.grows:
            _warn_of_ends([trainee.member for trainee in trainees.values()])

    def _trained(self, trainees: Mapping[Pair, CandidateNetwork]) -> Iterator[tuple[Pair, CandidateNetwork]]:
        tables: dict[int, dict[int, tuple[Pair, CandidateNetwork]]] = {}
        for pair, trainee in trainees.items():
            if trainee.member.stopped is not None:  # before, with fewer epochs
                yield pair, trainee
            else:
                tables.setdefault(id(trainee.fold.table), {})[id(trainee.member)] = (pair, trainee)
        for chosen in tables.values():
            known = [trainee for _, trainee in chosen.values()]
            population = Population(
                [trainee.member for trainee in known],
                known[0].fold.table,
                workers=self.workers,
                device=self.search.device,
                losses=not _needs_predictions_alone(self.search.scoring),
            )
            for member in population.train():
                yield chosen[id(member)]

    def _result(self, trainee: CandidateNetwork, split: Split, seconds: float) -> Result:
        search, (train, test) = self.search, split
        network, member = trainee.network, trainee.member
        estimator = trainee.fold.estimator_of(network)
        vars(estimator)["fit"] = lambda *_: take_over(network, member)  # what it is to learn has been learnt
        try:
            result: Result = fit_and_score(
                estimator,
                self.X,
                self.y,
                scorer=self.scorer,
                train=train,
                test=test,
                verbose=0,
                parameters=None,
                fit_params=None,
                score_params=self.score_params,
                return_train_score=search.return_train_score,
                return_n_test_samples=True,
                return_times=True,
                error_score=search.error_score,
            )
        finally:
            del vars(estimator)["fit"]
        return result | {"fit_time": seconds}

    def _one_by_one(
        self, pairs: Sequence[Pair], candidates: Sequence[Params], splits: Sequence[Split]
    ) -> Iterable[Result]:
        if not pairs:
            return []
        search = self.search
        parallel = Parallel(n_jobs=search.n_jobs, pre_dispatch=search.pre_dispatch, return_as="generator")
        results: Iterable[Result] = parallel(
            delayed(fit_and_score)(
                clone(self.estimator),
                self.X,
                self.y,
                scorer=self.scorer,
                train=splits[split][0],
                test=splits[split][1],
                verbose=search.verbose,
                parameters=candidates[number],
                fit_params=self.fit_params,
                score_params=self.score_params,
                return_train_score=search.return_train_score,
                return_n_test_samples=True,
                return_times=True,
                split_progress=(split, len(splits)),
                candidate_progress=(number, len(candidates)),
                error_score=search.error_score,
            )
            for number, split in pairs
        )
        return results


def _needs_predictions_alone(scoring: Any) -> bool:
    """Whether scores are scikit-learn's: a function of the user's may look at the loss curve."""
    if scoring is None or isinstance(scoring, str | SCORER):
        return True
    parts = scoring.values() if isinstance(scoring, Mapping) else scoring
    return not callable(scoring) and all(map(_needs_predictions_alone, parts))


def _warn_of_ends(members: Sequence[Member]) -> None:
    cut = sum(member.stopped == "max_iter" for member in members)
    if cut:
        told = f"{cut} of {len(members)} networks" if len(members) > 1 else "The network"
        warnings.warn(f"{told} reached max_iter and had not converged yet.", ConvergenceWarning, stacklevel=2)
    if any(member.settings.batch_size > member.num_rows for member in members):
        warnings.warn("batch_size is larger than the number of training rows and was cut to it.", stacklevel=2)
