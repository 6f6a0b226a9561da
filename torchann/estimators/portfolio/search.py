"""Nets on a table, trained together: recipes race on rows left out, and the best are trained on every part of them."""

import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold

from torchann.engine.together import StoppableThreads
from torchann.estimators.portfolio.blend import blend
from torchann.estimators.portfolio.recipes import RECIPES, Recipe

Numbers = NDArray[Any]
SMALL = 3_000  # rows; of fewer one part is too small to race on
LEAST = 1e-7  # probability of a true class
RACE = 0.3  # share of the time in which recipes are tried, before the best get their other nets


class Rows(NamedTuple):
    """Rows that nets are trained on.

    Attributes:
        x: inputs in every encoding, side by side, ``(rows, width)`` float32.
        y: class numbers ``(rows,)``, or values of about unit deviation ``(rows, outputs)``.
        classes: how many there are; 0 of a regression.
        weight: how much each row counts, ``(rows,)``, or None.
    """

    x: Numbers
    y: Numbers
    classes: int = 0
    weight: Numbers | None = None

    def loss(self, predictions: Numbers, places: Numbers | None = None) -> float:
        """Return the log loss, or the root of the mean squared error, of predictions of all rows or of some."""
        y = self.y if places is None else self.y[places]
        weight = None if self.weight is None else self.weight if places is None else self.weight[places]
        if self.classes:
            of_row = -np.log(np.clip(predictions[np.arange(len(y)), y], LEAST, 1.0))
            return float(np.average(of_row, weights=weight))
        return float(np.sqrt(np.average(np.square(predictions - y).mean(1), weights=weight)))


@dataclass
class Trial:
    """A recipe on an encoding, and its nets.

    Attributes:
        recipe: of the nets.
        encoding: name of what they get of the rows.
        nets: by the part of the rows that each was not trained on.
        predictions: of each part by the net that has not seen it, ``(rows, outputs)`` or ``(rows, classes)``.
        seconds: of processor time.
        weight: of its nets in the whole.
    """

    recipe: Recipe
    encoding: str
    nets: dict[int, Any] = field(default_factory=dict)
    predictions: dict[int, Numbers] = field(default_factory=dict)
    seconds: float = 0.0
    weight: float = 0.0

    @property
    def name(self) -> str:
        """In the leaderboard."""
        return f"{self.recipe.name}, {self.encoding}"


class Search:
    """Trains recipes on encodings of the same rows in threads, and weights the best.

    The rows are cut into parts. Each net is trained without one of them and predicts it, so that what is known of a
    recipe comes from rows that its nets have not seen, and its nets together have seen all rows. First every recipe is
    tried without the first part (without each part in turn, where there are few rows). Then the best one, or in the
    order of their losses as many as there is time for, are trained without the other parts.

    Args:
        rows: to train on.
        encodings: columns of the inputs by the name of an encoding.
        parts: how many, at least 2; as many nets are trained by each recipe that is chosen.
        seconds: for :meth:`run`; None to train the best recipe alone.
        seed: of parts and nets.
        ordered: whether parts are blocks in stored order, as of rows over time.
        recipes: to be tried, the quickest first.
        say: is told of each recipe that has been tried.

    Attributes:
        trials: in the order of their losses, after :meth:`run`.
        interrupted: whether Ctrl-C ended it.

    Example:
        >>> x = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
        >>> search = Search(Rows(x, 2 * x), {"standard": [0]}, parts=2, recipes=RECIPES[4:5])
        >>> search.run()
        >>> [(trial.name, weight) for trial, _, weight in search.members()]
        [('linear, standard', 0.5), ('linear, standard', 0.5)]
    """

    def __init__(
        self,
        rows: Rows,
        encodings: dict[str, list[int]],
        parts: int = 5,
        seconds: float | None = None,
        seed: int = 42,
        ordered: bool = False,
        recipes: Sequence[Recipe] = RECIPES,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.rows, self.encodings, self.seed, self.say = rows, encodings, seed, say or (lambda line: None)
        self.parts: list[Numbers] = parts_of(rows.y, rows.classes, parts, seed, ordered)
        self.seconds = seconds
        self._deadline: float | None = None
        self._pace: float = 0.0  # seconds for a unit of a recipe's cost
        self.trials: list[Trial] = [Trial(recipe, encoding) for recipe in recipes for encoding in encodings]
        self.interrupted = False

    def run(self) -> None:
        """Train until the best recipe has all its nets, or the time is over.

        Ctrl-C ends it with what there is, if that is at least one net.
        """
        every, begun = range(len(self.parts)), time.monotonic()
        if self.seconds is not None:
            self._deadline = begun + RACE * self.seconds
        first = every if len(self.rows.y) < SMALL else range(1)
        self._train((trial, part) for trial in self.trials for part in first)
        self.trials.sort(key=self._loss_so_far)
        if not self.interrupted:
            self._deadline = None if self.seconds is None else begun + self.seconds
            chosen = self.trials[:1] if self.seconds is None else self.trials
            self._train((trial, part) for trial in chosen for part in every if part not in trial.nets)
        self.trials = sorted((trial for trial in self.trials if trial.nets), key=self._loss_so_far)
        if not self.trials:
            raise KeyboardInterrupt
        self._weigh(self.trials[:1] if self.seconds is None else self.trials)

    def members(self) -> list[tuple[Trial, Any, float]]:
        """Return the nets of the whole, each with its trial and its weight; the weights add up to 1."""
        return [
            (trial, net, trial.weight / len(trial.nets))
            for trial in self.trials
            for _, net in sorted(trial.nets.items())
            if trial.weight
        ]

    def predictions(self) -> tuple[Numbers, Numbers]:
        """Return the places of rows and what the weighted nets that have not seen them predict."""
        chosen = [trial for trial in self.trials if trial.weight]
        parts = [part for part in chosen[0].nets if len(self.parts[part])]
        mean = [sum(trial.weight * trial.predictions[part] for trial in chosen) for part in parts]
        return np.concatenate([self.parts[part] for part in parts]), np.concatenate(mean)

    @property
    def out_of_part_loss(self) -> float:
        """The loss of :meth:`predictions`."""
        places, predictions = self.predictions()
        return self.rows.loss(predictions, places)

    def loss_of(self, trial: Trial) -> float:
        """Return the loss of a trial on the rows that its nets have not seen."""
        return self._loss_so_far(trial)

    def _loss_so_far(self, trial: Trial) -> float:
        if not trial.predictions:
            return np.inf
        places = np.concatenate([self.parts[part] for part in trial.predictions])
        loss = self.rows.loss(np.concatenate(list(trial.predictions.values())), places)
        return loss if np.isfinite(loss) else np.inf

    def _weigh(self, chosen: Sequence[Trial]) -> None:
        whole = [trial for trial in chosen if len(trial.nets) == len(self.parts)] or list(chosen[:1])
        parts = sorted(whole[0].nets)
        places = np.concatenate([self.parts[part] for part in parts])
        predictions = [np.concatenate([trial.predictions[part] for part in parts]) for trial in whole]
        for trial, weight in zip(whole, blend(predictions, lambda p: self.rows.loss(p, places)), strict=True):
            trial.weight = float(weight)

    def _train(self, wanted: Iterable[tuple[Trial, int]]) -> None:
        pool = StoppableThreads(cpu_count())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the recipes say for how long they train
            waiting = {pool.submit(self._fit, trial, part): trial for trial, part in wanted}
            left = {id(trial): [id(one) for one in waiting.values()].count(id(trial)) for trial in waiting.values()}
            try:
                for future in as_completed(waiting):
                    trial, found = waiting[future], future.result()
                    if found is not None:
                        part, net, predictions, seconds = found
                        trial.nets[part], trial.predictions[part] = net, predictions
                        trial.seconds += seconds
                    left[id(trial)] -= 1
                    if trial.nets and not left[id(trial)]:
                        self.say(f"{trial.name}: loss {self._loss_so_far(trial):.4g}, {trial.seconds:.1f} s")
            except KeyboardInterrupt:
                self.interrupted = True
            finally:
                pool.stop()

    def _fit(self, trial: Trial, part: int) -> tuple[int, Any, Numbers, float] | None:
        recipe, rows, begun = trial.recipe, self.rows, time.thread_time()
        out = self.parts[part]
        kept = np.setdiff1d(np.arange(len(rows.y)), out)
        columns = self.encodings[trial.encoding]
        cost = recipe.cost(len(kept), len(columns), rows.classes or rows.y.shape[1])
        first = trial is self.trials[0] and not trial.nets
        deadline = np.inf if first or self._deadline is None else self._deadline
        if time.monotonic() + self._pace * cost > deadline:
            return None
        late = [lambda *_: time.monotonic() > deadline]
        net: Any = recipe.net(bool(rows.classes), len(kept), self.seed + part, late)
        x = rows.x[:, columns] if len(columns) < rows.x.shape[1] else rows.x
        y = rows.y if rows.classes or rows.y.shape[1] > 1 else rows.y[:, 0]
        given = {} if rows.weight is None else {"sample_weight": rows.weight[kept]}
        given |= {"X_val": x[out], "y_val": y[out]} if recipe.early else {}
        net.fit(x[kept], y[kept], **given)
        if time.monotonic() > deadline and net.n_iter_ < net.max_iter:
            return None
        predictions = net.predict_proba(x[out]) if rows.classes else net.predict(x[out]).reshape(len(out), -1)
        seconds = time.thread_time() - begun
        if not recipe.early:
            self._pace = max(self._pace, seconds / cost)
        return part, net, predictions, seconds


def parts_of(y: Numbers, classes: int, count: int, seed: int, ordered: bool = False) -> list[Numbers]:
    """Return the places of rows of each part; a class with fewer rows than parts is in none, so that all nets know it.

    Args:
        y: class numbers, or values.
        classes: how many; 0 of a regression.
        count: of parts.
        seed: of the draw.
        ordered: whether parts are blocks in stored order.

    Raises:
        ValueError: for fewer than two parts, or fewer rows than parts.
    """
    if not 2 <= count <= len(y):
        raise ValueError(f"{count} parts of {len(y):,} rows; give at least 2, and at most as many as there are rows")
    there = np.arange(len(y))
    if classes:
        there = there[np.bincount(y, minlength=classes)[y] >= count]
    shuffled: dict[str, Any] = {} if ordered else {"shuffle": True, "random_state": seed}
    splitter = (
        StratifiedKFold(count, **shuffled) if classes and len(there) and not ordered else KFold(count, **shuffled)
    )
    chosen = there if len(there) >= count else np.arange(len(y))
    return [chosen[out] for _, out in splitter.split(chosen, y[chosen])]
