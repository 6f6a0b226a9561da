"""Folders with Fashion-MNIST: synthetic ones, the real one where the machine has it, and none at all."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.synthetic import write_fashion_mnist
from torchann.data import (
    DataFileError,
    FashionMNISTDataModule,
    download,
    fashion_mnist_files,
    find_fashion_mnist,
)


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


@pytest.fixture(scope="session")
def real_fashion_mnist() -> FashionMNISTDataModule:
    """The data module, set up with the genuine files."""
    if find_fashion_mnist() is None:
        pytest.skip("Fashion-MNIST is not on this machine")
    module = FashionMNISTDataModule(download=False)
    try:
        module.setup()
    except DataFileError as error:
        pytest.skip(f"not the genuine Fashion-MNIST: {error}")
    return module


class Mirror:
    """A web server on this machine; the first folder of an address says how it behaves."""

    def __init__(self, folder: Path) -> None:
        self.served: list[str] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_error(404)

            def do_GET(self) -> None:
                again = self.path in mirror.served
                mirror.served.append(self.path)
                _, behaviour, name = self.path.split("/")
                if behaviour == "forbidden" or (behaviour == "flaky" and not again):
                    self.send_error(403 if behaviour == "forbidden" else 503)
                    return
                content = (folder / name).read_bytes()
                if behaviour == "damaged":
                    content = content[: len(content) // 2]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[:100] if behaviour == "cut" else content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def url(self, behaviour: str) -> str:
        """The base address of a mirror that is good, forbidden, damaged, cut or flaky."""
        return f"http://127.0.0.1:{self.server.server_port}/{behaviour}/"


@pytest.fixture
def mirror(synthetic_set, monkeypatch):
    """A web server with the synthetic files."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mirror = Mirror(synthetic_set[0])
    thread = threading.Thread(target=mirror.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()
    thread.join()
