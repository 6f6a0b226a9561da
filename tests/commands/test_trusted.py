"""Classes of one's own in a config: only from modules that the command line imports, and never a function."""

import subprocess
import sys
from pathlib import Path

import pytest

OWN = """
import torchann


class Own(torchann.RegressionMLP):
    pass


def make(x: int = 1) -> torchann.RegressionMLP:
    open("made", "w").close()
    return torchann.RegressionMLP()
"""
HOUSING = ["--data", "torchann.CaliforniaHousingDataModule", "--trainer.fast_dev_run", "true", "--quiet"]


def torchann(folder, *words):
    (folder / "my_nets_7.py").write_text(OWN)
    (folder / "attr.py").write_text("open('imported', 'w').close()")  # the name of a package that Lightning imports
    command = [sys.executable, "-m", "torchann", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert not Path(folder, "made").exists() and not Path(folder, "imported").exists()
    return done


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (
            ["--model", "my_nets_7.Own"],
            2,
            "my_nets_7.Own is not trusted; .*, and of your own modules with --import my_nets",
        ),
        (["--import", "my_nets_7", "--model", "my_nets_7.Own"], 0, "^$"),
        (["--import=my_nets_7", "--model=my_nets_7.Own"], 0, "^$"),
        (
            ["--import", "my_nets_7", "--model", "my_nets_7.make"],
            2,
            "my_nets_7.make is no class; give the class_path of a",
        ),
        (["--import", "nope", "--model", "my_nets_7.Own"], 1, "--import nope: No module named 'nope'; give the name"),
        (["--model", "my_nets_7.Own", "--import"], 1, "--import : .*; give the name of a module"),
    ],
)
def test_own_classes_come_from_modules_that_are_imported_by_the_command_line(tmp_path, words, status, told):
    import re

    done = torchann(tmp_path, "fit", *words, *(HOUSING if words[-1] != "--import" else []))
    line = done.stderr.splitlines()[0] if done.stderr else ""
    assert done.returncode == status and re.search(told, line), done.stderr
