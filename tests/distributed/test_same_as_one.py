"""Processes that train together end where one ends that takes the same batches."""

import math

import pytest
import torch

from tests.distributed.cases import BATCH, CASES, EPOCHS, Rows, all_trained, stopped, stopped_and_refused, trained
from tests.distributed.processes import together

WORLDS = {2: list(CASES), 3: ["momentum", "the last batch has one row", "Lightning's steps"]}
BOTH = [(world, name) for world, names in WORLDS.items() for name in names]


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    folder = tmp_path_factory.mktemp("together")
    return {world: together(all_trained, world, folder / str(world), names, world) for world, names in WORLDS.items()}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    return {name: trained(folder, name, 1) for name in CASES}


@pytest.mark.parametrize(("world", "name"), BOTH)
def test_processes_end_with_the_losses_and_weights_of_one(several, alone, world, name):
    one = alone[name]
    for here in (rank[name] for rank in several[world]):
        assert here["steps"] == one["steps"] == EPOCHS * math.ceil(len(Rows(1, **CASES[name].data).y) / BATCH)
        assert [list(row) for row in here["history"]] == [list(row) for row in one["history"]]
        for row, wanted in zip(here["history"], one["history"], strict=True):
            assert row == pytest.approx(wanted, rel=2e-5, abs=1e-6)
        assert here["test"] == pytest.approx(one["test"], rel=2e-5)  # 13 rows, each counted once
        for key, weight in one["weights"].items():  # one process takes compiled steps, several take torch's
            torch.testing.assert_close(here["weights"][key], weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("world", "name"), BOTH)
def test_processes_have_the_same_bits(several, world, name):
    first, *others = (rank[name] for rank in several[world])
    for other in others:
        assert other["history"] == first["history"]
        for key, weight in first["weights"].items():
            assert torch.equal(other["weights"][key], weight)


@pytest.mark.parametrize(("world", "name"), BOTH)
def test_each_row_is_trained_on_once_per_epoch(several, world, name):
    rows = len(Rows(1, **CASES[name].data).y)
    for epochs in zip(*(rank[name]["epochs"] for rank in several[world]), strict=True):
        assert sorted(row for own in epochs for row in own) == list(range(rows))


@pytest.mark.parametrize("world", WORLDS)
def test_each_row_is_predicted_once(several, world):
    assert sum(rank["momentum"]["predicted"] for rank in several[world]) == 9


def files_of(runs):
    found = sorted(str(path.relative_to(runs)) for path in runs.rglob("*"))
    return [name.split(".tfevents.")[0] for name in found]


def test_one_process_writes_the_files_of_a_run_and_says_where_they_are(several, alone, tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    together_, alone_ = next(base.glob("together*")) / "2", next(base.glob("alone*"))
    assert files_of(together_ / "runs" / "sgd") == files_of(alone_ / "runs" / "sgd")
    lines = (together_ / "runs" / "sgd" / "001" / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "0", "1", "2"]
    first, second = ((together_ / f"said-{rank}.txt").read_text() for rank in (0, 1))
    assert second == ""
    assert first.count("run folder") == len(CASES)
    assert "RegressionMLP trains in 2 processes × 6 rows = 12 rows per step" in first


def test_all_processes_end_at_the_step_that_is_no_number_and_refuse_alike(tmp_path):
    reason, step, weights = stopped(tmp_path, 1)
    assert (reason, step) == ("nan", 4)  # of 12 rows each; the row is the 41st
    for (reason, step, own), told in together(stopped_and_refused, 2, tmp_path / "two", 2):
        assert (reason, step) == ("nan", 4)
        for name, weight in weights.items():
            torch.testing.assert_close(own[name], weight, rtol=1e-4, atol=1e-6)
        assert "ValueError: the Perceptron rule takes one row after the other and cannot be shared by 2" in told[0]
        assert "FileNotFoundError" in told[1] and "no/such.ckpt" in told[1]
