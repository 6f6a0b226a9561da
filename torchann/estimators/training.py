"""A fit of an MLP estimator: its arguments as a learner, rows and a rule, and scikit-learn's attributes from it."""

import time
import warnings
from copy import deepcopy
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring

from torchann.engine.devices import device_for
from torchann.engine.fit import CUT, LOWEST_RATE, Fit, LearningRate, StoppingRule
from torchann.engine.inference import values_of
from torchann.engine.row_source import RowSource
from torchann.engine.schedules import scheduled_rates
from torchann.engine.scores import SCORES
from torchann.estimators.fit_tasks import FitTasks
from torchann.estimators.held_out import HeldOut, draw
from torchann.estimators.learners import layers_of, learner_of, sizes_of
from torchann.estimators.options import SCHEDULES
from torchann.estimators.solver_state import matching_state, restored, saved_state


class Training:
    """A fit, epoch by epoch.

    Args:
        model: an MLP whose ``coefs_`` and ``intercepts_`` are set; what a fit sets is set on it.
        X: inputs ``(rows, features)``, dense or sparse.
        y: targets ``(rows, outputs)``, classes as indicators.
        weight: how much each row counts, ``(rows,)``, or None.
        held_out: rows to stop by; None to draw them, if the model stops early.
        incremental: whether this is one epoch more of an earlier fit.
        tasks: tell scikit-learn's callbacks of the epochs.
    """

    def __init__(
        self,
        model: Any,
        X: Any,
        y: Any,
        weight: Any,
        held_out: HeldOut | None,
        incremental: bool,
        tasks: FitTasks,
    ) -> None:
        self.tasks = tasks
        self.model, self.incremental, self._sizes = model, incremental, sizes_of(model)
        rows = min(200 if model.batch_size == "auto" else model.batch_size, X.shape[0])
        device = device_for(model.device, self._sizes, rows)
        seed = model._random_state.randint(2**31 - 1) if model.dropout else 0
        self._in_place = device == "cpu"
        self.learner: Any = learner_of(model, rows, device=device, seed=seed)
        self._publish()
        if model.early_stopping and held_out is None:
            X, y, weight, held_out = draw(model, X, y, weight)
        batch_size = _batch_size(model.batch_size, X.shape[0])
        source = RowSource(X, y, weight, self.learner.vector.dtype)
        rate = self._rate(-(-source.count // batch_size), seed)
        self._order = np.arange(source.count)
        self._started = time.perf_counter()
        best, count = model.best_loss_, model._no_improvement_count
        score = None
        if held_out is not None:
            best, score = model.best_validation_score_, self._scorer(held_out)
        rule = StoppingRule(model.tol, model.n_iter_no_change, held_out is not None, best, count)
        self.fit: Fit = Fit(
            self.learner,
            source,
            self._next_order,
            batch_size,
            rule,
            rate,
            1 if incremental else model.max_iter,
            0.0 if model.solver == "adamw" else float(model.alpha),
            score,
            model.t_,
        )

    def _rate(self, steps: int, seed: int) -> LearningRate:
        model, first = self.model, self.model.learning_rate_init
        if model.learning_rate in SCHEDULES:
            rates = scheduled_rates(model.learning_rate, first, model.learning_rate_options, model.max_iter, steps)
            return LearningRate(first, "given", given=rates)
        rate = LearningRate(first, model.learning_rate if model.solver == "sgd" else "constant", model.power_t)
        state = matching_state(model) if self.incremental else None
        if state is not None:
            rate.now = state.learning_rate
            self.learner.load_state(restored(model, state, seed))
        return rate

    def _scorer(self, held_out: HeldOut) -> Any:
        model, score = self.model, SCORES[self.model.out_activation_]
        weight = np.ones(held_out.X.shape[0]) if held_out.weight is None else held_out.weight.astype(np.float64)
        if not np.sum(weight) > 0:
            raise ValueError("the weights of the validation rows add up to nothing; give more rows that count")
        if len(getattr(model, "classes_", ())) == 1:
            return lambda: 1.0
        if model.scoring is not None:
            return self._asked_scorer(held_out)
        if sparse.issparse(held_out.X):
            return lambda: score(self._values_of_sparse(held_out.X), held_out.y, weight)
        x = np.ascontiguousarray(held_out.X, self.learner.vector.dtype)
        return lambda: score(self.learner.outputs(x, values=True), held_out.y, weight)

    def _asked_scorer(self, held_out: HeldOut) -> Any:
        model, scorer = self.model, check_scoring(self.model, self.model.scoring)
        y, given = model._targets_of(held_out.y), {} if held_out.weight is None else {"sample_weight": held_out.weight}

        def score() -> float:
            if not self._in_place:
                self._publish()
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "X does not have valid feature names")  # they have been checked
                return float(scorer(model, held_out.X, y, **given))

        return score

    def _values_of_sparse(self, X: Any) -> Any:
        if not self._in_place:
            self._publish()
        return values_of(self.model, X)

    def _next_order(self) -> Any:
        self.tasks.begin_epoch()
        if self.model.shuffle:  # as scikit-learn, which shuffles what the epoch before has shuffled
            self.model._random_state.shuffle(self._order)
        return self._order

    def run(self) -> None:
        """Train until the loss or the validation score no longer improves."""
        model, result = self.model, self.fit.result
        model.n_iter_ = 0
        try:
            self.fit.run([self._end_epoch])
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=5)
        self._publish()
        model._no_improvement_count = self.fit.rule.waited
        if model.early_stopping:
            model.coefs_, model.intercepts_, model.norms_ = model._best_coefs, model._best_intercepts, model._best_norms
        model._optimizer = saved_state(model, self.fit.rate.now, self.learner.state())
        if result.stopped == "max_iter" and not self.incremental:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({model.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _publish(self) -> None:
        """Show the parameters as the model's arrays: on the CPU views that follow, else copies."""
        model = self.model
        model.coefs_, model.intercepts_ = layers_of(self.learner.vector, self._sizes)
        model.norms_ = self.learner.norms if model.norms_ else model.norms_

    def _end_epoch(self, fit: Fit) -> bool:
        model, result, rule = self.model, fit.result, fit.rule
        model.n_iter_, model.t_, model.loss_ = fit.n_iter, fit.rows_seen, np.float64(result.loss_curve[-1])
        model.loss_curve_.append(result.loss_curve[-1])
        if model.verbose:
            print(f"Iteration {model.n_iter_}, loss = {model.loss_:.8f}")
        if fit.score is None:
            model.best_loss_ = np.float64(rule.best)
        else:
            self._note_score(result.validation_scores[-1])
        model._no_improvement_count = rule.waited
        called = bool(model.callbacks) and self._call(model.callbacks)
        called |= self.tasks.end_epoch(self._copies)
        if rule.out_of_patience and model.verbose:
            print(self._why_it_gets_no_further())
        self._started = time.perf_counter()
        return called

    def _copies(self) -> dict[str, Any]:
        self._publish()
        names = ("coefs_", "intercepts_", "norms_", "loss_curve_", "validation_scores_")
        return {name: deepcopy(getattr(self.model, name)) for name in names}

    def _note_score(self, score: float) -> None:
        model, fit = self.model, self.fit
        model.validation_scores_.append(score)
        if model.verbose:
            print(f"Validation score: {score:f}")
        if fit.rule.best != model.best_validation_score_:
            model.best_validation_score_ = fit.rule.best
            model._best_coefs, model._best_intercepts = layers_of(fit.result.best, self._sizes)
            model._best_norms = [{name: part.copy() for name, part in norm.items()} for norm in model.norms_]

    def _call(self, callbacks: Any) -> bool:
        model, fit = self.model, self.fit
        if not self._in_place:
            self._publish()
        rate = fit.rate.now
        if fit.rate.given is not None and model.learning_rate != "one_cycle":  # which alone moves within an epoch
            rate = float(fit.rate.given[fit.n_iter * (len(fit.rate.given) // model.max_iter) - 1])
        figures = {
            "epoch": len(model.loss_curve_) - 1,
            "loss": model.loss_,
            "learning_rate": rate,
            "seconds": time.perf_counter() - self._started,
        }
        if model.early_stopping:
            figures["validation_score"] = model.validation_scores_[-1]
        return any([bool(callback(model, figures)) for callback in callbacks])

    def _why_it_gets_no_further(self) -> str:
        model, rate = self.model, self.fit.rate
        what = "Validation score" if model.early_stopping else "Training loss"
        end = "Stopping."
        if rate.kind == "adaptive":
            low = rate.now <= LOWEST_RATE
            end = "Learning rate too small. Stopping." if low else f"Setting learning rate to {rate.now / CUT:f}"
        return (
            f"{what} did not improve more than tol={model.tol:f} for {model.n_iter_no_change} consecutive epochs. {end}"
        )


def _batch_size(given: Any, rows: int) -> int:
    if given == "auto":
        return min(200, rows)
    if given > rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=6
        )
    return min(int(given), rows)
