"""What Keras' own callbacks decide on scripted figures: what tests/parity compares this project with.

    .venv-bench/bin/python benchmarks/keras_callbacks.py [FILE]        (some seconds)

Writes tests/parity/callbacks.json: sequences of figures, one per epoch; for each set of EarlyStopping's options and
each sequence where Keras stopped, which epoch was its best and whose weights the model ended with; for each set of
ReduceLROnPlateau's options after which epochs it reduced the rate, and the rate at the end. All figures are multiples
of 1/64, which float32 holds exactly, also when they are added.
"""

import json
import os
import sys
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras.callbacks import EarlyStopping, ReduceLROnPlateau

FILE = Path(__file__).parent.parent / "tests" / "parity" / "callbacks.json"
NAN = float("nan")
SEQUENCES = [
    [10.0, 9.0, 8.0, 9.0, 8.875, 8.75, 8.625, 8.5, 8.375],  # of Keras' own test of patience
    [0.25, 0.1875, 0.125, 0.140625, 0.15625],  # of its test of the final weights
    [0.90625, 0.8125, 0.703125, 0.71875, 0.734375, 0.75],  # of its test of a baseline that nothing beats
    [3.0, 2.0, 1.0, 0.5, 0.25],  # falls to the end
    [1.0, 2.0, 3.0, 4.0],  # rises from the start
    [1.0, 1.0, 1.0, 1.0, 1.0],
    [2.0, 1.5, NAN, 1.0, NAN, NAN, NAN, 0.5],
    [0.5, 4.0, 3.0, 2.0, 2.5, 1.5, 1.75, 1.625, 1.5],
    *(np.random.default_rng(seed).integers(1, 128, 12) / 64 for seed in range(4)),
]


class Model:
    """Has the number of the last epoch as its weights."""

    def __init__(self) -> None:
        self.stop_training, self.weights = False, -1
        self.optimizer = keras.optimizers.SGD(0.5)

    def get_weights(self) -> int:
        """The weights."""
        return self.weights

    def set_weights(self, weights: int) -> None:
        """Changes them."""
        self.weights = weights


def stopped(measurements: list[float], **options: Any) -> list[float]:
    """Of EarlyStopping: epochs trained, stopped_epoch, wait, best, best_epoch, the epoch of the final weights."""
    callback, model = EarlyStopping("val_loss", **options), Model()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, measurement in enumerate(measurements):
        model.set_weights(epoch)
        callback.on_epoch_end(epoch, {"val_loss": measurement})
        if model.stop_training:
            break
    callback.on_train_end()
    return [epoch + 1, callback.stopped_epoch, callback.wait, callback.best, callback.best_epoch, model.weights]


def reduced(measurements: list[float], **options: Any) -> list[Any]:
    """After which epochs ReduceLROnPlateau reduces a rate of 0.5, and the rate at the end."""
    callback, model, epochs, rate = ReduceLROnPlateau("val_loss", mode="min", **options), Model(), [], 0.5
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, measurement in enumerate(measurements):
        callback.on_epoch_end(epoch, {"val_loss": measurement})
        if float(model.optimizer.learning_rate) != rate:
            epochs.append(epoch)
            rate = float(model.optimizer.learning_rate)
    return [epochs, rate]


def main() -> None:
    """Decides all cases, and writes the file."""
    sequences = [[float(measurement) for measurement in measurements] for measurements in SEQUENCES]
    stops = [
        {"patience": patience, "min_delta": delta, "mode": mode, **more}
        for patience, (delta, mode), more in product(
            (0, 1, 2, 3, 5),
            ((0.0, "min"), (0.25, "min"), (0.0, "max")),
            ({}, {"baseline": 0.5}, {"start_from_epoch": 2}, {"baseline": 1.5, "start_from_epoch": 1}),
        )
    ]
    plateaus = [
        {"patience": patience, "factor": 0.5, "min_delta": delta, "cooldown": cooldown, "min_lr": min_lr}
        for patience, delta, cooldown, min_lr in product((1, 2, 3), (0.0, 0.25), (0, 1, 2), (0.0, 0.125))
    ]
    parts = {
        "figures": sequences,
        "early_stopping": [[o, [stopped(f, restore_best_weights=True, **o) for f in sequences]] for o in stops],
        "reduce_lr_on_plateau": [[o, [reduced(f, **o) for f in sequences]] for o in plateaus],
    }
    lines = [f'"{part}": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]" for part, cases in parts.items()]
    text = f'{{\n"made_with": "keras {keras.__version__}",\n' + ",\n".join(lines) + "\n}\n"
    Path(sys.argv[1] if sys.argv[1:] else FILE).write_text(text)


if __name__ == "__main__":
    main()
