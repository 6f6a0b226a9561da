"""A learning-rate schedule of torch for a solver that is none of torch's optimisers."""

from typing import Any

import torch
from torch import nn, optim

from torchann.engine.optimizers import make_schedule
from torchann.engine.solvers import Solver


class Schedule:
    """Moves a solver's learning rate as a schedule of torch would.

    Args:
        name: as :func:`~torchann.engine.optimizers.make_schedule` knows it, but not ``"plateau"``.
        solver: whose rate moves, from the one that it has.
        options: arguments of the schedule.
        num_epochs: of the fit.
        num_steps: of the fit.

    Attributes:
        by_step: whether it moves after each step; otherwise after each epoch.

    Raises:
        ValueError: for an unknown name or option, or one that is missing.

    Example:
        >>> from torchann.engine.solvers import SGD
        >>> sgd = SGD(0.1)
        >>> Schedule("exponential", sgd, {"gamma": 0.5}, num_epochs=3, num_steps=30).step()
        >>> sgd.learning_rate
        0.05
    """

    def __init__(self, name: str, solver: Solver, options: dict[str, Any], num_epochs: int, num_steps: int) -> None:
        self._solver, self._num_steps = solver, num_steps
        self._optimizer = optim.SGD([nn.Parameter(torch.zeros(0))], lr=solver.learning_rate)
        made = make_schedule(name, self._optimizer, options, num_epochs, num_steps)
        assert made is not None
        self._schedule = made["scheduler"]
        self.by_step: bool = made["interval"] == "step"
        self._optimizer.step()  # or torch warns that the schedule moves first
        self._tell()

    def step(self) -> None:
        """Moves on by a step or an epoch."""
        if self.by_step and self._schedule.last_epoch + 1 >= self._num_steps:
            return  # behind the last step torch's one_cycle would turn up again
        self._schedule.step()
        self._tell()

    def _tell(self) -> None:
        self._solver.learning_rate = float(self._optimizer.param_groups[0]["lr"])
