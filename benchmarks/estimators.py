"""A fit of each estimator and predictions, ours and scikit-learn's: ``python benchmarks/estimators.py PEER FIT``."""

import sys
import warnings
from typing import Any

from worker import arrays, serve

FASHION = {"hidden_layer_sizes": (300, 100), "batch_size": 32, "max_iter": 1}
HOUSING = {"hidden_layer_sizes": (30,), "batch_size": 32, "max_iter": 10}
FITS: dict[str, tuple[str, str, dict[str, Any], float | None]] = {  # data, dtype, arguments, aim
    "fashion, adam": ("fashion", "float32", FASHION, 0.24),
    "fashion, sgd": ("fashion", "float32", FASHION | {"solver": "sgd"}, 0.32),
    "fashion, adam, float64": ("fashion", "float64", FASHION, None),
    "housing, adam": ("housing", "float32", HOUSING, 0.12),
    "housing, sgd": ("housing", "float64", HOUSING | {"solver": "sgd"}, 0.12),
    "iris": ("iris", "float64", {}, 0.3),
    "iris, sgd, early stopping": ("iris", "float64", {"solver": "sgd", "early_stopping": True}, None),
    "digits": ("digits", "float64", {}, 0.3),
    "digits, batch 32": ("digits", "float64", {"batch_size": 32, "max_iter": 20}, None),
}
PEERS = ("torchann", "scikit-learn")


def rows(name: str, dtype: str) -> tuple[Any, Any]:
    """Return inputs and targets as arrays."""
    if name in ("iris", "digits"):
        from sklearn import datasets

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    else:
        X, y, _, _ = arrays(name)
    return X.astype(dtype), y.ravel()


def main(peer: str, fit: str) -> None:
    """Serve one peer."""
    import numpy as np

    if peer == "scikit-learn":
        from sklearn.neural_network import MLPClassifier, MLPRegressor
    else:
        from torchann.estimators import MLPClassifier, MLPRegressor
    warnings.simplefilter("ignore")
    data, dtype, options, _ = FITS[fit]
    X, y = rows(data, dtype)
    model, many = (MLPRegressor if data == "housing" else MLPClassifier)(random_state=0, **options), [X]

    def predict(count: int) -> None:
        if len(many[0]) < count:
            many[0] = np.resize(X, (count, X.shape[1]))
        model.predict(many[0][:count])

    serve(lambda: model.fit(X, y), predict)


if __name__ == "__main__":
    main(*sys.argv[1:])
