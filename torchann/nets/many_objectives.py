"""The ends of the networks: outputs, errors, losses and validation figures, by the loss."""

import math
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Objective(Protocol):
    """What the networks of a population end in; tensors are ``(count, out_features, batch)``."""

    def error(self, weight: Tensor, values: Tensor, y: Tensor, kept: Tensor) -> Tensor:
        """The derivative of each row's loss by the outputs before the output activation.

        Args:
            weight: of the last layer, ``(count, out_features, inputs + 1)``.
            values: what it multiplies, ``(count, inputs + 1, batch)``.
            y: targets.
            kept: memory for what :meth:`losses` wants to know.
        """

    def losses(self, kept: Tensor, y: Tensor) -> Tensor:
        """The loss of each row and output, summed over outputs it is the row's: the shape of ``kept``."""

    def tally(self, weight: Tensor, values: Tensor, y: Tensor) -> Tensor:
        """What validation rows contribute to the score, float64."""

    def score(self, tally: Tensor, spread: Tensor) -> float:
        """A network's score.

        Args:
            tally: sum over its rows, ``(figures,)``.
            spread: of their targets, by :func:`spread`.
        """


def spread(y: Tensor) -> Tensor:
    """What a score needs to know of the validation targets: how many there are, and how they vary.

    Args:
        y: targets, ``(rows, out_features)``.

    Returns:
        The number of rows, and each output's sum of squares around its mean, ``(1 + out_features,)``, float64.

    Example:
        >>> spread(torch.tensor([[1.0], [3.0]]))
        tensor([2., 2.], dtype=torch.float64)
    """
    y = y.double()
    return torch.cat([y.new_tensor([len(y)]), (y - y.mean(0)).square().sum(0)])


class SquaredError:
    """Values without limits, half of the squared error, R²."""

    def error(self, weight: Tensor, values: Tensor, y: Tensor, kept: Tensor) -> Tensor:
        """Outputs less targets, by one product."""
        return torch.baddbmm(y, weight, values, beta=-1, out=kept)

    def losses(self, kept: Tensor, y: Tensor) -> Tensor:
        """Half of the squares, the mean over outputs."""
        return kept.square().mul_(0.5 / kept.shape[-2])

    def tally(self, weight: Tensor, values: Tensor, y: Tensor) -> Tensor:
        """Squares, ``(count, out_features, batch)``; nan for an output that is no finite number."""
        errors = torch.baddbmm(y, weight, values, beta=-1).double()
        return torch.addcmul(errors * 0, errors, errors)

    def score(self, tally: Tensor, spread: Tensor) -> float:
        """R², the mean over outputs, as ``sklearn.metrics.r2_score`` has it; nan if an output is no finite number."""
        errors, squares = tally.numpy(), spread[1:].numpy()
        if np.isnan(errors).any():
            return math.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            of_constant = np.where(errors == 0, 1.0, 0.0)
            return float(np.where(squares == 0, of_constant, 1 - errors / squares).mean())


class Sigmoids:
    """A sigmoid for each output: two classes, or any number of labels; accuracy is that of all labels of a row."""

    def error(self, weight: Tensor, values: Tensor, y: Tensor, kept: Tensor) -> Tensor:
        """Probabilities less targets."""
        return torch.sub(self._proba(torch.bmm(weight, values), kept), y)

    def losses(self, kept: Tensor, y: Tensor) -> Tensor:
        """The cross entropy; probabilities are kept off 0 and 1 as scikit-learn does."""
        proba = _kept_off_the_ends(kept)
        return -(torch.xlogy(y, proba) + torch.xlogy(1 - y, 1 - proba))

    def tally(self, weight: Tensor, values: Tensor, y: Tensor) -> Tensor:
        """1 for each row that is right, ``(count, 1, batch)``."""
        logits = weight @ values
        return ((self._proba(logits, torch.empty_like(logits)) > 0.5) == (y > 0.5)).all(1, keepdim=True).double()

    def score(self, tally: Tensor, spread: Tensor) -> float:
        """The share that is right."""
        return float(tally[0] / spread[0])

    def _proba(self, logits: Tensor, out: Tensor) -> Tensor:
        return torch.sigmoid(logits, out=out)


class Softmax(Sigmoids):
    """One of several classes; targets are 1 for it and 0 for the others."""

    def losses(self, kept: Tensor, y: Tensor) -> Tensor:
        """The cross entropy; probabilities are kept off 0 and 1 as scikit-learn does."""
        return -torch.xlogy(y, _kept_off_the_ends(kept))

    def tally(self, weight: Tensor, values: Tensor, y: Tensor) -> Tensor:
        """1 for each row that is right, ``(count, 1, batch)``."""
        logits = weight @ values
        chosen = self._proba(logits, torch.empty_like(logits)).argmax(1, keepdim=True)
        return (chosen == y.argmax(1, keepdim=True)).double()

    def _proba(self, logits: Tensor, out: Tensor) -> Tensor:
        return torch.softmax(logits, 1, out=out)


def _kept_off_the_ends(proba: Tensor) -> Tensor:
    tiny = torch.finfo(proba.dtype).eps
    return proba.clamp(tiny, 1 - tiny)


OBJECTIVES: dict[str, Objective] = {
    "squared_error": SquaredError(),
    "log_loss": Softmax(),
    "binary_log_loss": Sigmoids(),
}
"""By the loss."""
