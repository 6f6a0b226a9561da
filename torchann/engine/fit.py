"""A fit: epochs over the rows of a network until a rule ends them, with scikit-learn's bookkeeping."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from torchann.engine.together import check_stop

LOWEST_RATE, CUT = 1e-6, 5.0  # of a rate that adapts


class Taken(Protocol):
    """What the steps of an epoch measured, before each of them."""

    @property
    def loss(self) -> float:
        """Sum of the rows' losses."""

    @property
    def penalty(self) -> float:
        """Sum of the squared weights, for each row."""


class Rows(Protocol):
    """Rows that a network is trained on."""

    count: int

    def steps(self, learner: Any, order: NDArray[np.int64], rates: NDArray[np.float64], batch_size: int) -> Taken:
        """Have a learner take a step on each mini-batch of the rows in that order."""


class StoppingRule:
    """scikit-learn's: stop after more than some epochs in a row without an improvement.

    Args:
        tol: what a change must exceed to be an improvement.
        patience: epochs; scikit-learn's ``n_iter_no_change``.
        rises: whether more is better, as of a score; else less is, as of a loss.
        best: what has been reached before.
        waited: epochs without improvement before.

    Example:
        >>> rule = StoppingRule(tol=0.1, patience=1)
        >>> for loss in (1.0, 0.95, 0.94):  # better, but by less than 0.1
        ...     _ = rule.note(loss)
        >>> rule.best, rule.waited, rule.out_of_patience
        (0.94, 2, True)
    """

    def __init__(
        self, tol: float, patience: float, rises: bool = False, best: float | None = None, waited: int = 0
    ) -> None:
        self.tol, self.patience, self.rises, self.waited = tol, patience, rises, waited
        self.best: float = (-np.inf if rises else np.inf) if best is None else best

    def note(self, value: float) -> bool:
        """Take an epoch's value into account; return whether it is the best so far."""
        stays = value < self.best + self.tol if self.rises else value > self.best - self.tol  # False of NaN
        self.waited = self.waited + 1 if stays else 0
        better = value > self.best if self.rises else value < self.best
        self.best = value if better else self.best
        return better

    @property
    def out_of_patience(self) -> bool:
        """Whether training should stop, or the rate be cut."""
        return self.waited > self.patience


@dataclass
class LearningRate:
    """The learning rate of each step.

    Attributes:
        first: rate to start with.
        kind: ``"constant"``, ``"invscaling"`` (divided by a power of the rows seen), ``"adaptive"`` (divided by 5
            when training gets no further) or ``"given"``.
        power_t: exponent of ``"invscaling"``.
        given: rates of all steps of ``"given"``, ``(steps,)``.
        now: rate of the next step.
    """

    first: float
    kind: str = "constant"
    power_t: float = 0.5
    given: NDArray[np.float64] | None = None
    now: float = field(default=0.0)
    _taken: int = 0

    def __post_init__(self) -> None:
        self.now = self.now or (self.first if self.given is None else float(self.given[0]))

    def of_steps(self, steps: int) -> NDArray[np.float64]:
        """Return the rates of the next steps, ``(steps,)``."""
        if self.given is None:
            return np.full(steps, self.now)
        rates = self.given[self._taken : self._taken + steps]
        self._taken += steps
        self.now = float(self.given[min(self._taken, len(self.given) - 1)])
        return rates

    def end_epoch(self, rows_seen: int) -> None:
        """Move on after an epoch; ``rows_seen`` counts those of all epochs."""
        if self.kind == "invscaling":
            self.now = self.first / (rows_seen + 1) ** self.power_t

    def cut(self) -> bool:
        """Cut a rate that adapts; return whether training goes on with it."""
        if self.kind != "adaptive" or self.now <= LOWEST_RATE:
            return False
        self.now /= CUT
        return True


@dataclass
class FitResult:
    """What a fit has come to.

    Attributes:
        loss_curve: training loss of each epoch, penalty included.
        validation_scores: score of each epoch, where there are validation rows.
        stopped: ``"converged"``, ``"max_iter"``, ``"diverged"`` or ``"callback"``; None while it runs.
        best: parameters of the epoch with the best score, ``(parameters,)``; None without validation rows.
    """

    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    stopped: str | None = None
    best: NDArray[Any] | None = None


class Fit:
    """Trains a network, an epoch at a time.

    Args:
        learner: takes the steps; its ``vector`` has the parameters.
        rows: what it is trained on.
        next_order: returns the numbers of the rows in the order of the coming epoch.
        batch_size: rows per step.
        rule: when to stop.
        rate: of the steps.
        max_iter: epochs, at most.
        alpha: penalty on the squared weights in the loss.
        score: returns the score of validation rows; None to go by the training loss.
        rows_seen: rows of earlier epochs, for a rate that falls with them.
        ends_diverged: whether parameters that are no longer finite end the fit.

    Attributes:
        result: curves, and how it ended.
        n_iter: epochs trained.
    """

    def __init__(
        self,
        learner: Any,
        rows: Rows,
        next_order: Callable[[], NDArray[np.int64]],
        batch_size: int,
        rule: StoppingRule,
        rate: LearningRate,
        max_iter: int,
        alpha: float = 0.0,
        score: Callable[[], float] | None = None,
        rows_seen: int = 0,
        ends_diverged: bool = False,
    ) -> None:
        self.learner, self.rows, self.next_order, self.batch_size = learner, rows, next_order, batch_size
        self.rule, self.rate, self.max_iter, self.alpha, self.score = rule, rate, max_iter, alpha, score
        self.rows_seen, self.ends_diverged = rows_seen, ends_diverged
        self.result: FitResult = FitResult()
        self.n_iter = 0

    def epoch(self) -> None:
        """Train for one epoch: take its steps, note loss and score, and decide whether there is another."""
        steps, result = -(-self.rows.count // self.batch_size), self.result
        taken = self.rows.steps(self.learner, self.next_order(), self.rate.of_steps(steps), self.batch_size)
        result.loss_curve.append((taken.loss + 0.5 * self.alpha * taken.penalty) / self.rows.count)
        self.n_iter += 1
        self.rows_seen += self.rows.count
        if self.score is None:
            self.rule.note(result.loss_curve[-1])
        else:
            result.validation_scores.append(self.score())
            if self.rule.note(result.validation_scores[-1]):
                result.best = self.learner.vector.copy()
        if self.ends_diverged and not np.isfinite(self.learner.vector).all():
            result.stopped = "diverged"
            return
        self.rate.end_epoch(self.rows_seen)

    def decide(self) -> None:
        """End the fit if the rule says so, or cut a rate that adapts; after :meth:`epoch`."""
        if self.result.stopped is None and self.rule.out_of_patience:
            if self.rate.cut():
                self.rule.waited = 0
            else:
                self.result.stopped = "converged"
        if self.result.stopped is None and self.n_iter >= self.max_iter:
            self.result.stopped = "max_iter"

    def run(self, callbacks: Sequence[Callable[["Fit"], bool]] = ()) -> FitResult:
        """Train to the end.

        Args:
            callbacks: called after each epoch; one that returns True ends the fit.
        """
        while self.result.stopped is None and self.n_iter < self.max_iter:
            check_stop()
            self.epoch()
            called = [bool(callback(self)) for callback in callbacks]
            self.decide()
            if any(called) and self.result.stopped in (None, "max_iter"):
                self.result.stopped = "callback"
        return self.result
