"""Searches in threads against scikit-learn's own: the same results, whatever is searched."""

import threading

import joblib
import numpy as np
import pytest
import sklearn
import sklearn.model_selection
import sklearn.neural_network
from joblib import cpu_count
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import get_scorer
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, scale

import torchann.estimators
import torchann.tuning
from tests.tuning.beside_sklearn import REGRESSOR, SPACE, both, numbers, of_sklearn
from torchann.estimators import MLPClassifier, MLPRegressor
from torchann.tuning import GridSearchCV, RandomizedSearchCV

# So few epochs do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WIDE_SPACE = {
    "hidden_layer_sizes": [(3,), (9,), (5, 4), 7],
    "learning_rate_init": loguniform(1e-3, 0.1),
    "alpha": loguniform(1e-4, 1),
    "batch_size": [16, 50, "auto"],
    "early_stopping": [False, True],
    "solver": ["sgd", "adam"],
    "learning_rate": ["constant", "adaptive"],
    "activation": ["relu", "tanh"],
}
CLASSIFIER = MLPClassifier(max_iter=8, random_state=3)


def words():
    X, y = load_iris(return_X_y=True)
    return scale(X), np.array(["a", "b", "c"])[y]


def two_classes():
    X, y = load_breast_cancer(return_X_y=True)
    return X[:150, :8], y[:150]


def test_random_search_over_many_arguments_is_that_of_scikit_learn():
    X, y = numbers()
    options = {"n_iter": 10, "cv": 3, "random_state": 1, "return_train_score": True}
    ours, _ = both("RandomizedSearchCV", REGRESSOR, WIDE_SPACE, X, y, **options)
    assert ours.score(X, y) == pytest.approx(ours.best_estimator_.score(X, y))
    assert ours.scorer_ is not None and ours.n_features_in_ == 10


def test_classes_that_are_words_and_a_pipeline_are_searched_as_by_scikit_learn():
    X, y = words()
    space = WIDE_SPACE | {"early_stopping": [False]}  # before 1.8 scikit-learn cannot stop early by words
    ours, _ = both("RandomizedSearchCV", CLASSIFIER, space, X, y, n_iter=5, cv=3, random_state=2)
    assert ours.classes_.tolist() == ["a", "b", "c"]
    X, y = two_classes()
    space = {f"mlpclassifier__{name}": values for name, values in WIDE_SPACE.items()}
    model = make_pipeline(StandardScaler(), CLASSIFIER)
    options = {"n_iter": 5, "cv": 3, "random_state": 1, "scoring": "roc_auc"}
    ours, _ = both("RandomizedSearchCV", model, space, X, y, **options)
    scaler = ours.best_estimator_[0]
    np.testing.assert_allclose(scaler.mean_, X.mean(0))  # fitted on all rows, for the refit


def test_transformers_learn_from_the_training_rows_of_their_fold_alone():
    X, y = numbers()
    X = X + 100 * (np.arange(len(X)) > 80)[:, None]  # the last fold is another world
    both(
        "GridSearchCV", make_pipeline(StandardScaler(), REGRESSOR), {"mlpregressor__alpha": [0.1, 1]}, X, y, cv=KFold(3)
    )


def test_folds_may_have_columns_and_classes_of_their_own():
    X, y = words()
    both("GridSearchCV", CLASSIFIER, SPACE, X, y, cv=KFold(3))  # sorted by class: each fold lacks one
    kinds = np.array(["x", "y", "z", "u"])[[0, 0, 1, 1, 2, 3] * 20][:, None]
    model = make_pipeline(OneHotEncoder(sparse_output=False, handle_unknown="ignore"), REGRESSOR)
    X = np.where(np.arange(120)[:, None] < 40, kinds, "x")
    both("GridSearchCV", model, {"mlpregressor__alpha": [0.1, 1]}, X, numbers()[1], cv=KFold(3))


def test_several_scores_and_functions_that_score():
    X, y = numbers()
    scores = {"scoring": ["r2", "neg_mean_squared_error"], "refit": "neg_mean_squared_error"}
    ours, theirs = both("GridSearchCV", REGRESSOR, SPACE, X, y, cv=ShuffleSplit(2, random_state=0), **scores)
    assert ours.scorer_.keys() == theirs.scorer_.keys()
    both("GridSearchCV", REGRESSOR, SPACE, X, y, cv=2, refit=False, **{"scoring": ["r2"]})

    def steepest(estimator, X, y):
        return {"r2": estimator.score(X, y), "fall": estimator.loss_curve_[0] - estimator.loss_curve_[-1]}

    stopping = clone(REGRESSOR).set_params(early_stopping=True)  # whose losses would not be worked out
    both("GridSearchCV", stopping, SPACE, X, y, cv=2, scoring=steepest, refit="fall")
    both("GridSearchCV", REGRESSOR, SPACE, X, y, cv=2, refit=lambda results: 2)


def test_groups_and_frames_reach_splitter_and_estimator():
    pandas = pytest.importorskip("pandas")
    X, y = numbers()
    frame = pandas.DataFrame(X, columns=[f"column {number}" for number in range(10)])
    groups = {"groups": np.arange(120) // 30}
    ours, theirs = both("GridSearchCV", REGRESSOR, SPACE, frame, y, fit_params=groups, cv=GroupKFold(2))
    assert ours.feature_names_in_.tolist() == theirs.feature_names_in_.tolist() == list(frame.columns)


def test_rows_of_float32_give_scores_of_float32():
    X, y = (part.astype(np.float32) for part in numbers())
    ours = GridSearchCV(REGRESSOR, SPACE, cv=3).fit(X, y)
    theirs = sklearn.model_selection.GridSearchCV(of_sklearn(REGRESSOR), SPACE, cv=3).fit(X, y)
    scores = [search.cv_results_["mean_test_score"] for search in (ours, theirs)]
    np.testing.assert_allclose(*scores, atol=1e-4)  # of R², which is a difference from 1
    assert ours.best_estimator_.coefs_[0].dtype == np.float32


def test_random_state_of_none_draws_anew_and_an_instance_is_copied_for_each_fit():
    X, y = numbers()
    model = clone(REGRESSOR).set_params(random_state=None)
    np.random.seed(0)
    first, again = (GridSearchCV(model, SPACE, cv=2, refit=False).fit(X, y).cv_results_ for _ in range(2))
    assert not np.array_equal(first["mean_test_score"], again["mean_test_score"])
    both("GridSearchCV", clone(REGRESSOR).set_params(random_state=np.random.RandomState(5)), SPACE, X, y, cv=2)


def test_two_numbers_are_drawn_between():
    X, y = numbers()
    space = {"learning_rate_init": (1e-3, 1e-1), "hidden_layer_sizes": (2, 4), "momentum": (0.5, 0.9), "tol": [0.1]}
    results = RandomizedSearchCV(REGRESSOR, space, n_iter=20, cv=2, random_state=0, refit=False).fit(X, y).cv_results_
    widths, rates, momenta = (
        results[f"param_{name}"].data for name in ("hidden_layer_sizes", "learning_rate_init", "momentum")
    )
    assert set(widths) == {2, 3, 4}
    assert min(rates) > 1e-3 and max(rates) < 0.1 and 5 < np.sum(rates < 0.01) < 15  # half of them by factor
    assert 0.5 < min(momenta) < max(momenta) < 0.9


@pytest.mark.parametrize(("n_jobs", "threads"), [(1, 1), (3, 3), (-1, cpu_count()), (None, cpu_count())])
def test_networks_are_fitted_in_as_many_threads_as_there_are_jobs(n_jobs, threads):
    used, together = set(), threading.Barrier(threads)

    def note(estimator, X, y):
        together.wait(60)
        used.add(threading.get_ident())
        return estimator.score(X, y)

    space = {"alpha": [0.1] * threads}
    both("GridSearchCV", REGRESSOR, space, *numbers(), cv=2, n_jobs=n_jobs, refit=False, scoring="r2")
    GridSearchCV(REGRESSOR, space, cv=2, n_jobs=n_jobs, refit=False, scoring=note).fit(*numbers())
    assert len(used) == threads and threading.main_thread().ident not in used


def test_search_inside_a_job_has_one_thread():
    def note(estimator, X, y):
        return threading.get_ident()

    search = GridSearchCV(REGRESSOR, {"alpha": [0.1, 0.2, 0.3]}, cv=2, scoring=note, refit=False)
    fits = joblib.Parallel(n_jobs=2, backend="threading")(joblib.delayed(search.fit)(*numbers()) for _ in range(1))
    used = [fits[0].cv_results_[f"split{fold}_test_score"] for fold in (0, 1)]
    assert len(np.unique(used)) == 1


def test_no_jobs_are_an_error():
    with pytest.raises(ValueError, match="n_jobs == 0 in Parallel has no meaning"):
        GridSearchCV(REGRESSOR, SPACE, n_jobs=0).fit(*numbers())


def test_bar_counts_fits_and_shows_the_best_score(capsys):
    X, y = numbers()
    search = GridSearchCV(REGRESSOR, SPACE, cv=2, verbose=1).fit(X, y)
    out, err = capsys.readouterr()
    assert "Fitting 2 folds for each of 4 candidates, totalling 8 fits" in out
    assert "8/8" in err and f"best={search.best_score_:.4g}" in err
    GridSearchCV(REGRESSOR, SPACE, cv=2).fit(X, y)
    assert capsys.readouterr() == ("", "")


def test_searches_are_scikit_learns_and_can_be_cloned():
    for name in torchann.tuning.__all__:
        kind = getattr(torchann.tuning, name)
        if name in ("GridSearchCV", "RandomizedSearchCV", "HalvingRandomSearchCV"):
            own = kind(REGRESSOR, SPACE, cv=3)
            assert isinstance(own, getattr(sklearn.model_selection, name))
            assert clone(own).get_params()["cv"] == 3
            assert own.get_metadata_routing() is not None
    with pytest.raises(ValueError, match="The 'n_iter' parameter of RandomizedSearchCV must be"):
        RandomizedSearchCV(REGRESSOR, SPACE, n_iter=0.5).fit(*numbers())


def test_scores_of_the_best_estimator_are_those_of_its_scorer():
    X, y = numbers()
    search = GridSearchCV(REGRESSOR, SPACE, cv=2, scoring="neg_mean_absolute_error").fit(X, y)
    expected = get_scorer("neg_mean_absolute_error")(search.best_estimator_, X, y)
    assert search.score(X, y) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["MLPRegressor", "MLPClassifier"])
def test_networks_of_scikit_learn_are_fitted_by_their_own_fit_with_the_same_results(name):
    X, y = numbers() if name == "MLPRegressor" else (words()[0], words()[1] == "a")
    theirs = getattr(sklearn.neural_network, name)(max_iter=8, random_state=3)
    options = {"n_iter": 3, "cv": 3, "random_state": 4, "error_score": "raise"}
    ours, _ = both("RandomizedSearchCV", theirs, WIDE_SPACE, X, y, **options)
    assert type(ours.best_estimator_) is type(theirs)


@pytest.mark.parametrize(
    "argument",
    [{"dropout": [0.1]}, {"activation": ["gelu"]}, {"solver": ["adamw"]}, {"loss": ["huber"]}, {"norm": ["layer"]}],
)
def test_what_only_our_own_networks_can_is_searched(argument):
    X, y = numbers()
    network = MLPRegressor(max_iter=3, random_state=0)
    search = GridSearchCV(network, argument, cv=2).fit(X, y)
    scores = sklearn.model_selection.cross_val_score(network.set_params(**search.best_params_), X, y, cv=2)
    np.testing.assert_allclose(search.best_score_, scores.mean(), rtol=1e-6)


def test_best_of_our_own_estimators_goes_on_as_one_that_was_fitted_alone():
    X, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    for solver in ("adam", "sgd"):
        options = {"hidden_layer_sizes": (5,), "max_iter": 9, "random_state": 0, "solver": solver}
        alone = MLPRegressor(**options).fit(X, y)
        search = GridSearchCV(MLPRegressor(**options), {"alpha": [1e-4]}, cv=2).fit(X, y)
        for _ in range(3):
            best = search.best_estimator_.partial_fit(X, y)
            alone.partial_fit(X, y)
            np.testing.assert_allclose(best.coefs_[0], alone.coefs_[0], rtol=1e-9)
