"""Files that are either the old one or the new one, whatever happens while they are written."""

import errno
import os
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Puts ``content`` in the place of a file: written beside it, flushed to the disk, renamed.

    A process that is killed or a machine that loses its power while this runs leaves the old file, or the new one.

    Args:
        path: the file; its folder must be there.
        content: all of it.

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
    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        kept = "the file that was there before is untouched" if path.is_file() else "there is no such file now"
        what = (
            f"cannot write {path} ({len(content):,} bytes): {error.strerror}; {kept}; make room or name another folder"
        )
        raise OSError(error.errno, what) from error
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Makes the names in a folder survive a loss of power, on systems that can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
