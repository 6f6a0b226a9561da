"""Section 10.3: a random search for the layers, the neurons and the learning rate of a housing MLP."""

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from sklearn.model_selection import KFold, ParameterSampler
from tabulate import tabulate

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.data import CaliforniaHousingDataModule
from torchann.data.in_memory import Split
from torchann.engine.backprop import Backprop
from torchann.nets.heads import regression_head
from torchann.nets.mlp import MLP
from torchann.orders import shuffled_order

CANDIDATES, BOOK_SEED = 10, 42
BATCH, MAX_EPOCHS, PATIENCE, FOLDS = 32, 100, 10, 3
SCORE, TEST = "CV MSE of the best candidate", "its test MSE, refitted"
HEAD = regression_head(1)
LIMITS = (0.28, 0.65)  # of the picture
LOOKS = (("tab:purple", "s"), ("tab:orange", "^"), ("tab:green", "D"), ("tab:blue", "o"))  # by hidden layers


class Candidate(NamedTuple):
    """What the search varies.

    Attributes:
        n_hidden: hidden layers.
        n_neurons: neurons in each.
        learning_rate: of plain gradient descent.
    """

    n_hidden: int
    n_neurons: int
    learning_rate: float


class Fitted(NamedTuple):
    """A net after early stopping.

    Attributes:
        last: with the weights it stopped with.
        best: with those of the epoch that had the lowest validation MSE.
        epochs: trained.
    """

    last: MLP
    best: MLP
    epochs: int


class Trial(NamedTuple):
    """A candidate's cross-validation; a number per fold.

    Attributes:
        candidate: what was tried.
        last: MSE on the held-out rows with the last weights.
        best: with the best ones.
        epochs: trained.
    """

    candidate: Candidate
    last: list[float]
    best: list[float]
    epochs: list[int]

    @property
    def score(self) -> float:
        """The mean MSE with the last weights, as the book's search ranks; infinite if a fold diverged."""
        return score(self.last)


def score(losses: Sequence[float]) -> float:
    """The mean over the folds, infinite if it is no number, so that what diverged ranks last."""
    mean = fmean(losses)
    return mean if math.isfinite(mean) else math.inf


def draw_candidates(count: int, seed: int) -> list[Candidate]:
    """Draws 0 to 3 hidden layers, 1 to 99 neurons, and a rate whose logarithm is uniform between 3e-4 and 3e-2.

    The draws are those of the book's notebook: a thousand rates, then combinations. Seed 42 gives its ten candidates.

    Args:
        count: of candidates.
        seed: of NumPy's generator.

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


@contextmanager
def one_thread() -> Iterator[None]:
    """Keeps torch to one thread for a while: small products wait longer for a busy second core than they take."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@one_thread()
def fit(candidate: Candidate, train: Split, val: Split, seed: int) -> Fitted:
    """Trains until the validation MSE has not fallen for 10 epochs, or is no number, for 100 epochs at most.

    Args:
        candidate: the net's shape and its learning rate.
        train: rows to learn from.
        val: rows to stop by.
        seed: of the shuffles; torch's generator draws the weights.
    """
    net = best = MLP(train.x.shape[1], [candidate.n_neurons] * candidate.n_hidden, 1)
    backprop = Backprop(net, HEAD.error)
    lowest, since = math.inf, 0
    for epoch in range(MAX_EPOCHS):
        order = shuffled_order(len(train.x), seed, epoch)
        for x, y in zip(torch.split(train.x[order], BATCH), torch.split(train.y[order, None], BATCH), strict=True):
            backprop.descend(x, y, candidate.learning_rate)
        val_loss, since = mse(net, val), since + 1
        if val_loss < lowest:
            lowest, since, best = val_loss, 0, copy.deepcopy(net)
        if since == PATIENCE or not math.isfinite(val_loss):
            break
    return Fitted(net, best, epoch + 1)


def cross_validate(candidate: Candidate, train: Split, val: Split, seed: int) -> Trial:
    """Holds out each third of the training rows once, in stored order; every fit stops by the same validation rows."""
    trial = Trial(candidate, [], [], [])
    for rows, held_out in KFold(FOLDS).split(train.x):
        fitted = fit(candidate, Split(train.x[rows], train.y[rows]), val, seed)
        judge = Split(train.x[held_out], train.y[held_out])
        trial.last.append(mse(fitted.last, judge))
        trial.best.append(mse(fitted.best, judge))
        trial.epochs.append(fitted.epochs)
    return trial


def _run(setting: Setting) -> Outcome:
    data = CaliforniaHousingDataModule(BATCH, setting.seed)
    data.setup()
    train, val, test = data.prepared()
    candidates = draw_candidates(CANDIDATES, BOOK_SEED)
    trials = [cross_validate(candidate, train, val, setting.seed) for candidate in candidates]
    trials.sort(key=lambda trial: trial.score)
    refitted = fit(trials[0].candidate, train, val, setting.seed)
    figures: dict[str, float | str] = {SCORE: trials[0].score, TEST: mse(refitted.last, test)}
    return Outcome(figures, text=_table(trials, refitted, test), shown=trials)


def _table(trials: Sequence[Trial], refitted: Fitted, test: Split) -> str:
    rows = []
    for trial in trials:
        folds, epochs = "  ".join(map(_short, trial.last)), " ".join(map(str, trial.epochs))
        rows.append([*trial.candidate, _short(trial.score), folds, _short(score(trial.best)), epochs])
    headers = ["layers", "neurons", "rate", "CV MSE", "of each fold", "best restored", "epochs"]
    table = tabulate(rows, headers, floatfmt=".5f", disable_numparse=[3, 4, 5, 6])
    return (
        f"{table}\n\nThe first on all training rows: {refitted.epochs} epochs, test MSE "
        f"{mse(refitted.last, test):.4f}; with its best weights restored {mse(refitted.best, test):.4f}."
    )


def _short(loss: float) -> str:
    return f"{loss:.4f}" if loss < 10 else f"{loss:.1e}"


def _draw(outcomes: Sequence[Outcome], title: str) -> Canvas:
    trials: list[Trial] = outcomes[0].shown
    canvas = Canvas(figsize=(11, 4.6), layout="constrained")
    canvas.suptitle(title)
    by_rate, ranked = canvas.subplots(1, 2)
    for layers, (colour, marker) in enumerate(LOOKS):
        by_rate.plot([], [], marker, color=colour, label="linear" if layers == 0 else f"{layers} hidden")
    for rank, trial in enumerate(trials):
        layers, neurons, rate = trial.candidate
        colour, marker = LOOKS[layers]
        shown = min(trial.score, LIMITS[1] - 0.012)
        by_rate.plot(rate, shown, marker, color=colour, markersize=5 + neurons / 10, alpha=0.8)
        ranked.plot(shown, rank, marker, color=colour, markersize=8)
        ranked.plot(score(trial.best), rank, "o", color="black", fillstyle="none", markersize=8)
        if shown == trial.score:
            by_rate.plot(3 * [rate], trial.last, "_-", color=colour, linewidth=0.8, zorder=1)
            ranked.plot(trial.last, 3 * [rank], "|-", color=colour, linewidth=0.8, zorder=1)
        else:
            off = f"in truth {_short(trial.score)}"
            for panel, place, below in ((by_rate, (rate, shown), -20), (ranked, (shown, rank), 9)):
                panel.annotate(off, place, (8, below), textcoords="offset points", ha="right")
    _describe(by_rate, ranked, [trial.candidate for trial in trials])
    return canvas


def _describe(by_rate: Axes, ranked: Axes, candidates: Sequence[Candidate]) -> None:
    error = "mean squared error, (100,000 USD)²"
    by_rate.set(xlabel="learning rate", ylabel=error, xscale="log", ylim=LIMITS)
    by_rate.legend(title="larger: more neurons", loc="upper left")
    ranked.plot([], [], "|-", color="0.4", label="folds and their mean")
    ranked.plot([], [], "o", color="black", fillstyle="none", label="mean, best restored")
    shapes = [f"{layers} × {neurons}" if layers else "linear" for layers, neurons, _ in candidates]
    names = [f"{shape}, {one.learning_rate:.4f}" for shape, one in zip(shapes, candidates, strict=True)]
    ranked.set_yticks(range(len(names)), names)
    ranked.set(xlabel=error, ylabel="hidden layers × neurons, rate", xlim=LIMITS)
    ranked.invert_yaxis()
    ranked.legend(loc="upper right")
    for panel in (by_rate, ranked):
        panel.grid(alpha=0.3)


EXPERIMENTS = (
    Experiment(
        name="random_search",
        section="10.3",
        title="Random search on California housing: the book's 10 candidates, 3 folds each",
        published=(Published(SCORE, 0.3204, (0.317, 0.329)), Published(TEST, 0.3029, (0.258, 0.321))),
        source="2nd edition; bands: the range of 4 seeds, and its width at either end",
        run=_run,
        draw=_draw,
        takes_seeds=False,
    ),
)
