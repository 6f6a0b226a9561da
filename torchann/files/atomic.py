"""Files that are either the old one or the new one, whatever happens while they are written."""

import errno
import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def replaced_when_whole(path: Path) -> Iterator[Path]:
    """Put a file in its place when a block of code has written all of it; an exception leaves the old file.

    Of several that write one file at once, in threads or processes, the last one's is there at the end, whole.

    Args:
        path: the file to replace, or a new one; its folder must be there.

    Yields:
        The path of an empty file beside it to write to.

    Raises:
        OSError: before the block if nothing can be written there, after it if the disk is full.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "rows.txt")
        >>> with replaced_when_whole(path) as beside:
        ...     _ = beside.write_text("row")
        >>> [file.name for file in path.parent.iterdir()]
        ['rows.txt']
    """
    beside, held = _new_file_beside(path)
    with ExitStack() as stack:
        stack.callback(beside.unlink, missing_ok=True)
        closing = stack.enter_context(os.fdopen(held))
        if fcntl is None:  # Windows renames no file that is open
            closing.close()
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    _flush_folder(path.parent)


def _new_file_beside(path: Path) -> tuple[Path, int]:
    # A file that nobody else has, and its descriptor, whose lock says until the process ends that it is in use.
    start = f".{path.name[:40]}."
    for left in path.parent.glob(f"{glob.escape(start)}*.part"):  # by a process that was killed
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                _lock(descriptor)
                left.unlink()
            finally:
                os.close(descriptor)
    while True:
        beside = path.with_name(f"{start}{secrets.token_hex(8)}.part")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            _lock(descriptor)
            if os.fstat(descriptor).st_nlink:
                return beside, descriptor
        except BlockingIOError:  # another process has found it before it was locked, and removes it
            pass
        except OSError:  # a file system without locks, where what is left by killed processes stays
            return beside, descriptor
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "this system has no locks of this kind")
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_atomically(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of a file, whose folder must be there: written beside it, flushed, renamed.

    A process that is killed or a machine that loses its power while this runs leaves the old file, or the new one.

    Raises:
        OSError: if it cannot be written, as on a full disk or in a read-only folder; the old file is untouched.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "weights.bin")
        >>> write_atomically(path, b"new")
        >>> path.read_bytes(), [file.name for file in path.parent.iterdir()]
        (b'new', ['weights.bin'])
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"cannot write {path}: there is no folder {path.parent}; make it first")
    try:
        with replaced_when_whole(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        kept = "the file that was there before is untouched" if path.is_file() else "there is no such file now"
        what = (
            f"cannot write {path} ({len(content):,} bytes): {error.strerror}; {kept}; make room or name another folder"
        )
        raise OSError(error.errno, what) from error


def _flush_folder(folder: Path) -> None:
    # Without this the names in the folder may not survive a loss of power.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
