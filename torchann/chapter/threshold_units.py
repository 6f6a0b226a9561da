"""Section 10.1.3: a layer of threshold logic units for several classes, and Hebb's rule beside the Perceptron rule."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from tabulate import tabulate
from torch import Tensor

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.picture import picture
from torchann.data import IrisDataModule
from torchann.data.iris import CLASS_NAMES
from torchann.engine.perceptron import perceptron_rule_
from torchann.nets.functional import hebb_rule
from torchann.nets.neurons import ThresholdLogicUnits
from torchann.pictures.boundaries import COLOURS, draw_line, draw_rows, petal_axes, tint_side

SPECIES_EPOCHS = 100
RULES, RULES_EPOCHS = ("Hebb's rule", "Perceptron rule"), 10
WRONG = f"rows wrong after {RULES_EPOCHS} epochs: {'; '.join(RULES)}"
GROWTH = f"weights' length, epoch {RULES_EPOCHS} ÷ {RULES_EPOCHS // 2}: {'; '.join(RULES)}"


def teach(units: ThresholdLogicUnits, x: Tensor, target: Tensor, max_epochs: int) -> Tensor:
    """Teaches each unit by the Perceptron rule, rows in their order, until an epoch has no mistake.

    Args:
        units: changed in place.
        x: rows, ``(rows, in_features)``, of the weights' dtype.
        target: -1 or +1 for each row and unit, ``(rows, out_features)``.
        max_epochs: epochs after which it ends at the latest.

    Returns:
        Mistakes in each epoch, ``(epochs, out_features)``; the last row is zero if the rule came to its end.

    Example:
        >>> both = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> teach(ThresholdLogicUnits(2, 1), both, torch.tensor([[-1.0], [-1.0], [-1.0], [1.0]]), 100).squeeze(1)
        tensor([2, 3, 3, 2, 2, 3, 2, 1, 0])
    """
    mistakes: list[Tensor] = []
    while len(mistakes) < max_epochs and (not mistakes or mistakes[-1].any()):
        unit_by_unit = zip(units.weight, torch.split(units.bias, 1), target.t(), strict=True)
        sums = [perceptron_rule_(weight, bias, x, signs) for weight, bias, signs in unit_by_unit]
        mistakes.append((target * torch.stack(sums, 1) <= 0).sum(0))
    return torch.stack(mistakes)


def numbers(weight: Tensor, bias: Tensor) -> str:
    """Weights ``(features,)`` and a bias as text, to four digits.

    Example:
        >>> numbers(torch.tensor([-0.5, -0.80000001]), torch.tensor(2.0))
        '-0.5, -0.8; 2'
    """
    return ", ".join(f"{value + 0:.4g}" for value in weight.tolist()) + f"; {bias.item() + 0:.4g}"


def _learn_species(setting: Setting) -> Outcome:
    iris = IrisDataModule("species")
    iris.setup()
    x, y = iris.splits.train
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(42))
    x, y = x[order], y[order]
    units = ThresholdLogicUnits(2, 3).double()
    mistakes = teach(units, x, 2 * F.one_hot(y).double() - 1, SPECIES_EPOCHS)
    learnt = zip(iris.class_names, units.weight, units.bias, strict=True)
    measurements = {f"{name} unit: weights; bias": numbers(weight, bias) for name, weight, bias in learnt}
    measurements["setosa unit: mistakes in the last epoch"] = str(mistakes[-1, 0].item())
    rows = [[epoch, *mistakes[epoch - 1].tolist()] for epoch in (1, 2, 3, 10, 30, SPECIES_EPOCHS)]
    text = "Mistakes of each unit\n\n" + tabulate(rows, ["epoch", *iris.class_names])
    return Outcome(measurements, text=text, shown=(x, y, units.weight.data, units.bias.data, mistakes))


@picture(11, 4.4, 2)
def _draw_species(outcomes: Sequence[Outcome], flowers: Axes, curves: Axes) -> None:
    x, y, weights, biases, mistakes = outcomes[0].shown
    names = CLASS_NAMES["species"]
    petal_axes(flowers)
    for weight, bias, colour in zip(weights, biases, COLOURS, strict=True):
        tint_side(flowers, weight, bias, colour)
        draw_line(flowers, weight, bias, colour)
    draw_rows(flowers, x, y, names)
    flowers.set_title("each unit fires on the tinted side of its line")
    flowers.legend(loc="lower right")
    for number, name in enumerate(names):
        curves.plot(range(1, len(mistakes) + 1), mistakes[:, number], color=COLOURS[number], label=f"{name} unit")
    curves.set(xlabel="epoch", ylabel="mistakes (rows of 150)", title="a line parts setosa only")
    curves.legend()


def _learn_by_both_rules(setting: Setting) -> Outcome:
    iris = IrisDataModule()
    iris.setup()
    x, y = iris.splits.train
    target, ones = 2 * y.double() - 1, torch.ones(len(y), 1, dtype=x.dtype)
    hebb, unit = torch.zeros(3, dtype=x.dtype), ThresholdLogicUnits(2, 1).double()
    after: dict[str, list[Tensor]] = {rule: [] for rule in RULES}
    for _ in range(RULES_EPOCHS):
        hebb = hebb_rule(hebb, torch.cat([x, ones], 1), target)
        teach(unit, x, target.unsqueeze(1), max_epochs=1)
        for rule, weights in zip(RULES, (hebb, torch.cat([unit.weight[0], unit.bias])), strict=True):
            after[rule].append(weights)
    wrong = {rule: [int((target * (x @ w[:2] + w[2]) <= 0).sum()) for w in weights] for rule, weights in after.items()}
    lengths = {rule: [weights.norm().item() for weights in after[rule]] for rule in RULES}
    growth = "; ".join(f"{lengths[rule][-1] / lengths[rule][RULES_EPOCHS // 2 - 1]:.4g}" for rule in RULES)
    measurements = {WRONG: "; ".join(str(wrong[rule][-1]) for rule in RULES), GROWTH: growth}
    return Outcome(measurements, shown=(x, y, {rule: after[rule][-1] for rule in RULES}, lengths, wrong))


@picture(13, 4.8, 3)
def _draw_both_rules(outcomes: Sequence[Outcome], flowers: Axes, length: Axes, mistakes: Axes) -> None:
    x, y, weights, lengths, wrong = outcomes[0].shown
    petal_axes(flowers)
    flowers.set(xlim=(-0.6, 7.2), ylim=(-0.6, 2.7), title="where each rule draws the line")
    draw_rows(flowers, x, y, CLASS_NAMES["setosa"])
    epochs = range(1, RULES_EPOCHS + 1)
    for rule, style in zip(RULES, ("--", "-"), strict=True):
        draw_line(flowers, weights[rule][:2], weights[rule][2], style=style, label=rule)
        length.plot(epochs, lengths[rule], color="black", linestyle=style, marker=".", label=rule)
        mistakes.plot(epochs, wrong[rule], color="black", linestyle=style, marker=".", label=rule)
    flowers.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)
    length.set(xlabel="epoch", ylabel="length of weights and bias", yscale="log", title="Hebb's weights grow for ever")
    mistakes.set(xlabel="epoch", ylabel="rows wrong (of 150)", title="what each rule gets wrong")
    for panel in (length, mistakes):
        panel.legend(loc="center right")


EXPERIMENTS = (
    Experiment(
        name="tlu_iris_species",
        section="10.1.3",
        title="A layer of three threshold logic units on iris, taught by the Perceptron rule",
        published=(
            Published("setosa unit: weights; bias", "-2.1, -2.1; 5", by="peer"),
            Published("versicolor unit: weights; bias", "9.1, -25.2; -13", by="peer"),
            Published("virginica unit: weights; bias", "10.3, 53; -130", by="peer"),
            Published("setosa unit: mistakes in the last epoch", "0", by="peer"),
        ),
        source="scikit-learn 1.9, Perceptron(shuffle=False, tol=None, max_iter=100) on the same shuffled rows",
        run=_learn_species,
        draw=_draw_species,
        takes_seeds=False,
    ),
    Experiment(
        name="hebb_and_perceptron",
        section="10.1.3",
        title="Hebb's rule and the Perceptron rule on iris, setosa or not",
        published=(Published(WRONG, "50; 0", by="law"), Published(GROWTH, "2; 1", by="law")),
        source="the rules: Hebb's takes the same step in each epoch, the Perceptron rule none once all rows are right",
        run=_learn_by_both_rules,
        draw=_draw_both_rules,
        takes_seeds=False,
    ),
)
