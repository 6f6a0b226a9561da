"""The weights, counts and warnings of scikit-learn's Perceptron, to the last bit."""

import warnings
from functools import cache

import numpy as np
import pytest
import sklearn.linear_model
import torch
from scipy import sparse
from sklearn.datasets import load_digits, load_iris, make_classification

from torchann.engine.perceptron import perceptron_rule_
from torchann.estimators import Perceptron

OPTIONS = [
    {},
    {"random_state": 1},
    {"random_state": None},
    {"shuffle": False},
    {"penalty": "l1"},
    {"penalty": "l2", "alpha": 0.01},
    {"penalty": "elasticnet", "l1_ratio": 0.4, "random_state": 3},
    {"early_stopping": True},
    {"early_stopping": True, "validation_fraction": 0.3, "n_iter_no_change": 2, "random_state": 5},
    {"class_weight": "balanced"},
    {"class_weight": {0: 3.0}, "penalty": "l2"},
    {"fit_intercept": False},
    {"eta0": 0.1},
    {"tol": None, "max_iter": 7},
    {"max_iter": 2},  # warns that it did not converge
    {"n_jobs": 2, "random_state": 8},
]
FITTED = ("coef_", "intercept_", "n_iter_", "t_", "classes_", "n_features_in_")


@cache
def rows(name):
    if name == "digits":
        return load_digits(return_X_y=True)
    if name == "noise":
        return make_classification(200, 20, flip_y=0.2, random_state=0)
    iris = load_iris()
    return (iris.data, iris.target) if name == "species" else (iris.data[:, 2:], (iris.target == 0).astype(int))


def told(fit, seed=11):
    """The warnings of a call; the same numpy generator for what uses that one."""
    np.random.seed(seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit()
    return [(warning.category, str(warning.message)) for warning in caught]


def same(ours, theirs):
    assert set(vars(ours)) == set(vars(theirs))
    for name in FITTED:
        a, b = getattr(ours, name), getattr(theirs, name)
        assert type(a) is type(b) and np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(a, b, strict=True)


def pair(**options):
    return Perceptron(**options), sklearn.linear_model.Perceptron(**options)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", ["setosa", "species", "noise", "digits"])
def test_fit_ends_at_scikit_learns_bits_and_warnings(name, options):
    X, y = rows(name)
    ours, theirs = pair(**options)
    assert told(lambda: ours.fit(X, y)) == told(lambda: theirs.fit(X, y))
    same(ours, theirs)
    np.testing.assert_array_equal(ours.decision_function(X), theirs.decision_function(X), strict=True)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X), strict=True)
    assert ours.score(X, y) == theirs.score(X, y)


@pytest.mark.parametrize(
    "container", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array, np.float32, np.asfortranarray]
)
@pytest.mark.parametrize("options", [{}, {"penalty": "elasticnet"}, {"early_stopping": True}], ids=str)
@pytest.mark.parametrize("name", ["noise", "digits"])
def test_fit_of_other_rows_ends_at_scikit_learns_bits(name, options, container):
    X, y = container(rows(name)[0]), rows(name)[1]
    ours, theirs = pair(**options)
    assert told(lambda: ours.fit(X, y)) == told(lambda: theirs.fit(X, y))
    same(ours, theirs)
    assert ours.coef_.dtype == (np.float32 if container is np.float32 else np.float64)


@pytest.mark.parametrize("name", ["noise", "species"])
def test_weights_of_rows_end_at_scikit_learns_bits(name):
    X, y = rows(name)
    counts = np.random.default_rng(0).integers(0, 4, len(y))
    ours, theirs = pair(penalty="l2", class_weight="balanced", random_state=2)
    assert told(lambda: ours.fit(X, y, sample_weight=counts)) == told(lambda: theirs.fit(X, y, sample_weight=counts))
    same(ours, theirs)


@pytest.mark.parametrize("name", ["setosa", "species"])
def test_partial_fit_goes_on_at_scikit_learns_bits(name):
    X, y = rows(name)
    ours, theirs = pair(random_state=4)
    for part in np.array_split(np.random.default_rng(0).permutation(len(y)), 4):
        for model in (ours, theirs):
            model.partial_fit(X[part], y[part], classes=np.unique(y))
        same(ours, theirs)


@pytest.mark.parametrize("name", ["noise", "species"])
def test_warm_start_and_weights_to_start_from_end_at_scikit_learns_bits(name):
    X, y = rows(name)
    ours, theirs = pair(warm_start=True, max_iter=3, tol=None)
    for _ in range(3):
        for model in (ours, theirs):
            model.fit(X, y)
        same(ours, theirs)
    coef, intercept = ours.coef_ + 1, ours.intercept_ - 1
    for model in (ours, theirs):  # scikit-learn's learns in the memory of what it is given
        model.fit(X, y, coef_init=coef.copy(), intercept_init=intercept.copy())
    same(ours, theirs)


def test_classes_that_are_text_end_at_scikit_learns_bits():
    X, y = rows("species")
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    ours, theirs = pair()
    assert told(lambda: ours.fit(X, names)) == told(lambda: theirs.fit(X, names))
    same(ours, theirs)


def test_perceptron_is_sgd_with_the_perceptrons_loss():
    X, y = rows("species")
    theirs = sklearn.linear_model.SGDClassifier(
        loss="perceptron", learning_rate="constant", eta0=1, penalty=None, random_state=0
    )
    ours = Perceptron().fit(X, y)
    np.testing.assert_array_equal(ours.coef_, theirs.fit(X, y).coef_)


@pytest.mark.parametrize("name", ["setosa", "noise"])
def test_fit_in_stored_order_is_the_rule_of_the_engine(name):
    X, y = rows(name)
    ours = Perceptron(shuffle=False, tol=None, max_iter=9).fit(X, y)
    weight, bias = torch.zeros(X.shape[1], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for _ in range(9):
        perceptron_rule_(weight, bias, torch.from_numpy(X), torch.from_numpy(2.0 * y - 1))
    np.testing.assert_array_equal(ours.coef_[0], weight)
    np.testing.assert_array_equal(ours.intercept_, bias)


def test_books_perceptron_is_found():  # the figures of the book's second and third edition
    iris = load_iris()
    X, y = iris.data[:, (2, 3)], (iris.target == 0).astype(int)
    assert Perceptron().fit(X, y).predict([[2, 0.5]]) == 0
    assert Perceptron(random_state=42).fit(X, y).predict([[2, 0.5], [3, 1]]).tolist() == [1, 0]


def test_arguments_and_their_defaults_are_scikit_learns():
    ours, theirs = pair()
    assert ours.get_params() == theirs.get_params() and repr(ours) == repr(theirs) == "Perceptron()"
    assert Perceptron.__init__ is sklearn.linear_model.Perceptron.__init__
