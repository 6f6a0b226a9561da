import logging
import os
import socket
import time

import pooch
import pytest

from torchann.data import DataFileError, DataNotFoundError
from torchann.data import download as module
from torchann.data.download import download

NAME = "t10k-labels-idx1-ubyte.gz"


def accept(path):
    assert path.exists()


def refuse(path):
    raise DataFileError(path, "is not right", "another", "delete it")


@pytest.fixture
def silent():
    """The address of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_download_asks_a_silent_mirror_once_and_goes_on_with_the_next(mirror, silent, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "READ_S", 0.5)
    start = time.monotonic()
    assert download(NAME, [silent, mirror.url("good")], tmp_path, accept, progress=False) == tmp_path / NAME
    assert 0.5 <= time.monotonic() - start < 1.4  # a second try would wait for a second, and be silent again


def test_download_from_silent_mirrors_alone_says_so(silent, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "READ_S", 0.1)
    said = f"{NAME} could not be downloaded into .*:\n  - {silent}{NAME}: .*timed out"
    with pytest.raises(DataNotFoundError, match=said):
        download(NAME, [silent], tmp_path, accept, progress=False)


def test_download_leaves_nothing_when_the_content_is_refused(mirror, tmp_path):
    with pytest.raises(DataNotFoundError, match=f"good/{NAME} is not right; expected another$"):
        download(NAME, [mirror.url("good")], tmp_path, refuse, progress=False)
    assert os.listdir(tmp_path) == []


def test_download_leaves_nothing_when_the_connection_breaks(mirror, tmp_path):
    with pytest.raises(DataNotFoundError, match=f"cut/{NAME}: .*IncompleteRead"):
        download(NAME, [mirror.url("cut")], tmp_path, accept, progress=False)
    assert os.listdir(tmp_path) == []


def test_download_asks_a_failing_mirror_once_more(mirror, tmp_path):
    assert download(NAME, [mirror.url("flaky")], tmp_path, accept, progress=False) == tmp_path / NAME
    assert mirror.served == [f"/flaky/{NAME}"] * 2


def test_download_shows_a_progress_bar_and_nothing_else(mirror, tmp_path, capfd):
    download(NAME, [mirror.url("good")], tmp_path, accept)
    shown = capfd.readouterr()
    assert "100%" in shown.err
    assert "SHA256" not in shown.err and "Downloading" not in shown.err
    assert shown.out == ""


def test_download_without_progress_prints_nothing(mirror, tmp_path, capfd):
    download(NAME, [mirror.url("good")], tmp_path, accept, progress=False)
    assert capfd.readouterr() == ("", "")


def test_download_leaves_the_logging_of_pooch_as_it_was(mirror, tmp_path):
    pooch.get_logger().setLevel(logging.INFO)
    download(NAME, [mirror.url("good")], tmp_path, accept, progress=False)
    assert pooch.get_logger().level == logging.INFO
