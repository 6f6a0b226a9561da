"""Where compiled functions are kept, and what other processes, users and processors find there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from torchann.engine.compiled import jit

# The folder, results of both dtypes that are asked for, and how many of them were compiled and not loaded.
LEARN = """
import sys
import numpy as np
from torchann.engine.compiled import jit
folder = sys.argv[1]
jit.cache_folder = lambda: folder
from torchann.engine.compiled.perceptron import learn_rows
for dtype in map(np.dtype, sys.argv[2:]):
    w, b, scores = np.zeros(2, dtype), np.zeros(1, dtype), np.zeros(2, dtype)
    learn_rows(w, b, np.array([[1, 2], [3, 1]], dtype), np.array([1, -1], dtype), dtype.type(1), scores)
    assert (w.tolist(), b.tolist(), scores.tolist()) == ([-2, 1], [0], [0, 6])
print(sum(learn_rows.stats.cache_misses.values()))
"""


def learn(folder, *dtypes, **environment):
    command = [sys.executable, "-c", LEARN, str(folder), *dtypes]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})


def compiled_by(process):
    out, _ = process.communicate()
    assert process.returncode == 0
    return int(out)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with one source, and a user's cache."""
    here = tmp_path / "package"
    here.mkdir()
    (here / "source.py").write_text("first")
    monkeypatch.setattr(jit, "HERE", here)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return here


def folder_now():
    return Path(jit.cache_folder.__wrapped__())


def read_only(folders, monkeypatch):
    def write_in(folder):
        if any(folder.is_relative_to(part) for part in folders):
            raise PermissionError(folder)

    monkeypatch.setattr(jit, "_write_in", write_in)


def test_cache_is_beside_the_package_and_changes_with_its_sources(package):
    first = folder_now()
    assert first.parent == package / "__pycache__" / "compiled" and first == folder_now()
    (package / "source.py").write_text("second")
    assert folder_now() != first


def test_package_that_cannot_be_written_lends_what_it_has_to_the_users_cache(package, tmp_path, monkeypatch):
    (folder_now() / "steps.nbi").write_text("compiled")
    read_only([package], monkeypatch)
    folder = folder_now()
    assert folder.is_relative_to(tmp_path / "cache" / "torchann")
    assert (folder / "steps.nbi").read_text() == "compiled"


@pytest.mark.parametrize("home", ["read-only", "a file", "none"])
def test_without_a_place_of_its_own_a_temporary_folder_is_used(package, tmp_path, monkeypatch, home):
    read_only([package, *([tmp_path / "cache"] if home == "read-only" else [])], monkeypatch)
    if home == "a file":
        (tmp_path / "cache").write_text("")
    if home == "none":
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setattr(Path, "expanduser", lambda self: (_ for _ in ()).throw(RuntimeError("no home")))
    folder = folder_now()
    assert folder.is_dir() and folder.name.startswith("torchann-compiled-")
    folder.rmdir()


def test_two_processes_that_compile_at_once_leave_both_dtypes(tmp_path):
    both = [learn(tmp_path, dtype) for dtype in ("float32", "float64")]
    assert [compiled_by(process) for process in both] == [1, 1]
    assert compiled_by(learn(tmp_path, "float64", "float32")) == 0


def test_another_processor_gets_machine_code_of_its_own(tmp_path):
    assert compiled_by(learn(tmp_path, "float64", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")) == 1
    assert compiled_by(learn(tmp_path, "float64")) == 1
    assert compiled_by(learn(tmp_path, "float64", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")) == 0
