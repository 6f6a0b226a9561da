"""From what to draw, where two numbers say between which."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from scipy.stats import loguniform, randint, uniform

RATES = ("learning_rate_init", "alpha", "tol", "epsilon")
"""Drawn by factor: as many fall between 0.001 and 0.01 as between 0.01 and 0.1."""
KNOBS = (
    *RATES,
    "hidden_layer_sizes",
    "batch_size",
    "max_iter",
    "n_iter_no_change",
    "power_t",
    "momentum",
    "validation_fraction",
    "beta_1",
    "beta_2",
    "random_state",
)
"""Arguments of scikit-learn's MLPs that are numbers."""

Space = Mapping[str, Any]


def distributions(space: Space | Sequence[Space]) -> Any:
    """Replaces tuples ``(low, high)`` by distributions, for those arguments of MLPs that are numbers.

    Two whole numbers stand for all from ``low`` to ``high``, both among them; two others for all numbers between, which
    are drawn by factor for rates and evenly for the rest. Lists and all else stay as they are.

    Args:
        space: by argument, also behind the name of a pipeline's step and two underscores; or several.

    Raises:
        ValueError: if ``low`` is not below ``high``, or not above 0 where numbers are drawn by factor.

    Example:
        >>> space = distributions({"mlp__alpha": (1e-5, 1e-1), "batch_size": (16, 64), "solver": ["sgd", "adam"]})
        >>> sorted(f"{alpha:.0e}" for alpha in space["mlp__alpha"].rvs(4, random_state=0))
        ['2e-03', '2e-03', '3e-03', '7e-03']
        >>> space["batch_size"].rvs(4, random_state=0).tolist(), space["solver"]
        ([60, 63, 16, 19], ['sgd', 'adam'])
    """
    if not isinstance(space, Mapping):
        return [distributions(part) for part in space]
    return {name: _distribution(name, values) for name, values in space.items()}


def _distribution(name: str, values: Any) -> Any:
    knob = name.rpartition("__")[2]
    two_numbers = isinstance(values, tuple) and len(values) == 2 and all(map(_is_number, values))
    if not two_numbers or knob not in KNOBS:
        return values
    low, high = values
    by_factor = knob in RATES
    if not low < high or (by_factor and low <= 0):
        above = " above 0" if by_factor else ""
        raise ValueError(
            f"{name} is to be drawn between {low} and {high}; give (low, high), low below high{above}, "
            "or a list of values to choose from"
        )
    if by_factor:
        return loguniform(low, high)
    return randint(low, high + 1) if all(isinstance(end, Integral) for end in values) else uniform(low, high - low)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
