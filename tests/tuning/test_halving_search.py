"""Successive halving over epochs, and searches that Ctrl-C ends."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.base import clone

from tests.tuning.beside_sklearn import REGRESSOR, SPACE, both, numbers
from torchann.engine.together import check_stop
from torchann.tuning import GridSearchCV, HalvingRandomSearchCV

# So few epochs do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_halving_search_over_epochs_is_that_of_scikit_learn():
    X, y = numbers()
    space = {
        "hidden_layer_sizes": [(3,), (9,), (5, 4)],
        "learning_rate_init": [0.01, 0.02, 0.1],
        "early_stopping": [True, False],
    }
    options = {"n_candidates": 9, "max_resources": 27, "min_resources": 3, "cv": 3, "random_state": 0}
    ours, theirs = both("HalvingRandomSearchCV", REGRESSOR, space, X, y, resource="max_iter", **options)
    assert ours.n_candidates_ == theirs.n_candidates_ == [9, 3, 1] and ours.n_resources_ == [3, 9, 27]
    assert set(ours.cv_results_["iter"]) == {0, 1, 2}


def test_halving_search_takes_the_estimators_epochs_and_other_resources_too():
    X, y = numbers()
    model = clone(REGRESSOR).set_params(max_iter=12)
    search = HalvingRandomSearchCV(model, {"alpha": (1e-4, 1.0)}, cv=2, n_candidates=6, random_state=0).fit(X, y)
    assert search.n_resources_ == [1, 3] and search.max_resources_ == 12 and search.max_resources == "auto"
    assert search.get_params()["resource"] == "max_iter"
    options = {"n_candidates": 4, "cv": 2, "random_state": 0, "resource": "n_samples"}
    both("HalvingRandomSearchCV", REGRESSOR, {"alpha": loguniform(1e-4, 1)}, X, y, **options)


def interrupted_after(count):
    """A score during whose ``count + 1``-th call Ctrl-C comes."""
    scored = []

    def score(estimator, X, y):
        if len(scored) == count:
            scored.append(None)
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                time.sleep(0.01)
                check_stop()
        scored.append(estimator.score(X, y))
        return scored[-1]

    return score


def test_interrupt_keeps_the_candidates_that_are_done(capsys):
    X, y = numbers()
    grid = {"max_iter": [3, 8], "learning_rate_init": [0.01, 0.03]}
    whole = GridSearchCV(REGRESSOR, grid, cv=2).fit(X, y).cv_results_
    search = GridSearchCV(REGRESSOR, grid, cv=2, n_jobs=1, verbose=1, scoring=interrupted_after(7))
    with pytest.warns(UserWarning, match="the search was interrupted: 3 of 4 candidates are done"):
        search.fit(X, y)
    assert search.cv_results_["params"] == whole["params"][:3] and search.verbose == 1
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], whole["mean_test_score"][:3])
    assert search.best_score_ == max(search.cv_results_["mean_test_score"]) and search.predict(X).shape == y.shape
    assert capsys.readouterr().out == "Fitting 2 folds for each of 4 candidates, totalling 8 fits\n"


def test_interrupt_before_anything_is_done_is_raised():
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(REGRESSOR, SPACE, cv=2, n_jobs=1, scoring=interrupted_after(1)).fit(*numbers())


def test_interrupt_ends_fits_that_would_last_for_hours():
    endless = clone(REGRESSOR).set_params(max_iter=10**9, n_iter_no_change=10**9)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    threads = threading.active_count()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(endless, SPACE, cv=2, n_jobs=2).fit(*numbers())
    timer.join()
    assert threading.active_count() <= threads


@pytest.mark.parametrize(("scored", "rounds"), [(11, [0, 0, 0, 0, 1]), (9, [0, 0, 0, 0])])
def test_interrupted_halving_has_the_best_of_its_last_round(scored, rounds):
    X, y = numbers()
    space = {"hidden_layer_sizes": [(3,), (9,)], "learning_rate_init": [0.01, 0.02]}
    options = {"n_candidates": 4, "factor": 2, "min_resources": 2, "max_resources": 8, "cv": 2, "random_state": 0}
    scoring = interrupted_after(scored)  # 4 candidates in 2 folds, then two survivors
    search = HalvingRandomSearchCV(REGRESSOR, space, n_jobs=1, return_train_score=False, scoring=scoring, **options)
    with pytest.warns(UserWarning, match=f"interrupted: {len(rounds)} of 6 candidates are done"):
        search.fit(X, y)
    assert search.cv_results_["iter"].tolist() == rounds and rounds[search.best_index_] == rounds[-1]
    assert search.n_iterations_ == 2 and search.n_remaining_candidates_ == rounds.count(rounds[-1])


def interrupt_refit(model, figures):
    if threading.current_thread() is threading.main_thread() and figures["epoch"] == 1:
        raise KeyboardInterrupt


def test_interrupted_refit_keeps_what_it_has_learnt():
    X, y = numbers()
    network = clone(REGRESSOR).set_params(callbacks=[interrupt_refit])
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        search = GridSearchCV(network, {"alpha": [0.1]}, cv=2).fit(X, y)
    assert search.best_estimator_.n_iter_ == 2
    alone = clone(REGRESSOR).set_params(alpha=0.1, max_iter=2).fit(X, y)
    np.testing.assert_allclose(search.predict(X), alone.predict(X))


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
def test_halving_search_over_epochs_does_not_say_that_they_were_few():
    HalvingRandomSearchCV(REGRESSOR, SPACE, n_candidates=2, min_resources=1, max_resources=3, refit=False).fit(
        *numbers()
    )
