"""Machines with synthetic Fashion-MNIST and without any, the command line in this process, and runs to look at."""

import contextlib
import csv
import io
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from tests.synthetic import write_fashion_mnist
from torchann.__main__ import main
from torchann.data import download, fashion_mnist_files, find_fashion_mnist

EXPERIMENTS = Path(__file__).parent.parent / "experiments"


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Two threads stall on small products while another process wants a core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def synthetic_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic") / "fashion-mnist"
    return folder, write_fashion_mnist(folder)


@pytest.fixture
def synthetic_table(synthetic_set, monkeypatch):
    """Makes the package expect the synthetic files, 6,000 training and 1,000 test rows."""
    for name, wanted in synthetic_set[1].items():
        monkeypatch.setitem(fashion_mnist_files.FILES, name, wanted)


@pytest.fixture
def synthetic_fashion_mnist(synthetic_set, synthetic_table) -> Path:
    """The folder with the synthetic files, which the package takes for Fashion-MNIST."""
    return synthetic_set[0]


@pytest.fixture
def bare_machine(tmp_path, monkeypatch) -> Path:
    """A machine without Fashion-MNIST; the folder returned is the user's cache, which does not exist yet."""
    cache = tmp_path / "cache" / "torchann" / "fashion-mnist"
    monkeypatch.delenv("TORCHANN_DATA", raising=False)
    monkeypatch.setattr(fashion_mnist_files, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setattr(fashion_mnist_files, "cache_folder", lambda: cache)
    monkeypatch.setattr(fashion_mnist_files, "MIRRORS", [])
    monkeypatch.setattr(download, "RETRIES", 0)  # pooch waits for a second before each
    return cache


@pytest.fixture
def fashion_mnist_folder(request) -> Path:
    """The genuine files where the machine has them, else the synthetic ones."""
    return find_fashion_mnist() or request.getfixturevalue("synthetic_fashion_mnist")


class Outcome(NamedTuple):
    """What a command left: its exit status and what it wrote to the screen."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(tmp_path, monkeypatch, capfd):
    """Runs `torchann WORDS` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Outcome:
        capfd.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as end:
            status = end.code
        return Outcome(status, *capfd.readouterr())

    return run


def _succeed(*words: object) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main([str(word) for word in words]) == 0
    return out.getvalue()


def rows(run: Path) -> list[dict[str, float]]:
    """The history of a run, a row per epoch."""
    with (run / "history.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="session")
def housing_run(tmp_path_factory) -> Path:
    """The folder of a run of experiments/housing_mlp.yaml, 3 epochs; tested afterwards. Not to be written to."""
    runs = tmp_path_factory.mktemp("housing") / "runs"
    given = ["--config", EXPERIMENTS / "housing_mlp.yaml", "--trainer.runs", runs, "--quiet"]
    _succeed("fit", *given, "--trainer.max_epochs", 3)
    _succeed("test", *given)
    return runs / "housing_mlp" / "001"


@pytest.fixture(scope="session")
def species_run(tmp_path_factory) -> Path:
    """The folder of a run with the three species of iris, 20 epochs. Not to be written to."""
    runs = tmp_path_factory.mktemp("species") / "runs"
    net = ["--model", "ClassificationMLP", "--model.hidden_sizes", "[10]", "--model.lr", 0.1]
    data = ["--data", "IrisDataModule", "--data.target", "species", "--data.order", "shuffled"]
    trainer = ["--trainer.runs", runs, "--trainer.name", "species", "--trainer.max_epochs", 20, "--quiet"]
    _succeed("fit", *net, *data, *trainer)
    return runs / "species" / "001"
