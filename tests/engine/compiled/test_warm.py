import subprocess
import sys

# A fit of each kind in both dtypes; the functions of the engine that were not found in the cache.
FITS = """
import gc, warnings
import numpy as np
import torch
from numba.core.dispatcher import Dispatcher
from torchann.engine.perceptron import perceptron_rule_
from torchann.estimators import MLPClassifier, MLPRegressor
warnings.simplefilter("ignore")
for dtype in (np.float32, np.float64):
    X = np.random.default_rng(0).normal(size=(200, 4)).astype(dtype)
    for solver in ("adam", "sgd"):
        options = {"hidden_layer_sizes": (5,), "solver": solver, "max_iter": 2}
        MLPRegressor(early_stopping=True, **options).fit(X, X[:, :2]).predict(X)
        MLPClassifier(**options).fit(X, X.argmax(1)).predict_proba(X)
weight, bias = torch.zeros(4).double(), torch.zeros(1).double()
perceptron_rule_(weight, bias, torch.from_numpy(X), torch.from_numpy(X[:, 0]).sign())
print([f.py_func.__name__ for f in gc.get_objects() if isinstance(f, Dispatcher) and f.stats.cache_misses])
"""


def printed(*command):
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True).stdout


def test_after_warm_nothing_is_left_to_compile():
    assert printed("-m", "torchann.engine.compiled.warm").count("\n") == 1
    assert printed("-c", FITS) == "[]\n"
