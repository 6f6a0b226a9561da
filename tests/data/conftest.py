"""Where Fashion-MNIST may come from: the machine that has it, and a web server with synthetic files."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from torchann.data import DataFileError, FashionMNISTDataModule, find_fashion_mnist


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
