"""What a safe file keeps of a fitted MLP beside its arguments: arrays, checked as they come from a file."""

from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.preprocessing import LabelBinarizer

from torchann.engine.inference import ACTIVATIONS
from torchann.estimators.options import NORM_PARTS

COUNTS = ("n_iter_", "t_", "_no_improvement_count")
CURVES = ("loss_curve_", "validation_scores_")
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


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
    message = (model.out_activation_, outputs)
    if message != ("softmax", len(classes)) and message != ("logistic", len(classes) if several else 1):
        raise ValueError(f"there are {len(classes)} classes and {outputs} outputs of {model.out_activation_!r:.80}")
    return LabelBinarizer().fit(np.eye(outputs, dtype=int) if several else classes)
