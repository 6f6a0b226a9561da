"""What our two MLPs put in the place of scikit-learn's: how a net is trained, and how rows go through it."""

from itertools import pairwise
from typing import Any, ClassVar, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from torchann.estimators import mlp_task
from torchann.estimators.estimator_file import SafeFile
from torchann.estimators.fit_tasks import FitTasks
from torchann.estimators.held_out import HeldOut
from torchann.estimators.lbfgs import fit_by_lbfgs
from torchann.estimators.mlp_file import check_fitted
from torchann.estimators.options import check_together, check_unchanged
from torchann.estimators.prediction import ROWS
from torchann.estimators.sklearn_internals import CallbackSupportMixin, check_arguments, with_callbacks
from torchann.estimators.solver_state import SolverState, check_state, matching_state
from torchann.estimators.targets import row_weights
from torchann.estimators.training import Training

Own = TypeVar("Own", bound="MultilayerPerceptron")


class MultilayerPerceptron(SafeFile, CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """What both MLPs have in common: how they begin, learn by the engine of this package, and are kept; abstract.

    Of scikit-learn's MLPs, from which the two classes also derive, they take the arguments and what says of which kind
    an estimator is; nothing here relies on how those learn.
    """

    fitted: ClassVar[tuple[str, ...]] = (
        "coefs_",
        "intercepts_",
        "norms_",
        "n_iter_",
        "t_",
        "n_layers_",
        "n_outputs_",
        "out_activation_",
        "n_features_in_",
        "feature_names_in_",
        "loss_",
        "loss_curve_",
        "best_loss_",
        "validation_scores_",
        "best_validation_score_",
        "_no_improvement_count",
        "_optimizer",
    )

    coefs_: list[Any]
    intercepts_: list[Any]
    _optimizer: SolverState

    def fit(
        self: Own,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Own:
        """Learns from the rows, epoch by epoch.

        Args:
            X: ``(rows, features)``, an array, data frame or sparse matrix; float32 stays so.
            y: targets, ``(rows,)`` or ``(rows, outputs)``.
            sample_weight: how much each row counts, ``(rows,)``.
            X_val: rows whose score decides when to stop, ``(validation rows, features)``; without them,
                ``early_stopping`` sets a share of ``X`` aside.
            y_val: their targets.
            sample_weight_val: how much each of them counts.

        Returns:
            The estimator.

        Raises:
            ValueError: for NaN or infinity, lengths that differ, validation rows without ``early_stopping`` or with a
                class that ``y`` lacks, weights that became infinite, options that do not go together.
        """
        check_arguments(self)
        held_out = None
        if not (X_val is None and y_val is None and sample_weight_val is None):
            held_out = (X_val, y_val, sample_weight_val)
        return self._learn(X, y, sample_weight, held_out)

    def to_task(self) -> Any:
        """The Lightning task of the same net: weights, names of features and classes, curves, solver and rates.

        Returns:
            A ``torchann.ClassificationMLP`` or ``torchann.RegressionMLP``, in evaluation mode, ready to predict, to be
            saved or to be fitted further; of ``"lbfgs"`` by Adam, and by a constant rate where the estimator's moves as
            ``"invscaling"`` or ``"adaptive"``. ``alpha``, which scikit-learn divides by the rows of a batch, becomes
            the ``weight_decay`` that is the same for batches of this size. A task fits its own loss further, the
            squared error and not half of it: by ``"sgd"``, steps of a regressor are twice as long.

        Raises:
            NotFittedError: before ``fit``.
            ValueError: for the loss ``"poisson"``, whose outputs no task has.
        """
        return mlp_task.to_task(self)

    @classmethod
    def from_task(cls: type[Own], task: Any, *, classes: Any = None, **params: Any) -> Own:
        """The estimator of the same net as a task: weights, names, curves, optimiser and rates.

        Args:
            task: a ``torchann.ClassificationMLP`` or ``torchann.RegressionMLP``, fitted, or from a file; one that
                prepares its rows becomes a pipeline, by :func:`torchann.estimators.pipeline_of`.
            classes: what the task counts from 0, where that is not its ``class_names``.
            params: arguments of the estimator that the task has not, such as ``batch_size`` or ``random_state``.

        Raises:
            TypeError: for another task, or an unknown argument.
            ValueError: if the task has no net yet, prepares its rows, limits its outputs, or has other classes.
        """
        estimator: Own = mlp_task.from_task(cls, task, classes, params)
        return estimator

    @with_callbacks
    def _learn(self: Own, X: Any, y: Any, sample_weight: Any, held_out: Any = None, incremental: bool = False) -> Own:
        hidden = np.atleast_1d(self.hidden_layer_sizes).tolist()
        if any(size <= 0 for size in hidden):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {hidden}.")
        tasks = FitTasks(
            self, X, y, sample_weight, 0 if self.solver == "lbfgs" else 1 if incremental else self.max_iter
        )
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = self._checked(X, y, incremental, reset=first)
        check_together(self, held_out is not None, incremental)
        y = y.reshape(y.shape[0], -1)
        held_out = None if held_out is None else self._held_out(y, *held_out)
        if sample_weight is not None:
            sample_weight = row_weights(sample_weight, X)
        sample_weight = self._weighted(y, sample_weight)
        sizes = [X.shape[1], *hidden, y.shape[1]]
        self.n_outputs_: int = y.shape[1]
        self.norms_: list[dict[str, Any]] = getattr(self, "norms_", [])
        self._random_state = check_random_state(self.random_state)
        if first:
            self._begin(sizes, X.dtype)
        if (before := [len(part) for part in self.coefs_] + [self.coefs_[-1].shape[1]]) != sizes:
            raise ValueError(
                f"the weights are of layers {before} and now there are {sizes}; give the same, or fit anew"
            )
        check_unchanged(self)
        if self.solver == "lbfgs":
            if hasattr(self, "_optimizer"):
                del self._optimizer  # of another solver, in an earlier fit
            fit_by_lbfgs(self, X, y, sample_weight)
        else:
            Training(self, X, y, sample_weight, held_out, incremental, tasks).run()
        if not all(np.isfinite(part).all() for part in (*self.coefs_, *self.intercepts_)):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        tasks.end()
        return self

    def _checked(self, X: Any, y: Any, incremental: bool, *, reset: bool) -> tuple[Any, Any]:
        """Rows and targets as arrays of numbers, targets ``(rows,)`` or ``(rows, outputs)``."""
        raise NotImplementedError

    def _begin(self, sizes: list[int], dtype: Any) -> None:
        """Sets what a fit starts from: weights drawn as scikit-learn draws them, empty curves."""
        self.n_iter_ = self.t_ = 0
        self.n_layers_, self.n_outputs_ = len(sizes), sizes[-1]
        self.out_activation_ = self._output_activation()
        layers = [self._first_layer(*pair, dtype) for pair in pairwise(sizes)]
        self.coefs_, self.intercepts_ = [weight for weight, _ in layers], [bias for _, bias in layers]
        self._best_coefs = [part.copy() for part in self.coefs_]
        self._best_intercepts = [part.copy() for part in self.intercepts_]
        self.norms_ = [self._first_norm(size, dtype) for size in sizes[1:-1]] if self.norm else []
        self._best_norms = self.norms_
        if self.solver != "lbfgs":
            self.loss_curve_: list[float] = []
            self._no_improvement_count = 0
            self.validation_scores_: list[float] | None = [] if self.early_stopping else None
            self.best_validation_score_: float | None = -np.inf if self.early_stopping else None
            self.best_loss_: float | None = None if self.early_stopping else np.inf

    def _output_activation(self) -> str:
        raise NotImplementedError

    def _first_layer(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[Any, Any]:
        bound = np.sqrt((2.0 if self.activation == "logistic" else 6.0) / (fan_in + fan_out))  # Glorot's
        weight, bias = (self._random_state.uniform(-bound, bound, size) for size in ((fan_in, fan_out), fan_out))
        return weight.astype(dtype, copy=False), bias.astype(dtype, copy=False)

    def _first_norm(self, size: int, dtype: Any) -> dict[str, Any]:
        parts = {"weight": np.ones(size, dtype), "bias": np.zeros(size, dtype)}
        if self.norm == "batch":
            parts |= {"running_mean": np.zeros(size, dtype), "running_var": np.ones(size, dtype)}
        return parts

    def _weighted(self, y: Any, sample_weight: Any) -> Any:
        """How much each row counts in training: by ``sample_weight``, and by whatever else a class knows."""
        return sample_weight

    def _held_out(self, train: Any, X: Any, y: Any, weight: Any) -> HeldOut:
        if X is None or y is None:
            missing = "X_val" if X is None else "y_val"
            raise ValueError(f"there is no {missing}; give both X_val and y_val, or neither and no sample_weight_val")
        X, y = validate_data(self, X, y, reset=False, multi_output=True, y_numeric=not is_classifier(self), **ROWS)
        y = self._indicators(y).reshape(X.shape[0], -1)
        if y.shape[1] != train.shape[1]:
            raise ValueError(f"y_val has {y.shape[1]} columns and y {train.shape[1]}; give the same targets for both")
        if len(y) < 2 and not is_classifier(self):
            raise ValueError("X_val has one row, which has no R²; give two or more")
        if weight is not None and not np.sum(weight) > 0:
            raise ValueError("sample_weight_val adds up to nothing; give rows that count, or leave it out")
        return HeldOut(X, y, None if weight is None else row_weights(weight, X))

    def _indicators(self, y: Any) -> Any:
        """Targets of validation rows as numbers, one column for each output."""
        return y

    def _targets_of(self, indicators: Any) -> Any:
        """Targets as ``fit`` is given them, from numbers with one column for each output."""
        return indicators.ravel() if indicators.shape[1] == 1 else indicators

    def _parameters(self) -> dict[str, Any]:
        code = {"callbacks": None, "scoring": self.scoring if isinstance(self.scoring, str) else None}
        return super()._parameters() | code

    def _fitted_values(self) -> dict[str, Any]:
        values = super()._fitted_values()
        state = values.pop("_optimizer", None)
        if state is not None and matching_state(self) is not None:  # else the arguments have changed since the fit
            values["_optimizer"] = dict(state)
        return values

    def _take_fitted(self, values: dict[str, Any]) -> None:
        super()._take_fitted(values)
        if "_optimizer" in values:
            check_state(self, self._optimizer)
            self._optimizer = SolverState(self._optimizer)
        self._best_coefs, self._best_intercepts, self._best_norms = self.coefs_, self.intercepts_, self.norms_

    def _check_fitted(self) -> None:
        check_fitted(self)
