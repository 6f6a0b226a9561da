import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import torchann
from torchann import tuning

PACKAGE = Path(torchann.__file__).parent
README = PACKAGE.parent / "README.md"
FRONT_DOORS = {"__init__.py", "__main__.py"}
HEAVY = ("torch", "lightning", "torchmetrics", "sklearn", "matplotlib")


def floors_of(text: str) -> dict[str, int]:
    """Return the floor of each room from a table with rows such as "| 1 | [`nets/`](torchann/nets) | … |"."""
    return {room: int(floor) for floor, room in re.findall(r"^\| (\d+) \| \[?`(\w+)/`", text, re.MULTILINE)}


FLOORS = floors_of(README.read_text())


def is_module(name: str) -> bool:
    place = PACKAGE.parent.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def named_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of each module of this package that a file names: imported anywhere, or in a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = ["torchann.(a relative import)"]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Strings of one word only: prose may point the reader anywhere. An f-string's first part ends with a dot.
            words = node.value.rstrip(".").split(":")[0]
            names = [words] if re.fullmatch(r"torchann(\.\w+)+", words) and is_module(words) else []
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.split(".")[0] == "torchann")


def wrong_doors(room: str, source: str) -> list[str]:
    """Return the imports of a file of that room that do not go to a lower floor."""
    named = [(line, name, [*name.split("."), ""][1]) for line, name in named_modules(ast.parse(source))]
    return [
        f"line {line}: {name}"
        for line, name, to in named
        if to != room and FLOORS.get(to, 10**6) >= FLOORS.get(room, 0)
    ]


def test_the_map_has_thirteen_rooms_on_nine_floors():
    assert len(FLOORS) == 13
    assert sorted(set(FLOORS.values())) == list(range(1, 10))


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
