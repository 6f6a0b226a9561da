"""L-BFGS of an estimator: scikit-learn's, and SciPy's for the losses and activations that scikit-learn lacks."""

import warnings
from typing import Any

import numpy as np
import sklearn.neural_network
from scipy.optimize import minimize
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

from torchann.engine.row_source import RowSource
from torchann.estimators.learners import learner_of
from torchann.estimators.options import OWN_LOSSES, SKLEARN_ACTIVATIONS

BLOCK = 1024  # rows at a time


def fit_by_lbfgs(model: Any, X: Any, y: Any, weight: Any) -> None:
    """Trains an MLP by all rows at once, and sets what a fit by this solver sets.

    Args:
        model: an MLP whose ``coefs_`` and ``intercepts_`` are set.
        X: inputs ``(rows, features)``, dense or sparse.
        y: targets ``(rows, outputs)``, classes as indicators.
        weight: how much each row counts, ``(rows,)``, or None.
    """
    if model.activation in SKLEARN_ACTIVATIONS and model.loss not in OWN_LOSSES:
        _fit_by_sklearn(model, X, y, weight)
    else:
        _fit_by_scipy(model, X, y, weight)


def _fit_by_sklearn(model: Any, X: Any, y: Any, weight: Any) -> None:
    # An estimator of scikit-learn takes over the weights, which keeps every bit of its results.
    kind = sklearn.neural_network.MLPClassifier if is_classifier(model) else sklearn.neural_network.MLPRegressor
    theirs = kind(**{name: getattr(model, name) for name in kind().get_params()})
    outputs = y.shape[1]
    if not is_classifier(model):
        some, targets = np.zeros((1, outputs)), y.ravel() if outputs == 1 else y
    elif model.out_activation_ == "logistic" and outputs > 1:
        some, targets = np.eye(outputs, dtype=int), y.astype(int)
    else:
        some, targets = model.classes_, model._labels_of(y)
    theirs.set_params(max_iter=1, random_state=0, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(
            np.zeros((len(some), X.shape[1])), some.ravel() if outputs == 1 else some
        )  # learns sizes and classes
    theirs.set_params(max_iter=model.max_iter, verbose=model.verbose, warm_start=True)
    theirs.coefs_, theirs.intercepts_ = list(model.coefs_), list(model.intercepts_)
    theirs.fit(X, targets, sample_weight=weight)
    model.coefs_ = [part.astype(X.dtype) for part in theirs.coefs_]
    model.intercepts_ = [part.astype(X.dtype) for part in theirs.intercepts_]
    model.n_iter_, model.loss_ = theirs.n_iter_, theirs.loss_


def _fit_by_scipy(model: Any, X: Any, y: Any, weight: Any) -> None:
    layers, count = [*model.coefs_, *model.intercepts_], len(model.coefs_)
    start = np.concatenate([part.ravel() for part in layers]).astype(np.float64)
    limits = {"maxfun": model.max_fun, "maxiter": model.max_iter, "gtol": model.tol}
    found = minimize(LossOfRows(model, X, y, weight), start, method="L-BFGS-B", jac=True, options=limits)
    ends = np.cumsum([part.size for part in layers])[:-1]
    parts = [p.reshape(old.shape) for p, old in zip(np.split(found.x.astype(X.dtype), ends), layers, strict=True)]
    model.coefs_, model.intercepts_ = parts[:count], parts[count:]
    model.n_iter_, model.loss_ = min(found.nit, model.max_iter), found.fun
    if found.status:
        warnings.warn(
            f"lbfgs failed to converge after {model.n_iter_} iteration(s) (status={found.status}): {found.message}; "
            f"give a larger max_iter than {model.max_iter}, or scale the rows",
            ConvergenceWarning,
            stacklevel=5,
        )


class LossOfRows:
    """The mean loss over all rows, penalty included, as a function of a model's parameters, in float64.

    Args:
        model: an MLP whose ``coefs_`` and ``intercepts_`` are set.
        X: inputs ``(rows, features)``, dense or sparse.
        y: targets ``(rows, outputs)``, classes as indicators.
        weight: how much each row counts, ``(rows,)``, or None.
    """

    def __init__(self, model: Any, X: Any, y: Any, weight: Any) -> None:
        from torchann.engine.compiled.solvers import make_solver

        self._alpha, self._num_weights = model.alpha, sum(part.size for part in model.coefs_)
        self._rows = RowSource(X, y, weight, np.float64)
        self._total = float(self._rows.count if weight is None else weight.sum())
        # Steps of rate 0 leave a gradient behind and move nothing.
        self._learner = learner_of(model, BLOCK, make_solver("momentum", 0), dtype=np.float64)

    def __call__(self, parameters: Any) -> tuple[float, Any]:
        """Return the loss and its derivative by each parameter, ``(parameters,)``.

        Args:
            parameters: weights of all layers, then biases, ``(parameters,)``.
        """
        learner, weights = self._learner, parameters[: self._num_weights]
        loss, gradient = 0.5 * self._alpha * float(weights @ weights), np.zeros_like(parameters)
        gradient[: self._num_weights] = self._alpha * weights
        for start in range(0, self._rows.count, BLOCK):
            learner.vector[:] = parameters
            x, y, weight = self._rows.block(np.arange(start, min(start + BLOCK, self._rows.count)))
            loss += learner.steps(x, y, np.zeros(1), len(x), weight=weight).loss
            gradient += learner.gradient * len(x)
        return loss / self._total, gradient / self._total
