"""Downloads a file from the first mirror that serves it undamaged."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pooch

from torchann.data.errors import DataFileError, DataNotFoundError

CONNECT_S, READ_S = 3.0, 15.0  # seconds: until a connection stands, and between two pieces of a file
SILENCE_S = 6.0  # seconds after which a mirror that has not answered at all is given up
RETRIES = 1  # per mirror


def answering(mirrors: Sequence[str]) -> list[str]:
    """The mirrors that answer in time, whatever the answer; all are asked at once.

    A refusal (403, no such host) is an answer: the download will meet it at once and report it. Only silence is
    expensive (a host name may have a dozen addresses, each with its own time-out), and this bounds it.

    Args:
        mirrors: base URLs.

    Returns:
        Those of ``mirrors`` that answered within ``SILENCE_S`` seconds, in the same order.

    Example:
        >>> answering(["http://127.0.0.1:1/"])  # nobody listens there, and the machine says so at once
        ['http://127.0.0.1:1/']
    """
    answered: set[str] = set()

    def ask(mirror: str) -> None:
        try:
            urlopen(Request(mirror, method="HEAD"), timeout=CONNECT_S).close()
        except HTTPError as refusal:
            refusal.close()
        except (OSError, HTTPException) as error:
            if isinstance(getattr(error, "reason", error), TimeoutError):
                return
        answered.add(mirror)

    threads = [threading.Thread(target=ask, args=(mirror,), daemon=True) for mirror in mirrors]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + SILENCE_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [mirror for mirror in mirrors if mirror in answered]


def download(
    name: str, mirrors: Sequence[str], folder: Path, check: Callable[[Path], object], *, progress: bool = True
) -> Path:
    """Downloads ``name`` into ``folder`` unless it is there, trying one mirror after the other.

    The file gets its name only when it is whole and ``check`` has accepted it; until then, and if the program is
    killed, it has a temporary name beside it.

    Args:
        name: of the file, the same at each mirror.
        mirrors: base URLs, each ending in ``/``.
        folder: made if it does not exist.
        check: called with the path of the downloaded file; raises :class:`DataFileError` to refuse it.
        progress: show a progress bar on standard error.

    Returns:
        The path of the file.

    Raises:
        DataNotFoundError: if no mirror serves the file undamaged; the message says what each one did.

    Example:
        >>> url = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
        >>> download("t10k-labels-idx1-ubyte.gz", [url], Path("."), check=print)  # doctest: +SKIP
        PosixPath('t10k-labels-idx1-ubyte.gz')
    """
    # In pieces of 64 kB: pooch's default of 1 kB, each one flushed, takes longer than the network.
    fetch = pooch.HTTPDownloader(progressbar=progress, chunk_size=2**16, timeout=(CONNECT_S, READ_S))

    def fetch_and_check(url: str, file: str, _: object) -> None:
        try:
            fetch(url, file, _)
        except OSError as error:
            if (response := getattr(error, "response", None)) is not None:
                response.close()  # pooch leaves the connection of a refusal open
            raise
        check(Path(file))

    failures = []
    for mirror in mirrors:
        try:
            with _quiet_pooch():
                folder.mkdir(parents=True, exist_ok=True)
                source = pooch.create(folder, mirror, registry={name: None}, retry_if_failed=RETRIES)
                return Path(source.fetch(name, downloader=fetch_and_check))
        except DataFileError as error:
            failures.append(f"{mirror}{name} {error.found}; expected {error.expected}")
        except OSError as error:  # of the mirror (those of requests are OSErrors), or of the folder
            cause = getattr(error.args[0], "reason", error) if error.args else error  # urllib3's, said once
            failures.append(f"{mirror}{name}: {cause}")
    reasons = "\n  - ".join(failures or ["no mirror answered; is there a network?"])
    raise DataNotFoundError(f"{name} could not be downloaded into {folder}:\n  - {reasons}")


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
