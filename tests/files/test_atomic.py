"""Files that are either the old one or the new one."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from torchann.files.atomic import replaced_when_whole, write_atomically


def test_second_name_of_a_file_that_a_killed_process_left_beside_is_not_written_through(tmp_path):
    best, last = tmp_path / "best.ckpt", tmp_path / "last.ckpt"
    best.write_bytes(b"best")
    os.link(best, tmp_path / ".last.ckpt.0.part")  # as between the two steps of giving best the name of last, too
    write_atomically(last, b"last")
    assert (best.read_bytes(), last.read_bytes()) == (b"best", b"last")
    assert sorted(os.listdir(tmp_path)) == ["best.ckpt", "last.ckpt"]


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    code = "import os, sys; from pathlib import Path; from torchann.files.atomic import replaced_when_whole\n"
    code += "with replaced_when_whole(Path(sys.argv[1])): print('writing', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, tmp_path / "rows.csv"]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "writing\n"
    write_atomically(tmp_path / "rows.csv", b"1")
    assert len(os.listdir(tmp_path)) == 2
    other.kill()
    other.communicate()
    write_atomically(tmp_path / "rows.csv", b"2")
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_writers_of_one_file_at_once_leave_one_of_them_whole(tmp_path):
    contents = [bytes([letter]) * 300_000 for letter in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_atomically(tmp_path / "model", content), contents * 5))
    assert (tmp_path / "model").read_bytes() in contents and os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("name", ["p.csv", "n" * 251 + ".csv", "ü" * 120 + ".csv"])
def test_files_of_others_beside_are_not_touched(tmp_path, name):
    mine, elsewhere = tmp_path / "p.csv.part", tmp_path / "elsewhere"
    mine.write_text("my rows")
    elsewhere.write_text("not mine")
    (tmp_path / ".p.csv.0.part").symlink_to(elsewhere)
    with replaced_when_whole(tmp_path / name) as beside:
        assert not beside.is_symlink()
        beside.write_text("new")
    assert [path.read_text() for path in (mine, elsewhere, tmp_path / name)] == ["my rows", "not mine", "new"]
