"""Our estimators beside scikit-learn's: seconds of the same fit and of predictions, and memory.

python benchmarks/estimators.py                       the tables
python benchmarks/estimators.py scikit-learn iris     one peer, which answers lines in JSON
"""

import json
import resource
import statistics
import subprocess
import sys
import time
import warnings
from typing import Any

from tabulate import tabulate

ROUNDS = 5
COUNTS = (1, 100, 100_000)
FASHION = {"hidden_layer_sizes": (300, 100), "batch_size": 32, "max_iter": 1}
HOUSING = {"hidden_layer_sizes": (30,), "batch_size": 32, "max_iter": 10}
TASKS: dict[str, tuple[str, str, dict[str, Any], float]] = {  # data, dtype, arguments, aim
    "fashion, adam": ("fashion", "float32", FASHION, 0.45),
    "fashion, sgd": ("fashion", "float32", FASHION | {"solver": "sgd"}, 0.45),
    "fashion, sgd without momentum": ("fashion", "float32", FASHION | {"solver": "sgd", "momentum": 0.0}, 0.45),
    "fashion, adam, float64": ("fashion", "float64", FASHION, 0.45),
    "housing, adam": ("housing", "float32", HOUSING, 0.45),
    "housing, sgd": ("housing", "float64", HOUSING | {"solver": "sgd"}, 0.45),
    "iris": ("iris", "float64", {}, 1.0),
    "iris, sgd, early stopping": ("iris", "float64", {"solver": "sgd", "early_stopping": True}, 1.0),
    "digits": ("digits", "float64", {}, 1.0),
    "digits, batch 32": ("digits", "float64", {"batch_size": 32, "max_iter": 20}, 1.0),
}
PEERS = ("scikit-learn", "torchann")


def rows(name: str, dtype: str) -> tuple[Any, Any]:
    """Inputs and targets as arrays."""
    if name in ("iris", "digits"):
        from sklearn import datasets

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return X.astype(dtype), y
    from torchann.data import CaliforniaHousingDataModule, FashionMNISTDataModule

    data = FashionMNISTDataModule(download=False) if name == "fashion" else CaliforniaHousingDataModule()
    data.setup()
    train, _, _ = data.prepared()
    return train.x.flatten(1).numpy().astype(dtype), train.y.numpy().ravel()


def serve(peer: str, task: str) -> None:
    """Fits once for each line "fit"; at the end predicts, and says how much memory it took."""
    import numpy as np

    if peer == "scikit-learn":
        from sklearn.neural_network import MLPClassifier, MLPRegressor
    else:
        from torchann.estimators import MLPClassifier, MLPRegressor
    warnings.simplefilter("ignore")
    data, dtype, options, _ = TASKS[task]
    X, y = rows(data, dtype)
    model = (MLPRegressor if data == "housing" else MLPClassifier)(random_state=0, **options)
    answer(ready=1)
    for _ in iter(lambda: sys.stdin.readline().strip() == "fit", False):
        started = time.perf_counter()
        model.fit(X, y)
        answer(seconds=time.perf_counter() - started)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    many = np.resize(X, (COUNTS[-1], X.shape[1]))
    answer(megabytes=megabytes, loss=model.loss_)
    for line in sys.stdin:
        count = int(line)
        repeats = 200 if count < 1000 else 5
        started = time.perf_counter()
        for _ in range(repeats):
            model.predict(many[:count])
        answer(seconds=(time.perf_counter() - started) / repeats)


def answer(**measurements: float) -> None:
    """Writes one line to the process that measures."""
    print("@" + json.dumps(measurements), flush=True)


class Worker:
    """A peer's process."""

    def __init__(self, peer: str, task: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", peer, task], stdin=pipe, stdout=pipe, text=True
        )
        self.read()

    def read(self) -> dict[str, float]:
        """The next answer."""
        assert self.process.stdout is not None
        line = next(line for line in self.process.stdout if line.startswith("@"))
        return dict(json.loads(line[1:]))

    def ask(self, word: str) -> dict[str, float]:
        """Sends a line and waits for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.read()


def alternately(workers: list[Worker], word: str, rounds: int) -> tuple[list[float], float]:
    """The median seconds of each worker, and of the rounds' ratios; the first round warms up."""
    turns = [[worker.ask(word)["seconds"] for worker in workers] for _ in range(rounds + 1)][1:]
    medians = [statistics.median(column) for column in zip(*turns, strict=True)]
    return medians, statistics.median(ours / theirs for theirs, ours in turns)


def estimator_table(tasks: list[str] | None = None) -> str:
    """Two tables: fits and predictions."""
    fits, predictions = [], []
    for task in tasks or TASKS:
        workers = [Worker(peer, task) for peer in PEERS]
        (theirs, ours), ratio = alternately(workers, "fit", ROUNDS)
        aim = TASKS[task][3]
        ends = [worker.ask("end") for worker in workers]
        told = f"{aim} {'met' if ratio <= aim else 'MISSED'}"
        memory = [f"{end['megabytes']:.0f}" for end in ends]
        fits.append([task, TASKS[task][1], f"{theirs:.4g}", f"{ours:.4g}", f"{ratio:.2f}", told, *memory])
        row = [task, TASKS[task][1]]
        for count in COUNTS:
            (theirs, ours), ratio = alternately(workers, str(count), 4 * ROUNDS)
            row += [f"{theirs * 1e6:,.0f} / {ours * 1e6:,.0f}", f"{ratio:.2f}"]
        predictions.append(row)
        for worker in workers:
            worker.process.kill()
        print(fits[-1], predictions[-1], file=sys.stderr, flush=True)
    headers = ["fit", "dtype", "scikit-learn, s", "torchann, s", "ratio", "aim", "MB", "MB, torchann"]
    of = [part for count in COUNTS for part in (f"{count:,} rows, µs", "ratio")]
    return "\n\n".join(
        [
            tabulate(fits, headers, "github", disable_numparse=True),
            tabulate(predictions, ["predict", "dtype", *of], "github", disable_numparse=True),
        ]
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:])
    else:
        print(estimator_table(sys.argv[1:] or None))
