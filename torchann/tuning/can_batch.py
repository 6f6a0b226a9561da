"""Which estimators a population can train, and why not the others."""

from collections.abc import Iterable, Mapping
from typing import Any

from scipy import sparse
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

import torchann.estimators
from torchann.engine.population.settings import CHOICES
from torchann.estimators.sklearn_internals import has_callbacks

OUR_ESTIMATORS = (torchann.estimators.MLPClassifier, torchann.estimators.MLPRegressor)
"""Classes whose candidates are trained in populations."""


def network_of(estimator: Any) -> Any:
    """The last step of a pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def prefix_of(estimator: Any) -> str:
    """What stands before the names of the network's arguments: a pipeline has ``mlp__alpha``."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""


def why_not(estimator: Any, X: Any, y: Any, fit_params: Mapping[str, Any]) -> str | None:
    """Why no candidate of a search can be trained in a population, in words; None if some can.

    Args:
        estimator: that is searched for.
        X: rows.
        y: targets.
        fit_params: what else ``fit`` is given.
    """
    network = network_of(estimator)
    if type(network) not in OUR_ESTIMATORS:
        return f"{type(network).__name__} is not an MLPClassifier or MLPRegressor of torchann.estimators"
    if isinstance(estimator, Pipeline) and (estimator.memory is not None or _transforms_input(estimator)):
        return "the pipeline has memory or transform_input"
    if fit_params:
        return f"fit is given {', '.join(fit_params)}"
    if y is None:
        return "there is no y"
    if sparse.issparse(X):
        return "the rows are sparse"
    return None


def why_not_these(estimator: Any, params: Iterable[str]) -> str | None:
    """Why a candidate cannot be trained in a population, in words; None if it can.

    Args:
        estimator: with the candidate's arguments.
        params: names of those that are searched.
    """
    network, prefix = network_of(estimator), prefix_of(estimator)
    if foreign := sorted(name for name in params if not name.startswith(prefix) or name == prefix):
        return f"{foreign[0]} is searched, which is no argument of the network"
    if network.solver == "lbfgs":
        return "solver='lbfgs' takes no mini-batches"
    known = {**CHOICES, "loss": ("squared_error", "log_loss")}
    for name in sorted(known):
        if hasattr(network, name) and (value := getattr(network, name)) not in known[name]:
            return f"{name}={value!r} is not for a population"
    if network.verbose:
        return "verbose=True prints each epoch"
    if has_callbacks(network):
        return "the network has callbacks"
    usual = type(network)()
    for name in sorted(set(network.get_params(deep=False)) - set(MLPClassifier().get_params()) - set(known)):
        if (value := getattr(network, name)) != getattr(usual, name):
            return f"{name}={value!r} is not for a population"
    return None


def _transforms_input(pipeline: Pipeline) -> bool:
    return getattr(pipeline, "transform_input", None) is not None
