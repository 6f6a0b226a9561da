"""Nets on a table, trained together: recipes race on rows left out, and the best are trained on every part of them."""

import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import cpu_count
from sklearn.exceptions import ConvergenceWarning

from torchann.engine.together import StoppableThreads
from torchann.estimators.portfolio.blend import blend
from torchann.estimators.portfolio.recipes import RECIPES, Recipe
from torchann.estimators.portfolio.rows import Numbers, Rows, parts_of

SMALL = 3_000  # rows; of fewer one part is too small to race on
RACE = 0.3  # share of the time in which recipes are tried, before the best get their other nets


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
        self.trials.sort(key=self.loss_of)
        if not self.interrupted:
            self._deadline = None if self.seconds is None else begun + self.seconds
            chosen = self.trials[:1] if self.seconds is None else self.trials
            self._train((trial, part) for trial in chosen for part in every if part not in trial.nets)
        self.trials = sorted((trial for trial in self.trials if trial.nets), key=self.loss_of)
        if not self.trials:
            raise KeyboardInterrupt
        # The loss of a trial that has not all its nets is of fewer rows, and may be lower by chance.
        whole = [trial for trial in self.trials if len(trial.nets) == len(self.parts)] or self.trials
        self._weigh(whole if self.seconds is not None and len(whole[0].nets) == len(self.parts) else whole[:1])

    def members(self) -> list[tuple[Trial, Any, float]]:
        """Return the nets of the whole, each with its trial and its weight; the weights add up to 1."""
        return [
            (trial, net, trial.weight / len(trial.nets))
            for trial in self.trials
            for _, net in sorted(trial.nets.items())
            if trial.weight
        ]

    def predictions(self) -> tuple[Numbers, Numbers]:
        """Return what the weighted nets predict of rows that they have not seen, and the places of these rows."""
        chosen = [trial for trial in self.trials if trial.weight]
        mean = sum(trial.weight * self.predictions_of(trial)[0] for trial in chosen)
        return np.asarray(mean), self.predictions_of(chosen[0])[1]

    def loss_of(self, trial: Trial) -> float:
        """Return the loss of a trial on the rows that its nets have not seen; infinite if it has none."""
        return self.rows.loss(*self.predictions_of(trial)) if trial.nets else np.inf

    def predictions_of(self, trial: Trial) -> tuple[Numbers, Numbers]:
        """Return what the nets of a trial predict of rows that they have not seen, and the places of these rows."""
        parts = sorted(trial.nets)
        return tuple(np.concatenate([of[part] for part in parts]) for of in (trial.predictions, self.parts))  # type: ignore[return-value]

    def _weigh(self, chosen: Sequence[Trial]) -> None:
        told = [self.predictions_of(trial) for trial in chosen]
        weights = blend([predictions for predictions, _ in told], lambda mean: self.rows.loss(mean, told[0][1]))
        for trial, weight in zip(chosen, weights, strict=True):
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
                        self.say(f"{trial.name}: loss {self.loss_of(trial):.4g}, {trial.seconds:.1f} s")
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
        x, y = rows.x[:, columns], rows.targets
        net.fit(x[kept], y[kept], **({"X_val": x[out], "y_val": y[out]} if recipe.early else {}))
        if time.monotonic() > deadline and net.n_iter_ < net.max_iter:
            return None
        seconds = time.thread_time() - begun
        if not recipe.early:
            self._pace = max(self._pace, seconds / cost)
        return part, net, rows.predict(net, x[out]), seconds
