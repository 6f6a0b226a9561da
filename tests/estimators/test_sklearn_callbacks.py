"""The estimators in scikit-learn's callback interface."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from torchann.estimators import MLPClassifier, MLPRegressor
from torchann.tuning import GridSearchCV

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9 has no callbacks")
X, Y = load_iris(return_X_y=True)
X = scale(X)
EPOCHS = 5


def net(kind=MLPClassifier, **options):
    return kind(
        hidden_layer_sizes=(6,), random_state=0, **{"max_iter": EPOCHS, "tol": 0, "n_iter_no_change": 99, **options}
    )


class Recorder:
    """Notes what it is told; ends a fit after some epochs."""

    def __init__(self, last=99):
        self.told, self.last = [], last

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"{context.task_name} begins")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator, metadata):
        self.told.append((context.task_name, fitted_estimator, X, y, metadata))
        return context.task_name == "epoch" and context.task_id + 1 == self.last

    @property
    def fitted(self):
        return [told[1] for told in self.told if told[0] == "epoch"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_callback_is_told_of_the_fit_and_of_each_epoch_with_the_net_as_it_is():
    recorder, weight = Recorder(), np.arange(150.0)
    model = net().set_callbacks(recorder).fit(X, Y, sample_weight=weight)
    names = [told if isinstance(told, str) else f"{told[0]} ends" for told in recorder.told]
    epochs = ["epoch begins", "epoch ends"] * EPOCHS
    assert names == ["setup", "fit begins", *epochs, "fit ends", "teardown"]
    assert all(told[2] is X and told[3] is Y and told[4]["sample_weight"] is weight for told in recorder.told[3:-1:2])
    shorter = [net(max_iter=epochs).fit(X, Y, sample_weight=weight) for epochs in range(1, EPOCHS + 1)]
    for fitted, stopped in zip(recorder.fitted, shorter, strict=True):
        assert (fitted.predict_proba(X) == stopped.predict_proba(X)).all()
    assert (recorder.fitted[-1].predict_proba(X) == model.predict_proba(X)).all()


def test_callback_ends_a_fit():
    model = net().set_callbacks(Recorder(last=3)).fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == 3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("kind", "score", "options"),
    [(MLPClassifier, "accuracy", {}), (MLPRegressor, "r2", {"early_stopping": True})],
)
def test_scoring_monitor_has_a_score_of_each_epoch(kind, score, options):
    monitor = callback.ScoringMonitor(scoring=score)
    model = net(kind, **options).set_callbacks(monitor).fit(X, Y.astype(float))
    log = {row["task_id_path"]: row[score] for row in monitor.get_logs().data}
    assert list(log) == [(0,), *((0, epoch) for epoch in range(EPOCHS))]
    assert log[0,] == model.score(X, Y)
    assert len(set(log.values())) > 3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fit_by_lbfgs_is_one_task():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = net(solver="lbfgs").set_callbacks(monitor).fit(X, Y)
    assert [row["accuracy"] for row in monitor.get_logs().data] == [model.score(X, Y)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_callbacks_of_a_net_are_those_of_its_clones_in_a_search():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    search = GridSearchCV(net().set_callbacks(monitor), {"alpha": [0.0, 0.1]}, cv=2, n_jobs=2).fit(X, Y)
    epochs = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(epochs) == (2 * 2 + 1) * EPOCHS  # and the refit
    assert epochs[-1]["accuracy"] == search.score(X, Y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fit_that_nobody_watches_learns_the_same():
    watched, alone = net().set_callbacks(Recorder()).fit(X, Y), net().fit(X, Y)
    assert watched.loss_curve_ == alone.loss_curve_
