"""The Perceptron rule at the pace of matrix products: weights move only after a mistake, so it jumps between them."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

Vector = np.ndarray[Any, np.dtype[Any]]
SMALLEST_BLOCK, LARGEST_BLOCK = 32, 4096  # rows scored at once: few where mistakes are many


@torch.no_grad()
def perceptron_rule_(weight: Tensor, bias: Tensor, x: Tensor, target: Tensor, lr: float = 1.0) -> Tensor:
    r"""Learns from rows one after the other, in their order (section 10.1.3, equation 10-3).

    A row on the wrong side, or on the line (:math:`t z \le 0`), adds :math:`\eta t \mathbf{x}` to the weights and
    :math:`\eta t` to the bias. "On the line" counts, or a Perceptron could never leave zero weights.

    Between two mistakes nothing changes: a block of rows is scored by one product, and after a mistake on row *i* the
    scores of the rows behind it are corrected by :math:`\eta t_i (\mathbf{x}_i^T \mathbf{x}_j + 1)`. A score that is
    too close to zero for a corrected sum is computed anew, so that the weights are those of one row at a time.

    Args:
        weight: ``(features,)``, on the CPU, changed in place.
        bias: ``(1,)``, changed in place.
        x: rows, ``(rows, features)``, of the weights' dtype.
        target: ``(rows,)``, each entry -1 or +1.
        lr: learning rate :math:`\eta`; from zero weights it scales them and changes no prediction.

    Returns:
        The weighted sum of each row at the moment the Perceptron met it, ``(rows,)``.

    Example:
        >>> weight, bias = torch.zeros(2), torch.zeros(1)
        >>> perceptron_rule_(weight, bias, torch.tensor([[1.0, 2.0], [3.0, 1.0]]), torch.tensor([1.0, -1.0]))
        tensor([0., 6.])
        >>> weight, bias
        (tensor([-2.,  1.]), tensor([0.]))
    """
    rows, signs, w, b = x.numpy(force=True), target.numpy(force=True), weight.numpy(), bias.numpy()
    scores = np.empty_like(signs)
    start, block = 0, SMALLEST_BLOCK
    while start < len(rows):
        stop = start + block
        scores[start:stop], mistakes = _learn_block(w, b, rows[start:stop], signs[start:stop], lr)
        start = stop
        block = (
            min(2 * block, LARGEST_BLOCK)
            if mistakes < 2
            else max(block // 2, SMALLEST_BLOCK)
            if mistakes > 8
            else block
        )
    return torch.from_numpy(scores).to(target.device)


def _learn_block(w: Vector, b: Vector, x: Vector, t: Vector, lr: float) -> tuple[Vector, int]:
    margins = t * (x @ w + b)
    longest = np.sqrt(np.einsum("ij,ij->i", x, x).max())
    # What rounding can do to a margin that is corrected again and again, with room to spare.
    doubt = 1e4 * np.finfo(w.dtype).eps * (longest + 1) * (np.linalg.norm(w) + abs(b[0]) + lr * len(x) * (longest + 1))
    first = mistakes = 0
    while first < len(x):
        i = first + int((margins[first:] <= doubt).argmax())
        if margins[i] > doubt:
            break
        if margins[i] > -doubt:
            margins[i] = t[i] * (x[i] @ w + b[0])
        if margins[i] <= 0:
            mistakes += 1
            step = lr * t[i]
            w += step * x[i]
            b += step
            margins[i + 1 :] += step * t[i + 1 :] * (x[i + 1 :] @ x[i] + 1)
        first = i + 1
    return t * margins, mistakes
