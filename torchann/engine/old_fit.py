"""The epochs of an estimator's fit, with scikit-learn's bookkeeping: draws, curves, early stopping, warnings."""

import time
import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from torchann.engine.epoch import RowSource, Training
from torchann.engine.flat_parameters import FlatParameters
from torchann.engine.inference import tensor_of
from torchann.engine.schedules import Schedule
from torchann.engine.solvers import SGD, Adam, Solver, TorchSolver
from torchann.nets.scores import SCORES
from torchann.nets.sklearn_objectives import objective_of

LOWEST_RATE, CUT = 1e-6, 5.0  # of learning_rate="adaptive"
PLAIN_RATES = ("constant", "invscaling", "adaptive")


class HeldOut(NamedTuple):
    """Rows whose score decides when to stop.

    Attributes:
        X: inputs ``(rows, features)``, dense or sparse.
        y: targets ``(rows, outputs)``, classes as indicators.
        weight: how much each row counts, ``(rows,)``, or None.
    """

    X: Any
    y: Any
    weight: Any


class Epochs:
    """A fit, epoch by epoch.

    Args:
        model: an MLP whose ``coefs_`` and ``intercepts_`` are set; what a fit sets is set on it.
        X: inputs ``(rows, features)``, dense or sparse.
        y: targets ``(rows, outputs)``, classes as indicators.
        weight: how much each row counts, ``(rows,)``, or None.
        held_out: rows to stop by; None to draw them, if the model stops early.
        incremental: whether this is one epoch more of a fit before.
        device: to train on.
    """

    model: Any
    incremental: bool
    on_cpu: bool

    def __init__(
        self,
        model: Any,
        X: Any,
        y: Any,
        weight: Any,
        held_out: HeldOut | None,
        incremental: bool,
        device: torch.device,
    ) -> None:
        self.model, self.incremental, self.on_cpu = model, incremental, device.type == "cpu"
        self.flat: FlatParameters = flat_parameters_of(
            model, device, model._random_state.randint(2**31 - 1) if model.dropout else 0
        )
        self.publish()
        if not incremental or not hasattr(model, "_optimizer"):
            model._optimizer = solver_of(model)
        model._optimizer.start(self.flat.vector)
        if model.early_stopping and held_out is None:
            X, y, weight, held_out = _split(model, X, y, weight)
        if held_out is not None:
            weight_val = np.ones(held_out.X.shape[0]) if held_out.weight is None else held_out.weight
            self._rows_val = RowSource(held_out.X, held_out.y, None, device, self.flat.vector.dtype)
            self._y_val = tensor_of(held_out.y, model.coefs_[0].dtype, device)
            if not np.sum(weight_val) > 0:
                raise ValueError("the weights of the validation rows add up to nothing; give more rows that count")
            self._weight_val = tensor_of(weight_val, np.float64, device)
        self.batch_size: int = _batch_size(model.batch_size, X.shape[0])
        self.rows: RowSource = RowSource(X, y, weight, device, self.flat.vector.dtype)
        self.schedule: Schedule | None = None
        if model.learning_rate not in PLAIN_RATES:
            steps = model.max_iter * -(-self.rows.count // self.batch_size)
            options = model.learning_rate_options or {}
            try:
                self.schedule = Schedule(model.learning_rate, model._optimizer, options, model.max_iter, steps)
            except ValueError as error:
                raise ValueError(str(error).replace("lr_schedule", "learning_rate")) from None
            except (ZeroDivisionError, LookupError) as error:
                raise ValueError(f"learning_rate_options={options}: {error}; give others") from None
        objective, alpha = (
            objective_of(model.out_activation_, model.loss),
            0.0 if model.solver == "adamw" else float(model.alpha),
        )
        self.training: Training = Training(self.flat, objective, model._optimizer, alpha, self.schedule)

    def run(self) -> None:
        """Trains until the loss or the validation score no longer improves."""
        model = self.model
        try:
            self._run()
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        self.publish()
        if model.early_stopping:
            model.coefs_, model.intercepts_, model.norms_ = model._best_coefs, model._best_intercepts, model._best_norms
        model._optimizer.start(self.flat.vector.cpu())

    def _run(self) -> None:
        model, order = self.model, np.arange(self.rows.count)
        model.n_iter_ = 0
        while model.n_iter_ < model.max_iter:
            started = time.perf_counter()
            if model.shuffle:
                order = order.take(_permutation(len(order), model._random_state))
            model.loss_ = self.training.epoch(self.rows, order, self.batch_size)
            model.n_iter_ += 1
            model.t_ += self.rows.count
            model.loss_curve_.append(model.loss_)
            if model.verbose:
                print(f"Iteration {model.n_iter_}, loss = {model.loss_:.8f}")
            self._compare_with_best()
            if model.solver == "sgd" and model.learning_rate == "invscaling":
                model._optimizer.learning_rate = model.learning_rate_init / (model.t_ + 1) ** model.power_t
            stop = self._called_back(time.perf_counter() - started)
            if self.schedule is not None and not self.schedule.by_step:
                self.schedule.step()
            if model._no_improvement_count > model.n_iter_no_change:
                stop |= self._out_of_patience()
            if stop or self.incremental:
                return
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({model.max_iter}) reached and the optimization hasn't "
            "converged yet.",
            ConvergenceWarning,
            stacklevel=5,
        )

    def publish(self) -> None:
        """Shows the parameters as the model's arrays: on the CPU views that follow, else a copy."""
        model = self.model
        model.coefs_ = [part.numpy(force=True) for part in self.flat.weights]
        model.intercepts_ = [part.numpy(force=True) for part in self.flat.biases]
        model.norms_ = [{name: part.numpy(force=True) for name, part in norm.items()} for norm in self.flat.norms]

    def _compare_with_best(self) -> None:
        model = self.model
        if not model.early_stopping:
            model._no_improvement_count += 1
            if not model.loss_ > model.best_loss_ - model.tol:
                model._no_improvement_count = 0
            model.best_loss_ = model.loss_ if model.loss_ < model.best_loss_ else model.best_loss_
            return
        score = 1.0  # of one class
        if len(getattr(model, "classes_", ())) != 1:
            values = self.training.values(self._rows_val)
            score = SCORES[model.out_activation_](values, self._y_val, self._weight_val)
        model.validation_scores_.append(score)
        if model.verbose:
            print(f"Validation score: {score:f}")
        model._no_improvement_count += 1
        if not score < model.best_validation_score_ + model.tol:
            model._no_improvement_count = 0
        if score > model.best_validation_score_:
            model.best_validation_score_ = score
            if not self.on_cpu:
                self.publish()
            model._best_coefs = [part.copy() for part in model.coefs_]
            model._best_intercepts = [part.copy() for part in model.intercepts_]
            model._best_norms = [{name: part.copy() for name, part in norm.items()} for norm in model.norms_]

    def _called_back(self, seconds: float) -> bool:
        model = self.model
        if not model.callbacks:
            return False
        if not self.on_cpu:
            self.publish()
        figures = {
            "epoch": len(model.loss_curve_) - 1,
            "loss": model.loss_,
            "learning_rate": model._optimizer.learning_rate,
            "seconds": seconds,
        }
        if model.early_stopping:
            figures["validation_score"] = model.validation_scores_[-1]
        return any([bool(callback(model, figures)) for callback in model.callbacks])

    def _out_of_patience(self) -> bool:
        model = self.model
        what = "Validation score" if model.early_stopping else "Training loss"
        told = f"{what} did not improve more than tol={model.tol:f} for {model.n_iter_no_change} consecutive epochs."
        adaptive, rate = model.solver == "sgd" and model.learning_rate == "adaptive", model._optimizer.learning_rate
        stop = not adaptive or rate <= LOWEST_RATE
        if not stop:
            model._optimizer.learning_rate = rate / CUT
            model._no_improvement_count = 0
            end = f"Setting learning rate to {rate / CUT:f}"
        else:
            end = "Learning rate too small. Stopping." if adaptive else "Stopping."
        if model.verbose:
            print(told, end)
        return stop


def flat_parameters_of(
    model: Any, device: torch.device, seed: int = 0, dtype: torch.dtype | None = None
) -> FlatParameters:
    """The model's net with its weights, on a device.

    Args:
        model: an MLP whose ``coefs_``, ``intercepts_`` and ``norms_`` are set.
        device: to train on.
        seed: of the dropout.
        dtype: of the parameters; None for that of the model's arrays.
    """
    sizes = [*(len(part) for part in model.coefs_), model.n_outputs_]
    activation = "sigmoid" if model.activation == "logistic" else model.activation
    dtype = dtype or tensor_of(model.coefs_[0]).dtype
    flat = FlatParameters(sizes, activation, model.dropout, model.norm, seed, device, dtype)
    pairs = [*zip(flat.weights, model.coefs_, strict=True), *zip(flat.biases, model.intercepts_, strict=True)]
    for norm, arrays in zip(flat.norms, model.norms_, strict=True):
        pairs += [(norm[name], array) for name, array in arrays.items()]
    for part, array in pairs:
        part.copy_(tensor_of(array))
    return flat


def solver_of(model: Any) -> Solver:
    """The solver that the model's arguments name, from its first rate."""
    rate = model.learning_rate_init
    if model.solver == "sgd":
        return SGD(rate, model.momentum, model.nesterovs_momentum)
    if model.solver == "adam":
        return Adam(rate, model.beta_1, model.beta_2, model.epsilon)
    options: dict[str, Any] = {"eps": model.epsilon}
    if model.solver in ("adamw", "nadam"):
        options["betas"] = (model.beta_1, model.beta_2)
    return TorchSolver(model.solver, rate, model.alpha if model.solver == "adamw" else 0.0, options)


def _batch_size(given: Any, rows: int) -> int:
    if given == "auto":
        return min(200, rows)
    if given > rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
        )
    return min(int(given), rows)


def _permutation(count: int, random_state: Any) -> Any:
    rows = np.arange(count)
    random_state.shuffle(rows)
    return rows


def _split(model: Any, X: Any, y: Any, weight: Any) -> Any:
    stratify = y if is_classifier(model) and model.n_outputs_ == 1 else None
    parts = [X, y] if weight is None else [X, y, weight]
    split = train_test_split(
        *parts, random_state=model._random_state, test_size=model.validation_fraction, stratify=stratify
    )
    train, val = split[::2], split[1::2]
    if val[0].shape[0] < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    none = [None] if weight is None else []
    return *train, *none, HeldOut(*val, *none)
