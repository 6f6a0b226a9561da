"""What `torchann tensorboard` says of a folder that has nothing to show, and which folders it finds something in."""

import os
import re
import shutil

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from torch.utils.tensorboard import SummaryWriter

from torchann.dashboard.find_runs import SUB_RUNS, find_runs
from torchann.dashboard.server import NoRunsError, start_tensorboard
from torchann.dashboard.tensorboard_logger import SUB_RUNS as LOGGED


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(folder, epochs=1, **given):
    with SummaryWriter(str(folder), **given) as writer:
        for epoch in range(epochs):
            writer.add_scalar("loss", 1.0, epoch)
    return next(folder.glob("*tfevents*"))


def refusal(runs):
    with pytest.raises(NoRunsError) as refused:
        start_tensorboard(runs)
    return str(refused.value)


def test_folder_that_is_not_there_is_an_error_that_says_what_to_do(command):
    outcome = command("tensorboard", "nowhere")
    assert (outcome.status, outcome.out) == (1, "")
    assert "nothing to show in nowhere: there is no such folder; train something first" in outcome.err
    assert "torchann fit --config experiments/" in outcome.err and "Traceback" not in outcome.err


def test_folder_without_events_is_an_error(tmp_path):
    folder = tmp_path / "runs"  # alone, or the folder of another test would be meant
    folder.mkdir()
    assert refusal(folder).startswith(f"nothing to show in {folder}: it holds no TensorBoard events; train")


@pytest.mark.parametrize("given", [{}, {"purge_step": 3}])  # a version; a resumed run's start of session as well
def test_event_files_without_figures_are_nothing_to_show(tmp_path, given):
    for run in ("001", "002"):
        write(tmp_path / "runs/housing_mlp" / run / "train", epochs=0, **given)
    told = refusal("runs")
    assert told.startswith(
        "nothing to show in runs: the event files of runs/housing_mlp/001, runs/housing_mlp/002 hold nothing yet "
        "that can be read (the run failed, or its first epoch is not over); wait for the epoch, or train something"
    )


def test_many_runs_without_figures_are_named_in_part(tmp_path):
    for run in range(1, 8):
        write(tmp_path / f"runs/a/{run:03}", epochs=0)
    assert "of runs/a/001, runs/a/002, runs/a/003, runs/a/004 and 3 more hold nothing" in refusal("runs")


def test_sub_run_without_figures_names_its_run(tmp_path):
    write(tmp_path / "runs/a/001/train", epochs=0)
    assert "the event files of runs/a/001 hold nothing" in refusal("runs/a/001/train")


@pytest.mark.parametrize("content", [b"", b"\x18\0\0\0", b"not an event file at all, but long enough for a head"])
def test_torn_event_file_is_nothing_to_show(tmp_path, content):
    write(tmp_path / "runs/a/001").write_bytes(content)
    assert "the event files of runs/a/001 hold nothing yet" in refusal("runs")


def test_run_is_found_by_the_figures_of_any_of_its_files(tmp_path):
    write(tmp_path / "runs/a/001", epochs=0)
    write(tmp_path / "runs/a/001/train")
    write(tmp_path / "runs/a/002", epochs=0)
    (tmp_path / "runs/a/002/link.tfevents").symlink_to("nowhere")
    write(tmp_path / "runs/b")
    runs = tmp_path / "runs"
    assert list(find_runs(runs).items()) == [(runs / "a/001", True), (runs / "a/002", False), (runs / "b", True)]


def test_sub_runs_are_those_of_the_logger():
    assert set(LOGGED.values()) == SUB_RUNS


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("runs/housing_mlp/001/history.csv", "runs/housing_mlp/001"),
        ("runs/housing_mlp/001/checkpoints/best.ckpt", "runs/housing_mlp/001"),
        ("runs/housing_mlp/001/train/events.out.tfevents.1", "runs/housing_mlp/001"),
        ("housing_mlp", "runs/housing_mlp"),
        ("housing_mlp/001", "runs/housing_mlp/001"),
        ("or", "runs/or"),
        ("or/001", "runs/or/001"),
        ("housing_mpl", "runs/housing_mlp"),
        ("runs/housing_mpl", "runs/housing_mlp"),
        ("runs/housing_mlp/0001", "runs/housing_mlp/001"),
        ("rnus", "runs"),
        ("xyz", "runs"),
        ("experiments", "runs"),
    ],
)
def test_path_that_is_wrong_gets_the_folder_that_was_meant(tmp_path, given, wanted):
    events = write(tmp_path / "runs/housing_mlp/001/train")
    shutil.copy(events, events.parent / "events.out.tfevents.1")
    write(tmp_path / "runs/or/001/train")
    for folder in ("experiments", "runs/housing_mlp/001/checkpoints"):
        (tmp_path / folder).mkdir()
    for file in ("history.csv", "checkpoints/best.ckpt"):
        (tmp_path / "runs/housing_mlp/001" / file).touch()
    kind = "it is a file" if "." in given else "it holds no" if given == "experiments" else "there is no such folder"
    assert re.search(f"^nothing to show in {given}: {kind}.*; did you mean {wanted}\\?$", refusal(given))


def test_path_elsewhere_gets_the_folder_beside_it(tmp_path):
    write(tmp_path / "disk/logs/001")
    assert refusal(tmp_path / "disk/lgos").endswith(f"; did you mean {tmp_path}/disk/logs?")


def test_file_that_belongs_to_no_run_gets_the_way_to_train(tmp_path):
    (tmp_path / "notes.txt").touch()
    assert refusal("notes.txt").startswith("nothing to show in notes.txt: it is a file, not a folder; train something")


def test_folder_that_cannot_be_listed_is_an_error_that_names_it(tmp_path, monkeypatch):
    write(tmp_path / "runs/a/001")
    secret = tmp_path / "runs/b"
    secret.mkdir()
    scandir = os.scandir

    def refuse(folder):  # root, who may run the tests, is refused nothing
        if os.fspath(folder) == str(secret):
            raise PermissionError(13, "Permission denied", str(secret))
        return scandir(folder)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(OSError, match=f"cannot read the folder {secret}: Permission denied; .*: make it readable"):
        start_tensorboard("runs")


def test_event_files_that_may_not_be_read_are_nothing_to_show(tmp_path, monkeypatch):
    write(tmp_path / "runs/a/001")

    def refuse(loader):
        raise PermissionError(13, "Permission denied", "bytes")

    monkeypatch.setattr(EventFileLoader, "Load", refuse)
    assert "the event files of runs/a/001 hold nothing yet that can be read" in refusal("runs")
