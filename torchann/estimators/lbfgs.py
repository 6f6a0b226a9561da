"""L-BFGS of an estimator: scikit-learn's, and SciPy's for the losses and activations that scikit-learn lacks."""

import warnings
from typing import Any

import numpy as np
import sklearn.neural_network
import torch
from scipy.optimize import minimize
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

from torchann.engine.epoch import RowSource
from torchann.engine.old_fit import flat_parameters_of
from torchann.estimators.options import SKLEARN_ACTIVATIONS
from torchann.nets.sklearn_objectives import OWN_LOSSES, objective_of

CPU = torch.device("cpu")


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
        self._alpha = model.alpha
        self._flat = flat_parameters_of(model, CPU, dtype=torch.float64)
        self._objective = objective_of(model.out_activation_, model.loss)
        self._rows = RowSource(X, y, weight, CPU, torch.float64)
        self._total = float(self._rows.count if weight is None else weight.sum())

    def __call__(self, parameters: Any) -> tuple[float, Any]:
        """Returns the loss and its derivative by each parameter, ``(parameters,)``.

        Args:
            parameters: weights of all layers, then biases, ``(parameters,)``.
        """
        flat, objective, passes = self._flat, self._objective, self._flat.passes
        with torch.no_grad():
            flat.vector.copy_(torch.from_numpy(parameters))
            weights = flat.vector[: flat.num_weights]
            loss = 0.5 * self._alpha * float(torch.dot(weights, weights))
            gradient = torch.zeros_like(flat.vector)
            gradient[: flat.num_weights] = self._alpha * weights
            for x, targets, part in self._rows.blocks():
                trace: Any = passes.forward(x)
                values = objective.activation(trace.outputs)
                share = 1.0 if part is None else part.unsqueeze(1)
                loss += float((objective.losses(values, targets) * share).sum())
                passes.fill(trace, objective.error(values, targets) * share)
                gradient.add_(flat.gradient)
        return loss / self._total, (gradient / self._total).numpy()
