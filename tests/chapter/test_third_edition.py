"""The 3rd edition's regression nets: what they are made of, and the picture of their predictions."""

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error
from sklearn.neural_network import MLPRegressor

from torchann.chapter import third_edition
from torchann.chapter.experiment import Outcome, Setting
from torchann.chapter.third_edition import EXPERIMENTS, RMSE, draw_predictions, scikit_learn_regressor

SCIKIT_LEARN, ADAM = EXPERIMENTS


def test_net_with_adam_is_that_of_the_book():
    task, data = ADAM.run.make(Setting("", seed=7))
    wanted = {"hidden_sizes": [50, 50, 50], "optimizer": "adam", "lr": 1e-3, "activation": "relu", "loss": "mse"}
    assert wanted.items() <= dict(task.hparams).items()
    assert (data.batch_size, data.seed, ADAM.run.max_epochs) == (32, 7, 20)


def test_scikit_learn_learns_from_the_training_rows_and_is_judged_on_the_validation_rows(monkeypatch):
    asked = {}
    monkeypatch.setattr(third_edition, "scikit_learn_regressor", lambda *given: asked.update(given=given))
    SCIKIT_LEARN.run(Setting("", seed=42))
    train, judged, seed = asked["given"]
    assert [len(rows) for rows in (*train, *judged)] == [11_610, 11_610, 3_870, 3_870] and seed == 42


def test_scikit_learn_regressor_scales_by_the_training_rows_alone():
    rng = np.random.default_rng(0)
    x, x_judged = rng.normal(5, 3, (300, 8)), rng.normal(9, 1, (50, 8))
    y, y_judged = x.sum(1), x_judged.sum(1)
    # No epoch is better by 1e9: both stop after the twelfth.
    outcome = scikit_learn_regressor((x, y), (x_judged, y_judged), seed=1, tol=1e9)
    mean, std = x.mean(0), x.std(0)
    net = MLPRegressor(hidden_layer_sizes=[50, 50, 50], random_state=1, tol=1e9).fit((x - mean) / std, y)
    expected = root_mean_squared_error(y_judged, net.predict((x_judged - mean) / std))
    assert float(outcome.measurements[RMSE]) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(outcome.shown[0], y_judged)


def test_right_predictions_lie_on_the_diagonal_of_the_picture():
    (panel,) = draw_predictions([Outcome({}, shown=(np.array([1.0, 5.0]), np.array([1.0, 4.0])))], "Two rows").axes
    dots, diagonal = panel.lines
    assert dots.get_xydata().tolist() == [[1, 1], [5, 4]] and diagonal.get_slope() == 1
    assert panel.get_ylabel() == "predicted median house value (100,000 USD)"
