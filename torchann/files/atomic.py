"""Files that are either the old one or the new one, whatever happens while they are written."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced_when_whole(path: Path) -> Iterator[Path]:
    """Put a file in its place when a block of code has written all of it; an exception leaves the old file.

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
    beside = path.with_name(path.name + ".part")
    beside.unlink(missing_ok=True)  # a killed process may have left it, as a second name of a checkpoint
    beside.touch()
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    _flush_folder(path.parent)


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
