"""scikit-learn's own test files, as its wheel ships them, run on our classes.

In a test file::

    globals().update(borrowed("sklearn.linear_model.tests.test_perceptron", CLASSES, left_out={}))
"""

import importlib.util
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any
from unittest import mock

import pytest

SEED = 42  # what scikit-learn's conftest gives by default


@pytest.fixture
def global_random_seed():
    return SEED


def borrowed(module: str, classes: Mapping[str, type], left_out: Mapping[str, str]) -> dict[str, Any]:
    """The tests and fixtures of a copy of a test module, in which our classes stand for scikit-learn's.

    They are in their place while the file is read, as some are arguments of ``parametrize``.

    Args:
        module: of the tests.
        classes: ours, by the full name of the class that each stands for.
        left_out: why a test is skipped, by its name: those that look at private state only.

    Raises:
        AssertionError: if the file does not use one of the classes, or has no test of a name to leave out.
    """
    found = importlib.util.find_spec(module)
    if found is None:
        pytest.skip(f"this scikit-learn came without {module}", allow_module_level=True)
    assert found.loader is not None
    copy = importlib.util.module_from_spec(found)
    with ExitStack() as stack:
        for name, ours in classes.items():
            stack.enter_context(mock.patch(name, ours))
        found.loader.exec_module(copy)
    unused = [name for name, ours in classes.items() if getattr(copy, name.rpartition(".")[2], None) is not ours]
    assert not unused, f"{module} does not use {unused}"
    tests = {name: part for name, part in vars(copy).items() if name.startswith("test_")}
    assert tests and set(left_out) <= set(tests), f"{module} has no {sorted(set(left_out) - set(tests))}"
    # What scikit-learn's tests do not mind is not ours to make an error.
    tests = {name: pytest.mark.filterwarnings("default")(test) for name, test in tests.items()}
    tests |= {name: pytest.mark.skip(reason=why)(tests[name]) for name, why in left_out.items()}
    fixtures = {name: part for name, part in vars(copy).items() if hasattr(part, "_fixture_function_marker")}
    return {"global_random_seed": global_random_seed} | fixtures | tests
