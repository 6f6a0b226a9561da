"""Downloads a file from the first mirror that serves it undamaged."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pooch

from torchann.data.errors import DataFileError, DataNotFoundError

CONNECT_S, READ_S = 3.0, 15.0  # seconds: until a connection stands, and between two pieces of a file
RETRIES = 1  # per mirror that answers


def download(
    name: str, mirrors: Sequence[str], folder: Path, check: Callable[[Path], object], *, progress: bool = True
) -> Path:
    """Download ``name`` into ``folder`` unless it is there, trying one mirror after the other.

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
    from requests import Timeout

    # In pieces of 64 kB: pooch's default of 1 kB, each one flushed, takes longer than the network.
    fetch = pooch.HTTPDownloader(progressbar=progress, chunk_size=2**16, timeout=(CONNECT_S, READ_S))

    def fetch_and_check(url: str, file: str, _: object) -> None:
        try:
            fetch(url, file, _)
        except OSError as error:
            if (response := getattr(error, "response", None)) is not None:
                response.close()  # pooch leaves the connection of a refusal open
            if isinstance(error, Timeout):
                raise TimeoutError(*error.args) from None  # which pooch does not try again, and silence costs time
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
    reasons = "\n  - ".join(failures)
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
