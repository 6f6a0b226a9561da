"""Trials of a study in TensorBoard's own server: each a row of the HPARAMS tab, and none of its runs another one."""

import functools

import pytest

pytest.importorskip("optuna")

from tests.dashboard.served import answer, served
from tests.tuning.searched import make, study
from torchann.dashboard.trial_session import write_trial


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Three trials of two folds, one epoch each."""
    found = study(tmp_path_factory.mktemp("searched"), make=functools.partial(make, epochs=1))
    found.run(3)
    return found


def test_trials_are_the_rows_of_the_hparams_tab_with_what_was_varied_and_achieved(searched):
    question = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 10,
    }
    with served(searched.folder) as address:
        ask = functools.partial(answer, f"{address}/data/plugin/hparams/session_groups")
        groups = ask(question)["sessionGroups"]
        runs = answer(f"{address}/data/runs")
    assert sorted(group["name"] for group in groups) == [f"trials/{number:03}/summary" for number in range(3)]
    for group in groups:
        row = searched.table.rows[int(group["name"].split("/")[1])]
        assert group["hparams"] == {name: pytest.approx(value) for name, value in row.params.items()}
        shown = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
        assert shown["cv_loss"] == pytest.approx(row.score, rel=1e-6) and shown["epochs"] == 2
        assert [shown["fold_1"], shown["fold_2"]] == pytest.approx(row.figures, rel=1e-6)
        assert [session["status"] for session in group["sessions"]] == ["STATUS_SUCCESS"]
    assert "trials/000/fold-1/001/validation" in runs  # the curves of its runs are there


def test_trial_that_is_written_again_is_there_once_and_without_what_is_no_number(tmp_path):
    for loss in (0.5, float("inf")):
        write_trial(tmp_path / "summary", {"model.lr": 0.1, "depth": 2}, {"cv_loss": loss, "epochs": 3.0})
    (events,) = (tmp_path / "summary").iterdir()
    assert b"cv_loss" not in events.read_bytes() and b"model." not in events.read_bytes()
