"""Nets with two named inputs and two outputs, as a user would write them: a plain one and a dynamic one."""

import torch
from torch import Tensor, nn

from torchann.nets.initializers import initialize


class TwoInputs(nn.Module):
    """Wide & Deep with an input for each path and an auxiliary output (section 10.2.4).

    Five numbers per row take the wide path and six the deep one, which has two layers of 30 neurons.

    Example:
        >>> main, aux = TwoInputs()(torch.zeros(2, 5), torch.zeros(2, 6))
        >>> main.shape, aux.shape
        (torch.Size([2, 1]), torch.Size([2, 1]))
    """

    def __init__(self) -> None:
        super().__init__()
        self.hidden: nn.ModuleList = nn.ModuleList([nn.Linear(6, 30), nn.Linear(30, 30)])
        self.main: nn.Linear = nn.Linear(5 + 30, 1)
        self.aux: nn.Linear = nn.Linear(30, 1)
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

    Example:
        >>> net = Dynamic(repeats=[0, 1, 2])
        >>> net.eval()(torch.zeros(2, 5), torch.zeros(2, 6))[0].shape
        torch.Size([2, 1])
    """

    def __init__(self, repeats: list[int]) -> None:
        super().__init__()
        self.repeats: list[int] = repeats

    def forward(self, wide: Tensor, deep: Tensor) -> tuple[Tensor, Tensor]:
        """Main and auxiliary output, each ``(batch, 1)``."""
        first, second = self.hidden
        deep = torch.relu(first(deep))
        times = 1
        if self.training:
            times = self.repeats[int(torch.randint(len(self.repeats), ()))]
        for _ in range(times):
            deep = torch.relu(second(deep))
        return self.main(torch.cat([wide, deep], 1)), self.aux(deep)
