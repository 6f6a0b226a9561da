"""Section 10.3.3 and exercise 10: the learning rate grows with each step, until the loss shoots up."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, repeat

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from tabulate import tabulate
from torch import Tensor

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.random_search import one_thread
from torchann.data import FashionMNISTDataModule
from torchann.engine.backprop import Backprop
from torchann.nets.heads import classification_head
from torchann.nets.mlp import MLP
from torchann.orders import shuffled_order

BATCH = 32
FIRST_RATE, FACTOR = 1e-3, 1.005
WINDOW, RISE = 50, 3
EPOCHS, USUAL_RATE = 3, 0.01
LOOKS = (("black", "o-"), ("tab:orange", "s--"))  # at the rate found, at the usual one
UP, CHOSEN = "rate at which the loss shoots up", "half of it, to train with"


def growing_rate(step: int) -> float:
    """The rate of a step: half a per cent above that of the step before.

    Args:
        step: counted from 0.

    Example:
        >>> f"{growing_rate(0)} {growing_rate(1):.6f} {growing_rate(1718):.2f}"  # an epoch is 1,719 batches
        '0.001 0.001005 5.26'
    """
    return FIRST_RATE * FACTOR**step


def batches(x: Tensor, y: Tensor, seed: int, epochs: Iterable[int] = (0,)) -> Iterator[tuple[Tensor, Tensor]]:
    """Mini-batches of 32 rows, in a new order in each epoch.

    Args:
        x: inputs, ``(rows, in_features)``; bytes, 0 to 255, become float32 from 0 to 1.
        y: classes, ``(rows,)``.
        seed: of the orders.
        epochs: numbers of the epochs to go through.
    """
    scale = 255 if x.dtype == torch.uint8 else 1
    for epoch in epochs:
        for rows in torch.split(shuffled_order(len(x), seed, epoch), BATCH):
            yield x[rows] / scale, y[rows]


@one_thread()
def train(net: MLP, rows: Iterable[tuple[Tensor, Tensor]], rates: Iterable[float]) -> Tensor:
    """Gradient descent on mini-batches, each with a learning rate of its own.

    Args:
        net: a classifier, which is trained.
        rows: the mini-batches.
        rates: one for each of them at least.

    Returns:
        The mean loss of each batch alone, before its step, ``(steps,)``.
    """
    head = classification_head("multiclass", net.out_features)
    backprop = Backprop(net, head.error)
    steps = zip(rows, rates, strict=False)
    return torch.stack([head.losses(backprop.descend(x, y, lr), y).mean() for (x, y), lr in steps])


def smoothed(losses: Tensor) -> Tensor:
    """The mean over the last 50 batches, from the fiftieth on, ``(steps - 49,)``.

    Args:
        losses: of the batches, ``(steps,)``.
    """
    return losses.unfold(0, WINDOW, 1).mean(1)


def shoots_up(losses: Tensor) -> int:
    """The first step at which the smoothed loss is three times the lowest it has been, or no number.

    Args:
        losses: of the batches, ``(steps,)``.

    Raises:
        ValueError: if there is no such step.

    Example:
        >>> shoots_up(torch.tensor([1.0] * 60 + [51.0] * 3))  # with two of 51 and 48 of 1 the mean is 3
        61
    """
    smooth = smoothed(losses)
    steps = (~(smooth < RISE * smooth.cummin(0).values)).nonzero()
    if len(steps) == 0:
        raise ValueError(
            f"in {len(losses)} steps the smoothed loss, {smooth.min():.4g} at its lowest, is never {RISE} times "
            "that; take more steps, so that the rate grows further"
        )
    return int(steps[0]) + WINDOW - 1


def _run(setting: Setting) -> Outcome:
    data = FashionMNISTDataModule(setting.data_dir, BATCH, setting.seed)
    data.setup()
    x, y = data.splits.train.x.flatten(1), data.splits.train.y
    x_test, y_test = data.prepare(data.splits.test.x), data.splits.test.y
    losses = train(_net(), batches(x, y, setting.seed), map(growing_rate, count()))
    up = growing_rate(shoots_up(losses))
    accuracies: dict[float, list[float]] = {up / 2: [], USUAL_RATE: []}
    for rate, accuracy in accuracies.items():
        net = _net()
        for epoch in range(EPOCHS):
            train(net, batches(x, y, setting.seed, [epoch]), repeat(rate))
            accuracy.append((net(x_test).argmax(1) == y_test).float().mean().item())
    rows = [[f"test accuracy at {rate:.3f}", *accuracy] for rate, accuracy in accuracies.items()]
    text = tabulate(rows, ["epoch", *range(1, EPOCHS + 1)], floatfmt=".4f")
    return Outcome({UP: up, CHOSEN: up / 2}, text=text, shown=(losses, accuracies))


def _net() -> MLP:
    return MLP(28 * 28, [300, 100], 10)


def _draw(outcomes: Sequence[Outcome], title: str) -> Canvas:
    canvas = Canvas(figsize=(11, 4.2), layout="constrained")
    canvas.suptitle(title)
    loss, accuracy = canvas.subplots(1, 2, width_ratios=(2, 1))
    losses = outcomes[0].shown[0]
    rates = torch.tensor([growing_rate(step) for step in range(len(losses))])
    loss.plot(rates, losses, color="0.7", linewidth=0.5, label="each batch, first seed")
    for number, outcome in enumerate(outcomes):
        _draw_loss(loss, rates, outcome, first=number == 0)
        for curve, (colour, style) in zip(outcome.shown[1].values(), LOOKS, strict=True):
            accuracy.plot(range(1, EPOCHS + 1), curve, style, color=colour, markersize=7)
    for label, (colour, style) in zip(("half of that rate", f"{USUAL_RATE:g}"), LOOKS, strict=True):
        accuracy.plot([], [], style, color=colour, label=label)
    loss.set(xlabel="learning rate", ylabel="training loss", xscale="log", ylim=(0, 4))
    loss.legend(loc="upper left")
    accuracy.set(xlabel="epoch", ylabel="test accuracy (share of rows)", xticks=range(1, EPOCHS + 1))
    accuracy.legend(title="trained at", loc="lower right")
    for panel in (loss, accuracy):
        panel.grid(alpha=0.3)
    return canvas


def _draw_loss(panel: Axes, rates: Tensor, outcome: Outcome, first: bool) -> None:
    losses = outcome.shown[0]
    step = shoots_up(losses)
    up, mean = float(rates[step]), smoothed(losses)[: step - WINDOW + 2]
    label = f"mean of the last {WINDOW} batches, {RISE} × its lowest at ×"
    panel.plot(rates[WINDOW - 1 :][: len(mean)], mean, color="tab:blue", linewidth=1.2, label=label if first else None)
    panel.plot(up, RISE * mean.nan_to_num(torch.inf).min(), "x", color="tab:red", markersize=9, markeredgewidth=2)
    if first:
        panel.axvline(up, color="tab:red", linestyle="--", label=f"shoots up at {up:.2f}")
        panel.axvline(up / 2, color="black", label=f"half of it, {up / 2:.2f}")


EXPERIMENTS = (
    Experiment(
        name="learning_rate_range",
        section="10.3.3",
        title="A learning rate that grows by half a per cent each step, Fashion-MNIST 784-300-100-10",
        published=(Published(UP, 0.6, (0.338, 0.717)), Published(CHOSEN, 0.3, (0.169, 0.359))),
        source="2nd edition, exercise 10, of MNIST, for which Fashion-MNIST stands; "
        "bands: the range of 10 seeds, and a quarter of its width at either end",
        run=_run,
        draw=_draw,
        takes_seeds=False,  # for the time that others would take
    ),
)
