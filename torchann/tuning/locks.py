"""Locks that a killed process cannot leave behind."""

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]


class Lock:
    """A file that one process holds at a time; the system takes it back when the process ends, however that happens.

    Args:
        path: the file, made if need be; its folder must be there.
        wait: until whoever has it lets it go.

    Attributes:
        held: whether it is this process's now.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "lock")
        >>> with Lock(path) as mine, Lock(path) as again:
        ...     mine.held, again.held
        (True, False)
    """

    def __init__(self, path: Path, wait: bool = False) -> None:
        self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self.held: bool = True
        if fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                self.release()

    def release(self) -> None:
        """Lets it go."""
        self.held = False
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


CAN_TELL = fcntl is not None
"""Whether a lock says that another process is alive."""
