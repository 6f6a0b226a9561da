"""What a search cannot fit, and what it leaves to scikit-learn: the same results as scikit-learn's."""

import numpy as np
import pytest
import sklearn
import sklearn.model_selection
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import torchann.tuning
from tests.tuning.beside_sklearn import REGRESSOR, both, numbers
from torchann.tuning import GridSearchCV

# So few epochs do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_fits_that_diverge_fail_as_in_scikit_learn():
    X, y = numbers()
    model, grid = clone(REGRESSOR).set_params(solver="sgd"), {"learning_rate_init": [0.01, 1e8]}
    with pytest.warns((FitFailedWarning, UserWarning), match="(2 fits failed out of a total of 4|non-finite)"):
        ours, _ = both("GridSearchCV", model, grid, X, y, cv=2)
    assert np.isnan(ours.cv_results_["mean_test_score"][1]) and ours.best_params_ == {"learning_rate_init": 0.01}
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    with pytest.warns((FitFailedWarning, UserWarning), match="fits failed|non-finite"):
        both("GridSearchCV", model, grid, X, y, cv=2, scoring=["r2", "neg_max_error"], refit="r2", error_score=-9.0)


def test_candidates_that_cannot_be_fitted_fail_as_in_scikit_learn():
    X, y = numbers()
    with pytest.warns((FitFailedWarning, UserWarning), match="2 fits failed out of a total of 4|non-finite"):
        both("GridSearchCV", REGRESSOR, {"hidden_layer_sizes": [(3,), (0,)]}, X, y, cv=2)
    with pytest.raises(ValueError, match="Invalid parameter 'alfa' for estimator MLPRegressor"):
        GridSearchCV(REGRESSOR, {"alfa": [1]}, cv=2).fit(X, y)


@pytest.mark.parametrize(
    ("estimator", "space"),
    [
        (Ridge(), {"alpha": [1, 2]}),
        (REGRESSOR, {"solver": ["lbfgs", "adam"], "loss": ["squared_error", "poisson"]}),
        (make_pipeline(StandardScaler(), REGRESSOR), {"standardscaler__with_mean": [True, False]}),
        (make_pipeline(StandardScaler(), REGRESSOR, memory="."), {"mlpregressor__alpha": [1]}),
    ],
)
def test_whatever_is_searched_is_found_as_by_scikit_learn(estimator, space, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, y = numbers()
    both("GridSearchCV", estimator, space, X, abs(y), cv=2)


def test_sparse_rows_and_weights_are_given_to_each_fit():
    X, y = numbers()
    both("GridSearchCV", REGRESSOR, {"alpha": [1, 2]}, sparse.csr_matrix(X), y, cv=2)
    if sklearn.__version__ >= "1.7":
        weights = {"sample_weight": np.arange(120.0)}
        both("GridSearchCV", REGRESSOR, {"alpha": [1, 2]}, X, y, fit_params=weights, cv=2)


@pytest.mark.parametrize("name", ["GridSearchCV", "RandomizedSearchCV", "HalvingRandomSearchCV"])
def test_callbacks_of_a_search_are_called_by_scikit_learn(name):
    pytest.importorskip("sklearn.callback")  # scikit-learn 1.9
    X, y = numbers()
    given = {"RandomizedSearchCV": {"n_iter": 2}, "HalvingRandomSearchCV": {"n_candidates": 2, "max_resources": 8}}
    options = given.get(name, {})
    search = getattr(torchann.tuning, name)(REGRESSOR, {"alpha": [0.1, 1.0]}, cv=2, **options)
    seen = []

    class Watch:
        max_propagation_depth = 0

        def setup(self, estimator, context):
            seen.append("setup")

        def teardown(self, estimator, context):
            seen.append("teardown")

        def on_fit_task_begin(self, estimator, context, **_):
            seen.append(context.task_name)

        def on_fit_task_end(self, estimator, context, **_):
            return False

    search.set_callbacks(Watch())
    search.fit(X, y)
    assert search.best_params_["alpha"] in (0.1, 1.0)
    assert seen[0] == "setup" and seen[-1] == "teardown" and "candidate-split-evaluation" in seen
