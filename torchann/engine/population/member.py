"""One network of a population: what it is, and how far it has come."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from torch import Tensor

from torchann.engine.population.settings import Settings
from torchann.engine.rows.row_orders import RowNumbers, RowOrder

NONE = np.empty(0, dtype=np.int64)


class Member:
    """A network that is trained in a population.

    It stops as scikit-learn's MLPs do: by its validation score where it has validation rows, else by its training loss.

    Args:
        settings: how it is trained.
        weights: of each layer, ``(units, inputs + 1)``, the last column the biases; copied.
        order: of its training rows.
        validation: numbers of the rows in the table that decide when to stop, ``(rows,)``, or none.

    Attributes:
        n_iter: epochs trained.
        seconds: its share of the time they took.
        learning_rate: the present one.
        loss_curve: training loss of each epoch, with the penalty.
        best_loss: the lowest of them.
        validation_scores: of each epoch: R² or accuracy; nan where an output is no finite number.
        best_score: the highest of them.
        best_weights: of the epoch that had it; those at the start until there is one.
        moments: what the solver keeps, each like ``weights``: velocities, or Adam's two means; empty
            at first.
        stopped: why it is trained no further: ``"converged"``, ``"max_iter"`` or ``"diverged"``; else None.

    Raises:
        ValueError: if the layers do not follow on each other, or there is no training row.

    Example:
        >>> import torch
        >>> from torchann.engine.population import SeededOrder
        >>> member = Member(Settings(), [torch.zeros(3, 9), torch.zeros(1, 4)], SeededOrder(np.arange(100), seed=0))
        >>> member.sizes, member.stopped
        ([8, 3, 1], None)
    """

    def __init__(
        self, settings: Settings, weights: Sequence[Tensor], order: RowOrder, validation: RowNumbers = NONE
    ) -> None:
        shapes = [tuple(layer.shape) for layer in weights]
        if not shapes or any(below[0] + 1 != above[1] for below, above in pairwise(shapes)):
            raise ValueError(f"the layers are {shapes}; give (units, inputs + 1), inputs the units of the one below")
        if not len(order.rows):
            raise ValueError("there is no training row; give at least one")
        self.settings = settings
        self.weights: list[Tensor] = [layer.detach().clone() for layer in weights]
        self.order = order
        self.validation = validation
        self.n_iter: int = 0
        self.seconds: float = 0.0
        self.learning_rate: float = float(settings.learning_rate_init)
        self.loss_curve: list[float] = []
        self.best_loss: float = math.inf
        self.validation_scores: list[float] = []
        self.best_score: float = -math.inf
        self.best_weights: list[Tensor] = self.weights
        self.moments: list[list[Tensor]] = []
        self.stopped: str | None = None
        self.max_iter: int = settings.max_iter
        self.no_improvement: int = 0

    @property
    def sizes(self) -> list[int]:
        """Inputs, and units of each layer."""
        return [self.weights[0].shape[1] - 1, *(layer.shape[0] for layer in self.weights)]

    @property
    def num_rows(self) -> int:
        """Training rows."""
        return len(self.order.rows)

    @property
    def batch_size(self) -> int:
        """RowNumbers per step: no more than there are."""
        return min(self.settings.batch_size, self.num_rows)

    @property
    def steps(self) -> int:
        """Steps per epoch."""
        return -(-self.num_rows // self.batch_size)

    @property
    def fitted_weights(self) -> list[Tensor]:
        """The best ones where there are validation rows, else the last."""
        return self.best_weights if len(self.validation) else self.weights

    def go_on(self, max_iter: int) -> None:
        """Lets a network that has come to its last epoch train up to a later one.

        Args:
            max_iter: epochs in all, at most.
        """
        self.max_iter = max_iter
        if self.stopped == "max_iter" and self.n_iter < max_iter:
            self.stopped = None

    def end_epoch(self, loss: float | None, score: float | None, finite: bool) -> bool:
        """Notes an epoch and decides whether there is another, in the order in which scikit-learn does.

        Args:
            loss: mean of the training loss; None if nobody has asked, which needs a score.
            score: on the validation rows; None if there are none.
            finite: whether all weights are finite numbers.

        Returns:
            Whether these weights are the best so far, by the validation score.
        """
        self.n_iter += 1
        better = False if score is None else self._note_score(score)
        if loss is not None:
            self.loss_curve.append(loss)
            if score is None:
                self._note_loss(loss)
        if not finite:
            self.stopped = "diverged"
            return False
        sgd = self.settings.solver == "sgd"
        if sgd and self.settings.learning_rate == "invscaling":
            seen = self.n_iter * self.num_rows
            self.learning_rate = self.settings.learning_rate_init / (seen + 1) ** self.settings.power_t
        if self.no_improvement > self.settings.n_iter_no_change:
            if sgd and self.settings.learning_rate == "adaptive" and self.learning_rate > 1e-6:
                self.learning_rate /= 5
                self.no_improvement = 0
            else:
                self.stopped = "converged"
        if self.stopped is None and self.n_iter >= self.max_iter:
            self.stopped = "max_iter"
        return better

    def _note_loss(self, loss: float) -> None:
        self.no_improvement = self.no_improvement + 1 if loss > self.best_loss - self.settings.tol else 0
        if loss < self.best_loss:
            self.best_loss = loss

    def _note_score(self, score: float) -> bool:
        self.validation_scores.append(score)
        self.no_improvement = self.no_improvement + 1 if score < self.best_score + self.settings.tol else 0
        if not score > self.best_score:
            return False
        self.best_score = score
        return True
