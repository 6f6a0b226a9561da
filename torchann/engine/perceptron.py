"""The Perceptron rule, which moves the weights after a mistake (section 10.1.3)."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchann.engine.compiled.perceptron import learn_rows


@torch.no_grad()
def perceptron_rule_(weight: Tensor, bias: Tensor, x: Tensor, target: Tensor, lr: float = 1.0) -> Tensor:
    r"""Learn from rows one after the other, in their order (section 10.1.3, equation 10-3).

    A row on the wrong side, or on the line (:math:`t z \le 0`), adds :math:`\eta t \mathbf{x}` to the weights and
    :math:`\eta t` to the bias. "On the line" counts, or a Perceptron could never leave zero weights.

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
    w, b = weight.numpy(), bias.numpy()

    def rows(part: Tensor) -> Any:
        return np.ascontiguousarray(part.numpy(force=True), w.dtype)

    signs = rows(target)
    scores = np.empty_like(signs)
    learn_rows(w, b, rows(x), signs, w.dtype.type(lr), scores)
    return torch.from_numpy(scores).to(target.device)
