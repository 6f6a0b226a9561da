"""torchrun's processes train together, and a job that it restarts goes on by itself."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.conftest import EXPERIMENTS
from tests.distributed import job
from tests.distributed.processes import free_port, together
from tests.resume.killed_run import differences, starts, what_is_left
from torchann.__main__ import main
from torchann.files.checkpoint_files import read_checkpoint

ROOT = Path(__file__).parent.parent.parent
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--monitor-interval", "0.1"]


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TORCHELASTIC", "MASTER_"))}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def run(command, folder):
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def train(folder):
    job.train(folder / "runs")


def test_killed_processes_are_restarted_and_end_as_if_they_had_not_been(tmp_path):
    together(train, 2, tmp_path / "whole")
    command = [*TORCHRUN, "--standalone", "--nproc-per-node", "2", "--max-restarts", "2", "-m", "tests.distributed.job"]
    run([*command, str(tmp_path / "killed")], ROOT)
    assert starts(tmp_path / "killed") == [0, 0, 17]  # no checkpoint yet; the third epoch's first call, steps 15 to 17
    assert [folder.name for folder in (tmp_path / "killed" / "run").iterdir() if folder.is_dir()] == ["001"]
    assert not differences(what_is_left(tmp_path / "whole" / "runs"), what_is_left(tmp_path / "killed"))


def test_all_rows_judge_at_the_end_of_a_fit_on_a_table(tmp_path):
    fit = ["-m", "torchann", "fit", "--data", "california-housing", "--target", "medianHouseValue"]
    few = ["--trainer.max_epochs", "1", "--trainer.accelerator", "cpu"]
    said = run([*TORCHRUN, "--standalone", "--nproc-per-node", "2", *fit, *few], tmp_path)
    assert said.count("on 4,128 test rows") == 1


def test_two_machines_without_a_common_folder_train_as_one_process(tmp_path, monkeypatch):
    port, nodes = free_port(), [tmp_path / "first", tmp_path / "second"]
    fit = ["fit", "--config", str(EXPERIMENTS / "housing_mlp.yaml"), "--trainer.max_epochs", "1"]
    where = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{port}", "--rdzv-id", "housing"]
    command = [*TORCHRUN, "--nnodes", "2", "--nproc-per-node", "1", *where, "-m", "torchann", *fit]
    processes = []
    for node in nodes:
        node.mkdir()
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        more = ["--trainer.accelerator", "cpu", "--data.init_args.batch_size", "16"]
        processes.append(subprocess.Popen([*command, *more], cwd=node, env=environment(), **output))
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert sum("2 processes × 16 rows = 32 rows per step" in text for text in said) == 1
    assert sum("run folder runs/housing_mlp/001" in text for text in said) == 1
    (first,) = (node for node in nodes if list(node.iterdir()))  # which of them is the first torchrun decides

    monkeypatch.chdir(tmp_path)
    assert main([*fit, "--quiet"]) == 0
    last = "runs/housing_mlp/001/checkpoints/last.ckpt"
    together_, alone = (read_checkpoint(folder / last) for folder in (first, tmp_path))
    for name, weight in alone["state_dict"].items():
        torch.testing.assert_close(together_["state_dict"][name], weight, rtol=1e-4, atol=1e-6)
    tables = [(folder / "runs/housing_mlp/001/history.csv").read_text().splitlines() for folder in (first, tmp_path)]
    rows = [list(csv.DictReader(table)) for table in tables]
    for name in ("train_loss", "val_loss", "val_rmse"):
        assert float(rows[0][0][name]) == pytest.approx(float(rows[1][0][name]), rel=2e-5)
