"""The front door: what `import torchann` gives without importing it."""

import subprocess
import sys
from importlib.metadata import version

import pytest

import torchann


def test_version_is_the_installed_ones():
    assert torchann.__version__ == version("torchann")


def test_what_is_public_is_listed_and_nothing_else():
    names = [name for name in dir(torchann) if not name.startswith("__")]
    assert {"Trainer", "RegressionMLP", "estimators", "tuning", "save", "load"} <= set(names)
    assert not {"Any", "TYPE_CHECKING", "lazy_names", "importlib", "nets"} & set(names)
    assert all(hasattr(torchann, name) for name in names)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("RegresionMLP", "has no attribute 'RegresionMLP'; did you mean 'RegressionMLP'"),
        ("zzz", "has no attribute 'zzz'$"),
    ],
)
def test_name_that_there_is_not_is_told_with_the_nearest(name, told):
    with pytest.raises(AttributeError, match=told):
        getattr(torchann, name)


def test_rooms_are_there_after_the_import_of_the_package():
    code = "import torchann, sys; torchann.estimators.MLPRegressor; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
