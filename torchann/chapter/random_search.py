"""Section 10.3: a random search for the layers, the neurons and the learning rate of a housing MLP."""

import copy
import math
from collections.abc import Callable, Sequence
from itertools import count
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import KFold, ParameterSampler
from tabulate import tabulate
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.random_search_plot import draw_trials, short
from torchann.data import CaliforniaHousingDataModule
from torchann.data.in_memory import Split
from torchann.engine.compiled.learner import CompiledLearner
from torchann.engine.compiled.objectives import make_objective
from torchann.engine.compiled.solvers import make_solver
from torchann.engine.fit import Fit, LearningRate, StoppingRule
from torchann.engine.row_source import RowSource
from torchann.engine.rows.shuffling import shuffled_order
from torchann.engine.together import run_together
from torchann.engine.torch_net import parts_of
from torchann.nets.heads import regression_objective
from torchann.nets.mlp import MLP

CANDIDATES, BOOK_SEED = 10, 42
RowNumbers = NDArray[np.int64]
BATCH, MAX_EPOCHS, PATIENCE, FOLDS = 32, 100, 10, 3
EQUAL = 1e-12  # a share of the targets' variance: by less, the MSE has not fallen
SCORE, TEST = "CV MSE of the best candidate", "its test MSE, refitted"
HEAD = regression_objective(1)


class Candidate(NamedTuple):
    """What the search varies: hidden layers, neurons in each, and the rate of plain gradient descent."""

    n_hidden: int
    n_neurons: int
    learning_rate: float


class Fitted(NamedTuple):
    """A net after early stopping: with its last weights, with those of its best epoch, and the epochs trained.

    The best epoch has the lowest validation MSE; if none has a finite one, the weights are those of the start.
    """

    last: MLP
    best: MLP
    epochs: int


class Trial(NamedTuple):
    """A candidate's cross-validation: for each fold the held-out MSE with last and best weights, and the epochs."""

    candidate: Candidate
    last: list[float]
    best: list[float]
    epochs: list[int]

    @property
    def score(self) -> float:
        """The mean MSE with the last weights, as the book's search ranks; infinite if a fold diverged."""
        return score(self.last)

    @property
    def best_score(self) -> float:
        """The mean MSE with the best weights."""
        return score(self.best)


def score(losses: Sequence[float]) -> float:
    """The mean over the folds, infinite if it is no number, so that what diverged ranks last."""
    mean = fmean(losses)
    return mean if math.isfinite(mean) else math.inf


def draw_candidates(count: int, seed: int) -> list[Candidate]:
    """Draw 0 to 3 hidden layers, 1 to 99 neurons, and a rate whose logarithm is uniform between 3e-4 and 3e-2.

    The draws are those of the book's notebook: a thousand rates, then combinations. Seed 42 gives its ten candidates.

    Example:
        >>> draw_candidates(10, seed=42)[7]  # doctest: +ELLIPSIS
        Candidate(n_hidden=3, n_neurons=74, learning_rate=0.005803602934...)
    """
    random_state = np.random.RandomState(seed)
    rates = 3e-4 * 100 ** random_state.uniform(size=1000)
    space = {"n_hidden": range(4), "n_neurons": range(1, 100), "learning_rate": rates.tolist()}
    return [Candidate(**drawn) for drawn in ParameterSampler(space, count, random_state=random_state)]


def mse(net: MLP, split: Split) -> float:
    """The mean squared error on some rows, in (100,000 USD)²."""
    with torch.no_grad():
        return HEAD.losses(net(split.x), split.y[:, None]).mean().item()


def shuffles(rows: int, seed: int) -> Callable[[], RowNumbers]:
    """Return what gives the order of the rows in each epoch to come."""
    epochs = count()
    return lambda: shuffled_order(rows, seed, next(epochs)).numpy()


def fit(
    candidates: Sequence[Candidate], parts: Sequence[RowNumbers], train: Split, val: Split, seed: int
) -> list[list[Fitted]]:
    """Train each candidate on each part of the training rows, in as many threads as there are cores.

    A training ends when the validation MSE has not fallen for 10 epochs, or a weight is infinite or NaN, after 100
    epochs at most.

    Args:
        candidates: the nets' shapes and learning rates; torch's generator draws their weights, one after the other.
        parts: numbers of the rows to learn from.
        train: all training rows.
        val: rows to stop by.
        seed: of the shuffles.

    Returns:
        For each candidate, a net per part.
    """
    nets = [_net(candidate, train) for candidate in candidates for _ in parts]
    rows = [RowSource(train.x[part].numpy(), train.y[part, None].numpy(), None, np.float32) for part in parts]
    each = [(candidate.learning_rate, some) for candidate in candidates for some in rows]
    fits = [_fit(net, some, rate, val, seed) for net, (rate, some) in zip(nets, each, strict=True)]
    for _ in run_together(fits):
        pass
    fitted = [_fitted(net, done) for net, done in zip(nets, fits, strict=True)]
    return [fitted[first : first + len(parts)] for first in range(0, len(fitted), len(parts))]


def _net(candidate: Candidate, train: Split) -> MLP:
    return MLP(train.x.shape[1], [candidate.n_neurons] * candidate.n_hidden, 1)


def _fit(net: MLP, rows: RowSource, learning_rate: float, val: Split, seed: int) -> Fit:
    parts, objective, solver = parts_of(net), make_objective("identity", "mse"), make_solver("sgd", decayed=0)
    vector = parameters_to_vector(parts.parameters()).detach().numpy()
    learner = CompiledLearner(vector, *parts.lay_out(BATCH, vector.dtype, class_numbers=False), objective, solver)
    x, y = val.x.numpy(), val.y.numpy().astype(float)
    rule = StoppingRule(tol=EQUAL * y.var(), patience=PATIENCE - 1)

    def val_mse() -> float:
        return float(np.square(learner.outputs(x)[:, 0] - y).mean())

    rate, order = LearningRate(learning_rate), shuffles(rows.count, seed)
    options: dict[str, Any] = {"score": val_mse, "ends_diverged": True}
    return Fit(learner, rows, order, BATCH, rule, rate, MAX_EPOCHS, **options)


def _fitted(net: MLP, fit: Fit) -> Fitted:
    last, best = net, copy.deepcopy(net)
    for each, vector in ((last, fit.learner.vector), (best, fit.result.best)):
        if vector is not None:
            vector_to_parameters(torch.from_numpy(vector), parts_of(each).parameters())
    return Fitted(last, best, fit.n_iter)


def cross_validate(candidates: Sequence[Candidate], train: Split, val: Split, seed: int) -> list[Trial]:
    """Hold out each third of the training rows once, in stored order; every fit stops by the same validation rows."""
    folds = list(KFold(FOLDS).split(train.x))
    judges = [Split(train.x[held_out], train.y[held_out]) for _, held_out in folds]
    fitted = fit(candidates, [rows for rows, _ in folds], train, val, seed)
    trials = []
    for candidate, nets in zip(candidates, fitted, strict=True):
        last = [mse(net.last, judge) for net, judge in zip(nets, judges, strict=True)]
        best = [mse(net.best, judge) for net, judge in zip(nets, judges, strict=True)]
        trials.append(Trial(candidate, last, best, [net.epochs for net in nets]))
    return trials


def _run(setting: Setting) -> Outcome:
    data = CaliforniaHousingDataModule(BATCH, setting.seed)
    data.setup()
    train, val, test = data.prepared()
    candidates = draw_candidates(CANDIDATES, BOOK_SEED)
    trials = sorted(cross_validate(candidates, train, val, setting.seed), key=lambda trial: trial.score)
    ((refitted,),) = fit([trials[0].candidate], [np.arange(len(train.x))], train, val, setting.seed)
    measurements = {SCORE: trials[0].score, TEST: mse(refitted.last, test)}
    return Outcome(measurements, text=_table(trials, refitted, test), shown=trials)


def _table(trials: Sequence[Trial], refitted: Fitted, test: Split) -> str:
    rows = []
    for trial in trials:
        folds, epochs = "  ".join(map(short, trial.last)), " ".join(map(str, trial.epochs))
        rows.append([*trial.candidate, short(trial.score), folds, short(trial.best_score), epochs])
    headers = ["layers", "neurons", "rate", "CV MSE", "of each fold", "best restored", "epochs"]
    table = tabulate(rows, headers, floatfmt=".5f", disable_numparse=[3, 4, 5, 6])
    return (
        f"{table}\n\nThe first on all training rows: {refitted.epochs} epochs, test MSE "
        f"{mse(refitted.last, test):.4f}; with its best weights restored {mse(refitted.best, test):.4f}."
    )


EXPERIMENTS = (
    Experiment(
        name="random_search",
        section="10.3",
        title="Random search on California housing: the book's 10 candidates, 3 folds each",
        published=(Published(SCORE, 0.3204, (0.286, 0.351)), Published(TEST, 0.3029, (0.267, 0.309))),
        source="2nd edition; bands: the range of 12 seeds, and its width at either end",
        run=_run,
        draw=draw_trials,
        takes_seeds=False,
    ),
)
