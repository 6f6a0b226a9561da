"""TensorBoard's own server on a run: what its pages ask it for, and what the command prints."""

import json
import re
import sys
from functools import partial

import pytest
import torch
from torch.utils.tensorboard import SummaryWriter

from tests.conftest import rows
from tests.dashboard.browser import Tabs, chromium
from tests.dashboard.served import answer, served, settle, start
from torchann.dashboard.server import KEPT, start_tensorboard

RUN = "housing_mlp/001"


class Board(str):
    """The address of a server."""

    def get(self, path, question=None):
        return answer(f"{self}/data/plugin/{path}", question)


@pytest.fixture(scope="module")
def board(housing_run):
    with served(housing_run.parent.parent) as address:
        yield Board(address)


def write(folder, tag="loss", epochs=3):
    with SummaryWriter(str(folder)) as writer:
        for epoch in range(epochs):
            writer.add_scalar(tag, 1.0, epoch)
    return folder


def test_board_draws_training_and_validation_under_the_same_tags(board):
    tags = board.get("scalars/tags")
    assert {f"{RUN}/test", f"{RUN}/train", f"{RUN}/validation"} <= set(tags)
    assert sorted(tags[f"{RUN}/validation"]) == ["loss", "mae", "rmse"]
    assert sorted(tags[f"{RUN}/train"]) == ["loss", "lr", "mae", "rmse"]


@pytest.mark.parametrize(("sub_run", "column"), [("train", "train_loss"), ("validation", "val_loss")])
def test_board_has_the_epoch_as_axis(board, housing_run, sub_run, column):
    points = board.get(f"scalars/scalars?run={RUN}/{sub_run}&tag=loss")
    drawn = [(step, pytest.approx(value, rel=1e-6)) for _, step, value in points]
    assert [(row["epoch"], row[column]) for row in rows(housing_run)] == drawn


def test_board_shows_the_test_figure_at_the_epoch_of_the_checkpoint(board, housing_run):
    (point,) = board.get(f"scalars/scalars?run={RUN}/test&tag=loss")
    losses = [row["val_loss"] for row in rows(housing_run)]
    figures = json.loads((housing_run / "test.json").read_text())
    assert point[1:] == [losses.index(min(losses)), pytest.approx(figures["test_loss"], rel=1e-6)]


def test_board_shows_hyperparameters_beside_the_figures_that_were_measured(board, housing_run):
    experiment = board.get("hparams/experiment", {"experimentName": ""})
    names = {info["name"] for info in experiment["hparamInfos"]}
    assert {"lr", "hidden_sizes", "batch_size", "optimizer", "max_epochs", "seed"} <= names
    question = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
        "colParams": [{"metric": info["name"]} for info in experiment["metricInfos"]],
        "startIndex": 0,
        "sliceSize": 10,
    }
    (group,) = board.get("hparams/session_groups", question)["sessionGroups"]
    given = {name: group["hparams"][name] for name in ("lr", "hidden_sizes", "batch_size", "max_epochs")}
    assert given == {"lr": 0.001, "hidden_sizes": "[30]", "batch_size": 32.0, "max_epochs": 3.0}
    (session,) = group["sessions"]
    assert session["status"] == "STATUS_SUCCESS"
    shown = {(v["name"]["group"], v["name"]["tag"]): v["value"] for v in group["metricValues"]}
    last = rows(housing_run)[-1]
    test = json.loads((housing_run / "test.json").read_text())
    for tag in ("loss", "mae", "rmse"):
        assert shown["train", tag] == pytest.approx(last[f"train_{tag}"], rel=1e-6)
        assert shown["validation", tag] == pytest.approx(last[f"val_{tag}"], rel=1e-6)
        assert shown["test", tag] == pytest.approx(test[f"test_{tag}"], rel=1e-6)


def test_browser_draws_the_curves(board, housing_run):
    with chromium() as browser:
        charts = {chart.tag: chart.points for chart in Tabs(browser, board).scalar_charts()}
    epochs = len(rows(housing_run))
    assert sorted(charts["loss"]) == sorted(charts["rmse"]) == [1, epochs, epochs]  # test, train and validation


def test_port_that_is_taken_is_an_error_that_names_it(board, housing_run, command):
    port = board.rpartition(":")[2]
    outcome = command("tensorboard", housing_run, "--port", port)
    assert outcome.status == 1
    assert f"cannot listen at localhost, port {port}: " in outcome.err
    assert outcome.err.endswith(", or another port with --port\n")


@pytest.mark.parametrize("port", ["65536", "-1", "six"])
def test_port_that_is_none_is_an_error(port, command):
    outcome = command("tensorboard", f"--port={port}")
    assert (outcome.status, outcome.out) == (2, "")
    assert f"'{port}' is no port; ports go from 0 (any free one) to 65535" in outcome.err


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])  # a name and an address that nobody has
def test_host_that_is_not_this_machine_is_an_error(host, tmp_path):
    write(tmp_path / "runs")
    with pytest.raises(OSError, match=f"cannot listen at {host}, port 6006: .*; name an address of this machine with"):
        start_tensorboard(tmp_path / "runs", host=host)


def test_command_says_how_many_runs_of_which_experiments_it_shows(tmp_path):
    for run in ("housing_mlp/001/train", "housing_mlp/001/steps", "housing_mlp/002/train", "wide_deep/001/train"):
        write(tmp_path / "runs" / run)
    (tmp_path / "runs/housing_mlp/003").mkdir()
    process = start("runs", folder=tmp_path)
    said = process.stdout.readline()
    process.kill()
    process.communicate()
    where = r"http://localhost:\d+/\?smoothing=0#timeseries&_smoothingWeight=0"
    wanted = rf"TensorBoard shows 3 runs of housing_mlp, wide_deep in runs at {where} \(Ctrl-C ends it\)\n"
    assert re.fullmatch(wanted, said)


def test_every_host_prints_an_address_that_opens(tmp_path):
    write(tmp_path / "runs/housing_mlp/001")
    process = start(tmp_path / "runs", "--host", "0.0.0.0")
    try:
        address = re.search(
            r" at (http://localhost:\d+/)\?smoothing=0\S+ \(Ctrl-C ends it\)$", process.stdout.readline()
        )[1]
        assert address.endswith(f"{re.search(':([0-9]+)/', process.stdout.readline())[1]}/")  # for other machines
        assert answer(f"{address}data/environment")["data_location"] == str(tmp_path / "runs")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["a, b: c", "-x", "[1]*?", "s3:"])
def test_folder_may_have_any_name(name, tmp_path):
    write(tmp_path / name / "001" / "train")
    with served(f"./{name}/", folder=tmp_path) as address:
        assert answer(f"{address}/data/runs") == ["001/train"]


def test_link_and_home_are_followed(tmp_path, monkeypatch):
    write(tmp_path / "disk/001/train")
    (tmp_path / "runs").symlink_to("disk")
    monkeypatch.setenv("HOME", str(tmp_path))
    with served("~/runs") as address:
        assert answer(f"{address}/data/runs") == ["001/train"]


def test_run_that_begins_while_the_server_runs_is_shown(tmp_path):
    write(tmp_path / "001/train")
    with served(tmp_path) as address, SummaryWriter(str(tmp_path / "002/train")) as writer:
        path = f"{address}/data/plugin/scalars/"
        writer.add_scalar("loss", 1.0, 0)
        writer.flush()
        assert "002/train" in settle(partial(answer, f"{path}tags"), lambda tags: "002/train" in tags)
        writer.add_scalar("loss", 0.5, 1)
        writer.flush()
        points = settle(partial(answer, f"{path}scalars?run=002/train&tag=loss"), lambda points: len(points) > 1)
        assert [(step, value) for _, step, value in points] == [(0, 1.0), (1, 0.5)]


@pytest.mark.filterwarnings("ignore:html5lib's sanitizer is deprecated")  # as TensorBoard is imported
@pytest.mark.parametrize(("plugin", "steps"), KEPT.items())
def test_server_keeps_the_steps_that_it_promises(plugin, steps):
    with pytest.MonkeyPatch.context() as patch:
        flags = {}
        patch.setattr("tensorboard.program.TensorBoard.launch", lambda self: flags.update(vars(self.flags)) or "")
        patch.setattr("torchann.dashboard.server._runs_to_show", lambda given, folder: [])
        start_tensorboard("runs")
    assert flags["samples_per_plugin"][plugin] == steps


def test_slider_of_images_has_more_epochs_than_tensorboard_keeps_by_itself(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        for epoch in range(30):
            writer.add_image("weights", torch.zeros(1, 2, 2), epoch)
    with served(tmp_path) as address:
        shown = answer(f"{address}/data/plugin/images/images?run=.&tag=weights&sample=0")
    assert [image["step"] for image in shown] == list(range(30))


def test_projector_is_offered_to_whoever_asks_first(tmp_path):
    with SummaryWriter(str(tmp_path / "001")) as writer:
        writer.add_scalar("loss", 1.0, 0)
    with served(tmp_path) as address:
        assert not answer(f"{address}/data/plugins_listing")["projector"]["enabled"]
        with SummaryWriter(str(tmp_path / "001")) as writer:
            writer.add_embedding(torch.zeros(3, 2))
        assert answer(f"{address}/data/plugins_listing")["projector"]["enabled"]


def test_port_that_is_taken_on_another_address_is_an_error_too(tmp_path, monkeypatch):
    write(tmp_path / "runs")

    def end(server):  # as werkzeug does where TensorBoard, who tried localhost alone, found the port free
        print("Address already in use\nPort 6123 is in use by another program.", file=sys.stderr)
        raise SystemExit(1)

    monkeypatch.setattr("tensorboard.program.TensorBoard.launch", end)
    with pytest.raises(OSError, match="^cannot listen at localhost, port 6123: Address already in use; name"):
        start_tensorboard(tmp_path / "runs", port=6123)
