"""Nets with two named inputs and two outputs, as a user would write them: a plain one and a dynamic one."""

import torch
from torch import Tensor, nn

from torchann.nets.initializers import initialize


class TwoInputs(nn.Module):
    """Wide & Deep with an input for each path and an auxiliary output (section 10.2.4).

    Args:
        wide_features: numbers per row that take the wide path.
        deep_features: numbers per row that take the deep path.
        neurons: in each of the two hidden layers.

    Example:
        >>> main, aux = TwoInputs()(torch.zeros(2, 5), torch.zeros(2, 6))
        >>> main.shape, aux.shape
        (torch.Size([2, 1]), torch.Size([2, 1]))
    """

    def __init__(self, wide_features: int = 5, deep_features: int = 6, neurons: int = 30) -> None:
        super().__init__()
        self.hidden: nn.ModuleList = nn.ModuleList([nn.Linear(deep_features, neurons), nn.Linear(neurons, neurons)])
        self.main: nn.Linear = nn.Linear(wide_features + neurons, 1)
        self.aux: nn.Linear = nn.Linear(neurons, 1)
        initialize(self, "xavier_uniform")

    def forward(self, wide: Tensor, deep: Tensor) -> tuple[Tensor, Tensor]:
        """Main and auxiliary output, each ``(batch, 1)``."""
        for layer in self.hidden:
            deep = torch.relu(layer(deep))
        return self.main(torch.cat([wide, deep], 1)), self.aux(deep)


class Dynamic(TwoInputs):
    """The same net with an ordinary Python ``if`` and loop in ``forward`` (section 10.2.5).

    While it trains, the second hidden layer is skipped in some batches, or used several times: what the net computes
    changes from call to call, and autograd follows. Outside training it is always used once.

    Args:
        repeats: how often the second layer may run in a batch of training, each number equally likely.
        wide_features: numbers per row that take the wide path.
        deep_features: numbers per row that take the deep path.
        neurons: in each of the two hidden layers.

    Example:
        >>> net = Dynamic(repeats=[0, 1, 2])
        >>> net.eval()(torch.zeros(2, 5), torch.zeros(2, 6))[0].shape
        torch.Size([2, 1])
    """

    def __init__(
        self, repeats: list[int] | None = None, wide_features: int = 5, deep_features: int = 6, neurons: int = 30
    ) -> None:
        super().__init__(wide_features, deep_features, neurons)
        self.repeats: list[int] = repeats or [1]

    def forward(self, wide: Tensor, deep: Tensor) -> tuple[Tensor, Tensor]:
        """Main and auxiliary output, each ``(batch, 1)``."""
        first, second = self.hidden
        deep = torch.relu(first(deep))
        times = 1
        if self.training and len(self.repeats) > 1:
            times = self.repeats[int(torch.randint(len(self.repeats), ()))]
        for _ in range(times):
            deep = torch.relu(second(deep))
        return self.main(torch.cat([wide, deep], 1)), self.aux(deep)
