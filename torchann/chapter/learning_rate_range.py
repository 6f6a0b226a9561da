"""Section 10.3.3 and exercise 10: the learning rate grows with each step, until the loss shoots up."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from tabulate import tabulate
from torch import Tensor

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.data import FashionMNISTDataModule
from torchann.engine.backprop import Backprop
from torchann.nets.heads import classification_head
from torchann.nets.mlp import MLP
from torchann.orders import shuffled_order

BATCH, HIDDEN_SIZES = 32, [300, 100]
FIRST_RATE, FACTOR = 1e-3, 1.005
WINDOW, RISE = 20, 2
EPOCHS, USUAL_RATE = 3, 0.01
UP, CHOSEN = "rate at which the loss shoots up", "half of it, the rate to train with"


def growing_rate(step: int) -> float:
    """The rate of a step: half a per cent more than that of the step before, from 0.001 on.

    Args:
        step: counted from 0.

    Example:
        >>> f"{growing_rate(0)} {growing_rate(1):.6f} {growing_rate(1718):.2f}"  # 1,719 batches of 32 are an epoch
        '0.001 0.001005 5.26'
    """
    return FIRST_RATE * FACTOR**step


def batches(x: Tensor, y: Tensor, seed: int, epochs: int = 1) -> Iterator[tuple[Tensor, Tensor]]:
    """Mini-batches of 32 rows, in a new order in each epoch.

    Args:
        x: pixels, ``(rows, in_features)``, uint8 from 0 to 255, which become float32 from 0 to 1; or floats as they are.
        y: classes, ``(rows,)``.
        seed: of the orders.
        epochs: passes over the rows.
    """
    for epoch in range(epochs):
        for rows in shuffled_order(len(x), seed, epoch).split(BATCH):
            yield (x[rows] / 255 if x.dtype == torch.uint8 else x[rows]), y[rows]


def train(net: MLP, rows: Iterable[tuple[Tensor, Tensor]], rate: Callable[[int], float]) -> Tensor:
    """Gradient descent on mini-batches, with a rate that may differ from step to step.

    Args:
        net: a classifier, which is trained.
        rows: the mini-batches.
        rate: from the step, counted from 0, to its learning rate.

    Returns:
        The mean loss of each batch alone, before its step, ``(steps,)``.
    """
    head = classification_head("multiclass", net.out_features)
    backprop = Backprop(net, head.error)
    losses = [head.losses(backprop.descend(x, y, rate(step)), y).mean() for step, (x, y) in enumerate(rows)]
    return torch.stack(losses)
