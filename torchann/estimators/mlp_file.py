"""What a safe file keeps of a fitted MLP beside its arguments: arrays, and where its solver stands."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.preprocessing import LabelBinarizer

from torchann.engine.old_fit import flat_parameters_of, solver_of
from torchann.engine.solvers import Solver
from torchann.estimators.options import NORM_PARTS
from torchann.nets.functional import ACTIVATIONS

COUNTS = ("n_iter_", "t_", "_no_improvement_count")
CURVES = ("loss_curve_", "validation_scores_")
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def solver_state(solver: Solver) -> dict[str, Any]:
    """Where a solver stands, in numbers and arrays."""
    state = solver.state()
    return {name: part.numpy(force=True) if isinstance(part, torch.Tensor) else part for name, part in state.items()}


def restored_solver(model: Any, state: Any) -> Solver:
    """The solver of a model from a file, which goes on where it stood.

    Args:
        model: an MLP whose arrays are set and checked.
        state: what :func:`solver_state` told of, as a file has it.

    Raises:
        ValueError: if it is no state of that solver.
    """
    if (
        model.solver == "lbfgs"
        or (model.norm is None and model.norms_)
        or (model.norm is not None and not model.norms_)
    ):
        raise ValueError(f"solver is {model.solver!r} and norm {model.norm!r}, which are not those of the fit")
    vector = flat_parameters_of(model, torch.device("cpu")).vector
    usual = solver_of(model)
    usual.start(vector)
    usual.step(vector, torch.zeros_like(vector))
    wanted = solver_state(usual)
    if not isinstance(state, dict) or set(state) != set(wanted):
        raise ValueError(f"the state of {model.solver} is {state!r:.80} and should have {', '.join(wanted)}")
    if state.get("t", 0) < 0:
        raise ValueError(f"the solver has taken {state['t']!r:.80} steps and should have taken 0 or more")
    for name, part in state.items():
        if np.shape(part) != np.shape(wanted[name]) or np.result_type(part) != np.result_type(wanted[name]):
            raise ValueError(f"{name} of the solver is {part!r:.80} and should be like {wanted[name]!r:.80}")
    solver = solver_of(model)
    solver.load_state(
        {name: _tensor(part) if isinstance(wanted[name], np.ndarray) else part for name, part in state.items()}
    )
    return solver


def _tensor(part: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(part))


def check_fitted(model: Any) -> None:
    """Looks at the fitted attributes of a model, which come from a file.

    Raises:
        ValueError: unless they go with each other.
    """
    layers = [*model.coefs_, *model.intercepts_]
    if not layers or not all(isinstance(part, np.ndarray) and part.dtype == layers[0].dtype for part in layers):
        raise ValueError(f"coefs_ and intercepts_ are {layers!r:.80} and should be arrays of one dtype")
    if layers[0].dtype not in FLOATS:
        raise ValueError(f"coefs_ are {layers[0].dtype} and should be float32 or float64")
    sizes = [model.n_features_in_, *(len(part) for part in model.intercepts_)]
    shapes = [*pairwise(sizes), *((size,) for size in sizes[1:])]
    if [part.shape for part in layers] != shapes or (model.n_layers_, model.n_outputs_) != (len(sizes), sizes[-1]):
        raise ValueError(f"the arrays have the shapes {[part.shape for part in layers]} and should have {shapes}")
    norms = [{name: part.shape for name, part in sorted(norm.items())} for norm in model.norms_]
    if norms and norms not in [[dict.fromkeys(k, (size,)) for size in sizes[1:-1]] for k in NORM_PARTS.values()]:
        raise ValueError(f"norms_ have the shapes {norms!r:.80} and should have those of each hidden layer")
    if hasattr(model, "feature_names_in_") and np.shape(model.feature_names_in_) != (sizes[0],):
        raise ValueError(f"feature_names_in_ are {model.feature_names_in_!r:.80} and should be {sizes[0]}")
    if model.activation not in ACTIVATIONS and model.activation != "logistic":
        raise ValueError(f"activation is {model.activation!r:.80} and should be one of {', '.join(ACTIVATIONS)}")
    for name in COUNTS:
        if type(getattr(model, name, 0)) is not int or getattr(model, name, 0) < 0:
            raise ValueError(f"{name} is {getattr(model, name)!r:.80} and should be a whole number from 0")
    for name in CURVES:
        if not all(isinstance(value, float | int) for value in getattr(model, name, None) or []):
            raise ValueError(f"{name} is {getattr(model, name)!r:.80} and should be numbers")
    if not is_classifier(model):
        if model.out_activation_ not in ("identity", "exp"):
            raise ValueError(f"out_activation_ is {model.out_activation_!r:.80} and should be 'identity' or 'exp'")
        return
    model._binarizer = _binarizer(model)


def _binarizer(model: Any) -> LabelBinarizer:
    classes, outputs = model.classes_, model.n_outputs_
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or not np.array_equal(np.unique(classes), classes):
        raise ValueError(f"classes_ are {classes!r:.80} and should be sorted")
    several = model.out_activation_ == "logistic" and outputs > 1
    told = (model.out_activation_, outputs)
    if told != ("softmax", len(classes)) and told != ("logistic", len(classes) if several else 1):
        raise ValueError(f"there are {len(classes)} classes and {outputs} outputs of {model.out_activation_!r:.80}")
    return LabelBinarizer().fit(np.eye(outputs, dtype=int) if several else classes)
