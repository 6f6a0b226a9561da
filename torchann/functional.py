"""Pure tensor functions of the chapter."""

import torch
from torch import Tensor


def perceptron_loss(logits: Tensor, target: Tensor) -> Tensor:
    r"""Rosenblatt's criterion: how far each row lies on the wrong side of the line.

    .. math:: \ell_i = \max(0, -t_i z_i)

    Args:
        logits: signed scores :math:`z`, ``(batch,)``, unbounded floats.
        target: ``(batch,)``, each entry -1 or +1 (not 0/1 class indices).

    Returns:
        One loss per row, ``(batch,)``, never averaged.

    Raises:
        ValueError: if the two shapes differ.

    Example:
        >>> perceptron_loss(torch.tensor([2.0, -3.0]), torch.tensor([1.0, 1.0]))
        tensor([0., 3.])
    """
    if logits.shape != target.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)} and target {tuple(target.shape)} must have the same shape; "
            "squeeze a (batch, 1) output before calling"
        )
    return torch.relu(-target * logits)
