"""The real command, killed and told to resume."""

import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import EXPERIMENTS
from tests.resume.killed_run import differences
from torchann.files.checkpoint_files import read_checkpoint

FIT = ["fit", "--config", str(EXPERIMENTS / "housing_mlp.yaml"), "--trainer.max_epochs", "150", "--quiet", "--resume"]


def started(tmp_path):
    return subprocess.Popen([sys.executable, "-m", "torchann", *FIT], cwd=tmp_path, stderr=subprocess.PIPE, text=True)


def wait_for_epoch(path, epoch, process, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if path.is_file() and read_checkpoint(path)["epoch"] >= epoch:
            return
        time.sleep(0.02)
    pytest.fail(f"no epoch {epoch} in {path}: {process.poll()}")


def test_command_that_was_killed_resumes_and_ends_as_if_it_had_not_been(command, tmp_path):
    last = tmp_path / "runs" / "housing_mlp" / "001" / "checkpoints" / "last.ckpt"
    killed = started(tmp_path)
    wait_for_epoch(last, 5, killed)
    killed.kill()
    killed.communicate()
    stopped = started(tmp_path)
    wait_for_epoch(last, 20, stopped)
    stopped.send_signal(signal.SIGTERM)
    assert "interrupted after epoch" in stopped.communicate(timeout=30)[1] and stopped.returncode == 143
    assert command(*FIT).status == 0
    assert command(*FIT, "--trainer.runs", "whole").status == 0
    whole = read_checkpoint(tmp_path / "whole" / "housing_mlp" / "001" / "checkpoints" / "last.ckpt")
    resumed = read_checkpoint(last)
    del whole["history"], resumed["history"]  # they have seconds
    assert [path.name for path in (tmp_path / "runs" / "housing_mlp").iterdir()] == ["001"]
    assert not differences(whole, resumed)
