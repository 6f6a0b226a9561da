"""The folder of a run: the latest of a name, a lock that dies with its process, names that stand in one file."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import torchann
from torchann.files.run import LONGEST_NAME, Run, RunFolderError, check_name, name_from

NAMES = r"config\.yaml|checkpoints|(best|last)\.ckpt|history\.csv|versions\.json|(test|validate)\.json|predictions\.csv"
ELSEWHERE = {
    "__main__.py": "predictions.csv",  # of the working directory, not of a run
    "short_help.py": "runs/homes/002/checkpoints/last.ckpt",  # an example
}


def make_runs(folder, *numbers):
    for number in numbers:
        path = folder / "demo" / number / "checkpoints" / "best.ckpt"
        path.parent.mkdir(parents=True)
        path.touch()


def test_latest_run_is_the_one_with_the_highest_number_not_the_last_name(tmp_path):
    make_runs(tmp_path, "999", "1000", "notes")
    assert Run.latest(tmp_path, "demo").folder == tmp_path / "demo" / "1000"


def test_latest_run_passes_over_runs_without_a_checkpoint(tmp_path):
    make_runs(tmp_path, "001")
    (tmp_path / "demo" / "002").mkdir()
    assert Run.latest(tmp_path, "demo").folder == tmp_path / "demo" / "001"


def test_latest_run_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with pytest.raises(RunFolderError, match=rf"a run 'demo' in {tmp_path}; start one with `torchann fit`"):
        Run.latest(tmp_path, "demo")


def test_lock_is_given_back_by_a_process_that_is_killed(tmp_path):
    code = "import sys, time; from torchann.files.run import Run\n"
    code += "with Run(sys.argv[1]).lock(): print('locked', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "locked\n"
    with pytest.raises(RunFolderError, match=f"another process is training in {tmp_path}; wait"), Run(tmp_path).lock():
        pass
    other.kill()
    other.communicate()
    with Run(tmp_path).lock():
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert list(tmp_path.iterdir()) == []


def test_names_of_a_runs_files_stand_in_one_module():
    package = Path(torchann.__file__).parent
    for file in sorted(package.rglob("*.py")):
        if file.relative_to(package).as_posix() != "files/run.py":
            # As a whole string or at the end of a path; messages and docstrings may name them.
            strings = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
            found = [name for name in map(str, strings) if re.fullmatch(rf"(.*/)?({NAMES})", name)]
            assert [name for name in found if ELSEWHERE.get(file.name) != name] == [], file


OUTSIDE = [
    "",
    " ",
    ".",
    "..",
    "../x",
    "../../../x",
    "/tmp/x",
    "a/b",
    "a/",
    "\\x",
    "..\\x",
    "a\0b",
    "\x1b[2J",
    "a\nb",
    "\u202e",
]


@pytest.mark.parametrize("name", [*OUTSIDE, "\udcff", None, 3, "n" * 300, "ü" * 101], ids=repr)
def test_name_that_is_not_one_plain_folder_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^name is .*; give the name of one folder, such as 'demo'"):
        torchann.Trainer(name=name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", [*OUTSIDE, "\udcff", "n" * 300, "ü" * 300, "homes", "Häuser 2", "-x", "...", ".hidden"]
)
def test_name_from_any_text_is_one_plain_folder(tmp_path, name):
    folder = tmp_path / check_name(name_from(name))
    folder.mkdir()
    assert folder.parent == tmp_path and len(folder.name.encode()) <= LONGEST_NAME
    assert name_from("homes") == "homes"


def test_runs_with_a_nul_is_refused():
    with pytest.raises(ValueError, match=r"runs is 'a\\x00', with a NUL; give a folder"):
        torchann.Trainer(runs="a\0")
