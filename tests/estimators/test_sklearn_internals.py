"""Each private name of scikit-learn that the package uses is there, in words."""

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Perceptron, Ridge
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, KFold
from sklearn.neural_network import MLPRegressor

from tests.test_private_names import foreign_names

DOOR = Path(__file__).parents[2] / "torchann" / "estimators" / "sklearn_internals.py"
SEARCHES = "torchann.tuning's searches"
NAMES = {
    # by name: where it is, what it stands for, what relies on it
    "_param_validation": ("sklearn.utils", "constraints of arguments", "the arguments that our estimators add"),
    "_parameter_constraints": (MLPRegressor, "what each argument may be", "the arguments that our classes add"),
    "_validate_params": (MLPRegressor, "the check of all arguments", "fit of our MLPs and searches"),
    "_make_validation_split": (Perceptron, "the choice of validation rows", "Perceptron.fit(X_val=…)"),
    "_safe_split": ("sklearn.utils.metaestimators", "rows of any container by number", SEARCHES),
    "_search": ("sklearn.model_selection", "the module that has BaseSearchCV", SEARCHES),
    "_validation": ("sklearn.model_selection", "the module that has _fit_and_score", SEARCHES),
    "_fit_and_score": ("sklearn.model_selection._validation", "one fit of a search and its scores", SEARCHES),
    "_insert_error_scores": ("sklearn.model_selection._validation", "scores of failed fits", SEARCHES),
    "_warn_or_raise_about_fit_failures": ("sklearn.model_selection._validation", "the report of failed fits", SEARCHES),
    "_get_scorers": (GridSearchCV, "what scores the candidates", SEARCHES),
    "_get_routed_params_for_fit": (GridSearchCV, "which argument of fit goes where", SEARCHES),
    "_run_search": (GridSearchCV, "the rounds in which candidates are drawn", SEARCHES),
    "_format_results": (GridSearchCV, "how cv_results_ is made", SEARCHES),
    "_check_refit_for_multimetric": (GridSearchCV, "the check of refit among several scores", SEARCHES),
    "_select_best_index": (GridSearchCV, "the choice of the best candidate", SEARCHES),
    "_check_input_parameters": (
        "sklearn.model_selection._search_successive_halving.BaseSuccessiveHalving",
        "how halving completes its arguments",
        "HalvingRandomSearchCV",
    ),
    "_checked_cv_orig": (
        lambda: HalvingGridSearchCV(Ridge(), {"alpha": [1.0]}).fit(*load_diabetes(return_X_y=True)),
        "the splitter of a search that is being fitted",
        "HalvingRandomSearchCV",
    ),
    "_skl_callbacks": (
        lambda: _with_callbacks(),
        "the callbacks of scikit-learn 1.9",
        "the choice between our searches and scikit-learn's, where there are callbacks",
    ),
}


def _with_callbacks() -> Any:
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    from sklearn.callback import ScoringMonitor

    return GridSearchCV(Ridge(), {"alpha": [1.0]}).set_callbacks(ScoringMonitor(scoring="r2"))


def found_at(place: Any, name: str) -> bool:
    if not isinstance(place, str):
        return hasattr(place() if inspect.isfunction(place) else place, name)
    try:
        return hasattr(importlib.import_module(place), name) or bool(importlib.import_module(f"{place}.{name}"))
    except ModuleNotFoundError:
        module, _, owner = place.rpartition(".")
        return hasattr(getattr(importlib.import_module(module), owner, None), name)


@pytest.mark.parametrize("name", NAMES)
def test_private_name_is_there(name):
    place, meaning, user = NAMES[name]
    assert found_at(place, name), (
        f"scikit-learn {sklearn.__version__} has no {name}, which stood for {meaning}; {user} relies on it: find "
        "another way in torchann/estimators/sklearn_internals.py, or keep the upper bound in pyproject.toml"
    )


def test_every_name_of_the_door_is_looked_for():
    tree = ast.parse(DOOR.read_text())
    used = {name for _, _, name in foreign_names({DOOR.name: tree})}
    # A name that the door sets or overrides is not seen as another package's.
    used |= {name for name in NAMES if name in DOOR.read_text()}
    assert used == set(NAMES)


def test_arguments_of_private_functions_are_those_that_are_given():
    from torchann.estimators import sklearn_internals as internals

    given = {
        internals.fit_and_score: (
            *("estimator", "X", "y", "scorer", "train", "test", "verbose", "parameters", "fit_params", "score_params"),
            *("return_train_score", "return_n_test_samples", "return_times", "error_score"),
            *("split_progress", "candidate_progress"),
        ),
        internals.split_rows: ("estimator", "X", "y", "indices"),
        internals.insert_error_scores: ("results", "error_score"),
        internals.warn_of_failed_fits: ("results", "error_score"),
        GridSearchCV._run_search: ("self", "evaluate_candidates"),
        GridSearchCV._format_results: ("self", "candidate_params", "n_splits", "out", "more_results"),
        GridSearchCV._select_best_index: ("refit", "refit_metric", "results"),
        Perceptron._make_validation_split: ("self", "y", "sample_mask"),
    }
    for function, names in given.items():
        missing = set(names) - set(inspect.signature(function).parameters)
        assert not missing, f"scikit-learn {sklearn.__version__}: {function.__qualname__} no longer takes {missing}"


def test_names_do_what_they_stand_for():
    from torchann.estimators import sklearn_internals as internals

    @internals.accepts(alpha=[str], depth=[int])
    class Deep(Ridge):
        def __init__(self, alpha="1", depth=1):
            self.alpha, self.depth = alpha, depth

    internals.check_arguments(Deep())
    with pytest.raises(ValueError, match="'depth' parameter of Deep must be an instance of 'int'"):
        internals.check_arguments(Deep(depth="2"))
    with sklearn.config_context(skip_parameter_validation=True):
        internals.check_arguments(Deep(depth="2"))
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    x, targets = internals.split_rows(Ridge(), X, y.tolist(), [4, 1])
    assert x.tolist() == [[8, 9], [2, 3]] and targets == [4, 1]
    search = clone(GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, scoring="r2"))
    scorer, metric = internals.scorer_of(search)
    assert scorer(Ridge().fit(X, y), X, y) > 0.9 and metric == "score"
    routed = internals.routed_arguments(search, {"groups": [1, 2], "sample_weight": None})
    assert routed.splitter.split == {"groups": [1, 2]} and "groups" not in routed.estimator.fit
    internals.set_splitter(search, KFold(2), X, y, {})
    assert internals.splitter_of(search).n_splits == 2
    search.n_splits_, rounds = 2, []
    internals.run_search(search, lambda candidates, **_: rounds.append(list(candidates)))
    assert rounds == [[{"alpha": 0.1}, {"alpha": 1.0}]]
    fits = [{"test_scores": score, "fit_time": 1.0, "score_time": 1.0} for score in (0.1, 0.3, 0.5, 0.2)]
    results = internals.results_of(search, rounds[0], 2, fits, {})
    assert results["mean_test_score"].tolist() == [0.2, 0.35] and internals.best_index(search, "score", results) == 1
    with pytest.raises(ValueError, match="refit"):
        internals.check_refit_metric(search, {"r2": 0.1})
