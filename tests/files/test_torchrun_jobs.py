"""What a process finds out of the job of torchrun that it belongs to; tests/distributed/ runs such jobs."""

import os

import pytest
import torch

from torchann.dashboard.tensorboard_logger import RunLogger
from torchann.files.torchrun import devices_of_job, folder_of_job, mark, meet

JOB = {"TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_RESTART_COUNT": "1", "TORCHELASTIC_MAX_RESTARTS": "3"}
JOB |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "RANK": "0"}


@pytest.fixture
def job(monkeypatch):
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_trainer_takes_the_processes_of_the_job_unless_it_is_told_otherwise(job):
    assert devices_of_job({}) == {"devices": 2, "num_nodes": 2}
    assert devices_of_job({"devices": "auto", "num_nodes": 1}) == {"devices": 2, "num_nodes": 2}
    assert devices_of_job({"devices": 1}) == {"devices": 1}
    job.setenv("WORLD_SIZE", "1")
    assert devices_of_job({}) == {}


def test_run_folder_is_found_by_the_job_that_marked_it_and_by_no_other(job, tmp_path):
    folders = [tmp_path / name for name in ("001", "002")]
    for number, folder in enumerate(folders):
        folder.mkdir()
        mark(folder, number)
    assert [folder_of_job(folders, number) for number in (0, 1, 2)] == [*folders, None]
    parent = os.getppid()
    job.setattr("os.getppid", lambda: parent + 1)  # another torchrun
    assert folder_of_job(folders, 0) is None


def test_logger_goes_on_in_the_folder_that_it_had_before_the_restart(job, tmp_path):
    job.setattr("torchann.dashboard.tensorboard_logger._RUNS", iter([1, 2]))
    assert [RunLogger(tmp_path, "demo").version for _ in range(2)] == ["001", "002"]
    job.setattr("torchann.dashboard.tensorboard_logger._RUNS", iter([1, 2, 3]))
    again = [RunLogger(tmp_path, "demo") for _ in range(3)]
    assert [logger.version for logger in again] == ["001", "002", "003"]
    assert [logger.goes_on for logger in again] == [True, True, False]


def test_restarts_on_several_machines_are_warned_of_where_they_share_a_store(job):
    with pytest.warns(UserWarning, match="--rdzv-backend c10d and TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"):
        meet(torch.device("cpu"), None, None)
