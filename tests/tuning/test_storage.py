"""Where trials are kept: a torn journal, a missing folder, a program without Optuna; folds."""

import builtins
import importlib
import json

import pytest
import torch
from sklearn.model_selection import KFold, StratifiedKFold

pytest.importorskip("optuna")

from tests.tuning.searched import Held, study
from torchann import IrisDataModule
from torchann.data.folds import folds_of
from torchann.tuning import storage
from torchann.tuning.storage import open_storage


def test_line_that_was_torn_by_a_loss_of_power_is_cut_off(tmp_path):
    found = study(tmp_path)
    found.optuna.ask()
    journal = tmp_path / "s" / "study.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":5,"wor')
    again = study(tmp_path)
    lines = journal.read_text().splitlines()
    assert journal.read_bytes().startswith(whole) and all(map(json.loads, lines)) and len(again.table) == 1
    again.optuna.ask()
    assert len(study(tmp_path).table) == 2


def test_journal_in_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"cannot keep trials in .*nowhere/x\.journal: there is no folder"):
        study(tmp_path, storage=str(tmp_path / "nowhere" / "x.journal"))


@pytest.mark.parametrize("url", ["nosuch://x", "sqlite:///nowhere/at/all.db"])
def test_database_that_there_is_not_is_refused(url, tmp_path):
    with pytest.raises(ValueError, match=rf"the storage '{url}' cannot be opened \(.*\); give sqlite:///study\.db"):
        study(tmp_path, storage=url)


def test_study_without_optuna_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "optuna":
            raise ImportError("No module named 'optuna'")
        return real(name, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without)
        with pytest.raises(ImportError, match=r"needs Optuna; install it with `pip install 'torchann\[tune\]'`"):
            importlib.reload(storage)
    importlib.reload(storage)


def test_folds_hold_out_each_part_in_stored_order():
    data = Held()
    parts = folds_of(data, 3)
    whole = data.splits.train
    for part, (kept, held_out) in zip(parts, KFold(3).split(range(100)), strict=True):
        assert torch.equal(part.splits.train.x, whole.x[kept]) and torch.equal(part.splits.test.y, whole.y[held_out])
        assert torch.equal(part.splits.val.x, data.splits.val.x)
        assert part.data_info["rows"] == len(kept) and part.fingerprint != data.fingerprint
    assert len(data.splits.train.y) == 100 and data.data_info["rows"] == 100


def test_folds_of_classes_have_each_in_its_share():
    data = IrisDataModule(target="species")  # fifty of each, one after the other
    parts = folds_of(data, 5)
    assert [torch.bincount(part.splits.test.y).tolist() for part in parts] == 5 * [[10, 10, 10]]
    y = data.splits.train.y.numpy()
    expected = [held_out for _, held_out in StratifiedKFold(5).split(y, y)]
    assert all(torch.equal(p.splits.test.y, data.splits.train.y[rows]) for p, rows in zip(parts, expected, strict=True))


@pytest.mark.parametrize("secret", ["hunter2", "p@ss:word/1"])
def test_password_of_a_database_is_not_echoed(tmp_path, secret):
    with pytest.raises(ValueError, match=r"the storage .*\*\*\*@") as error:
        open_storage(f"nosuch://me:{secret}@localhost/studies", tmp_path)
    assert secret not in str(error.value)
