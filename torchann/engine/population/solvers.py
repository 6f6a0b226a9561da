"""How gradients move the weights of many networks at once: SGD with momentum, and Adam, each as scikit-learn has it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from torchann.engine.population.member import Member
from torchann.engine.population.parameters import Parameters

ROUNDED = 8
SELDOM = 8  # steps; more often, a product of its own for the gradients is no slower


class Factors(NamedTuple):
    """What a step multiplies with, as its batch has a number of rows.

    Attributes:
        scale: of the error of each row, ``(count, 1, 1)``; in the last step of an epoch ``(count, 1, batch)``, zero for
            columns that are no rows.
        decays: of each layer's weights, ``(count, 1, inputs + 1)``, zero for biases; empty if no network has a penalty.
    """

    scale: Tensor
    decays: list[Tensor]


class Solver:
    """What SGD and Adam have in common.

    Args:
        weights: that move.
        members: whose weights they are, in order.
        batch_size: rows of each step but the last.

    Attributes:
        factors: of each step but an epoch's last, and of the last.
        into: of each layer, where its gradient is to be added.
        beta: how much of that is to be kept.
        mask: 1 for the columns of an epoch's last batch that are rows, ``(count, 1, batch)``.
    """

    into: list[Tensor]
    beta: float

    def __init__(self, weights: Parameters, members: Sequence[Member], batch_size: int) -> None:
        self.weights = weights
        new = weights.flat.new_tensor
        columns = torch.arange(batch_size, device=weights.flat.device)
        last = new([member.num_rows - (member.steps - 1) * batch_size for member in members]).view(-1, 1, 1)
        self._rows = (torch.full_like(last, batch_size), last)
        self.mask: Tensor = (columns < last).to(last.dtype)
        self._alpha = new([member.settings.alpha for member in members]).view(-1, 1, 1)
        self._penalised = any(member.settings.alpha for member in members)
        self._factor: list[float] = []

    def start_epoch(self, members: Sequence[Member]) -> None:
        """Takes the present learning rates."""
        self._set_factor([-member.learning_rate for member in members])

    def _set_factor(self, factor: list[float]) -> None:
        if factor == self._factor:
            return
        self._factor = factor
        column = self._alpha.new_tensor(factor).view(-1, 1, 1)
        parts = [column / rows for rows in self._rows]
        scales = (parts[0], parts[1] * self.mask)
        layers = self.weights.layers if self._penalised else []
        self.factors: list[Factors] = []
        for part, scale in zip(parts, scales, strict=True):
            decays = [(part * self._alpha).repeat(1, 1, layer.shape[2]) for layer in layers]
            for decay in decays:
                decay[:, :, -1] = 0
            self.factors.append(Factors(scale, decays))

    def prepare(self) -> None:
        """Before a backward pass."""

    def move(self, step: int, factors: Factors) -> None:
        """Step 6: the weights go where the gradients tell.

        Args:
            step: of the epoch, from 0.
            factors: that go with it.
        """
        raise NotImplementedError

    def moments(self) -> list[Parameters]:
        """What a network has to take along, where it is to be trained on."""
        return []

    def _take_up(self, members: Sequence[Member]) -> None:
        for number, member in enumerate(members):
            for moment, kept in zip(self.moments(), member.moments, strict=False):
                moment.write(number, kept)

    def _decay(self, factors: Factors, times: float = 1) -> None:
        for gradient, weight, decay in zip(self.into, self.weights.layers, factors.decays, strict=False):
            gradient.addcmul_(weight, decay, value=times)


class Descent(Solver):
    """Gradient descent without momentum: the product that makes a gradient adds it to the weights.

    A penalty that takes so little off the weights in a step that most of it would be rounded away is taken off every
    so many steps, for all of them at once: before it comes to :data:`ROUNDED` times the last bit of a weight.
    """

    into: list[Tensor]
    beta: float

    def __init__(self, weights: Parameters, members: Sequence[Member], batch_size: int) -> None:
        super().__init__(weights, members, batch_size)
        self.into, self.beta = weights.layers, 1.0
        self.every: float = steps_per_decay(members, weights.flat.dtype)

    def move(self, step: int, factors: Factors) -> None:
        """Only the penalty is left to do."""
        full, last = self.factors
        late = 1 + step % self.every
        if factors is last:
            self._decay(full, late - 1)
            self._decay(last)
        elif late == self.every:
            self._decay(full, late)


def steps_per_decay(members: Sequence[Member], dtype: torch.dtype) -> float:
    """After how many steps the penalty comes to what rounding can tell; infinite without one."""
    options = [(member.settings, member.batch_size) for member in members]
    most = max(settings.learning_rate_init * settings.alpha / rows for settings, rows in options)
    return ROUNDED * torch.finfo(dtype).eps // most if most else math.inf


class Momentum(Solver):
    r"""Gradient descent with velocities: :math:`v \leftarrow \mu v - \eta g`, :math:`w \leftarrow w + v`.

    Nesterov's is :math:`w \leftarrow w + \mu v - \eta g` with the new :math:`v`: the weights are always :math:`\mu v`
    ahead of a point that moves by :math:`v`. That point is kept, and the weights are worked out from it: also by
    those that train on, so that it makes no difference to the last bit where they stopped in between.
    """

    def __init__(self, weights: Parameters, members: Sequence[Member], batch_size: int) -> None:
        super().__init__(weights, members, batch_size)
        sizes = _sizes(weights)
        self.velocity: Parameters = Parameters(len(members), sizes, weights.flat)
        rates = [member.settings.momentum for member in members]
        self.common: float | None = rates[0] if len(set(rates)) == 1 else None
        self.rates: Tensor = weights.flat.new_tensor(rates).view(-1, 1, 1)
        self.into: list[Tensor] = self.velocity.layers
        self.beta: float = 1.0 if self.common is None else self.common
        self.point: Parameters | None = None
        if members[0].settings.nesterovs_momentum and any(rates):
            self.point = Parameters(len(members), sizes, weights.flat)
            self.point.flat.copy_(weights.flat)
        self._take_up(members)

    def prepare(self) -> None:
        """Keeps of each velocity what its network's momentum says, unless the product does so for all."""
        if self.common is None:
            for velocity in self.into:
                velocity.mul_(self.rates)

    def move(self, step: int, factors: Factors) -> None:
        """The velocities, which the gradients have been added to, move the weights."""
        self._decay(factors)
        if self.point is None:
            self.weights.flat.add_(self.velocity.flat)
            return
        self.point.flat.add_(self.velocity.flat)
        if self.common is not None:
            torch.add(self.point.flat, self.velocity.flat, alpha=self.common, out=self.weights.flat)
            return
        for point, velocity, weight in zip(self.point.layers, self.into, self.weights.layers, strict=True):
            torch.addcmul(point, velocity, self.rates, out=weight)

    def moments(self) -> list[Parameters]:
        """The velocities, and the points that Nesterov's weights are ahead of."""
        return [self.velocity] if self.point is None else [self.velocity, self.point]


class Adam(Solver):
    """Adam, its epsilon outside of the correction for the start, as in the paper's last lines of section 2."""

    gradients: Parameters
    mean: Parameters
    square: Parameters
    scratch: Parameters
    into: list[Tensor]
    beta: float
    keep: float
    keep_square: float
    epsilon: float

    def __init__(self, weights: Parameters, members: Sequence[Member], batch_size: int) -> None:
        super().__init__(weights, members, batch_size)
        sizes, settings = _sizes(weights), members[0].settings
        self.gradients, self.mean, self.square, self.scratch = (
            Parameters(len(members), sizes, weights.flat) for _ in range(4)
        )
        self._take_up(members)
        self.into, self.beta = self.gradients.layers, 0.0
        self.keep, self.keep_square, self.epsilon = settings.beta_1, settings.beta_2, settings.epsilon
        self._rates: Tensor | None = None

    def start_epoch(self, members: Sequence[Member]) -> None:
        """Takes the present learning rates and corrects them for the moments' start at zero, step by step."""
        self._set_factor([1.0] * len(members))
        rates = torch.tensor([member.learning_rate for member in members], dtype=torch.float64)
        before = torch.tensor([member.n_iter * member.steps for member in members])
        t = (before + 1 + torch.arange(members[0].steps)[:, None]).double()
        rates = -rates * (1 - self.keep_square**t).sqrt() / (1 - self.keep**t)
        self._rates = rates.to(self._alpha)[:, :, None, None]

    def move(self, step: int, factors: Factors) -> None:
        """The two means take the gradient in, and their ratio moves the weights."""
        self._decay(factors)
        gradient, ratio = self.gradients.flat, self.scratch.flat
        self.mean.flat.lerp_(gradient, 1 - self.keep)
        self.square.flat.mul_(self.keep_square).addcmul_(gradient, gradient, value=1 - self.keep_square)
        torch.sqrt(self.square.flat, out=ratio).add_(self.epsilon)
        torch.div(self.mean.flat, ratio, out=ratio)
        assert self._rates is not None
        rates = self._rates[step]
        for weight, way in zip(self.weights.layers, self.scratch.layers, strict=True):
            weight.addcmul_(way, rates)

    def moments(self) -> list[Parameters]:
        """The means of gradients and of their squares."""
        return [self.mean, self.square]


def solver_for(weights: Parameters, members: Sequence[Member], batch_size: int) -> Solver:
    """The solver of networks that all have the same, with a momentum each."""
    if members[0].settings.solver == "adam":
        return Adam(weights, members, batch_size)
    still = not any(member.settings.momentum for member in members)
    plain = still and steps_per_decay(members, weights.flat.dtype) >= SELDOM
    return (Descent if plain else Momentum)(weights, members, batch_size)


def _sizes(weights: Parameters) -> list[int]:
    return [weights.layers[0].shape[2] - 1, *(layer.shape[1] for layer in weights.layers)]
