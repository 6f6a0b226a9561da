"""TensorBoard's own server on a run: what its pages ask it for, and how the command ends."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.conftest import rows
from torchann.dashboard.server import NoRunsError, start_tensorboard

RUN = "housing_mlp/001"


def get(address):
    # not through a proxy: the server is on this machine
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=20) as answer:
        return json.load(answer)


def start(runs, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "torchann", "tensorboard", str(runs), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # the tests may run where it is ignored
    )


class Board:
    """The address of a server, once it has read the runs."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        deadline = time.monotonic() + 60
        while len(self.get("scalars/tags")) < 3:
            assert time.monotonic() < deadline, self.get("scalars/tags")
            time.sleep(0.1)

    def get(self, path):
        return get(f"{self.address}/data/plugin/{path}")

    def post(self, path, question):
        header = {"Content-Type": "application/json"}
        return get(urllib.request.Request(f"{self.address}/data/plugin/{path}", json.dumps(question).encode(), header))


@pytest.fixture(scope="module")
def board(housing_run):
    """`torchann tensorboard` on the runs, as a process of its own; ended by Ctrl-C."""
    process = start(housing_run.parent.parent, "--port", "0")
    try:
        said = process.stdout.readline()
        address = re.search(r" at (http://localhost:\d+/) \(Ctrl-C ends it\)$", said)
        assert address, said + process.stderr.read()
        yield Board(address[1])
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")
    finally:
        process.kill()
        process.communicate()


def test_board_draws_training_and_validation_under_the_same_tags(board):
    tags = board.get("scalars/tags")
    assert sorted(tags) == [f"{RUN}/test", f"{RUN}/train", f"{RUN}/validation"]
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
    experiment = board.post("hparams/experiment", {"experimentName": ""})
    names = {info["name"] for info in experiment["hparamInfos"]}
    assert {"lr", "hidden_sizes", "batch_size", "optimizer", "max_epochs", "seed"} <= names
    question = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
        "colParams": [{"metric": info["name"]} for info in experiment["metricInfos"]],
        "startIndex": 0,
        "sliceSize": 10,
    }
    (group,) = board.post("hparams/session_groups", question)["sessionGroups"]
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


def test_browser_draws_the_curves(board, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    page = subprocess.run(
        [
            *[browser, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={tmp_path}"],
            *["--virtual-time-budget=10000", "--dump-dom", f"{board.address}/#timeseries"],
        ],
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert f"{RUN}/validation" in page and "scalar-card" in page


def test_folder_that_is_not_there_is_an_error_that_says_what_to_do(command, tmp_path):
    outcome = command("tensorboard", "nowhere")
    assert (outcome.status, outcome.out) == (1, "")
    assert "nothing to show in nowhere: there is no such folder; train something first" in outcome.err
    assert "torchann fit --config experiments/" in outcome.err and "Traceback" not in outcome.err


def test_folder_without_events_is_an_error(tmp_path):
    with pytest.raises(NoRunsError, match=f"nothing to show in {tmp_path}: it holds no TensorBoard events"):
        start_tensorboard(tmp_path)


def test_port_that_is_taken_is_an_error_that_names_it(board, housing_run, command):
    port = board.address.rpartition(":")[2]
    outcome = command("tensorboard", housing_run, "--port", port)
    assert outcome.status == 1
    assert port in outcome.err and outcome.err.endswith("; give another with --port\n")
