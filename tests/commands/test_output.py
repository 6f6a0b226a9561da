"""Readers that have gone, full disks, closed streams: what a command prints never costs its run."""

import subprocess
import sys

import pytest

CONFIG = """
model: {class_path: torchann.RegressionMLP}
data: {class_path: torchann.CaliforniaHousingDataModule, init_args: {batch_size: 512}}
trainer: {max_epochs: 2, name: h}
"""
RUN = f"{sys.executable} -m torchann"


def shell(folder, line):
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    "where", ["| true; exit ${PIPESTATUS[0]}", "> /dev/full", ">&-", ">&- 2>&-", "> /dev/full 2>&1"]
)
def test_run_is_finished_wherever_its_output_goes(tmp_path, where):
    (tmp_path / "c.yaml").write_text(CONFIG)
    done = shell(tmp_path, f"{RUN} fit --config c.yaml {where}")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "runs/h/001/history.csv").read_text().splitlines()) == 3
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


def test_results_that_are_lost_are_an_error(tmp_path):
    done = shell(tmp_path, f"{RUN} --version > /dev/full")
    assert (done.returncode, done.stderr) == (1, "torchann: what was printed is lost: No space left on device\n")


def test_names_that_are_no_text_are_shown(tmp_path):
    done = shell(tmp_path, f"PYTHONIOENCODING=ascii {RUN} info $'runs/\\xff\\u00fc'")
    assert done.returncode == 1 and "there is no file runs/?" in done.stderr
