"""The source distribution has all that a wheel needs, and the wheel all that a user needs."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEFT = shutil.ignore_patterns(".*", "runs", "results", "studies", "build", "dist", "*.egg-info", "__pycache__")


def python(*words, cwd, **environment):
    """What a Python says that starts in a folder."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that a wheel, built from the source distribution, was installed in."""
    folder = tmp_path_factory.mktemp("packaging")
    shutil.copytree(ROOT, folder / "tree", ignore=LEFT)
    build = "from setuptools import build_meta; print(build_meta.build_{}({!r}))"
    python("-c", build.format("sdist", str(folder)), cwd=folder / "tree")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder / "sdist", filter="data")
    (source,) = (folder / "sdist").iterdir()
    for name in ("experiments/housing_mlp.yaml", "tests/conftest.py", "docs/README.md", "constraints.txt", "Makefile"):
        assert (source / name).is_file(), name
    python("-c", build.format("wheel", str(folder)), cwd=source)
    (wheel,) = folder.glob("*.whl")
    python("-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", folder / "site", wheel, cwd=folder)
    return folder / "site"


def test_wheel_has_every_module_its_data_its_types_and_its_licence(installed):
    def files(root):
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if "__pycache__" not in path.parts}

    assert files(installed / "torchann") == files(ROOT / "torchann")
    assert (installed / "torchann" / "py.typed").is_file()
    assert list(installed.glob("torchann-*.dist-info/licenses/LICENSE"))


def test_wheel_trains_and_predicts_far_from_the_sources(installed, tmp_path):
    alone = {"PYTHONPATH": str(installed)}
    where = python("-c", "import torchann; print(torchann.__file__)", cwd=tmp_path, **alone)
    assert Path(where.strip()).is_relative_to(installed)
    fit = ["fit", "--data", "california-housing", "--target", "medianHouseValue", "--trainer.max_epochs", 1]
    python("-m", "torchann", *fit, cwd=tmp_path, **alone)
    told = python("-m", "torchann", "predict", "runs/california-housing", "california-housing", cwd=tmp_path, **alone)
    assert told.splitlines()[1:] == ["20,640 rows in predictions.csv"]  # behind the checkpoint
