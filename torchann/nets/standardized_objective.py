"""The end of a net that predicts standard deviations from the targets' mean, and speaks in the targets' unit."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

import torch
from torch import Tensor

from torchann.nets.heads import Objective
from torchann.nets.shapes import check_values

WIDE = 1_000
"""Standard deviations from 0 from which on values are float64."""


def standardized_objective(objective: Objective, mean: Sequence[float], std: Sequence[float]) -> Objective:
    """The head of a regression whose targets may be of any size, prices in dollars as well as rates.

    The net's outputs are standard deviations from the mean; the loss is that of standardised targets, so that a
    learning rate means the same for each unit, and the predictions are in the targets' unit: float64 where float32
    would round off much of what they differ by.

    Args:
        objective: of an unbounded regression.
        mean: of each target over the training rows.
        std: standard deviation of each target, above 0.

    Raises:
        ValueError: if they are not a finite number for each output, the deviations above 0.

    Example:
        >>> from torchann.nets.heads import regression_objective
        >>> objective = standardized_objective(regression_objective(1), mean=[200_000.0], std=[50_000.0])
        >>> z, y = torch.tensor([[1.0]]), torch.tensor([[300_000.0]])  # one and two deviations above the mean
        >>> objective.activation(z), objective.losses(z, y), objective.error(z, y)
        (tensor([[250000.]]), tensor([1.]), tensor([[-2.]]))
    """
    numbers = [*mean, *std]
    counted = len(mean) == len(std) == objective.out_features
    if not counted or not all(type(n) in (int, float) and isfinite(n) for n in numbers) or min(std) <= 0:
        raise ValueError(
            f"target_mean is {mean!r:.80} and target_std {std!r:.80}; "
            f"give {objective.out_features} finite numbers each, the deviations above 0"
        )
    end = _StandardizedEnd(objective, list(mean), list(std))
    return replace(objective, losses=end.losses, error=end.error, activation=end.values, targets=end.targets)


@dataclass(frozen=True)
class _StandardizedEnd:
    objective: Objective
    mean: list[float]
    std: list[float]
    _tensors: dict[tuple[torch.dtype, torch.device], tuple[Tensor, Tensor]] = field(default_factory=dict)

    def _parts(self, like: Tensor) -> tuple[Tensor, Tensor] | tuple[float, float]:
        if len(self.mean) == 1:
            return self.mean[0], self.std[0]
        key = (like.dtype, like.device)
        if key not in self._tensors:
            self._tensors[key] = like.new_tensor(self.mean), like.new_tensor(self.std)
        return self._tensors[key]

    def values(self, z: Tensor) -> Tensor:
        z = z.double() if self._wide else z
        mean, std = self._parts(z)
        return z * std + mean

    def targets(self, y: Tensor) -> Tensor:
        mean, std = self._parts(y)
        return (y - mean).div_(std)

    def _standardized(self, z: Tensor, y: Tensor) -> Tensor:
        check_values(z, y)
        return self.targets(y).to(z.dtype)

    @property
    def _wide(self) -> bool:
        # In float32 a millionth of the mean would be more than a thousandth of a deviation.
        return any(abs(mean) > WIDE * std for mean, std in zip(self.mean, self.std, strict=True))

    def losses(self, z: Tensor, y: Tensor) -> Tensor:
        return self.objective.losses(z, self._standardized(z, y))

    def error(self, z: Tensor, y: Tensor) -> Tensor:
        return self.objective.error(z, self._standardized(z, y))
