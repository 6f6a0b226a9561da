"""The 3rd edition's regression nets with three hidden layers: scikit-learn's own, and the one trained with Adam."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting, trained
from torchann.data.california_housing import load_california_housing
from torchann.pictures.values import predicted_against_true
from torchann.tasks.regression import RegressionMLP

Examples = tuple[NDArray[np.float64], NDArray[np.float64]]
RMSE = "RMSE of rows not trained on, 100,000 USD"


def scikit_learn_regressor(train: Examples, judged: Examples, seed: int, **options: Any) -> Outcome:
    """Fit scikit-learn's own ``MLPRegressor``, 50-50-50, to standardised rows and judge it by others, to ten decimals.

    Both are features ``(rows, 8)`` and targets ``(rows,)`` in 100,000 USD; the seed is its ``random_state``.
    """
    net = MLPRegressor(hidden_layer_sizes=[50, 50, 50], random_state=seed, **options)
    x, y = judged
    y_hat = make_pipeline(StandardScaler(), net).fit(*train).predict(x)
    return Outcome({RMSE: f"{root_mean_squared_error(y, y_hat):.10f}"}, shown=(y, y_hat))


def draw_predictions(outcomes: Sequence[Outcome], title: str) -> Figure:
    """Draw predictions over targets, ``outcomes[0].shown``."""
    y, y_hat = outcomes[0].shown
    return predicted_against_true(y, y_hat, "median house value (100,000 USD)", title)


def _scikit_learn(setting: Setting) -> Outcome:
    pool, _, y_pool, _ = train_test_split(*load_california_housing(), random_state=42)
    x, x_val, y, y_val = train_test_split(pool, y_pool, random_state=42)
    return scikit_learn_regressor((x, y), (x_val, y_val), setting.seed)


EXPERIMENTS = (
    Experiment(
        name="mlp_regressor_3rd_edition",
        section="10.1.5",
        title="MLPRegressor 8-50-50-50-1, validation rows",
        published=(Published(RMSE, "0.5053326658"),),
        source="3rd edition, random_state=42; scikit-learn itself, on this package's rows",
        run=_scikit_learn,
        draw=draw_predictions,
        takes_seeds=False,
    ),
    trained(
        "housing_mlp_adam",
        "10.2.3",
        "Regression MLP 8-50-50-50-1 with Adam on California housing",
        lambda: RegressionMLP([50, 50, 50], optimizer="adam", lr=1e-3),
        20,
        {"test_rmse": Published("test RMSE", 0.5297, (0.523, 0.559))},
        "3rd edition, where a layer scales the features; band: 0.529 to 0.553 of 10 seeds and a quarter more",
    ),
)
