"""The book's random search on housing by each peer: ``python benchmarks/search.py PEER random``."""

import os
import sys
import warnings
from typing import Any

import numpy as np
from scipy.stats import loguniform
from sklearn.model_selection import KFold, ParameterSampler
from worker import arrays, serve

BATCH, SEED, CANDIDATES, FOLDS, MAX_EPOCHS, PATIENCE = 32, 42, 10, 3, 100, 10
SPACE = {  # 1 to 3 hidden layers of 1 to 99 neurons
    "hidden_layer_sizes": [(neurons,) * layers for layers in (1, 2, 3) for neurons in range(1, 100)],
    "learning_rate_init": loguniform(3e-4, 3e-2),
}
TEXT = f"""\
{CANDIDATES} candidates, 1 to 3 hidden layers of 1 to 99 neurons, rates drawn by factor from 3e-4 to 3e-2, in {FOLDS}
folds of housing's 11,610 training rows, float32; batch {BATCH}, SGD without momentum, at most {MAX_EPOCHS} epochs,
early stopping after {PATIENCE} without a better R² on a tenth of the rows. Two threads of ours, two processes of
scikit-learn's; Keras takes one candidate after the other, in one round."""


def search_with(make: type, kind: type, x: Any, y: Any) -> dict[str, float]:
    """Search by a class of ours or scikit-learn's for a net of a class and return the best score."""
    options = {"solver": "sgd", "momentum": 0, "batch_size": BATCH, "max_iter": MAX_EPOCHS}
    network = kind(random_state=SEED, early_stopping=True, n_iter_no_change=PATIENCE, **options)
    search = make(network, SPACE, n_iter=CANDIDATES, cv=KFold(FOLDS), n_jobs=2, random_state=SEED, refit=False)
    return {"score": float(search.fit(x, y).best_score_)}


def keras_search(x: Any, y: Any) -> dict[str, float]:
    """Take the same candidates and folds in Keras and return the best mean score."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # the faster of its backends
    import keras

    best = -np.inf
    for candidate in ParameterSampler(SPACE, CANDIDATES, random_state=SEED):
        scores = []
        for train, test in KFold(FOLDS).split(x):
            layers = [keras.layers.Dense(n, activation="relu") for n in candidate["hidden_layer_sizes"]]
            net = keras.Sequential([keras.Input((x.shape[1],)), *layers, keras.layers.Dense(1)])
            net.compile(loss="mse", optimizer=keras.optimizers.SGD(float(candidate["learning_rate_init"])))
            stop = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
            options = {"batch_size": BATCH, "epochs": MAX_EPOCHS, "validation_split": 0.1, "verbose": 0}
            net.fit(x[train], y[train], callbacks=[stop], **options)
            scores.append(1 - net.evaluate(x[test], y[test], verbose=0) / y[test].var())
        best = max(best, float(np.mean(scores)))
    return {"score": best}


def main(peer: str) -> None:
    """Serve one peer; an epoch is a search."""
    warnings.filterwarnings("ignore")  # some candidates do not converge in so few epochs
    x, y, _, _ = arrays("housing")
    if peer == "Keras":
        return serve(lambda: keras_search(x, y), len)  # type: ignore[arg-type]
    if peer == "torchann":
        from torchann.estimators import MLPRegressor
        from torchann.tuning import RandomizedSearchCV
    else:
        from sklearn.model_selection import RandomizedSearchCV
        from sklearn.neural_network import MLPRegressor
    serve(lambda: search_with(RandomizedSearchCV, MLPRegressor, x, y), len)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1])
