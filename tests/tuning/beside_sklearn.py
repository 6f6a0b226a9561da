"""What the tests of searches share: rows, arguments, and a search beside scikit-learn's own."""

import warnings

import numpy as np
import sklearn.model_selection
import sklearn.neural_network
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import scale

import torchann.tuning
from torchann.estimators import MLPClassifier, MLPRegressor

SPACE = {"hidden_layer_sizes": [(3,), (9,)], "learning_rate_init": [0.01, 0.03]}
REGRESSOR = MLPRegressor(max_iter=8, random_state=3)


def of_sklearn(estimator):
    """The same estimator with scikit-learn's network in the place of ours."""
    if isinstance(estimator, Pipeline):
        return clone(estimator).set_params(**{estimator.steps[-1][0]: of_sklearn(estimator[-1])})
    if type(estimator) not in (MLPClassifier, MLPRegressor):
        return estimator
    kind = getattr(sklearn.neural_network, type(estimator).__name__)
    return kind(**{name: value for name, value in estimator.get_params().items() if name in kind().get_params()})


def numbers():
    X, y = load_diabetes(return_X_y=True)
    return scale(X)[:120], scale(y)[:120]


def assert_same_results(ours, theirs):
    assert set(ours) == set(theirs)
    for name, column in theirs.items():
        if name == "params":
            assert ours[name] == column
        elif not name.endswith("time"):
            assert np.ma.getmaskarray(ours[name]).tolist() == np.ma.getmaskarray(column).tolist()
            if np.asarray(column).dtype.kind == "f":
                np.testing.assert_allclose(ours[name], column, rtol=1e-8, atol=1e-10, err_msg=name)
            else:
                assert ours[name].tolist() == column.tolist(), name
        else:
            assert ours[name].shape == column.shape and (ours[name] >= 0).all()


def assert_same_search(ours, theirs, X):
    """Two fitted searches: results, what was best, and what that predicts."""
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    for name in ("best_params_", "best_index_", "n_splits_", "multimetric_"):
        assert getattr(ours, name, None) == getattr(theirs, name, None), name
    if hasattr(theirs, "best_score_"):
        np.testing.assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-8)
    if hasattr(theirs, "best_estimator_"):
        mine, his = ours.best_estimator_, theirs.best_estimator_
        assert type(mine).__name__ == type(his).__name__ and str(mine)[:20] == str(his)[:20] and ours.refit_time_ > 0
        a, b = ours.predict(X), theirs.predict(X)
        assert np.array_equal(a, b) if a.dtype.kind in "Ui" else np.allclose(a, b, rtol=1e-7, atol=1e-9)


def both(name, estimator, space, X, y, fit_params=None, **options):
    ours = getattr(torchann.tuning, name)(estimator, space, **options)
    theirs = getattr(sklearn.model_selection, name)(of_sklearn(estimator), space, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's are not those that count here
        theirs.fit(X, y, **(fit_params or {}))
    ours.fit(X, y, **(fit_params or {}))
    assert_same_search(ours, theirs, X)
    return ours, theirs
