import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import torchann
from torchann import tuning

PACKAGE = Path(torchann.__file__).parent
FLOORS = {
    "functional": 0,
    "nets": 1,
    "orders": 1,
    "shares": 1,
    "torchrun": 1,
    "batches": 1,
    "history": 1,
    "pictures": 1,
    "checks": 1,
    "inputs": 1,
    "safetensors_file": 1,
    "atomic": 1,
    "cells": 1,
    "columns": 1,
    "markdown": 1,
    "block_loader": 1,
    "engine": 2,
    "data": 2,
    "checkpoint_files": 2,
    "tasks": 3,
    "callbacks": 3,
    "dashboard": 3,
    "predictions": 3,
    "model_document": 3,
    "files": 3,
    "run_folders": 3,
    "prediction_files": 3,
    "model_paths": 4,
    "model_info": 4,
    "table_predictions": 4,
    "runs": 4,
    "estimators": 4,
    "exports": 5,
    "card_examples": 5,
    "model_cards": 5,
    "tuning": 5,
    "chapter": 6,
    "commands": 7,
    "__main__": 7,
    "__init__": 8,  # the front door, from which no room may import
}
APART = {("tasks", "data"), ("callbacks", "tasks"), ("dashboard", "tasks")}
HEAVY = ("torch", "lightning", "torchmetrics", "sklearn", "matplotlib")


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else "__init__"


def imported_rooms(file: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            pytest.fail(f"{file}, line {node.lineno}: a relative import")
        else:
            continue
        rooms |= {room_of(name) for name in names if name.split(".")[0] == "torchann"}
    return rooms


def upward(room: str, imported: str) -> bool:
    if imported == "commands":
        return room not in ("__main__", "commands")
    return FLOORS[imported] > FLOORS[room] or (room, imported) in APART


def test_every_room_has_its_floor():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms == set(FLOORS)


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_module_imports_from_its_own_floor_or_below(file):
    room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    bad = sorted(imported for imported in imported_rooms(file) if upward(room, imported))
    assert not bad, f"{room} imports upward or from an apartment it has no door to: {bad}"


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


def test_lazy_names_public_names_and_names_for_type_checkers_agree():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    typed = {alias.asname: node.module for block in blocks for node in block.body for alias in node.names}
    assert typed == torchann._HOME
    assert sorted(torchann.__all__) == sorted(typed)


def test_public_name_is_a_name_of_its_home():
    for name, home in torchann._HOME.items():
        assert getattr(importlib.import_module(home), name) is getattr(torchann, name)


def test_names_of_tuning_are_imported_when_they_are_used():
    assert heavy_modules_after("import torchann.tuning; dir(torchann.tuning)") == []
    for name, home in tuning._HOME.items():
        assert getattr(tuning, name) is getattr(importlib.import_module(home), name)
    with pytest.raises(AttributeError, match="module 'torchann.tuning' has no attribute 'grid'"):
        _ = tuning.grid


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'torchann' has no attribute 'MLPs'"):
        _ = torchann.MLPs
