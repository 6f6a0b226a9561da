"""An epoch of mini-batches over the rows of an estimator, counted as scikit-learn counts it."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from torchann.engine.flat_parameters import Autograd, FlatParameters
from torchann.engine.inference import tensor_of
from torchann.engine.schedules import Schedule
from torchann.engine.solvers import Solver, TorchSolver
from torchann.nets.sklearn_objectives import Objective

BLOCK_BYTES = 2**24  # of rows gathered at once: few calls, little memory


class RowSource:
    """Rows of arrays as dense tensors, some at a time, gathered by number; they live on a GPU if that is the device.

    Args:
        x: inputs ``(rows, in_features)``, an array or a sparse matrix.
        y: targets ``(rows, out_features)``.
        weight: how much each row counts, ``(rows,)``; None for all the same.
        device: where the tensors are to be.
        dtype: of the tensors.

    Example:
        >>> rows = RowSource(np.eye(3), np.arange(3)[:, None], None, torch.device("cpu"), torch.float32)
        >>> [x.tolist() for x, y, weight in rows.blocks(np.array([2, 0]), batch_size=1)]
        [[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]]
    """

    def __init__(self, x: Any, y: Any, weight: Any, device: torch.device, dtype: torch.dtype) -> None:
        self.count: int = x.shape[0]
        self.width: int = x.shape[1] + 4 * y.shape[1]  # numbers of a row while it is trained on
        self._device, self._dtype = device, np.dtype(str(dtype).removeprefix("torch."))
        parts = [x.tocsr() if sparse.issparse(x) else x, y, weight]
        resident = device.type != "cpu" and not sparse.issparse(x)
        self._parts = [self._tensor(part) if resident and part is not None else part for part in parts]

    def blocks(self, order: Any = None, batch_size: int = 1) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Inputs, targets and weights, each block of whole batches but for the last.

        Args:
            order: numbers of rows, ``(rows,)``; None for all as they are.
            batch_size: rows per batch.
        """
        size = batch_size * max(1, BLOCK_BYTES // (self.width * self._dtype.itemsize * batch_size))
        for start in range(0, self.count if order is None else len(order), size):
            rows = slice(start, start + size) if order is None else order[start : start + size]
            x, y, weight = (None if part is None else self._taken(part, rows) for part in self._parts)
            yield x, y, weight  # type: ignore[misc]

    def _taken(self, part: Any, rows: Any) -> Tensor:
        if isinstance(rows, slice):
            return part[rows] if isinstance(part, Tensor) else self._tensor(part[rows])
        if isinstance(part, Tensor):
            return part.index_select(0, torch.from_numpy(rows).to(self._device))
        return self._tensor(part[rows] if sparse.issparse(part) else part.take(rows, axis=0))

    def _tensor(self, part: Any) -> Tensor:
        return tensor_of(part.toarray() if sparse.issparse(part) else part, self._dtype, self._device)


class Training:
    """What an epoch of a fit does.

    Args:
        packed: the net.
        end: what comes after its last layer.
        solver: what moves the parameters; it has started on the net's vector.
        alpha: L2 penalty on the weights, as scikit-learn applies it: divided by the rows of a batch, or their weights.
        schedule: what moves the learning rate; here after each step, if it goes by steps.

    Example:
        >>> from torchann.engine.solvers import SGD
        >>> from torchann.nets.sklearn_objectives import objective_of
        >>> flat = FlatParameters([1, 1], "relu")
        >>> training = Training(flat, objective_of("identity", "squared_error"), SGD(0.5), alpha=0.0)
        >>> rows = RowSource(np.ones((2, 1)), np.ones((2, 1)), None, torch.device("cpu"), torch.float32)
        >>> training.epoch(rows, np.array([0, 1]), batch_size=1)  # from 0: half of 1; then it is met
        0.25
    """

    flat: FlatParameters
    objective: Objective
    solver: Solver
    alpha: float

    def __init__(
        self, flat: FlatParameters, objective: Objective, solver: Solver, alpha: float, schedule: Schedule | None = None
    ) -> None:
        self.flat, self.objective, self.solver, self.alpha = flat, objective, solver, alpha
        self.schedule: Schedule | None = schedule if schedule is not None and schedule.by_step else None
        self._passes: Any = flat.passes
        self._weights = flat.vector[: flat.num_weights]
        self._slopes = flat.gradient[: flat.num_weights]
        # What autograd or torch's optimisers keep from one call to the next must not be inference tensors.
        keeps = isinstance(self._passes, Autograd) or isinstance(solver, TorchSolver)
        self._mode = torch.no_grad if keeps else torch.inference_mode

    def epoch(self, rows: RowSource, order: Any, batch_size: int) -> float:
        """Steps once on each batch.

        Args:
            rows: what to train on.
            order: their numbers, ``(rows,)``.
            batch_size: rows per batch; the last may be smaller.

        Returns:
            The mean loss of the rows before each step, penalty included.
        """
        with self._mode():
            blocks = [self._block(*block, batch_size) for block in rows.blocks(order, batch_size)]
        return sum(blocks) / len(order)

    def values(self, rows: RowSource) -> Tensor:
        """Values or probabilities of all rows, ``(rows, outputs)``, as the net is now."""
        with torch.no_grad():
            return _joined([self.objective.activation(self._passes.outputs(x)) for x, _, _ in rows.blocks()])

    def _block(self, x: Tensor, y: Tensor, weight: Tensor | None, batch_size: int) -> float:
        batches, shares = _split(x, batch_size), None
        sizes: list[float] = [batch.shape[0] for batch in batches]
        if weight is not None:
            sizes, shares = _sizes_and_shares(weight, batch_size)
        values, penalties = [], []
        for number, (batch, targets, size) in enumerate(zip(batches, _split(y, batch_size), sizes, strict=True)):
            trace = self._passes.forward(batch)
            values.append(self.objective.activation(trace.outputs.detach()))
            if not size:  # no row of the batch counts
                continue
            error = self.objective.error(values[-1], targets).div_(batch.shape[0])
            self._passes.fill(trace, error if shares is None else error.mul_(shares[number]))
            if self.alpha:
                penalties.append(torch.dot(self._weights, self._weights).mul_(batch.shape[0] / size))
                self._slopes.add_(self._weights, alpha=self.alpha / size)
            self.solver.step(self.flat.vector, self.flat.gradient)
            if self.schedule is not None:
                self.schedule.step()
        losses = self.objective.losses(_joined(values), y)
        losses = losses if shares is None else losses.mul_(_joined(shares))
        total = float(losses.sum(dtype=torch.float64))
        return total + 0.5 * self.alpha * float(torch.stack(penalties).sum()) if penalties else total


def _split(rows: Tensor, size: int) -> Sequence[Tensor]:
    return torch.split(rows, size) if rows.shape[0] > size else [rows]


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(parts)) if len(parts) > 1 else parts[0]


def _sizes_and_shares(weight: Tensor, batch_size: int) -> tuple[list[float], list[Tensor]]:
    # A batch's loss is the weighted mean of its rows', which then counts as many rows as the batch has.
    parts = _split(weight.unsqueeze(1), batch_size)
    sizes = torch.stack([part.sum() for part in parts]).tolist()
    return sizes, [part * (part.shape[0] / (size or 1.0)) for part, size in zip(parts, sizes, strict=True)]
