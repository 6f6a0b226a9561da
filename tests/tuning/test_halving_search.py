"""Successive halving over epochs, and searches that Ctrl-C ends."""

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.base import clone

from tests.tuning.beside_sklearn import REGRESSOR, SPACE, both, numbers
from torchann.engine.epoch import Training
from torchann.engine.population import population
from torchann.tuning import GridSearchCV, HalvingRandomSearchCV
from torchann.tuning.evaluator import Evaluator

# So few epochs do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_halving_search_over_epochs_is_that_of_scikit_learn_and_survivors_go_on(monkeypatch):
    X, y = numbers()
    space = {
        "hidden_layer_sizes": [(3,), (9,), (5, 4)],
        "learning_rate_init": [0.01, 0.02, 0.1],
        "early_stopping": [True, False],
    }
    trained = []
    train_for = population.train_for
    monkeypatch.setattr(population, "train_for", lambda members, *rest: counted(trained, train_for, members, *rest))
    options = {"n_candidates": 9, "max_resources": 27, "min_resources": 3, "cv": 3, "random_state": 0}
    ours, theirs = both("HalvingRandomSearchCV", REGRESSOR, space, X, y, resource="max_iter", **options)
    assert ours.n_candidates_ == theirs.n_candidates_ == [9, 3, 1] and ours.n_resources_ == [3, 9, 27]
    assert set(ours.cv_results_["iter"]) == {0, 1, 2}
    # 9 candidates for 3 epochs, 3 for 6 more, 1 for 18 more, in 3 folds, unless they stop early
    assert 0 < sum(trained) <= 3 * (9 * 3 + 3 * 6 + 18)


def counted(trained, train_for, members, *rest):
    before = sum(member.n_iter for member in members)
    returned = train_for(members, *rest)
    trained.append(sum(member.n_iter for member in members) - before)
    return returned


def test_halving_search_takes_the_estimators_epochs_and_other_resources_too():
    X, y = numbers()
    model = clone(REGRESSOR).set_params(max_iter=12)
    search = HalvingRandomSearchCV(model, {"alpha": (1e-4, 1.0)}, cv=2, n_candidates=6, random_state=0).fit(X, y)
    assert search.n_resources_ == [1, 3] and search.max_resources_ == 12 and search.max_resources == "auto"
    assert search.get_params()["resource"] == "max_iter"
    options = {"n_candidates": 4, "cv": 2, "random_state": 0, "resource": "n_samples"}
    both("HalvingRandomSearchCV", REGRESSOR, {"alpha": loguniform(1e-4, 1)}, X, y, **options)


def interrupt_after(monkeypatch, count):
    """Ctrl-C comes when so many fits are scored."""
    result, seen = Evaluator._result, []

    def interrupted(self, *args):
        if len(seen) == count:
            raise KeyboardInterrupt
        seen.append(args)
        return result(self, *args)

    monkeypatch.setattr(Evaluator, "_result", interrupted)


def test_interrupt_keeps_the_candidates_that_are_done(monkeypatch):
    X, y = numbers()
    grid = {"max_iter": [3, 8], "learning_rate_init": [0.01, 0.03]}
    whole = GridSearchCV(REGRESSOR, grid, cv=2).fit(X, y)
    interrupt_after(monkeypatch, 6)
    with pytest.warns(UserWarning, match="the search was interrupted: [23] of 4 candidates are done"):
        ours = GridSearchCV(REGRESSOR, grid, cv=2).fit(X, y)
    known = [whole.cv_results_["params"].index(params) for params in ours.cv_results_["params"]]
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"][known])
    assert ours.best_score_ == ours.cv_results_["mean_test_score"].max() and ours.predict(X).shape == y.shape


def test_interrupt_before_anything_is_done_is_raised(monkeypatch):
    interrupt_after(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(REGRESSOR, SPACE, cv=2).fit(*numbers())


def test_interrupted_halving_has_the_best_of_its_last_round(monkeypatch):
    X, y = numbers()
    interrupt_after(monkeypatch, 10)  # 4 candidates in 2 folds, then one of the two survivors
    space = {"hidden_layer_sizes": [(3,), (9,)], "learning_rate_init": [0.01, 0.02]}
    options = {"n_candidates": 4, "factor": 2, "min_resources": 2, "max_resources": 8, "cv": 2, "random_state": 0}
    with pytest.warns(UserWarning, match="interrupted: 5 of 6 candidates are done"):
        search = HalvingRandomSearchCV(REGRESSOR, space, **options).fit(X, y)
    assert search.cv_results_["iter"].tolist() == [0, 0, 0, 0, 1] and search.best_index_ == 4
    assert search.n_iterations_ == 2 and search.n_remaining_candidates_ == 1


def test_interrupted_refit_keeps_what_it_has_learnt(monkeypatch):
    X, y = numbers()
    epoch, calls = Training.epoch, []

    def third_is_interrupted(self, *args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return epoch(self, *args)

    monkeypatch.setattr(Training, "epoch", third_is_interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        search = GridSearchCV(REGRESSOR, {"alpha": [0.1]}, cv=2).fit(X, y)
    assert search.best_estimator_.n_iter_ == 2
    monkeypatch.undo()
    alone = clone(REGRESSOR).set_params(alpha=0.1, max_iter=2).fit(X, y)
    np.testing.assert_allclose(search.predict(X), alone.predict(X))
