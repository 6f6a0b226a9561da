"""What a search varies: ranges by name, written as plain values, drawn by factor where they are rates."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torchann.nets.names import did_you_mean

RATES = ("lr", "learning_rate", "weight_decay", "alpha")
"""Names whose ranges are drawn by factor if nothing else is said: as many from 0.001 to 0.01 as from 0.01 to 0.1."""
KEYS = ("low", "high", "log", "choices", "layers", "neurons")
FORMS = "{low: 0.001, high: 0.1}, {choices: [sgd, adam]} or {layers: [0, 3], neurons: [1, 99]}"


@dataclass(frozen=True)
class Numbers:
    """Numbers between two ends, which are among them.

    Attributes:
        low: the lowest.
        high: the highest; whole numbers are drawn if both are whole.
        log: drawn by factor, not evenly.
    """

    low: float
    high: float
    log: bool = False

    @property
    def ends(self) -> list[Any]:
        """The values that any wrong one is among: both ends."""
        return [self.low, self.high]

    def draw(self, trial: Any, name: str) -> float:
        """Asks an Optuna trial for one."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return int(trial.suggest_int(name, self.low, self.high, log=self.log))
        return float(trial.suggest_float(name, self.low, self.high, log=self.log))


@dataclass(frozen=True)
class Choices:
    """One of several values.

    Attributes:
        values: plain values; lists, too.
    """

    values: tuple[Any, ...]

    @property
    def ends(self) -> list[Any]:
        """The values that any wrong one is among: all."""
        return list(self.values)

    def draw(self, trial: Any, name: str) -> Any:
        """Asks an Optuna trial for one."""
        return json.loads(trial.suggest_categorical(name, [json.dumps(value) for value in self.values]))


@dataclass(frozen=True)
class Layers:
    """Hidden layers of the same width each, as a list of sizes.

    Attributes:
        layers: how many there can be.
        neurons: how many each can have.
    """

    layers: Numbers
    neurons: Numbers

    @property
    def ends(self) -> list[Any]:
        """The values that any wrong one is among: most layers, with fewest and most neurons."""
        return [int(self.layers.high) * [neurons] for neurons in self.neurons.ends]

    def draw(self, trial: Any, name: str) -> list[float]:
        """Asks an Optuna trial for both numbers; also for the width of none, so that all trials have the same."""
        layers, neurons = (part.draw(trial, f"{name}.{key}") for key, part in vars(self).items())
        return int(layers) * [neurons]


Range = Numbers | Choices | Layers


def read_space(described: Mapping[str, Any]) -> dict[str, Range]:
    """The ranges that plain values describe.

    Args:
        described: by name ``{low, high}`` with ``log`` (true by default for rates), ``{choices}`` or just a list, or
            ``{layers, neurons}`` for lists of hidden sizes.

    Raises:
        ValueError: if one is none of these, or is empty.

    Example:
        >>> read_space({"model.lr": {"low": 3e-4, "high": 3e-2}, "model.optimizer": ["sgd", "adam"]})
        {'model.lr': Numbers(low=0.0003, high=0.03, log=True), 'model.optimizer': Choices(values=('sgd', 'adam'))}
    """
    if not described:
        raise ValueError(f"the search space is empty; give at least one range, such as lr: {FORMS}")
    return {name: _range(name, values) for name, values in described.items()}


def _range(name: str, given: Any) -> Range:
    given = {"choices": given} if isinstance(given, (list, tuple)) else given
    if not isinstance(given, Mapping):
        raise ValueError(f"the range of {name} is {given!r}; give {FORMS}")
    for key in given:
        if key not in KEYS:
            raise ValueError(f"the range of {name} has {key!r}; {did_you_mean(str(key), KEYS, FORMS)}")
    keys = set(given)
    if keys == {"choices"} and isinstance(given["choices"], Sequence) and len(given["choices"]) > 0:
        return Choices(tuple(given["choices"]))
    if keys == {"layers", "neurons"}:
        return Layers(*(_numbers(f"{name}.{key}", *_ends(name, given[key])) for key in ("layers", "neurons")))
    if {"low", "high"} <= keys <= {"low", "high", "log"}:
        log = given.get("log", name.rpartition(".")[2] in RATES and isinstance(given["low"], float))
        return _numbers(name, given["low"], given["high"], log)
    raise ValueError(f"the range of {name} is {dict(given)}; give {FORMS}")


def _ends(name: str, given: Any) -> tuple[Any, Any]:
    if not isinstance(given, Sequence) or len(given) != 2:
        raise ValueError(f"layers or neurons of {name} are {given!r}; give two ends, such as [0, 3]")
    return given[0], given[1]


def _numbers(name: str, low: Any, high: Any, log: bool = False) -> Numbers:
    if any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in (low, high)):
        raise ValueError(f"the range of {name} goes from {low!r} to {high!r}; give numbers (0.0003, not 3e-4 as text)")
    if not low < high:
        raise ValueError(f"the range of {name} goes from {low} to {high}; give low below high")
    if log and low <= 0:
        raise ValueError(f"the range of {name} begins at {low} and is drawn by factor; give low above 0, or log: false")
    return Numbers(low, high, bool(log))
