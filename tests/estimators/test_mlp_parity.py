"""Our MLPs follow scikit-learn's: the same first weights, orders, losses, scores, warnings and printed lines."""

import warnings

import numpy as np
import pytest
import sklearn.neural_network
from scipy import sparse
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.preprocessing import scale

import torchann.estimators

IRIS_X, IRIS_Y = load_iris(return_X_y=True)
DIGITS = load_digits(return_X_y=True)
DIABETES_X, DIABETES_Y = load_diabetes(return_X_y=True)
DIABETES_Y = scale(DIABETES_Y)
DATA = {
    "classes": ("MLPClassifier", IRIS_X, IRIS_Y),
    "two classes": ("MLPClassifier", IRIS_X, IRIS_Y == 2),
    "text": ("MLPClassifier", IRIS_X, np.array(["c", "a", "b"])[IRIS_Y]),
    "labels": ("MLPClassifier", IRIS_X, np.stack([IRIS_Y > 0, IRIS_X[:, 0] > 6], 1).astype(int)),
    "value": ("MLPRegressor", DIABETES_X, DIABETES_Y),
    "values": ("MLPRegressor", DIABETES_X, np.stack([DIABETES_Y, DIABETES_X[:, 2]], 1)),
}
OPTIONS = [
    {},
    {"solver": "sgd"},
    {"solver": "sgd", "momentum": 0.0, "batch_size": 32},
    {"solver": "sgd", "nesterovs_momentum": False, "learning_rate": "invscaling", "learning_rate_init": 0.1},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 2, "learning_rate_init": 0.05},
    {"hidden_layer_sizes": (7, 5), "activation": "tanh", "alpha": 0.5, "batch_size": 64},
    {"activation": "logistic", "shuffle": False, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3},
    {"activation": "identity", "alpha": 0.0, "random_state": "generator"},
    {"early_stopping": True, "n_iter_no_change": 3, "batch_size": 50},
    {"early_stopping": True, "validation_fraction": 0.3, "tol": 0.0, "learning_rate_init": 0.01},
    {"hidden_layer_sizes": ()},
]
SETTINGS = [(data, options) for number, data in enumerate(DATA) for options in OPTIONS[number % 2 :: 2]]


def both(name, X, y, fit=lambda model, X, y: model.fit(X, y), **options):
    """Theirs and ours after the same fit, and the warnings of each."""
    found = []
    for room in (sklearn.neural_network, torchann.estimators):
        model = getattr(room, name)(**{"max_iter": 25, "random_state": 3, **options})
        if model.random_state == "generator":
            model.random_state = np.random.RandomState(5)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit(model, X, y)
        found.append((model, [(told.category, str(told.message)) for told in caught]))
    return found


def same(found, rtol=1e-9, atol=1e-12):
    (theirs, told), (ours, ours_told) = found
    assert ours_told == told
    assert set(vars(theirs)) - {"_label_binarizer", "_optimizer"} <= set(vars(ours))
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("loss_curve_", "loss_", "best_loss_", "validation_scores_", "best_validation_score_"):
        mine, its = getattr(ours, name), getattr(theirs, name)
        assert (mine is None) == (its is None), name
        if its is not None:
            np.testing.assert_allclose(mine, its, rtol=rtol, atol=atol, err_msg=name)
    for mine, its in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        assert mine.dtype == its.dtype and mine.shape == its.shape
        np.testing.assert_allclose(mine, its, rtol=1e3 * rtol, atol=1e3 * atol)


@pytest.mark.parametrize(("data", "options"), SETTINGS, ids=str)
def test_mlp_follows_scikit_learns_curve_from_its_weights(data, options):
    name, X, y = DATA[data]
    found = both(name, X, y, **options)
    same(found)
    (theirs, _), (ours, _) = found
    np.testing.assert_array_equal(ours.predict(X[:30]).shape, theirs.predict(X[:30]).shape)
    np.testing.assert_allclose(ours._forward_pass_fast(X), theirs._forward_pass_fast(X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("options", [{}, {"solver": "sgd", "learning_rate_init": 0.01}], ids=str)
def test_mlp_follows_scikit_learn_in_float32(options):
    X, y = DIGITS
    found = both("MLPClassifier", X.astype(np.float32) / 16, y, hidden_layer_sizes=(20,), **options)
    same(found, rtol=1e-4, atol=1e-6)
    assert found[1][0].coefs_[0].dtype == np.float32


@pytest.mark.parametrize("data", ["classes", "labels", "value"])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True, "batch_size": 20}], ids=str)
def test_weights_of_rows_count_as_in_scikit_learn(data, options):
    name, X, y = DATA[data]
    weight = np.random.default_rng(0).uniform(0.1, 3, len(y))
    same(both(name, X, y, lambda model, X, y: model.fit(X, y, sample_weight=weight), **options))


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_array], ids=lambda c: c.__name__)
def test_sparse_rows_are_learnt_as_by_scikit_learn(container):
    X, y = DIGITS
    found = both("MLPClassifier", container(X), y, hidden_layer_sizes=(8,), max_iter=5)
    same(found)
    np.testing.assert_allclose(*(model.predict_proba(container(X)) for model, _ in found), rtol=1e-6)


@pytest.mark.parametrize("data", DATA)
def test_partial_fit_goes_on_as_scikit_learns(data):
    name, X, y = DATA[data]

    def fit(model, X, y):
        classes = {"classes": np.unique(y)} if name == "MLPClassifier" else {}
        for part in np.array_split(np.arange(len(y)), 7):
            model.partial_fit(X[part], y[part], **classes)
            classes = {}
        model.partial_fit(X, y)

    same(both(name, X, y, fit))


def test_partial_fit_goes_on_from_a_fit():
    def fit(model, X, y):
        model.fit(X, y).partial_fit(X, y).partial_fit(X[:9], y[:9])

    same(both("MLPRegressor", DIABETES_X, DIABETES_Y, fit, solver="sgd", max_iter=5))


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}], ids=str)
def test_warm_start_goes_on_as_scikit_learns(options):
    def fit(model, X, y):
        model.fit(X, y).set_params(max_iter=9).fit(X, y)

    same(both("MLPClassifier", IRIS_X, IRIS_Y, fit, warm_start=True, max_iter=7, **options))


@pytest.mark.parametrize("data", ["classes", "two classes", "value"])
def test_lbfgs_is_scikit_learns_to_the_bit(data):
    name, X, y = DATA[data]
    (theirs, _), (ours, _) = both(name, X, y, solver="lbfgs", hidden_layer_sizes=(5,))
    assert (ours.loss_, ours.n_iter_) == (theirs.loss_, theirs.n_iter_)
    for mine, its in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_array_equal(mine, its)


def test_one_class_is_learnt_and_scored_as_by_scikit_learn():
    same(both("MLPClassifier", IRIS_X, 0 * IRIS_Y, early_stopping=True))


def test_poisson_loss_is_scikit_learns():
    y = np.random.default_rng(0).poisson(np.exp(DIABETES_X[:, 2] * 10))
    for options in ({}, {"solver": "lbfgs"}, {"early_stopping": True}):
        (theirs, _), (ours, _) = both("MLPRegressor", DIABETES_X, y, loss="poisson", **options)
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-9)
        np.testing.assert_allclose(ours.predict(DIABETES_X), theirs.predict(DIABETES_X), rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"tol": 0.1, "solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1},
        {"tol": 1.0},
        {"early_stopping": True, "tol": 1.0},
    ],
    ids=str,
)
def test_printed_lines_are_scikit_learns(options, capsys):
    lines = []
    for room in (sklearn.neural_network, torchann.estimators):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            room.MLPRegressor(verbose=True, random_state=0, max_iter=30, **options).fit(DIABETES_X, DIABETES_Y)
        lines.append(capsys.readouterr().out)
    assert lines[0] == lines[1] and lines[0]


def test_batch_that_is_larger_than_the_rows_is_clipped_with_scikit_learns_warning():
    found = both("MLPRegressor", DIABETES_X, DIABETES_Y, batch_size=1000, max_iter=2)
    same(found)
    assert any("is going to be clipped" in message for _, message in found[1][1])


def test_rows_that_cannot_be_written_to_or_go_backwards_are_rows():
    X = np.asfortranarray(DIABETES_X)
    X.setflags(write=False)
    for rows in (X, X[::-1], DIABETES_X.astype(">f8")):
        same(both("MLPRegressor", rows, DIABETES_Y, max_iter=3, early_stopping=True))


@pytest.mark.parametrize("count", [1, 100, 9000])
def test_predictions_of_few_and_of_many_rows_are_scikit_learns(count):
    (theirs, _), (ours, _) = both("MLPClassifier", IRIS_X, IRIS_Y, activation="tanh", hidden_layer_sizes=(200, 5))
    X = np.random.default_rng(0).normal(size=(count, 4))
    for rows in (X, X.astype(np.float32), (9 * X).astype(int), sparse.csr_array(X)):
        np.testing.assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), rtol=1e-5, atol=1e-9)
        assert ours.predict_proba(rows).dtype == theirs.predict_proba(rows).dtype
        np.testing.assert_array_equal(ours.predict(rows), theirs.predict(rows), strict=True)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_refused_also_where_there_are_few(value):
    model = torchann.estimators.MLPRegressor(tol=1e9, n_iter_no_change=1).fit(DIABETES_X, DIABETES_Y)
    X = DIABETES_X[:2].copy()
    X[0, 0] = value
    with pytest.raises(ValueError, match="Input X contains"):
        model.predict(X)


@pytest.mark.parametrize("more", [{}, {"solver": "lbfgs"}, {"solver": "sgd", "early_stopping": True}])
def test_losses_are_of_the_types_of_scikit_learn(more):
    x, y = load_iris(return_X_y=True)
    found = []
    for kind in (sklearn.neural_network.MLPClassifier, torchann.estimators.MLPClassifier):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = kind(max_iter=3, random_state=0, **more).fit(x, y)
        found.append([type(getattr(model, name, None)) for name in ("loss_", "best_loss_", "n_iter_", "t_")])
    assert found[0] == found[1]
