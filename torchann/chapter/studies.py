"""Section 10.3: what to choose, measured: layers, neurons, rate, batch size, optimiser, activation."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from torchann.chapter.experiment import Experiment, Measurement, Published
from torchann.chapter.option_study import KnobStudy
from torchann.chapter.study_results import FASHION, HOUSING, Case, Key, Results

NAMES = (HOUSING, FASHION)
RATES = {HOUSING: 0.01, FASHION: 0.03}
NEURONS = {HOUSING: 30, FASHION: 100}
SMALL, LARGE = 32, 512
SAME, SCALED = "the same rate", "rate scaled with the batch"
STEADY = "{}: best rate ÷ highest that does not diverge"
Measure = Callable[[Mapping[str, Results]], dict[str, Measurement]]


def names_of(one: str, other: str) -> tuple[str, str]:
    """What figures are called that compare one choice with another: how many times the error, how much accuracy."""
    return f"{HOUSING}: MAE, {one} ÷ {other}", f"{FASHION}: accuracy, {one} − {other}"


def cases(
    values: Sequence[Any],
    knobs: Callable[[str, Any], dict[str, Any]],
    rates: Callable[[str, Any], Sequence[float]] = lambda name, value: [RATES[name]],
) -> dict[str, list[Case]]:
    """Two hidden layers, but for what the knobs of a value say, by data set.

    Args:
        values: of the hyperparameter.
        knobs: of the task, by data set and value.
        rates: to train each with.
    """

    def of(name: str, value: Any, lr: float) -> Case:
        return Case(value, {"hidden_sizes": 2 * [NEURONS[name]], "lr": lr, **knobs(name, value)})

    return {name: [of(name, value, lr) for value in values for lr in rates(name, value)] for name in NAMES}


def batch_cases(sizes: Sequence[int]) -> dict[str, list[Case]]:
    """Each batch size at the same rate, and at one that grows with it."""

    def of(name: str, size: int, line: str) -> Case:
        lr = RATES[name] * (size / SMALL if line == SCALED else 1)
        return Case(size, {"hidden_sizes": 2 * [NEURONS[name]], "lr": lr}, size, line)

    return {name: [of(name, size, line) for line in (SAME, SCALED) for size in sizes] for name in NAMES}


def compare(*pairs: tuple[str, Key | None, str, Key | None]) -> Measure:
    """What compares choices with others, each given by what it is called and what it is; None is what did best."""

    def measure(results: Mapping[str, Results]) -> dict[str, Measurement]:
        measurements: dict[str, Measurement] = {}
        for one, key, other, its_key in pairs:
            housing, fashion = ([results[name].score(part) for part in (key, its_key)] for name in NAMES)
            gaps = housing[0] / housing[1], fashion[0] - fashion[1]
            measurements |= dict(zip(names_of(one, other), gaps, strict=True))
        return measurements

    return measure


def share_of_highest(results: Mapping[str, Results]) -> dict[str, Measurement]:
    """The best rate as a share of the highest at which training does not diverge."""
    return {
        STEADY.format(name): found.best_key[1] / max(value for _, value in found.steady)
        for name, found in results.items()
    }


def _study(
    name: str, section: str, title: str, study: KnobStudy, bands: Sequence[tuple[str, float, tuple[float, float]]]
) -> Experiment:
    return Experiment(
        name=name,
        section=section,
        title=title,
        published=tuple(Published(measurement, value, band) for measurement, value, band in bands),
        source="the chapter's advice as a number or a bound; bands: the range of 5 seeds and some more",
        run=study,
        draw=study.draw,
    )


def _bands(
    one: str, other: str, times: tuple[float, float, float], more: tuple[float, float, float]
) -> list[tuple[str, float, tuple[float, float]]]:
    return [
        (measurement, value, (low, high))
        for measurement, (value, low, high) in zip(names_of(one, other), (times, more), strict=True)
    ]


_LAYERS = KnobStudy(
    "hidden layers",
    "one or two hidden layers will do for many problems; add more for complex ones until the net overfits",
    cases([0, 1, 2, 3, 4, 6], lambda name, layers: {"hidden_sizes": layers * [NEURONS[name]]}),
    compare(("one layer", ("", 1), "none", ("", 0)), ("the best depth", None, "one layer", ("", 1))),
    scale="linear",
)
_NEURONS = KnobStudy(
    "neurons in each of two hidden layers",
    "take more neurons than you need, the same number in all layers, and stop early",
    cases([3, 10, 30, 100, 300], lambda name, neurons: {"hidden_sizes": [neurons, neurons]}),
    compare(("300 neurons", ("", 300), "the best width", None)),
    scale="log",
)
_RATE = KnobStudy(
    "learning rate",
    "about half of the highest rate at which training does not diverge",
    cases([0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8], lambda name, rate: {"lr": rate}),
    share_of_highest,
    scale="log",
)
_BATCH = KnobStudy(
    "batch size",
    "small batches, up to 32, mostly give better models sooner; another batch size wants another rate",
    batch_cases([8, 32, 128, 512]),
    compare(
        (f"batch {LARGE} at {SAME}", (SAME, LARGE), str(SMALL), (SAME, SMALL)),
        (f"batch {LARGE}, {SCALED}", (SCALED, LARGE), str(SMALL), (SAME, SMALL)),
    ),
    scale="log",
)
_TWO_RATES = {"sgd": [0.01, 0.1], "momentum": [0.003, 0.01], "adagrad": [0.01, 0.03], "rmsprop": [0.001, 0.003]}
_OPTIMIZER = KnobStudy(
    "optimizer",
    "a better optimiser than plain gradient descent matters",
    cases(
        [*_TWO_RATES, "adam"],
        lambda name, label: {"optimizer": "sgd", "momentum": 0.9} if label == "momentum" else {"optimizer": label},
        lambda name, label: _TWO_RATES.get(label, [0.001, 0.003]),
    ),
    compare(("the best", None, "sgd", ("", "sgd"))),
)
_ACTIVATION = KnobStudy(
    "activation",
    "ReLU is a good default for all hidden layers",
    cases(
        ["relu", "leaky_relu", "selu", "gelu", "tanh", "sigmoid"],
        lambda name, label: {"activation": label},
        lambda name, label: [RATES[name], 3 * RATES[name]],
    ),
    compare(("relu", ("", "relu"), "the best", None), ("sigmoid", ("", "sigmoid"), "relu", ("", "relu"))),
)

EXPERIMENTS = (
    _study(
        "study_layers",
        "10.3.1",
        "How many hidden layers: of 30 neurons on housing, of 100 on Fashion-MNIST",
        _LAYERS,
        [
            *_bands("one layer", "none", (0.9, 0.0, 0.9), (0.0, 0.0, 0.1)),
            *_bands("the best depth", "one layer", (1.0, 0.85, 1.0), (0.0, 0.0, 0.02)),
        ],
    ),
    _study(
        "study_neurons",
        "10.3.2",
        "How many neurons in each of two hidden layers",
        _NEURONS,
        _bands("300 neurons", "the best width", (1.0, 1.0, 1.05), (0.0, -0.015, 0.0)),
    ),
    _study(
        "study_rate",
        "10.3.3",
        "Which learning rate: 8-30-30-1 on housing, 784-100-100-10 on Fashion-MNIST",
        _RATE,
        [(STEADY.format(name), 0.5, (0.05, 1.0)) for name in NAMES],
    ),
    _study(
        "study_batch",
        "10.3.3",
        "Which batch size, at the same rate and at one that is scaled with it",
        _BATCH,
        [
            *_bands(f"batch {LARGE} at {SAME}", str(SMALL), (1.1, 1.1, inf), (-0.05, -1.0, -0.05)),
            *_bands(f"batch {LARGE}, {SCALED}", str(SMALL), (1.0, 0.97, 1.06), (0.0, -0.1, 0.0)),
        ],
    ),
    _study(
        "study_optimizer",
        "10.3.3",
        "Which optimiser, each at the better of two rates",
        _OPTIMIZER,
        _bands("the best", "sgd", (1.0, 0.0, 1.0), (0.0, 0.0, 1.0)),
    ),
    _study(
        "study_activation",
        "10.3.3",
        "Which activation, each at the better of two rates",
        _ACTIVATION,
        [
            *_bands("relu", "the best", (1.0, 1.0, 1.1), (0.0, -0.02, 0.0)),
            *_bands("sigmoid", "relu", (1.0, 1.0, inf), (0.0, -1.0, 0.0)),
        ],
    ),
)
