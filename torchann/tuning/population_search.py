"""A search of scikit-learn whose candidates are trained together."""

import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from torchann.estimators import sklearn_internals as internals
from torchann.tuning.candidate_networks import Params
from torchann.tuning.evaluator import Evaluator

Own = TypeVar("Own", bound="PopulationSearch")


class Interrupted(Exception):
    """Ctrl-C has ended a search that had something to show."""


class PopulationSearch(internals.BaseSearchCV):  # type: ignore[misc]
    """What a search of scikit-learn is made from here: :meth:`fit` trains candidates together; abstract.

    Samplers, splits, scorers, results, ranks and all methods of the best estimator are scikit-learn's.
    """

    def fit(self: Own, X: Any, y: Any = None, **params: Any) -> Own:
        """Evaluates all candidates, and fits the best one on all rows.

        Ctrl-C ends the search: ``cv_results_`` then has the candidates that were done, the best of them is fitted (a
        second Ctrl-C ends that too), and a warning says so.

        Args:
            X: rows, ``(rows, features)``; float32 is computed in float32, all else in float64.
            y: targets, ``(rows,)`` or ``(rows, outputs)``.
            **params: for ``fit``, scorers and splitter, as scikit-learn routes them.

        Returns:
            The search.

        Raises:
            KeyboardInterrupt: if Ctrl-C came before any candidate was done.
            ValueError: where scikit-learn's own search would.
        """
        internals.check_arguments(self)
        with self._in_words_of_sklearn():
            if not internals.has_callbacks(self):
                return self._search(X, y, params)
            warnings.warn(
                "candidates are trained one by one, as scikit-learn does: the search has callbacks", stacklevel=2
            )
            return super().fit(X, y, **params)  # type: ignore[no-any-return]

    @contextmanager
    def _in_words_of_sklearn(self) -> Iterator[None]:
        translated = self._translated()
        given = {name: getattr(self, name) for name in translated}
        self.set_params(**translated)
        try:
            yield
        finally:
            self.set_params(**given)

    def _translated(self) -> dict[str, Any]:
        """Arguments that scikit-learn's search would not understand, by name, with what it takes in their place."""
        return {}

    def _search(self: Own, X: Any, y: Any, params: Mapping[str, Any]) -> Own:
        scorer, metric = internals.scorer_of(self)
        X, y = indexable(X, y)
        routed = internals.routed_arguments(self, params)
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        internals.set_splitter(self, splitter, X, y, routed.splitter.split)
        self.n_splits_: int = splitter.get_n_splits(X, y, **routed.splitter.split)
        with Evaluator(self, X, y, scorer, routed) as evaluator:
            record = _Record(self, evaluator, X, y, routed.splitter.split)
            try:
                internals.run_search(self, record.evaluate)
            except Interrupted:
                done, planned = len(record.candidates), record.planned
                warnings.warn(f"the search was interrupted: {done} of {planned} candidates are done", stacklevel=2)
                self._after_interrupt(record.results)
            self._choose(record, metric)
            if self.refit:
                started = time.time()
                best = clone(evaluator.estimator).set_params(**clone(self.best_params_, safe=False))
                self.best_estimator_: Any = evaluator.refit(best)
                self.refit_time_: float = time.time() - started
                if hasattr(self.best_estimator_, "feature_names_in_"):
                    self.feature_names_in_: Any = self.best_estimator_.feature_names_in_
        self.scorer_: Any = scorer
        if isinstance(self.scoring, list | tuple | set | dict):
            each = self.scoring if isinstance(self.scoring, dict) else {name: name for name in self.scoring}
            self.scorer_ = {name: check_scoring(self.estimator, scoring) for name, scoring in each.items()}
        self.cv_results_: Mapping[str, Any] = record.results
        return self

    def _after_interrupt(self, results: Mapping[str, Any]) -> None:
        """Sets what a search that was not interrupted would have set at its end."""

    def _choose(self, record: "_Record", metric: Any) -> None:
        first = record.out[0]["test_scores"]
        self.multimetric_: bool = isinstance(first, dict)
        if callable(self.scoring) and self.multimetric_:
            internals.check_refit_metric(self, first)
            metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_: int = internals.best_index(self, metric, record.results)
            if not callable(self.refit):
                self.best_score_: Any = record.results[f"mean_test_{metric}"][self.best_index_]
            self.best_params_: Any = record.results["params"][self.best_index_]


class _Record:
    """All that a search has found out so far, and how it goes on."""

    def __init__(self, search: PopulationSearch, evaluator: Evaluator, X: Any, y: Any, split_params: Params) -> None:
        self.search, self.evaluator, self.X, self.y, self.split_params = search, evaluator, X, y, split_params
        self.candidates: list[Params] = []
        self.out: list[dict[str, Any]] = []
        self.more: dict[str, list[Any]] = defaultdict(list)
        self.results: Mapping[str, Any] = {}
        self.planned = 0

    def evaluate(
        self,
        candidate_params: Iterable[Params],
        cv: Any = None,
        more_results: Mapping[str, Sequence[Any]] | None = None,
        callback_ctx: Any = None,
    ) -> Mapping[str, Any]:
        """Evaluates candidates; with scikit-learn's arguments, for its ``_run_search``.

        Returns:
            ``cv_results_`` so far.

        Raises:
            Interrupted: by Ctrl-C.
        """
        search, candidates = self.search, list(candidate_params)
        splits = list((cv or internals.splitter_of(search)).split(self.X, self.y, **self.split_params))
        folds = len(splits)
        if folds != search.n_splits_:
            raise ValueError(
                f"cv.split and cv.get_n_splits return inconsistent results. "
                f"Expected {search.n_splits_} splits, got {folds}"
            )
        if search.verbose > 0:
            count = len(candidates)
            print(f"Fitting {folds} folds for each of {count} candidates, totalling {count * folds} fits")
        self.planned += len(candidates)
        out = self.evaluator.evaluate(candidates, splits)
        done = [n for n in range(len(candidates)) if all(out[n * folds : (n + 1) * folds])]
        self._add([candidates[n] for n in done], [out[n * folds + fold] for n in done for fold in range(folds)])
        for key, values in (more_results or {}).items():
            self.more[key].extend(values[n] for n in done)
        if not self.out:
            if self.evaluator.interrupted:
                raise KeyboardInterrupt
            raise ValueError("No fits were performed. Was the CV iterator empty? Were there no candidates?")
        self.results = internals.results_of(search, self.candidates, folds, self.out, self.more)
        if self.evaluator.interrupted:
            raise Interrupted
        return self.results

    def _add(self, candidates: Sequence[Params], out: Sequence[Any]) -> None:
        if not out:
            return
        internals.warn_of_failed_fits(out, self.search.error_score)
        if callable(self.search.scoring):
            internals.insert_error_scores(out, self.search.error_score)
        self.candidates.extend(candidates)
        self.out.extend(out)
