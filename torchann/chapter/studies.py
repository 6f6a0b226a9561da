"""Section 10.3: what to choose, measured: layers, neurons, rate, batch size, optimiser, activation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from torchann.chapter.experiment import Experiment, Measurement, Published
from torchann.chapter.option_study import KnobStudy
from torchann.chapter.picture import picture
from torchann.chapter.study_results import FASHION, HOUSING, Case, Key, Results

NAMES = (HOUSING, FASHION)
RATES = {HOUSING: 0.01, FASHION: 0.03}
NEURONS = {HOUSING: 30, FASHION: 100}
SMALL, LARGE = 32, 512
SAME, SCALED = "the same rate", "rate scaled with the batch"
STEADY = "{}: best rate ÷ highest that does not diverge"
Bounds = tuple[float, float, float]
"""A published figure, then the lowest and the highest that count as met."""


class Pair(NamedTuple):
    """A choice and the other one that it is compared with, by name and key; a key of None is what did best.

    Attributes:
        times: how many times the other's error on housing the choice has.
        more: how much more accuracy on Fashion-MNIST.
    """

    one: str
    key: Key | None
    other: str
    other_key: Key | None
    times: Bounds
    more: Bounds

    def published(self) -> list[Published]:
        """Return the two figures to meet."""
        names = (f"{HOUSING}: MAE, {self.one} ÷ {self.other}", f"{FASHION}: accuracy, {self.one} − {self.other}")
        both = zip(names, (self.times, self.more), strict=True)
        return [Published(name, value, (low, high), by="own") for name, (value, low, high) in both]

    def measured(self, results: Mapping[str, Results]) -> list[float]:
        """Return the two measured figures."""
        housing, fashion = ([results[name].score(key) for key in (self.key, self.other_key)] for name in NAMES)
        return [housing[0] / housing[1], fashion[0] - fashion[1]]


def cases(
    values: Sequence[Any],
    knobs: Callable[[str, Any], dict[str, Any]],
    rates: Callable[[str, Any], Sequence[float]] = lambda name, value: [RATES[name]],
) -> dict[str, list[Case]]:
    """Two hidden layers, but for what the knobs of a value say, by data set; each value at its rates."""

    def of(name: str, value: Any, lr: float) -> Case:
        return Case(value, {"hidden_sizes": 2 * [NEURONS[name]], "lr": lr, **knobs(name, value)})

    return {name: [of(name, value, lr) for value in values for lr in rates(name, value)] for name in NAMES}


def batch_cases(sizes: Sequence[int]) -> dict[str, list[Case]]:
    """Each batch size at the same rate, and at one that grows with it."""

    def of(name: str, size: int, line: str) -> Case:
        lr = RATES[name] * (size / SMALL if line == SCALED else 1)
        return Case(size, {"hidden_sizes": 2 * [NEURONS[name]], "lr": lr}, size, line)

    return {name: [of(name, size, line) for line in (SAME, SCALED) for size in sizes] for name in NAMES}


def share_of_highest(results: Mapping[str, Results]) -> dict[str, Measurement]:
    """The best rate as a share of the highest at which training does not diverge."""
    return {
        STEADY.format(name): found.best_key[1] / max(value for _, value in found.steady)
        for name, found in results.items()
    }


def _study(
    name: str,
    section: str,
    title: str,
    what: str,
    advice: str,
    cases: dict[str, list[Case]],
    *pairs: Pair,
    scale: Literal["names", "linear", "log"] = "names",
) -> Experiment:
    """Return the study of some cases; without pairs to compare, that of the learning rate."""
    published = [one for pair in pairs for one in pair.published()]

    def compare(results: Mapping[str, Results]) -> dict[str, Measurement]:
        values = [value for pair in pairs for value in pair.measured(results)]
        return {one.measurement: value for one, value in zip(published, values, strict=True)}

    shares = [Published(STEADY.format(name), 0.5, (0.05, 1.0), by="own") for name in NAMES]
    study = KnobStudy(what, advice, cases, compare if pairs else share_of_highest, scale)
    source = "the chapter's advice as a number or a bound; bands: the range of 5 seeds and some more"
    draw = picture(11, 4.2, len(NAMES))(study.draw)
    return Experiment(name, section, title, tuple(published or shares), source, study, draw)


_TWO_RATES = {"sgd": [0.01, 0.1], "momentum": [0.003, 0.01], "adagrad": [0.01, 0.03], "rmsprop": [0.001, 0.003]}
EXPERIMENTS = (
    _study(
        "study_layers",
        "10.3.1",
        "How many hidden layers: of 30 neurons on housing, of 100 on Fashion-MNIST",
        "hidden layers",
        "one or two hidden layers will do for many problems; add more for complex ones until the net overfits",
        cases([0, 1, 2, 3, 4, 6], lambda name, layers: {"hidden_sizes": layers * [NEURONS[name]]}),
        Pair("one layer", ("", 1), "none", ("", 0), (0.9, 0.0, 0.9), (0.0, 0.0, 0.1)),
        Pair("the best depth", None, "one layer", ("", 1), (1.0, 0.85, 1.0), (0.0, 0.0, 0.02)),
        scale="linear",
    ),
    _study(
        "study_neurons",
        "10.3.2",
        "How many neurons in each of two hidden layers",
        "neurons in each of two hidden layers",
        "take more neurons than you need, the same number in all layers, and stop early",
        cases([3, 10, 30, 100, 300], lambda name, neurons: {"hidden_sizes": [neurons, neurons]}),
        Pair("300 neurons", ("", 300), "the best width", None, (1.0, 1.0, 1.05), (0.0, -0.015, 0.0)),
        scale="log",
    ),
    _study(
        "study_rate",
        "10.3.3",
        "Which learning rate: 8-30-30-1 on housing, 784-100-100-10 on Fashion-MNIST",
        "learning rate",
        "about half of the highest rate at which training does not diverge",
        cases([0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8], lambda name, rate: {"lr": rate}),
        scale="log",
    ),
    _study(
        "study_batch",
        "10.3.3",
        "Which batch size, at the same rate and at one that is scaled with it",
        "batch size",
        "small batches, up to 32, mostly give better models sooner; another batch size wants another rate",
        batch_cases([8, 32, 128, 512]),
        Pair(f"batch {LARGE}, same rate", (SAME, LARGE), "32", (SAME, SMALL), (1.1, 1.1, 2.0), (-0.05, -1.0, -0.05)),
        Pair(f"batch {LARGE}, scaled rate", (SCALED, LARGE), "32", (SAME, SMALL), (1.0, 0.97, 1.06), (0.0, -0.1, 0.0)),
        scale="log",
    ),
    _study(
        "study_optimizer",
        "10.3.3",
        "Which optimiser, each at the better of two rates",
        "optimizer",
        "a better optimiser than plain gradient descent matters",
        cases(
            [*_TWO_RATES, "adam"],
            lambda name, label: {"optimizer": "sgd", "momentum": 0.9} if label == "momentum" else {"optimizer": label},
            lambda name, label: _TWO_RATES.get(label, [0.001, 0.003]),
        ),
        Pair("the best", None, "sgd", ("", "sgd"), (1.0, 0.0, 1.0), (0.0, 0.0, 1.0)),
    ),
    _study(
        "study_activation",
        "10.3.3",
        "Which activation, each at the better of two rates",
        "activation",
        "ReLU is a good default for all hidden layers",
        cases(
            ["relu", "leaky_relu", "selu", "gelu", "tanh", "sigmoid"],
            lambda name, label: {"activation": label},
            lambda name, label: [RATES[name], 3 * RATES[name]],
        ),
        Pair("relu", ("", "relu"), "the best", None, (1.0, 1.0, 1.1), (0.0, -0.02, 0.0)),
        Pair("sigmoid", ("", "sigmoid"), "relu", ("", "relu"), (1.0, 1.0, 2.0), (0.0, -1.0, 0.0)),
    ),
)
