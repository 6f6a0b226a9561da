"""A population of networks against scikit-learn, which trains each alone."""

import math

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import r2_score
from sklearn.preprocessing import scale

from tests.tuning.beside_sklearn import of_sklearn
from torchann.engine.population import Population, population
from torchann.engine.population.plan import plan
from torchann.estimators import MLPClassifier, MLPRegressor
from torchann.nets.many_objectives import OBJECTIVES, spread
from torchann.tuning.network_folds import prepare

# Few epochs are enough to compare, and too few to converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ITERATIONS = 8
WIDTHS = [(3,), (9,), (5, 4), (2, 7), (), 12]
OPTIONS = [
    {},
    {"solver": "sgd", "learning_rate_init": 0.01},
    {"solver": "sgd", "learning_rate_init": 0.02, "momentum": 0, "alpha": 0, "early_stopping": True},
    {"solver": "sgd", "learning_rate_init": 0.02, "momentum": 0, "alpha": 2.0, "batch_size": 20},
    {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.8, "alpha": 1, "learning_rate_init": 0.02}
    | {"learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 1},
    {
        "early_stopping": True,
        "batch_size": 32,
        "alpha": 0.5,
        "learning_rate_init": 0.01,
        "beta_1": 0.8,
        "epsilon": 1e-3,
    },
    {"solver": "sgd", "momentum": 0.5, "learning_rate": "invscaling", "batch_size": 17, "early_stopping": True},
    {"solver": "sgd", "momentum": 0.7, "batch_size": 32, "shuffle": False},
    {"tol": 0.05, "n_iter_no_change": 2},
]


def one_output():
    X, y = load_diabetes(return_X_y=True)
    return MLPRegressor, scale(X)[:150], scale(y)[:150]


def two_outputs():
    make, X, y = one_output()
    return make, X, np.stack([y, np.sin(3 * y)], 1)


def two_classes():
    X, y = load_breast_cancer(return_X_y=True)
    return MLPClassifier, scale(X)[:150, :12], y[:150]


def three_classes():
    X, y = load_iris(return_X_y=True)
    return MLPClassifier, scale(X), np.array([3, 5, 8])[y]


def two_labels():
    make, X, y = three_classes()
    return make, X, np.stack([y == 3, y != 5], 1).astype(int)


TASKS = [one_output, two_outputs, two_classes, three_classes, two_labels]


def trained_together(networks, X, y, **options):
    (fold,) = prepare(networks[0], X, y, [np.arange(len(X))])
    started = [fold.start(network) for network in networks]
    members = [member for member, _ in started]
    finished = list(Population(members, fold.table, **options).train())
    assert sorted(map(id, finished)) == sorted(map(id, members))
    return [(member, fold.finish(network, member)) for member, network in started]


def assert_same(alone, fitted, member, rtol, atol):
    close = {"rtol": rtol, "atol": atol}
    assert fitted.n_iter_ == alone.n_iter_ and fitted.t_ == alone.t_, alone
    np.testing.assert_allclose(fitted.loss_curve_, alone.loss_curve_, **close, err_msg=str(alone))
    np.testing.assert_allclose(fitted.loss_, alone.loss_, **close)
    if alone.early_stopping:
        np.testing.assert_allclose(fitted.validation_scores_, alone.validation_scores_, **close)
        np.testing.assert_allclose(fitted.best_validation_score_, alone.best_validation_score_, **close)
    else:
        np.testing.assert_allclose(fitted.best_loss_, alone.best_loss_, **close)
    for ours, theirs in zip(fitted.coefs_ + fitted.intercepts_, alone.coefs_ + alone.intercepts_, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, **close, err_msg=str(alone))
    assert member.stopped == ("max_iter" if alone.n_iter_ == alone.max_iter else "converged")


CASES = [
    (one_output, "relu"),
    (one_output, "logistic"),
    (two_outputs, "tanh"),
    (two_outputs, "identity"),
    (two_classes, "logistic"),
    (two_classes, "relu"),
    (three_classes, "relu"),
    (three_classes, "tanh"),
    (two_labels, "logistic"),
    (two_labels, "identity"),
]


@pytest.mark.parametrize(("task", "activation"), CASES, ids=lambda part: getattr(part, "__name__", part))
def test_each_network_of_a_population_is_the_one_that_scikit_learn_trains_alone(task, activation):
    make, X, y = task()
    first = CASES.index((task, activation))
    networks = [
        make(hidden_layer_sizes=widths, activation=activation, random_state=at, max_iter=ITERATIONS, **options)
        for at, options in enumerate(OPTIONS)
        for widths in (WIDTHS[(at + first) % 6], WIDTHS[(at + first + 1 + first % 2) % 6])
    ]
    for network, (member, fitted) in zip(networks, trained_together(networks, X, y), strict=True):
        alone = of_sklearn(network).fit(X, y)
        assert_same(alone, fitted, member, rtol=1e-9, atol=1e-11)
        ours, theirs = fitted.predict(X), alone.predict(X)
        assert np.allclose(ours, theirs) if make is MLPRegressor else np.array_equal(ours, theirs)


@pytest.mark.parametrize("task", [one_output, three_classes], ids=lambda task: task.__name__)
def test_rows_of_float32_are_computed_in_float32(task):
    make, X, y = task()
    X, y = X.astype(np.float32), y if make is MLPClassifier else y.astype(np.float32)
    networks = [
        make(hidden_layer_sizes=(6,), random_state=at, max_iter=ITERATIONS, **options)
        for at, options in enumerate(OPTIONS)
    ]
    for network, (member, fitted) in zip(networks, trained_together(networks, X, y), strict=True):
        alone = of_sklearn(network).fit(X, y)
        assert_same(alone, fitted, member, rtol=2e-4, atol=2e-5)
        assert fitted.coefs_[0].dtype == np.float32


def test_networks_with_other_rows_batches_and_ends_are_in_one_population():
    make, X, y = one_output()
    parts = [np.arange(150), np.arange(64), np.arange(10, 75), np.arange(5, 150, 3)]  # 64 rows are 2 steps, 65 are 3
    network = make(hidden_layer_sizes=(4,), batch_size=32, random_state=0, learning_rate_init=0.02)
    folds = prepare(network, X, y, parts)
    assert len({id(fold.table) for fold in folds}) == 1  # no row is there twice
    started = [
        (fold, *fold.start(clone(network).set_params(max_iter=max_iter)))
        for fold, max_iter in zip(folds, (3, 9, 6, 5), strict=True)
    ]
    assert len(plan([member for _, member, _ in started], item_size=8)) == 3
    order = [member.n_iter for member in Population([member for _, member, _ in started], folds[0].table).train()]
    assert sorted(order) == [3, 5, 6, 9]
    for (fold, member, ours), part in zip(started, parts, strict=True):
        alone = of_sklearn(ours).fit(X[part], y[part])
        assert_same(alone, fold.finish(ours, member), member, rtol=1e-9, atol=1e-11)


def test_networks_with_fewer_validation_rows_are_judged_by_theirs():
    make, X, y = one_output()
    parts = [np.arange(150), np.arange(100), np.arange(20, 91)]  # a step per epoch; 15, 10 and 8 rows to judge by
    network = make(hidden_layer_sizes=(4,), early_stopping=True, random_state=0, learning_rate_init=0.05, max_iter=6)
    folds = prepare(network, X, y, parts)
    started = [fold.start(network) for fold in folds]
    members = [member for member, _ in started]
    assert len(plan(members, item_size=8)) == 1 and [len(member.validation) for member in members] == [15, 10, 8]
    list(Population(members, folds[0].table).train())
    for fold, (member, ours), part in zip(folds, started, parts, strict=True):
        alone = of_sklearn(network).fit(X[part], y[part])
        assert_same(alone, fold.finish(ours, member), member, rtol=1e-9, atol=1e-11)


def test_a_network_that_diverges_stops_and_leaves_the_others_as_they_are(monkeypatch):
    monkeypatch.setattr(population, "ROUND", 0)  # what has finished comes after each epoch
    make, X, y = one_output()
    options = {"solver": "sgd", "random_state": 1, "max_iter": 20}
    rates = [0.01, 1e6, 0.02]
    networks = [make(hidden_layer_sizes=(4,), learning_rate_init=rate, **options) for rate in rates]
    (fold,) = prepare(networks[0], X, y, [np.arange(150)])
    started = [fold.start(network) for network in networks]
    members = [member for member, _ in started]
    assert len(plan(members, item_size=8)) == 1
    first = next(Population(members, fold.table).train())
    assert first is members[1] and first.stopped == "diverged" and first.n_iter < 20
    list(Population(members, fold.table).train())
    for at in (0, 2):
        alone = of_sklearn(networks[at]).fit(X, y)
        assert_same(alone, fold.finish(started[at][1], members[at]), members[at], 1e-9, 1e-11)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        fold.finish(started[1][1], members[1])


@pytest.mark.filterwarnings("ignore:(overflow|invalid value):RuntimeWarning")  # in scikit-learn
def test_a_network_that_diverges_keeps_its_best_weights():
    make, X, y = one_output()
    options = {"solver": "sgd", "random_state": 1, "max_iter": 20, "early_stopping": True, "learning_rate_init": 1e3}
    network = make(hidden_layer_sizes=(4,), **options)
    ((member, fitted),) = trained_together([network], X, y)
    assert member.stopped == "diverged"
    alone = of_sklearn(network).fit(X, y)
    np.testing.assert_allclose(fitted.coefs_[0], alone.coefs_[0], rtol=1e-9)
    known = len(member.validation_scores)
    np.testing.assert_allclose(member.validation_scores, alone.validation_scores_[:known], rtol=1e-9)
    assert np.isnan(alone.validation_scores_[known:]).all()  # scikit-learn trains on to no purpose


def test_a_network_goes_on_where_it_was():
    make, X, y = one_output()
    networks = [
        make(hidden_layer_sizes=(5,), random_state=at, max_iter=4, tol=0, **options)
        for at, options in enumerate(OPTIONS[:3])
    ]
    (fold,) = prepare(networks[0], X, y, [np.arange(150)])
    started = [fold.start(network) for network in networks]
    members = [member for member, _ in started]
    list(Population(members, fold.table).train())
    assert [member.stopped for member in members] == 3 * ["max_iter"]
    for member in members:
        member.go_on(9)
    list(Population(members, fold.table).train())
    for network, (member, ours) in zip(networks, started, strict=True):
        alone = of_sklearn(network).set_params(max_iter=9).fit(X, y)
        assert_same(alone, fold.finish(ours.set_params(max_iter=9), member), member, rtol=1e-9, atol=1e-11)


def test_losses_are_left_out_where_nothing_stops_by_them():
    make, X, y = one_output()
    networks = [
        make(hidden_layer_sizes=(5,), random_state=0, max_iter=4, early_stopping=early) for early in (True, False)
    ]
    (without, fitted), (by_loss, _) = trained_together(networks, X, y, losses=False)
    assert without.loss_curve == [] and len(by_loss.loss_curve) == 4
    alone = of_sklearn(networks[0]).fit(X, y)
    np.testing.assert_allclose(fitted.validation_scores_, alone.validation_scores_, rtol=1e-9)
    np.testing.assert_allclose(fitted.coefs_[0], alone.coefs_[0], rtol=1e-9)


def test_r2_of_a_constant_target_is_that_of_scikit_learn():
    objective, y = OBJECTIVES["squared_error"], torch.tensor([[2.0, 2.0, 1.0], [2.0, 2.0, 3.0]], dtype=torch.float64)
    for predicted in (y, y + torch.tensor([0.0, 1.0, 0.5])):
        errors = (predicted - y).square().sum(0)
        assert objective.score(errors, spread(y)) == r2_score(y, predicted)


@pytest.mark.parametrize(("output", "score"), [(math.inf, math.nan), (math.nan, math.nan), (1e200, -math.inf)])
def test_r2_of_outputs_out_of_bounds_is_that_of_scikit_learn(output, score):
    objective, y = OBJECTIVES["squared_error"], torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    values = torch.tensor([[[1.0, output]]], dtype=torch.float64)  # of the last hidden layer
    tally = objective.tally(torch.ones(1, 1, 1, dtype=torch.float64), values, y.T[None])
    assert objective.score(tally.sum(2)[0], spread(y)) == pytest.approx(score, nan_ok=True)
