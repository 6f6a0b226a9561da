"""Rows through a net that is given by scikit-learn's arrays, a part of them at a time."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.nn import functional as F

from torchann.functional import ACTIVATIONS

PART_BYTES = 2**22  # of the widest layer's outputs: what a core's cache can hold
EPS = 1e-5  # torch's, of both normalisations


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
    array = np.asarray(array, dtype=dtype or array.dtype.newbyteorder("="))
    array = np.ascontiguousarray(array) if min(array.strides, default=0) < 0 else array
    if array.flags.writeable:
        return torch.from_numpy(array).to(device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that nobody should write to it
        return torch.from_numpy(array).to(device)


class Layers:
    """A net in evaluation mode, made of arrays.

    Args:
        coefs: weights of each layer, ``(in_features, out_features)``.
        intercepts: biases of each layer, ``(out_features,)``.
        activation: a key of :data:`~torchann.functional.ACTIVATIONS`.
        norms: of each hidden layer its normalisation's arrays by torch's names; None for none.
        dtype: NumPy's, to compute in.
        device: to compute on.

    Example:
        >>> Layers([np.eye(2), np.ones((2, 1))], [np.zeros(2), np.ones(1)], "relu")(np.array([[1.0, -5.0]]))
        tensor([[2.]], dtype=torch.float64)
    """

    def __init__(
        self,
        coefs: Sequence[Any],
        intercepts: Sequence[Any],
        activation: str,
        norms: Sequence[dict[str, Any]] | None = None,
        dtype: Any = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.dtype, self.device = np.dtype(dtype or coefs[0].dtype), device
        self.weights = [tensor_of(part, self.dtype, device) for part in coefs]
        self.biases = [tensor_of(part, self.dtype, device) for part in intercepts]
        self.activation = ACTIVATIONS[activation].function
        self.norms = [
            {name: tensor_of(part, self.dtype, device) for name, part in norm.items()} for norm in norms or ()
        ]

    def __call__(self, x: Any) -> Tensor:
        """The last layer's weighted sums, ``(rows, outputs)`` on the CPU, of ``x``: ``(rows, in_features)``."""
        widest = max(weight.shape[1] for weight in self.weights)
        size = max(256, PART_BYTES // (widest * self.dtype.itemsize))
        with torch.inference_mode():
            if x.shape[0] <= size:
                return self._part(x)
            return torch.cat([self._part(x[start : start + size]) for start in range(0, x.shape[0], size)])

    def _part(self, x: Any) -> Tensor:
        a = tensor_of(x.toarray() if sparse.issparse(x) else x, self.dtype, self.device)
        last = len(self.weights) - 1
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            a = torch.addmm(bias, a, weight)
            if number < last:
                a = self.activation(self._normalised(a, number))
        return a.cpu()

    def _normalised(self, z: Tensor, number: int) -> Tensor:
        if not self.norms:
            return z
        norm = self.norms[number]
        if "running_mean" in norm:
            return F.batch_norm(z, norm["running_mean"], norm["running_var"], norm["weight"], norm["bias"], eps=EPS)
        return F.layer_norm(z, z.shape[1:], norm["weight"], norm["bias"], EPS)
