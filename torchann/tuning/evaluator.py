"""Trains and scores the candidates of a search: together where it can be done, else one by one as scikit-learn does."""

import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from types import TracebackType
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer
from sklearn.model_selection._validation import _fit_and_score, _score
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_method_params, _num_samples

from torchann.engine.population import Member, Population, Workers
from torchann.tuning.can_batch import OUR_ESTIMATORS, network_of
from torchann.tuning.candidate_networks import CandidateNetwork, CandidateNetworks, Pair, Params, Split
from torchann.tuning.progress import SearchProgress

Result = dict[str, Any]


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
            What scikit-learn notes of a fit, fold by fold of the first candidate, then of the next; None for what has
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
        rows, alone = np.arange(_num_samples(self.X)), {}
        if type(network_of(estimator)) not in OUR_ESTIMATORS:  # which are as fast, and know more about themselves
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what cannot be trained in a population has been told
                alone = CandidateNetworks(estimator, self.X, self.y, self.fit_params).of([{}], [(rows, rows)])
        if not alone:
            targets = () if self.y is None else (self.y,)
            return estimator.fit(self.X, *targets, **self.fit_params)
        (trainee,) = alone.values()
        try:
            list(Population([trainee.member], trainee.fold.table, device=self.search.device).train())
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=2)
        if not self.grows:
            _warn_of_ends([trainee.member])
        return trainee.fold.finish(trainee.network, trainee.member)

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
                losses=not _is_of_sklearn(self.scorer),
            )
            for member in population.train():
                yield chosen[id(member)]

    def _result(self, trainee: CandidateNetwork, split: Split, seconds: float) -> Result:
        """What scikit-learn's own ``_fit_and_score`` returns."""
        search, (train, test) = self.search, split
        result: Result = {"fit_error": None, "n_test_samples": _num_samples(test), "fit_time": seconds}
        started = time.perf_counter()
        parts = {"test_scores": (test, train), "train_scores": (train, None)}
        if not search.return_train_score:
            del parts["train_scores"]
        try:
            fitted = trainee.fold.finish(trainee.network, trainee.member)
        except ValueError as error:
            if search.error_score == "raise":
                raise
            several = isinstance(self.scorer, _MultimetricScorer)
            scores = dict.fromkeys(self.scorer._scorers, search.error_score) if several else search.error_score
            return result | dict.fromkeys(parts, scores) | {"fit_error": f"ValueError: {error}\n", "score_time": 0.0}
        for name, (rows, train_rows) in parts.items():
            x, y = _safe_split(fitted, self.X, self.y, rows, train_rows)
            params = _check_method_params(self.X, params=self.score_params, indices=rows)
            result[name] = _score(fitted, x, y, self.scorer, params, search.error_score)
            result.setdefault("score_time", time.perf_counter() - started)
        return result

    def _one_by_one(
        self, pairs: Sequence[Pair], candidates: Sequence[Params], splits: Sequence[Split]
    ) -> Iterable[Result]:
        if not pairs:
            return []
        search = self.search
        parallel = Parallel(n_jobs=search.n_jobs, pre_dispatch=search.pre_dispatch, return_as="generator")
        results: Iterable[Result] = parallel(
            delayed(_fit_and_score)(
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


def _is_of_sklearn(scorer: Any) -> bool:
    """Whether a scorer looks at nothing but predictions: one of the user's may look at the loss curve."""
    return isinstance(scorer, (_BaseScorer, _MultimetricScorer)) or type(scorer).__name__ == "_PassthroughScorer"


def _warn_of_ends(members: Sequence[Member]) -> None:
    cut = sum(member.stopped == "max_iter" for member in members)
    if cut:
        told = f"{cut} of {len(members)} networks" if len(members) > 1 else "The network"
        warnings.warn(f"{told} reached max_iter and had not converged yet.", ConvergenceWarning, stacklevel=2)
    if any(member.settings.batch_size > member.num_rows for member in members):
        warnings.warn("batch_size is larger than the number of training rows and was cut to it.", stacklevel=2)
