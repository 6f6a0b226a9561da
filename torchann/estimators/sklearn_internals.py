"""All private names of scikit-learn that this package uses, each behind a name that says what it stands for.

A test looks for each of them in the scikit-learn that is installed, and says what relies on it when it is gone.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any, TypeVar

from sklearn import get_config
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.model_selection._validation import _insert_error_scores as insert_error_scores
from sklearn.model_selection._validation import _warn_or_raise_about_fit_failures as warn_of_failed_fits
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import _safe_split as split_rows

__all__ = [
    "BaseSearchCV",
    "ChosenValidationRows",
    "Interval",
    "StrOptions",
    "accepts",
    "best_index",
    "check_arguments",
    "check_refit_metric",
    "fit_and_score",
    "has_callbacks",
    "insert_error_scores",
    "results_of",
    "routed_arguments",
    "run_search",
    "scorer_of",
    "set_splitter",
    "split_rows",
    "splitter_of",
    "warn_of_failed_fits",
]
Kind = TypeVar("Kind", bound=type)


def accepts(**options: Any) -> Callable[[Kind], Kind]:
    """Declare further arguments of an estimator class, or other values of inherited ones.

    Args:
        options: by argument, the constraints that scikit-learn checks when ``fit`` begins.

    Returns:
        The decorator of the class.
    """

    def declare(kind: Kind) -> Kind:
        known: Mapping[str, Any] = kind._parameter_constraints  # type: ignore[attr-defined]
        kind._parameter_constraints = {**known, **options}  # type: ignore[attr-defined]
        return kind

    return declare


def check_arguments(estimator: Any) -> None:
    """Check the arguments of an estimator as scikit-learn does, unless the user has switched that off.

    Raises:
        ValueError: scikit-learn's, which names the argument and the values that it may have.
    """
    if not get_config()["skip_parameter_validation"]:
        estimator._validate_params()


class ChosenValidationRows:
    """A mixin by which a linear model of scikit-learn that stops early takes validation rows that were chosen for it.

    Attributes:
        _validation_mask: which of the rows given to ``fit`` are for validation, ``(rows,)`` of booleans; None to draw
            them as scikit-learn does.
    """

    _validation_mask: Any = None

    def _make_validation_split(self, y: Any, sample_mask: Any) -> Any:
        if self._validation_mask is not None:
            return self._validation_mask
        return super()._make_validation_split(y, sample_mask)  # type: ignore[misc]


def has_callbacks(estimator: Any) -> bool:
    """Tell whether callbacks were given to an estimator by ``set_callbacks`` (scikit-learn 1.9)."""
    return bool(getattr(estimator, "_skl_callbacks", None))


def scorer_of(search: Any) -> tuple[Any, Any]:
    """Return what scores the candidates of a search, and the name of the score that chooses the best."""
    scorer, metric = search._get_scorers()
    return scorer, metric


def routed_arguments(search: Any, given: Mapping[str, Any]) -> Any:
    """Return which of the further arguments of ``search.fit`` go to the estimator, the splitter and the scorer."""
    return search._get_routed_params_for_fit(given)


def set_splitter(search: Any, splitter: Any, X: Any, y: Any, split_params: Mapping[str, Any]) -> None:
    """Give a search its splitter, and let it check and complete its arguments for these rows."""
    search._checked_cv_orig = splitter
    if hasattr(search, "_check_input_parameters"):
        search._check_input_parameters(X=X, y=y, split_params=split_params)


def splitter_of(search: Any) -> Any:
    """Return the splitter that :func:`set_splitter` gave."""
    return search._checked_cv_orig


def run_search(search: Any, evaluate: Callable[..., Any]) -> None:
    """Let a search of scikit-learn draw its candidates, round by round.

    Args:
        search: a search.
        evaluate: takes the candidates of a round and returns the results so far.
    """
    run = search._run_search
    context = {"callback_ctx": _NoCallbacks()} if "callback_ctx" in signature(run).parameters else {}
    run(evaluate, **context)


class _NoCallbacks:
    # In place of the context that scikit-learn 1.9 wants for callbacks, where there are none.

    def subcontext(self, **_: Any) -> "_NoCallbacks":
        return self

    def call_on_fit_task_begin(self, **_: Any) -> "_NoCallbacks":
        return self

    def call_on_fit_task_end(self, **_: Any) -> None:
        return None


def results_of(
    search: Any, candidates: Sequence[Mapping[str, Any]], folds: int, fits: Sequence[Any], more: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return ``cv_results_``: scores, times and ranks of the candidates.

    Args:
        search: a search.
        candidates: their arguments.
        folds: number of folds.
        fits: what :func:`fit_and_score` returned, fold by fold of the first candidate, then of the next.
        more: further columns by name.
    """
    results: Mapping[str, Any] = search._format_results(candidates, folds, fits, more)
    return results


def check_refit_metric(search: Any, scores: Mapping[str, Any]) -> None:
    """Check that ``refit`` names one of several scores.

    Raises:
        ValueError: if it names none of them.
    """
    search._check_refit_for_multimetric(scores)


def best_index(search: Any, metric: Any, results: Mapping[str, Any]) -> int:
    """Return the row of ``results`` that holds the best candidate."""
    index: int = search._select_best_index(search.refit, metric, results)
    return index
