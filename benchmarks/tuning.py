"""Many networks in threads beside one after the other: 100 networks, and the book's random search on housing.

python benchmarks/tuning.py                  both tables, three rounds each
python benchmarks/tuning.py --rounds 1
"""

import argparse
import importlib.util
import os
import resource
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sklearn.model_selection
import sklearn.neural_network
import torch
from joblib.externals.loky import get_reusable_executor
from scipy.stats import loguniform
from sklearn.model_selection import KFold, ParameterSampler
from tabulate import tabulate

from torchann import MLP, CaliforniaHousingDataModule
from torchann.chapter.random_search import SomeRows
from torchann.data.in_memory import Split
from torchann.engine.compiled.objectives import make_objective
from torchann.engine.compiled.solvers import make_solver
from torchann.engine.fit import Fit, LearningRate, StoppingRule
from torchann.engine.mlp_learner import mlp_learner
from torchann.engine.together import run_together
from torchann.estimators import MLPRegressor
from torchann.tuning import RandomizedSearchCV

BATCH, NETWORKS, SEED = 32, 100, 42
SPACE = {  # 1 to 3 hidden layers of 1 to 99 neurons
    "hidden_layer_sizes": [(neurons,) * layers for layers in (1, 2, 3) for neurons in range(1, 100)],
    "learning_rate_init": loguniform(3e-4, 3e-2),
}
CANDIDATES, FOLDS, MAX_EPOCHS, PATIENCE = 10, 3, 100, 10
AIMS = {"plain PyTorch": 0.008, "scikit-learn": 0.09, "Keras": 0.01}
ALONE = 3  # networks that plain PyTorch trains in a round; they take as long each

TOGETHER = f"""\
An epoch of {NETWORKS} networks 8-30-1 on California housing, 11,610 rows, batch {BATCH}, SGD, each with its own rate
and order of rows: a thread per core, each with one network after the other. Plain PyTorch trains {ALONE} of them in
each round, one after the other on one thread, and its seconds are those times {NETWORKS} / {ALONE}."""
SEARCH = f"""\
{CANDIDATES} candidates, 1 to 3 hidden layers of 1 to 99 neurons, rates drawn by factor from 3e-4 to 3e-2, in {FOLDS}
folds of housing's 11,610 training rows, float32; batch {BATCH}, SGD without momentum, at most {MAX_EPOCHS} epochs,
early stopping after {PATIENCE} without a better R² on a tenth of the rows. Two threads here; two processes of
scikit-learn's, which are started anew in each round and counted."""


def housing() -> tuple[torch.Tensor, torch.Tensor]:
    """The training rows, prepared."""
    data = CaliforniaHousingDataModule(BATCH)
    data.setup()
    train, _, _ = data.prepared()
    return train.x, train.y


def together_epochs(x: torch.Tensor, y: torch.Tensor) -> Callable[[int], float]:
    """A function that trains the networks for some epochs, a thread per core, and returns the seconds."""
    fits = []
    for number, rate in enumerate(loguniform(1e-3, 1e-2).rvs(NETWORKS, random_state=SEED)):
        torch.manual_seed(number)
        learner = mlp_learner(MLP(8, [30], 1), make_objective("identity", "mse"), make_solver("sgd", 0), BATCH)
        rows = SomeRows(Split(x, y), np.arange(len(x)), seed=number)
        rule = StoppingRule(tol=0.0, patience=np.inf)
        fits.append(Fit(learner, rows, rows.next_order, BATCH, rule, LearningRate(rate), max_iter=0))

    def epochs(count: int) -> float:
        started = time.perf_counter()
        for fit in fits:
            fit.max_iter, fit.result.stopped = fit.n_iter + count, None
        list(run_together(fits))
        return time.perf_counter() - started

    epochs(1)
    return epochs


def plain_epoch(x: torch.Tensor, y: torch.Tensor) -> Callable[[], float]:
    """A function that trains the networks one after the other for an epoch and returns the seconds of one."""
    torch.manual_seed(SEED)
    nets = [MLP(8, [30], 1) for _ in range(ALONE)]
    optimizers = [torch.optim.SGD(net.parameters(), lr=1e-3) for net in nets]

    def epoch() -> float:
        started = time.perf_counter()
        for net, sgd in zip(nets, optimizers, strict=True):
            for rows in torch.randperm(len(x)).split(BATCH):
                loss = torch.nn.functional.mse_loss(net(x.index_select(0, rows))[:, 0], y.index_select(0, rows))
                sgd.zero_grad()
                loss.backward()
                sgd.step()
        return (time.perf_counter() - started) / ALONE

    epoch()
    return epoch


def together_table(rounds: int) -> str:
    """Seconds per epoch of all networks, side by side."""
    x, y = housing()
    torch.set_num_threads(1)
    together, alone = together_epochs(x, y), plain_epoch(x, y)
    seconds = [(together(5) / 5, NETWORKS * alone()) for _ in range(rounds)]
    return _table(["torchann", "plain PyTorch"], [list(column) for column in zip(*seconds, strict=True)])


def processor_seconds() -> float:
    """Of this process and those that it has started, which end before."""
    get_reusable_executor().shutdown(wait=True)  # scikit-learn's
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def search_with(make: type, kind: type) -> tuple[float, float, float]:
    """Seconds, those of both processors, and best score of a search for a network of a class."""
    x, y = (part.numpy() for part in housing())
    options = {"solver": "sgd", "momentum": 0, "batch_size": BATCH, "max_iter": MAX_EPOCHS}
    stopping = {"early_stopping": True, "n_iter_no_change": PATIENCE}
    network = kind(random_state=SEED, **options, **stopping)
    search = make(network, SPACE, n_iter=CANDIDATES, cv=KFold(FOLDS), n_jobs=2, random_state=SEED, refit=False)
    started, used = time.perf_counter(), processor_seconds()
    search.fit(x, y)
    seconds = time.perf_counter() - started
    return seconds, processor_seconds() - used, float(search.best_score_)


def keras_search() -> tuple[float, float, float]:
    """The same candidates and folds in Keras, one after the other, and the best mean R²."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # the faster of its backends here
    import keras

    x, y = (part.numpy() for part in housing())
    started, used, best = time.perf_counter(), processor_seconds(), -np.inf
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
    return time.perf_counter() - started, processor_seconds() - used, best


def search_table(rounds: int, with_keras: bool) -> tuple[str, list[str]]:
    """Seconds and best scores side by side, and sentences about them."""
    theirs = sklearn.model_selection.RandomizedSearchCV, sklearn.neural_network.MLPRegressor
    found = [(search_with(RandomizedSearchCV, MLPRegressor), search_with(*theirs)) for _ in range(rounds)]
    columns = [list(column) for column in zip(*found, strict=True)]
    names, notes = ["torchann", "scikit-learn"], []
    if importlib.util.find_spec("keras") is None:
        notes.append("Keras is not installed here and was left out.")
    elif with_keras:
        names.append("Keras")
        columns.append([keras_search()] * rounds)
        notes.append("Keras on TensorFlow: one round, one candidate after the other.")
    more = [[f"{statistics.median(used for _, used, _ in column):.0f}", f"{column[0][2]:.4f}"] for column in columns]
    headers = ["processor seconds", "best mean R²"]
    return _table(names, [[seconds for seconds, _, _ in column] for column in columns], more, headers), notes


def _table(
    names: Sequence[str], seconds: Sequence[Sequence[float]], more: Any = None, headers: Sequence[str] = ()
) -> str:
    rows = []
    for number, (name, measured) in enumerate(zip(names, seconds, strict=True)):
        ratio = statistics.median(mine / its for mine, its in zip(seconds[0], measured, strict=True))
        aim = AIMS.get(name)
        told = "" if aim is None else f"{aim} {'met' if ratio <= aim else 'MISSED'}"
        spread = f"{min(measured):.3g} to {max(measured):.3g}"
        row = [name, f"{statistics.median(measured):.3g}", spread, f"{ratio:.3f}", told]
        rows.append([*row, *(more[number] if more else [])])
    return tabulate(rows, ["", "seconds", "range", "ratio", "aim", *headers], "github", disable_numparse=True)


def tuning_tables(rounds: int = 3, with_keras: bool = True) -> list[str]:
    """Both tables as lines of Markdown."""
    warnings.filterwarnings("ignore")  # some candidates do not converge in so few epochs
    lines = ["## Many networks", "", TOGETHER, "", together_table(rounds), ""]
    table, notes = search_table(rounds, with_keras)
    return [*lines, "## Random search", "", SEARCH, "", table, "", *notes, ""]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-keras", action="store_true", help="leave Keras out, which takes a quarter of an hour")
    options = parser.parse_args()
    print("\n".join(tuning_tables(options.rounds, not options.no_keras)))
