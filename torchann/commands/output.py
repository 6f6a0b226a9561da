"""What a command prints, which never costs what the command does: a reader may go, a disk may be full."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class _Stream:
    # A text stream whose lines are lost, from the first that cannot be written on; all else is the stream's own.

    def __init__(self, stream: Any, lost: list[OSError]) -> None:
        self._stream, self._lost = stream, lost
        if hasattr(stream, "reconfigure"):  # a terminal may know ASCII alone, and a path may be no UTF-8
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except OSError as error:
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._lost.append(error)
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def printing_never_fails() -> Iterator[list[OSError]]:
    """Let a block of code print where nobody reads any more, or nothing can be written.

    Yields:
        A list that has why what was printed is lost, but for readers that have gone, which want no more.

    Example:
        >>> with printing_never_fails() as lost:
        ...     print("done")
        done
        >>> lost
        []
    """
    before = (sys.stdout, sys.stderr)
    lost: list[OSError] = []
    errors: list[OSError] = []
    streams = [stream if stream is not None else open(os.devnull, "w") for stream in before]  # noqa: SIM115
    sys.stdout, sys.stderr = (_Stream(stream, errors) for stream in streams)
    try:
        yield lost
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        lost += [error for error in errors if error.errno not in (errno.EPIPE, errno.ESHUTDOWN)]
        if lost:
            print(f"torchann: what was printed is lost: {lost[0].strerror}", file=sys.stderr)
            sys.stderr.flush()
        sys.stdout, sys.stderr = before
