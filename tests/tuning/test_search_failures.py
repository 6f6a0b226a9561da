"""What a search cannot fit, or not together: the same results as scikit-learn's, and a line that says why."""

import numpy as np
import pytest
import sklearn
import sklearn.model_selection
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import torchann.tuning
from tests.tuning.beside_sklearn import REGRESSOR, SPACE, both, numbers
from torchann.estimators import MLPRegressor
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
    ("estimator", "space", "told"),
    [
        (
            Ridge(),
            {"alpha": [1, 2]},
            "candidates are trained one by one.*: Ridge is not an MLPClassifier or",
        ),
        (REGRESSOR, {"solver": ["lbfgs", "adam"]}, "1 of 2 candidates are .*solver='lbfgs' takes no mini-batches"),
        (REGRESSOR, {"loss": ["squared_error", "poisson"]}, "1 of 2 .*loss='poisson' is not for a population"),
        (clone(REGRESSOR).set_params(verbose=True), {"alpha": [1]}, "candidates are .*verbose=True prints each epoch"),
        (
            make_pipeline(StandardScaler(), REGRESSOR),
            {"standardscaler__with_mean": [True, False]},
            "standardscaler__with_mean is searched, which is no argument of the network",
        ),
        (make_pipeline(StandardScaler(), REGRESSOR, memory="."), {"mlpregressor__alpha": [1]}, "pipeline has memory"),
    ],
)
def test_what_is_not_trained_together_is_evaluated_by_scikit_learn_and_a_line_says_why(
    estimator, space, told, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    X, y = numbers()
    with pytest.warns(UserWarning, match=told):
        both("GridSearchCV", estimator, space, X, abs(y), cv=2)


def test_sparse_rows_weights_and_networks_of_ones_own_are_evaluated_by_scikit_learn():
    X, y = numbers()

    class Own(MLPRegressor):
        pass

    with pytest.warns(UserWarning, match="Own is not an MLPClassifier or MLPRegressor of torchann.estimators"):
        both("GridSearchCV", Own(max_iter=3, random_state=0), {"alpha": [1, 2]}, X, y, cv=2)
    with pytest.warns(UserWarning, match="the rows are sparse"):
        both("GridSearchCV", REGRESSOR, {"alpha": [1, 2]}, sparse.csr_matrix(X), y, cv=2)
    if sklearn.__version__ < "1.7":
        return
    with pytest.warns(UserWarning, match="fit is given sample_weight"):
        GridSearchCV(REGRESSOR, {"alpha": [1, 2]}, cv=2).fit(X, y, sample_weight=np.arange(120.0))


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
    with pytest.warns(UserWarning, match="as scikit-learn does: the search has callbacks"):
        search.fit(X, y)
    assert search.best_params_["alpha"] in (0.1, 1.0)
    assert seen[0] == "setup" and seen[-1] == "teardown" and "candidate-split-evaluation" in seen


def test_ends_by_max_iter_and_batches_too_large_are_told_once():
    X, y = numbers()
    told = []
    for grid, folds in ((SPACE, 3), ({"batch_size": [900], "max_iter": [2]}, 2)):
        with pytest.warns() as warned:
            GridSearchCV(REGRESSOR, grid, cv=folds, refit=False).fit(X, y)
        told += warned
    assert [str(warning.message) for warning in told] == [
        "12 of 12 networks reached max_iter and had not converged yet.",
        "2 of 2 networks reached max_iter and had not converged yet.",
        "batch_size is larger than the number of training rows and was cut to it.",
    ]
    assert told[0].category is ConvergenceWarning
