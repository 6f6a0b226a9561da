"""Section 10.1.3: the Perceptron on iris, equal to scikit-learn's; when its rule stops, and that on XOR it does not."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from sklearn.svm import SVC
from tabulate import tabulate
from torch import Tensor

from torchann.chapter.experiment import Experiment, Measurement, Outcome, Published, Setting, Training
from torchann.chapter.picture import picture
from torchann.chapter.threshold_units import numbers, teach
from torchann.data import IrisDataModule
from torchann.data.iris import CLASS_NAMES
from torchann.nets.neurons import ThresholdLogicUnits
from torchann.pictures.boundaries import COLOURS, MARKERS, draw_line, draw_rows, petal_axes, tint_side
from torchann.tasks.perceptron import Perceptron
from torchann.training.trainer import Trainer

FIGURE = "weights; bias; epochs; class of petals 2 cm by 0.5 cm"
MARGINS: list[float] = torch.logspace(-2, 0, 40).tolist()
MAX_EPOCHS = 10_000
STOPPED = "random data sets on which the rule stops"
SHARE, SETOSA_SHARE = "mistakes / (R/γ)², random sets' largest", "mistakes / (R/γ)², iris setosa or not"
TIGHTEST = "mistakes; (R/γ)² for the rows 1 and -1"
CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
ANSWERS = {"AND": (0, 0, 0, 1), "OR": (0, 1, 1, 1), "XOR": (0, 1, 1, 0)}
GATE_EPOCHS = 20
FIRST_RIGHT = f"first epoch without a mistake: {', '.join(ANSWERS)}"
XOR_EPOCH = "XOR, each epoch: mistakes; weights; bias at its end"


def _learnt(trainer: Trainer) -> dict[str, Measurement]:
    task = trainer.lightning_module
    assert isinstance(task, Perceptron)
    answer = task.predict(torch.tensor([[2.0, 0.5]])).item()
    weights, bias = numbers(task.net.weight[0], task.net.bias).split("; ")
    return {FIGURE: f"{weights}; {bias}; {trainer.current_epoch}; {answer}"}


def _unit(trainer: Trainer) -> tuple[Tensor, Tensor]:
    task = trainer.lightning_module
    assert isinstance(task, Perceptron)
    return task.net.weight.detach()[0], task.net.bias.detach()


def _setosa() -> tuple[Tensor, Tensor]:
    iris = IrisDataModule()
    iris.setup()
    return iris.splits.train.x, iris.splits.train.y


@picture(11, 4.4, 2)
def _draw_petals(outcomes: Sequence[Outcome], flowers: Axes, curve: Axes) -> None:
    weight, bias = outcomes[0].shown
    petal_axes(flowers)
    tint_side(flowers, -weight, -bias, COLOURS[0])
    tint_side(flowers, weight, bias, COLOURS[1])
    draw_rows(flowers, *_setosa(), CLASS_NAMES["setosa"])
    draw_line(flowers, weight, bias, label="decision boundary")
    flowers.scatter(2, 0.5, 90, color="black", marker="*", label="2 cm by 0.5 cm")
    flowers.legend(loc="lower right")
    history = outcomes[0].history
    curve.plot([row["epoch"] + 1 for row in history], [row["train_loss"] for row in history], color="black", marker=".")
    curve.set(xlabel="epoch", ylabel="mean Perceptron loss", title="training loss of the rows as they are met")


def mistake_bound(x: Tensor, target: Tensor) -> tuple[float, float]:
    """What the convergence theorem needs: no row is longer than R, and a plane leaves each a distance of γ.

    The bias is the weight of an input that is always 1, for R and for γ. The widest γ is a support vector machine's:
    the rows times their targets are parted from their mirror images by a plane through the origin.

    Args:
        x: rows, ``(rows, features)``, float64.
        target: ``(rows,)``, each -1 or +1.

    Returns:
        R and γ; the Perceptron rule makes at most (R/γ)² mistakes. No plane parts the rows if γ is not above 0.

    Example:
        >>> r, gamma = mistake_bound(torch.tensor([[1.0], [-1.0]]), torch.tensor([1.0, -1.0]))
        >>> round(r**2, 6), round(gamma, 6)
        (2.0, 1.0)
    """
    rows = torch.cat([x, torch.ones_like(x[:, :1])], 1)
    signed = (target.unsqueeze(1) * rows).numpy()
    sides = np.repeat([1, -1], len(signed))
    plane = SVC(kernel="linear", C=1e6).fit(np.concatenate([signed, -signed]), sides).coef_[0]
    return rows.norm(dim=1).max().item(), float((signed @ plane).min() / np.linalg.norm(plane))


def _separable(features: int, margin: float) -> tuple[Tensor, Tensor]:
    """200 random rows on either side of a random plane, none nearer to it than the margin."""
    x, normal = torch.randn(2000, features, dtype=torch.float64), torch.randn(features, dtype=torch.float64)
    distance = x @ normal / normal.norm()
    far = distance.abs() > margin
    return x[far][:200], distance[far][:200].sign()


def _count_mistakes(setting: Setting) -> Outcome:
    x, y = _setosa()
    two_rows = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    cases = [("iris, setosa or not", x, 2 * y.double() - 1), ("the rows 1 and -1", two_rows, two_rows[:, 0])]
    cases += [("random", *_separable((2, 3, 5, 10, 20)[i % 5], margin)) for i, margin in enumerate(MARGINS)]
    table = []
    for name, x, target in cases:
        mistakes = teach(ThresholdLogicUnits(x.shape[1], 1).double(), x, target.unsqueeze(1), MAX_EPOCHS)
        r, gamma = mistake_bound(x, target)
        table.append((name, x.shape[1], r, gamma, len(mistakes), int(mistakes.sum()), (r / gamma) ** 2))
    (*_, setosa, setosa_bound), (*_, tightest, tightest_bound), *random = table
    measurements: dict[str, Measurement] = {
        STOPPED: f"{sum(epochs < MAX_EPOCHS for *_, epochs, _, _ in random)} of {len(MARGINS)}",
        SHARE: max(made / bound for *_, made, bound in random),
        SETOSA_SHARE: setosa / setosa_bound,
        TIGHTEST: f"{tightest}; {tightest_bound:.4g}",
    }
    headers = ["rows", "features", "R", "γ", "epochs", "mistakes", "(R/γ)²"]
    text = tabulate(table[:2] + random[::9], headers, floatfmt=".4g")
    return Outcome(measurements, text=text, shown=[row[-2:] for row in table])


@picture(6.5, 5, grid=True)
def _draw_bound(outcomes: Sequence[Outcome], panel: Axes) -> None:
    for outcome in outcomes:
        setosa, tightest, *random = outcome.shown
        made, bounds = zip(*random, strict=True)
        panel.plot(bounds, made, ".", color=COLOURS[0], label="200 random rows" if outcome is outcomes[0] else None)
    panel.plot(setosa[1], setosa[0], "o", color=COLOURS[1], markersize=9, label="iris, setosa or not")
    panel.plot(tightest[1], tightest[0], "^", color=COLOURS[2], markersize=9, label="the rows 1 and -1")
    panel.axline((1, 1), (10, 10), color="black", label="as many as the theorem allows")
    panel.set(xscale="log", yscale="log", xlabel="(R/γ)², the theorem's bound", ylabel="mistakes until the rule stops")
    panel.legend()


def _learn_gates(setting: Setting) -> Outcome:
    targets = {
        gate: 2 * torch.tensor(outputs, dtype=torch.float32).unsqueeze(1) - 1 for gate, outputs in ANSWERS.items()
    }
    units = {gate: ThresholdLogicUnits(2, 1) for gate in ANSWERS}
    mistakes = {gate: teach(units[gate], CORNERS, targets[gate], GATE_EPOCHS)[:, 0].tolist() for gate in ANSWERS}
    first_right = ["never" if made[-1] else str(len(made)) for made in mistakes.values()]
    measurements = {
        FIRST_RIGHT: ", ".join(first_right),
        XOR_EPOCH: f"{mistakes['XOR'][-1]}; {numbers(units['XOR'].weight[0], units['XOR'].bias)}",
    }
    lines = {gate: [("decision boundary", unit.weight[0], unit.bias.clone())] for gate, unit in units.items()}
    lines["XOR"], learner = [], ThresholdLogicUnits(2, 1)
    for corner, target in zip(torch.split(CORNERS, 1), torch.split(targets["XOR"], 1), strict=True):
        teach(learner, corner, target, max_epochs=1)
        label = "after row {:.0f}, {:.0f}".format(*corner[0].tolist())
        lines["XOR"].append((label, learner.weight[0].clone(), learner.bias.clone()))
    steps = [[label, numbers(weight, bias)] for label, weight, bias in lines["XOR"]]
    text = "XOR, any epoch\n\n" + tabulate(steps, ["A, B", "weights; bias"])
    return Outcome(measurements, text=text, shown=(lines, mistakes))


@picture(14, 4.2, 4)
def _draw_gates(outcomes: Sequence[Outcome], *panels: Axes) -> None:
    lines, mistakes = outcomes[0].shown
    *planes, curves = panels
    for panel, (gate, outputs), colour, marker in zip(planes, ANSWERS.items(), COLOURS, MARKERS, strict=True):
        panel.set(xlim=(-1.8, 1.6), ylim=(-1.8, 1.6), aspect="equal", title=gate, xlabel="A", ylabel="B")
        for (label, weight, bias), style in zip(lines[gate], ("-", "--", ":", "-."), strict=False):
            draw_line(panel, weight, bias, style=style, label=label)
        draw_rows(panel, CORNERS, torch.tensor(outputs), ["off (0)", "on (1)"])
        panel.legend(loc="lower left", fontsize=8)
        curves.plot(range(1, len(mistakes[gate]) + 1), mistakes[gate], color=colour, marker=marker, label=gate)
    curves.set(xlabel="epoch", ylabel="mistakes (of 4 rows)", title="mistakes", ylim=(-0.2, 5.2))
    curves.legend(loc="upper right", ncols=3)


EXPERIMENTS = (
    Experiment(
        name="iris_perceptron",
        section="10.1.3",
        title="Perceptron on iris, rows in stored order",
        published=(Published(FIGURE, "-0.5, -0.8; 2; 8; 1", by="peer"),),
        source="scikit-learn 1.9, Perceptron(shuffle=False)",
        run=Training(Perceptron, 1000, _learnt, lambda setting: IrisDataModule(), show=_unit),
        draw=_draw_petals,
        takes_seeds=False,
    ),
    Experiment(
        name="iris_perceptron_shuffled",
        section="10.1.3",
        title="Perceptron on iris, rows as random_state=0 shuffles them",
        published=(Published(FIGURE, "-0.7, -1.2; 2; 7; 0"),),
        source="2nd edition; scikit-learn 1.9, Perceptron()",
        run=Training(
            Perceptron, 1000, _learnt, lambda setting: IrisDataModule(order="scikit-learn", seed=0), show=_unit
        ),
        draw=_draw_petals,
        takes_seeds=False,
    ),
    Experiment(
        name="perceptron_convergence",
        section="10.1.3",
        title="The Perceptron rule's mistakes, and how many it can make",
        published=(
            Published(STOPPED, "40 of 40", by="law"),
            Published(SHARE, 1.0, (0.0, 1.0), by="law"),
            Published(SETOSA_SHARE, 1.0, (0.0, 1.0), by="law"),
            Published(TIGHTEST, "2; 2", by="law"),
        ),
        source="the convergence theorem (Novikoff 1962); two rows worked by hand",
        run=_count_mistakes,
        draw=_draw_bound,
    ),
    Experiment(
        name="perceptron_xor",
        section="10.1.3",
        title="The Perceptron rule learns AND and OR, and goes round in circles on XOR",
        published=(Published(FIRST_RIGHT, "9, 6, never", by="law"), Published(XOR_EPOCH, "4; 0, 0; 0", by="law")),
        source="no line parts XOR (Minsky and Papert 1969); an epoch worked by hand",
        run=_learn_gates,
        draw=_draw_gates,
        takes_seeds=False,
    ),
)
