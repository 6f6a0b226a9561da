"""Checkpoint files that are damaged, hostile or of others."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import torchann
from tests.tasks.tables import regression_table
from torchann.files.checkpoint_files import COMMENT_BYTES, CheckpointError, pack, read_checkpoint, unpack

CHECKPOINT = {"state_dict": {"net.weight": torch.arange(6.0).view(2, 3)}, "epoch": 3, "notes": ["a", 1.5, None]}
GOOD = pack(CHECKPOINT)
HERE = Path("last.ckpt")


class Gadget:
    """Leaves a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("canary",)


def torch_saved(value) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def test_what_was_packed_comes_back():
    found = unpack(GOOD, HERE)
    assert torch.equal(found["state_dict"]["net.weight"], CHECKPOINT["state_dict"]["net.weight"])
    assert found["epoch"] == 3 and found["notes"] == ["a", 1.5, None]


def test_torch_and_lightning_open_the_file_as_one_of_theirs(tmp_path):
    (tmp_path / "last.ckpt").write_bytes(GOOD)
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["epoch"] == 3


def test_file_of_lightning_without_a_checksum_is_opened():
    assert unpack(torch_saved(CHECKPOINT), HERE)["epoch"] == 3


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(place, change):
    damaged = bytearray(GOOD)
    damaged[place] ^= change
    with pytest.raises(CheckpointError, match=r"last\.ckpt (is damaged|would unpack|holds more)"):
        unpack(bytes(damaged), HERE)


@example(len(GOOD) - COMMENT_BYTES)
@given(st.integers(0, len(GOOD) - 1))
def test_any_file_that_was_cut_off_is_found(length):
    with pytest.raises(CheckpointError, match=r"last\.ckpt is damaged"):
        unpack(GOOD[:length], HERE)


@given(st.binary(max_size=300))
def test_any_other_bytes_are_refused(content):
    with pytest.raises(CheckpointError, match=r"last\.ckpt is damaged, cut off or no checkpoint"):
        unpack(content, HERE)


@pytest.mark.parametrize("force", ["0", "1"])
@pytest.mark.parametrize(
    "content",
    [
        torch_saved({"state_dict": {}, "more": Gadget()}),
        pack({"state_dict": {}, "more": Gadget()}),
        torch_saved(torch.nn.Linear(1, 1)),
    ],
    ids=["a gadget", "a gadget with a checksum", "a module"],
)
def test_file_that_would_run_code_is_refused_and_runs_none(content, force, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", force)
    Path("last.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match="opening that would run code .* give a file that torchann wrote, or"):
        read_checkpoint("last.ckpt")
    trainer = torchann.Trainer(max_epochs=1, quiet=True)
    with pytest.raises(CheckpointError, match="opening that would run code"):
        trainer.fit(torchann.RegressionMLP(), datamodule=regression_table(), ckpt_path="last.ckpt", weights_only=False)
    assert not Path("canary").exists()


def test_bare_pickle_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="is damaged, cut off or no checkpoint"):
        unpack(pickle.dumps(Gadget()), HERE)
    assert not Path("canary").exists()


def test_archive_that_unpacks_to_more_than_it_is_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("archive/data.pkl", bytes(50_000_000))
    with pytest.raises(CheckpointError, match=r"would unpack to 50,000,000 bytes of"):
        unpack(file.getvalue(), HERE)


def test_value_that_is_no_checkpoint_is_refused():
    with pytest.raises(CheckpointError, match="holds a list and no checkpoint"):
        unpack(torch_saved([1, 2]), HERE)


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"there is no checkpoint .*last\.ckpt; give best, last or a \.ckpt file"
    ):
        read_checkpoint(tmp_path / "last.ckpt")


def test_damaged_last_checkpoint_is_told_and_the_best_taken(tmp_path):
    def fit(epochs, ckpt_path=None):
        trainer = torchann.Trainer(runs=str(tmp_path), max_epochs=epochs, quiet=True)
        trainer.fit(torchann.RegressionMLP([5]), datamodule=regression_table(), ckpt_path=ckpt_path)
        return trainer

    folder = fit(2).run_folder / "checkpoints"
    last = bytearray((folder / "last.ckpt").read_bytes())
    last[len(last) // 2] ^= 1
    (folder / "last.ckpt").unlink()  # it shares its bytes with the best
    (folder / "last.ckpt").write_bytes(last)
    with pytest.warns(UserWarning, match=r"last\.ckpt is damaged; going on from .*best\.ckpt"):
        assert fit(3, "last").current_epoch == 3
    (folder / "best.ckpt").write_bytes(b"")
    (folder / "last.ckpt").write_bytes(last)
    with pytest.raises(CheckpointError, match=r"last\.ckpt is damaged, and there is no good best\.ckpt"):
        fit(4, "last")
