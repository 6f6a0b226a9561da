import json
import subprocess
import sys

import pytest

import torchann
from docs.draw_map import FLOORS, PACKAGE, PICTURE, description, named_rooms
from torchann import tuning

FRONT_DOORS = {"__init__.py", "__main__.py"}
HEAVY = ("torch", "lightning", "torchmetrics", "sklearn", "matplotlib")


def wrong_doors(room: str, source: str) -> list[str]:
    """Return the imports of a file of that room that do not go to a lower floor."""
    return [place for place, to in named_rooms(room, source) if FLOORS.get(to, 10**6) >= FLOORS.get(room, 0)]


def test_the_map_has_thirteen_rooms_on_nine_floors():
    assert len(FLOORS) == 13
    assert sorted(set(FLOORS.values())) == list(range(1, 10))


def test_the_picture_of_the_map_is_drawn_from_this_code():
    assert f">{description()}<" in PICTURE.read_text(), "run make map: the rooms' imports have changed"


def test_the_package_has_the_rooms_of_the_map_and_no_loose_module():
    inside = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert {path.name for path in inside if path.is_dir()} == set(FLOORS)
    assert {path.name for path in inside if path.is_file()} == FRONT_DOORS | {"py.typed"}


@pytest.mark.parametrize("file", sorted(PACKAGE.glob("*/**/*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_module_imports_only_from_lower_floors(file):
    bad = wrong_doors(file.relative_to(PACKAGE).parts[0], file.read_text())
    assert not bad, f"imports that do not go to a lower floor of README's map: {bad}"


@pytest.mark.parametrize(
    "source",
    [
        "import torchann.tasks.task",
        "import torchann",
        "from torchann import Trainer",
        "from torchann.files.run import Run",  # sideways
        "from . import iris",
        "def read():\n    from torchann.tasks.task import Task",
        "if TYPE_CHECKING:\n    from torchann.tasks.task import Task",
        "importlib.import_module('torchann.tasks.task')",
        "importlib.import_module(f'torchann.tasks.{name}')",
        "HOME = {'Task': 'torchann.tasks.task:Task'}",
    ],
)
def test_an_import_of_data_that_goes_up_or_sideways_is_seen(source):
    assert wrong_doors("data", source)


@pytest.mark.parametrize(
    "source",
    [
        "from torchann.engine.rows.loader import TensorLoader",
        "from torchann.data.iris import IrisDataModule",
        "import os",
    ],
)
def test_an_import_of_data_that_goes_down_is_let_pass(source):
    assert wrong_doors("data", source) == []


def heavy_modules_after(code: str) -> list[str]:
    code += f"\nimport json, sys\nprint(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_import_torchann_imports_no_framework():
    assert heavy_modules_after("import torchann; dir(torchann)") == []


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["reproduce", "--help"]])
def test_command_line_help_imports_no_framework(words):
    code = f"from torchann.__main__ import main\ntry: main({words})\nexcept SystemExit: pass"
    assert heavy_modules_after(code) == []


@pytest.mark.parametrize("name", torchann.__all__)
def test_public_name_is_imported_when_it_is_used(name):
    assert getattr(torchann, name).__name__ == name
    assert name in dir(torchann)


def test_names_of_tuning_are_imported_when_they_are_used():
    assert heavy_modules_after("import torchann.tuning; dir(torchann.tuning)") == []
    assert all(getattr(tuning, name).__name__ == name and name in dir(tuning) for name in tuning.__all__)
    with pytest.raises(AttributeError, match="module 'torchann.tuning' has no attribute 'grid'"):
        _ = tuning.grid


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'torchann' has no attribute 'MLPs'"):
        _ = torchann.MLPs
