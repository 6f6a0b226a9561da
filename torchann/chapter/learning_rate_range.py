"""Section 10.3.3 and exercise 10: the learning rate grows with each step, until the loss shoots up."""

from collections.abc import Sequence
from statistics import median

from matplotlib.axes import Axes
from tabulate import tabulate

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.picture import picture
from torchann.data import FashionMNISTDataModule
from torchann.engine.threads import at_most
from torchann.tasks.classification import ClassificationMLP
from torchann.training.trainer import Trainer
from torchann.tuning.lr_range.result import RISE, RateRange
from torchann.tuning.lr_range.test import learning_rate_range

FIRST_RATE, FACTOR = 1e-3, 1.005
SEEDS, EPOCHS, USUAL_RATE = 9, 3, 0.01
LOOKS = (("black", "o-"), ("tab:orange", "s--"))  # at the rate found, at the usual one
UP, CHOSEN = "rate at which the loss shoots up", "half of it, to train with"


def book_range(data: FashionMNISTDataModule, seed: int, factor: float = FACTOR) -> RateRange:
    """The exercise: from 0.001 on, half a per cent more in each step of one epoch, and no end before."""
    data.seed, steps = seed, data.train_dataloader().num_batches()
    model = ClassificationMLP([300, 100])
    return learning_rate_range(model, data, FIRST_RATE, steps=steps, factor=factor, stop_above=None, seed=seed)


def accuracies(data: FashionMNISTDataModule, seed: int, rate: float, epochs: int = EPOCHS) -> list[float]:
    """The share of test images that are told right after each epoch of plain gradient descent at one rate."""
    model = ClassificationMLP([300, 100], data.in_features, data.num_classes, lr=rate)
    trainer = Trainer(max_epochs=epochs, seed=seed, logger=False, quiet=True)
    data.seed, data.steps_per_execution = seed, None  # as many at once as fit
    trainer.fit(model, data.train_dataloader(), data.test_dataloader())
    return trainer.history["val_accuracy"]


@at_most(1)
def _run(setting: Setting) -> Outcome:
    seeds = range(setting.seed, setting.seed + SEEDS)
    data = FashionMNISTDataModule(setting.data_dir)
    data.setup()
    found = [book_range(data, seed, FACTOR) for seed in seeds]
    ups = [one.shoots_up for one in found if one.shoots_up is not None]
    if len(ups) < SEEDS:
        raise ValueError(f"{found[0].advice} (of {len(ups)} in {SEEDS} seeds)")
    up = median(ups)
    curves = {rate: accuracies(data, seeds[0], rate, EPOCHS) for rate in (up / 2, USUAL_RATE)}
    rows = [[f"test accuracy at {rate:.3f}", *curve] for rate, curve in curves.items()]
    text = f"shoots up at {', '.join(f'{rate:.3f}' for rate in ups)} with seeds {seeds[0]} to {seeds[-1]}\n\n"
    text += tabulate(rows, ["epoch", *range(1, EPOCHS + 1)], floatfmt=".4f")
    return Outcome({UP: up, CHOSEN: up / 2}, text=text, shown=(found, curves))


@picture(11, 4.2, 2, grid=True, width_ratios=(2, 1))
def _draw(outcomes: Sequence[Outcome], loss: Axes, accuracy: Axes) -> None:
    found, curves = outcomes[0].shown
    up = float(outcomes[0].measurements[UP])
    loss.plot(found[0].rates, found[0].losses, color="0.7", linewidth=0.5, label="each batch, first seed")
    for number, one in enumerate(found):
        _draw_loss(loss, one, first=number == 0)
    loss.axvline(up, color="tab:red", linestyle="--", label=f"shoots up at {up:.2f} (median)")
    loss.axvline(up / 2, color="black", label=f"half of it, {up / 2:.2f}")
    for (rate, curve), (colour, style) in zip(curves.items(), LOOKS, strict=True):
        accuracy.plot(range(1, len(curve) + 1), curve, style, color=colour, markersize=7, label=f"{rate:.2g}")
    loss.set(xlabel="learning rate", ylabel="training loss", xscale="log", ylim=(0, 4))
    loss.legend(loc="upper left")
    accuracy.set(xlabel="epoch", ylabel="test accuracy (share of rows)", xticks=range(1, EPOCHS + 1))
    accuracy.legend(title="trained at", loc="lower right")


def _draw_loss(panel: Axes, found: RateRange, first: bool) -> None:
    smooth, step = found.smoothed, found.first_above(RISE)
    shown = len(smooth) if step is None else max(1, step - found.window + 2)
    label = f"mean of the last {found.window} batches, {RISE:g} × its lowest at ×" if first else None
    panel.plot(found.rates[found.window - 1 :][:shown], smooth[:shown], color="tab:blue", linewidth=1.2, label=label)
    if step is not None:
        height = RISE * float(smooth[:shown].nan_to_num(float("inf")).min())
        panel.plot(found.rates[step], height, "x", color="tab:red", markersize=9, markeredgewidth=2)


EXPERIMENTS = (
    Experiment(
        name="learning_rate_range",
        section="10.3.3",
        title="A learning rate that grows by half a per cent each step, Fashion-MNIST 784-300-100-10",
        published=(Published(UP, 0.6, (0.338, 0.717)), Published(CHOSEN, 0.3, (0.169, 0.359))),
        source="2nd edition, exercise 10, of MNIST, for which Fashion-MNIST stands; "
        "median of three seeds; bands: the range of 10 seeds, and a quarter of its width at either end",
        run=_run,
        draw=_draw,
        takes_seeds=False,  # it has three of its own
    ),
)
