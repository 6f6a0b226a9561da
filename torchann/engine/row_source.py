"""Rows of arrays that a learner takes steps on: read where they lie if it can, else copied a block at a time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[Any]
BLOCK_BYTES = 2**24  # of rows copied at once: few calls, little memory


class RowSource:
    """Rows, their targets and weights, in the dtype of a learner's parameters.

    Args:
        x: inputs ``(rows, in_features)``, an array or a sparse matrix.
        y: targets ``(rows, out_features)``.
        weight: how much each row counts, ``(rows,)``; None for all the same.
        dtype: of the parameters.

    Attributes:
        count: number of rows.

    Example:
        >>> rows = RowSource(np.asfortranarray(np.eye(3)), np.arange(3)[:, None], None, np.float32)
        >>> rows.block(np.array([2, 0]))[0].tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """

    def __init__(self, x: Any, y: Array, weight: Array | None, dtype: Any) -> None:
        self.count: int = x.shape[0]
        self._x, self._dtype = x.tocsr() if sparse.issparse(x) else x, np.dtype(dtype)
        self._y = np.ascontiguousarray(y, dtype)
        self._weight = None if weight is None else np.ascontiguousarray(weight, dtype)
        self._read_in_place = (
            not sparse.issparse(x) and x.dtype == self._dtype and x.flags.c_contiguous and x.flags.aligned
        )

    def steps(self, learner: Any, order: NDArray[np.int64], rates: NDArray[np.float64], batch_size: int) -> Any:
        """Have a learner take a step on each mini-batch of the rows; return the sums of what it measured.

        Args:
            learner: a compiled one, or torch's.
            order: numbers of the rows.
            rates: learning rate of each step.
            batch_size: rows per step; the last may have fewer.
        """
        if self._read_in_place:
            return learner.steps(self._x, self._y, rates, batch_size, weight=self._weight, order=order)
        steps = max(1, BLOCK_BYTES // (self._x.shape[1] * self._dtype.itemsize * batch_size))
        taken = []
        for first in range(0, len(rates), steps):
            x, y, weight = self.block(order[first * batch_size : (first + steps) * batch_size])
            taken.append(learner.steps(x, y, rates[first : first + steps], batch_size, weight=weight))
        return taken[0]._replace(loss=sum(t.loss for t in taken), penalty=sum(t.penalty for t in taken))

    def block(self, rows: NDArray[np.int64]) -> tuple[Array, Array, Array | None]:
        """Return inputs, targets and weights of some rows, dense and in C order."""
        x = self._x[rows].toarray() if sparse.issparse(self._x) else self._x.take(rows, axis=0)
        weight = None if self._weight is None else self._weight[rows]
        return np.ascontiguousarray(x, self._dtype), self._y[rows], weight
