"""Each private name of scikit-learn that the package uses is there, in words."""

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import sklearn
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Perceptron, Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from tests.test_private_names import foreign_names

DOOR = Path(__file__).parents[2] / "torchann" / "estimators" / "sklearn_internals.py"


def watched():
    """An estimator of scikit-learn with a callback."""
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9 has no callbacks")
    return StandardScaler().set_callbacks(callback.ScoringMonitor(scoring="r2"))


NAMES = {
    # by name: where it is, what it stands for, what relies on it
    "_param_validation": ("sklearn.utils", "constraints of arguments", "the arguments that our estimators add"),
    "_parameter_constraints": (MLPRegressor, "what each argument may be", "the arguments that our classes add"),
    "_validate_params": (MLPRegressor, "the check of all arguments", "fit of our MLPs and searches"),
    "_make_validation_split": (Perceptron, "the choice of validation rows", "Perceptron.fit(X_val=…)"),
    "_init_callback_context": (watched, "the start of a fit that callbacks are told of", "fit of our MLPs"),
    "_skl_callbacks": (watched, "the callbacks of an estimator", "fit of our MLPs"),
}


def found_at(place: Any, name: str) -> bool:
    if not isinstance(place, str):
        return hasattr(place() if inspect.isfunction(place) else place, name)
    try:
        return hasattr(importlib.import_module(place), name) or bool(importlib.import_module(f"{place}.{name}"))
    except ModuleNotFoundError:
        module, _, owner = place.rpartition(".")
        return hasattr(getattr(importlib.import_module(module), owner, None), name)


@pytest.mark.parametrize("name", NAMES)
def test_private_name_is_there(name):
    place, meaning, user = NAMES[name]
    assert found_at(place, name), (
        f"scikit-learn {sklearn.__version__} has no {name}, which stood for {meaning}; {user} relies on it: find "
        "another way in torchann/estimators/sklearn_internals.py, or keep the upper bound in pyproject.toml"
    )


def test_every_name_of_the_door_is_looked_for():
    tree = ast.parse(DOOR.read_text())
    used = {name for _, _, name in foreign_names({DOOR.name: tree})}
    # A name that the door sets or overrides is not seen as another package's.
    used |= {name for name in NAMES if name in DOOR.read_text()}
    assert used == set(NAMES)


def test_arguments_of_private_functions_are_those_that_are_given():

    given = {
        Perceptron._make_validation_split: ("self", "y", "sample_mask"),
    }
    for function, names in given.items():
        missing = set(names) - set(inspect.signature(function).parameters)
        assert not missing, f"scikit-learn {sklearn.__version__}: {function.__qualname__} no longer takes {missing}"


def test_names_do_what_they_stand_for():
    from torchann.estimators import sklearn_internals as internals

    @internals.accepts(alpha=[str], depth=[int])
    class Deep(Ridge):
        def __init__(self, alpha="1", depth=1):
            self.alpha, self.depth = alpha, depth

    internals.check_arguments(Deep())
    with pytest.raises(ValueError, match="'depth' parameter of Deep must be an instance of 'int'"):
        internals.check_arguments(Deep(depth="2"))
    with sklearn.config_context(skip_parameter_validation=True):
        internals.check_arguments(Deep(depth="2"))
