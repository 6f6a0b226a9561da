"""A search of scikit-learn whose networks are fitted in threads."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from joblib import parallel_config
from joblib.parallel import get_active_backend
from sklearn.base import BaseEstimator

from torchann.estimators import MLPClassifier, MLPRegressor
from torchann.estimators.sklearn_internals import check_arguments
from torchann.tuning.progress import SearchProgress
from torchann.tuning.search_threads import SearchThreads

Own = TypeVar("Own", bound="ThreadedSearch")
Params = Mapping[str, Any]


class Interrupted(Exception):
    """Ctrl-C has ended a search."""


class ThreadedSearch(BaseEstimator):  # type: ignore[misc]
    """A mixin for the searches of scikit-learn, to which all but the threads and Ctrl-C is left; abstract."""

    def fit(self: Own, X: Any, y: Any = None, **params: Any) -> Own:
        """Evaluate all candidates, and fit the best one on all rows.

        Ctrl-C ends a search of our networks: ``cv_results_`` then has the candidates that were done, the best of them
        is fitted (a second Ctrl-C ends that too), and a warning says so.

        Args:
            X: rows, ``(rows, features)``.
            y: targets, ``(rows,)`` or ``(rows, outputs)``.
            **params: for ``fit``, scorers and splitter, as scikit-learn routes them.

        Returns:
            The search.

        Raises:
            KeyboardInterrupt: if Ctrl-C came before any candidate was done.
            ValueError: where scikit-learn's own search would.
        """
        check_arguments(self)
        with self._in_words_of_sklearn():
            if not fits_in_threads(self.estimator):
                return super().fit(X, y, **params)  # type: ignore[no-any-return]
            with parallel_config(backend=SearchThreads()):
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
        """Return arguments that scikit-learn's search would not understand, by name, with what it takes instead."""
        return {}

    def _run_search(self, evaluate_candidates: Callable[..., Params], *, callback_ctx: Any = None) -> None:
        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}  # there is none before 1.9
        threads, _ = get_active_backend()
        if not isinstance(threads, SearchThreads):
            super()._run_search(evaluate_candidates, **context)
            return
        rounds = _Rounds(self, threads, evaluate_candidates)
        try:
            super()._run_search(rounds.evaluate, **context)
        except Interrupted:
            if not rounds.results:
                raise KeyboardInterrupt from None
            done = f"{rounds.done} of {rounds.planned} candidates are done"
            warnings.warn(f"the search was interrupted: {done}", stacklevel=2)
            self._after_interrupt(rounds.results)

    def _after_interrupt(self, results: Params) -> None:
        """Set what a search that was not interrupted would have set at its end."""


class _Rounds:
    """The rounds of a search: all candidates at once, or the survivors again and again."""

    def __init__(self, search: Any, threads: SearchThreads, evaluate: Callable[..., Params]) -> None:
        self.search, self.threads, self._evaluate = search, threads, evaluate
        self.done = self.planned = 0
        self.results: Params = {}

    def evaluate(
        self,
        candidate_params: Iterable[Params],
        cv: Any = None,
        more_results: Mapping[str, Sequence[Any]] | None = None,
        **context: Any,
    ) -> Params:
        """Evaluate candidates, as scikit-learn's function of this name.

        Raises:
            Interrupted: by Ctrl-C, with the results of the candidates that are done.
        """
        search, candidates = self.search, list(candidate_params)
        self.planned += len(candidates)
        with SearchProgress(len(candidates), search.n_splits_, search.refit, hidden=not search.verbose) as progress:
            self.threads.begin(progress)
            try:
                self.results = self._evaluate(candidates, cv, more_results, **context)
            except KeyboardInterrupt:
                done = progress.finished()
                if done:
                    more = {name: [values[n] for n in done] for name, values in (more_results or {}).items()}
                    self._note([candidates[n] for n in done], cv, more, progress.results_of(done))
                raise Interrupted from None
        self.done += len(candidates)
        return self.results

    def _note(self, candidates: Sequence[Params], cv: Any, more: Params, known: Sequence[Params]) -> None:
        """Have scikit-learn evaluate the candidates that are done, from their results."""
        search, verbose = self.search, self.search.verbose
        self.threads.begin(SearchProgress(len(candidates), search.n_splits_, hidden=True), known)
        search.verbose = 0
        try:
            self.results = self._evaluate(candidates, cv, more)
        finally:
            search.verbose = verbose
        self.done += len(candidates)


def fits_in_threads(estimator: Any) -> bool:
    """Tell whether an estimator is a network of this package, or has one inside, such as a pipeline."""
    parts = (estimator, *estimator.get_params().values())
    return any(isinstance(part, MLPClassifier | MLPRegressor) for part in parts)
