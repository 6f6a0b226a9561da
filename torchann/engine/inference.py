"""Rows through a net that is made of scikit-learn's arrays, a part of them at a time."""

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import numpy as np
import torch
from scipy import sparse
from scipy.special import expit
from torch import Tensor
from torch.nn import functional as F

from torchann.engine.devices import device_for
from torchann.engine.threads import at_most, threads_for
from torchann.nets.functional import ACTIVATIONS
from torchann.nets.sklearn_objectives import OUTPUTS

FEW = 2**20  # values of the widest layer, up to which NumPy is faster than torch by parts
NUMPY_DTYPES = "?bBhHiIlLqQefd"  # not the longer floats, which torch has not either
WORTH_WAITING = 10  # times what is worth two threads: each part may wait for a busy core
PART_BYTES = 2**20  # of the widest layer's outputs: what a core's cache can hold
EPS = 1e-5  # torch's, of both normalisations


def _softmax_in_place(z: Any) -> None:
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)


IN_PLACE: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: None,
    "exp": lambda z: np.exp(z, out=z),
    "logistic": lambda z: expit(z, out=z),
    "relu": lambda z: np.maximum(z, 0, out=z),
    "softmax": _softmax_in_place,
    "tanh": lambda z: np.tanh(z, out=z),
}
"""Activations that overwrite an array, by scikit-learn's names."""


def tensor_of(array: Any, dtype: Any = None, device: torch.device | str = "cpu") -> Tensor:
    """An array as a tensor that is only read, on its memory where that can be.

    Args:
        array: of numbers; also one that cannot be written to, that goes backwards, or has another byte order.
        dtype: NumPy's, of the tensor.
        device: of the tensor.

    Example:
        >>> tensor_of(np.arange(3)[::-1], np.float32)
        tensor([2., 1., 0.])
    """
    if (dtype is None or array.dtype == dtype) and array.flags.carray:
        return torch.from_numpy(array).to(device)
    array = np.asarray(array, dtype=dtype or array.dtype.newbyteorder("="))
    array = np.ascontiguousarray(array) if min(array.strides, default=0) < 0 else array
    if array.flags.writeable:
        return torch.from_numpy(array).to(device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that nobody should write to it
        return torch.from_numpy(array).to(device)


def values_of(model: Any, X: Any) -> Any:
    """Values or probabilities, ``(rows, outputs)``, an array in the wider of the dtypes of inputs and weights.

    Args:
        model: a fitted MLP.
        X: inputs ``(rows, in_features)``, dense or sparse.
    """
    plain = model.activation in IN_PLACE and not model.norms_ and model.device in ("auto", "cpu")
    widest = max(part.shape[1] for part in model.coefs_)
    if plain and (sparse.issparse(X) or (X.shape[0] * widest <= FEW and X.dtype.char in NUMPY_DTYPES)):
        return _by_numpy(model, X)
    sizes = [X.shape[1], *(part.shape[1] for part in model.coefs_)]
    X = X.tocsr() if sparse.issparse(X) else X
    size = max(64, PART_BYTES // (max(sizes if sparse.issparse(X) else sizes[1:]) * model.coefs_[0].itemsize))
    threads = threads_for(sizes, size // WORTH_WAITING)
    layers = _Layers(model, X, device_for(model.device, sizes, X.shape[0]))
    # Threads that each take a part of the rows wait for a busy core once; those of a product wait at each of its calls.
    with at_most(1), ThreadPoolExecutor(threads) as pool:
        run = map if threads == 1 else pool.map
        return _joined(list(run(layers, range(0, X.shape[0], size), repeat(size))))


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _by_numpy(model: Any, X: Any) -> Any:
    # A call of NumPy costs less than one of torch, which counts where the products are small.
    activation, last = IN_PLACE[model.activation], len(model.coefs_) - 1
    for number, (weight, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        X = X @ weight
        X += bias
        if number < last:
            activation(X)
    IN_PLACE[model.out_activation_](X)
    return X


class _Layers:
    def __init__(self, model: Any, X: Any, device: torch.device) -> None:
        self.X, self.device = X, device
        self.dtype = np.result_type(X.dtype, model.coefs_[0].dtype)
        self.weights = [tensor_of(part, self.dtype, device) for part in model.coefs_]
        self.biases = [tensor_of(part, self.dtype, device) for part in model.intercepts_]
        self.norms = [{k: tensor_of(part, self.dtype, device) for k, part in norm.items()} for norm in model.norms_]
        self.activation = ACTIVATIONS["sigmoid" if model.activation == "logistic" else model.activation].function
        self.output = OUTPUTS[model.out_activation_]

    def __call__(self, start: int, size: int) -> Any:
        part = self.X[start : start + size]
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            a = tensor_of(part.toarray() if sparse.issparse(part) else part, self.dtype, self.device)
            for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
                if number:
                    a = self.activation(_normalised(a, self.norms[number - 1]) if self.norms else a)
                a = torch.addmm(bias, a, weight)
            return self.output(a).numpy(force=True)


def _normalised(z: Tensor, norm: dict[str, Tensor]) -> Tensor:
    if "running_mean" in norm:
        return F.batch_norm(z, norm["running_mean"], norm["running_var"], norm["weight"], norm["bias"], eps=EPS)
    return F.layer_norm(z, z.shape[1:], norm["weight"], norm["bias"], EPS)
