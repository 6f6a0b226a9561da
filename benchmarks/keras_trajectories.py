"""The loss of each mini-batch under real Keras, before its update: what tests/parity compares this project with.

    .venv-bench/bin/python benchmarks/keras_trajectories.py [FILE]        (a minute)

Writes tests/parity/trajectories.npz: for each problem its rows, Keras' initial weights and the losses of 40 steps (5
epochs of 250 rows in batches of 32 and a last one of 26, unshuffled) with each optimiser; and the versions it is from.
Keras computes in float64, from rows and weights that are float32, so that both precisions can start from the same.
KERAS_BACKEND=torch takes Keras' other backend, which reports losses rounded to float32.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers, optimizers

FILE = Path(__file__).parent.parent / "tests" / "parity" / "trajectories.npz"
BATCH, EPOCHS = 32, 5
DOUBLE = np.float64  # TensorFlow rounds a Python float to float32: 1 - 0.999, of Adam, would be wrong by 1e-5
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optimizers.SGD(0.05),
    "sgd_decay": lambda: optimizers.SGD(0.05, weight_decay=DOUBLE(0.1)),
    "momentum": lambda: optimizers.SGD(0.01, momentum=DOUBLE(0.9)),
    "nesterov": lambda: optimizers.SGD(0.01, momentum=DOUBLE(0.9), nesterov=True),
    "adam": lambda: optimizers.Adam(0.01, DOUBLE(0.9), DOUBLE(0.999)),
    "adamw": lambda: optimizers.AdamW(0.01, DOUBLE(0.1), DOUBLE(0.9), DOUBLE(0.999)),
    # Keras adds epsilon inside the root, torch outside: one formula only where there is next to none.
    "rmsprop": lambda: optimizers.RMSprop(0.001, epsilon=1e-30),
    "rmsprop_momentum": lambda: optimizers.RMSprop(0.001, momentum=0.5, epsilon=1e-30),
}
Array = np.ndarray[Any, Any]


class Problem(NamedTuple):
    """A net with its rows: ``split`` makes of a batch ``(x, y)`` what the net takes."""

    net: keras.Model
    x: Array
    y: Array
    loss: Any
    loss_weights: list[float] | None = None
    split: Callable[[Array, Array], tuple[Any, Any]] = lambda x, y: (x, y)


def regression() -> Problem:
    """8-30-30-1, squared error."""
    net = keras.Sequential([keras.Input((8,)), *_hidden(30, 30), layers.Dense(1)])
    return Problem(net, *_curve(), "mse")


def multiclass() -> Problem:
    """20-16-5, cross-entropy of logits; the class is the largest of five noisy sums."""
    random = np.random.default_rng(1)
    x = random.standard_normal((250, 20), np.float32)
    y = (x[:, :5] + x[:, 5:10] + random.standard_normal((250, 5))).argmax(1).astype(np.int8)
    net = keras.Sequential([keras.Input((20,)), *_hidden(16), layers.Dense(5)])
    return Problem(net, x, y, keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def binary() -> Problem:
    """8-16-1, cross-entropy of a sigmoid: Keras takes the logit from below it."""
    x, y = _curve()
    net = keras.Sequential([keras.Input((8,)), *_hidden(16), layers.Dense(1, activation="sigmoid")])
    return Problem(net, x, (y[:, 0] > 1).astype(np.int8), "binary_crossentropy")


def wide_and_deep() -> Problem:
    """Features 0-4 wide, 2-7 deep through 30-30; main and auxiliary output, squared errors weighted 0.9 and 0.1."""
    wide, deep = keras.Input((5,)), keras.Input((6,))
    hidden = deep
    for layer in _hidden(30, 30):
        hidden = layer(hidden)
    main, auxiliary = layers.Dense(1)(layers.concatenate([wide, hidden])), layers.Dense(1)(hidden)
    net = keras.Model([wide, deep], [main, auxiliary])
    return Problem(net, *_curve(), ["mse", "mse"], [0.9, 0.1], lambda x, y: ((x[:, :5], x[:, 2:]), (y, y)))


def _curve() -> tuple[Array, Array]:
    x = np.random.default_rng(0).standard_normal((250, 8), np.float32)
    return x, x[:, :1] * x[:, 1:2] + np.tanh(x[:, 2:].sum(1, keepdims=True)) + 1


def _hidden(*sizes: int) -> list[layers.Layer]:
    return [layers.Dense(size, activation="relu") for size in sizes]


def losses(problem: Problem, optimizer: Any) -> Iterator[float | list[float]]:
    """Each step's loss; with several outputs the weighted sum, then the loss of each output."""
    problem.net.compile(optimizer, problem.loss, problem.loss_weights)
    for _ in range(EPOCHS):
        for start in range(0, len(problem.x), BATCH):
            rows = slice(start, start + BATCH)
            yield problem.net.train_on_batch(*problem.split(problem.x[rows], problem.y[rows]))


def main() -> None:
    """Trains each problem with each optimiser from the same weights, and writes the file."""
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(42)
    backend = importlib.import_module(keras.backend.backend())
    arrays = {"made_with": np.array(f"keras {keras.__version__}, {backend.__name__} {backend.__version__}")}
    for make in (regression, multiclass, binary, wide_and_deep):
        problem = make()
        weights = [weight.astype(np.float32) for weight in problem.net.get_weights()]
        stored = {"x": problem.x, "y": problem.y} | {f"weight_{i}": weight for i, weight in enumerate(weights)}
        for name, optimizer in OPTIMIZERS.items():
            problem.net.set_weights(weights)
            stored[name] = np.array(list(losses(problem, optimizer())), np.float64)
        arrays |= {f"{make.__name__}/{name}": array for name, array in stored.items()}
    np.savez_compressed(sys.argv[1] if sys.argv[1:] else FILE, **arrays)


if __name__ == "__main__":
    main()
