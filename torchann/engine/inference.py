"""Rows through a net that is made of scikit-learn's arrays, a part of them at a time, by NumPy alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, ndtr

Array = NDArray[Any]
FEW = 2**18  # values of the widest layer, up to which rows are not worth cutting into parts
PART_BYTES = 2**20  # of the widest layer's outputs: what a core's cache can hold
EPS = 1e-5  # torch's, of both normalisations
SOFTPLUS_LINEAR = 20  # from here on torch's softplus is the identity
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017


def _elu(z: Array) -> Array:
    np.copyto(z, np.expm1(z, where=z < 0, out=np.zeros_like(z)), where=z < 0)
    return z


def _selu(z: Array) -> Array:
    negative = z < 0
    z = _elu(z)
    np.multiply(z, SELU_ALPHA, out=z, where=negative)
    z *= SELU_SCALE
    return z


def _ramp(z: Array) -> Array:
    y: Array = np.clip(z / 6 + 0.5, 0, 1)
    return y


def _softplus(z: Array) -> Array:
    np.logaddexp(z, z.dtype.type(0), out=z, where=z <= SOFTPLUS_LINEAR)
    return z


def _softmax(z: Array) -> Array:
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0, out=z),
    "tanh": lambda z: np.tanh(z, out=z),
    "sigmoid": lambda z: expit(z, out=z),
    "leaky_relu": lambda z: np.multiply(z, 0.01, out=z, where=z < 0),
    "elu": _elu,
    "celu": _elu,
    "selu": _selu,
    "gelu": lambda z: np.multiply(z, ndtr(z), out=z),
    "silu": lambda z: np.multiply(z, expit(z), out=z),
    "mish": lambda z: np.multiply(z, np.tanh(_softplus(z.copy())), out=z),
    "softplus": _softplus,
    "softsign": lambda z: np.divide(z, 1 + np.abs(z), out=z),
    "hardtanh": lambda z: np.clip(z, -1, 1, out=z),
    "hardsigmoid": _ramp,
    "hardswish": lambda z: np.multiply(z, _ramp(z), out=z),
}
"""The activations of hidden layers by name; most overwrite their argument."""
OUTPUTS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "exp": lambda z: np.exp(z, out=z),
    "logistic": ACTIVATIONS["sigmoid"],
    "softmax": _softmax,
}
"""The activations of outputs, by scikit-learn's names."""


def activation_name(name: str) -> str:
    """Return what the package calls an activation that may have scikit-learn's name."""
    return "sigmoid" if name == "logistic" else name


def values_of(model: Any, X: Any) -> Array:
    """Return values or probabilities, ``(rows, outputs)``, in the wider of the dtypes of inputs and weights.

    Args:
        model: a fitted MLP.
        X: inputs ``(rows, in_features)``, dense or sparse.
    """
    rows, widest = X.shape[0], max(part.shape[1] for part in model.coefs_)
    if rows * widest <= FEW:
        return _values(model, X)
    X = X.tocsr() if sparse.issparse(X) else X
    size = max(64, PART_BYTES // (widest * model.coefs_[0].itemsize))
    values = np.empty((rows, model.n_outputs_), np.result_type(X.dtype, model.coefs_[0].dtype))
    for start in range(0, rows, size):
        values[start : start + size] = _values(model, X[start : start + size])
    return values


def _values(model: Any, X: Any) -> Array:
    activation, last = ACTIVATIONS[activation_name(model.activation)], len(model.coefs_) - 1
    for number, (weight, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        X = X @ weight
        X += bias
        if number < last:
            X = activation(_normalised(X, model.norms_[number]) if model.norms_ else X)
    return OUTPUTS[model.out_activation_](X)


def _normalised(z: Array, norm: dict[str, Array]) -> Array:
    if "running_mean" in norm:
        z -= norm["running_mean"]
        z *= norm["weight"] / np.sqrt(norm["running_var"] + EPS)
    else:
        z -= z.mean(1, keepdims=True)
        z /= np.sqrt((z * z).mean(1, keepdims=True) + EPS)
        z *= norm["weight"]
    z += norm["bias"]
    return z
