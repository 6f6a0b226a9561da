"""Compilation of the engine's functions, kept on disk so that a machine compiles them once."""

import functools
import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])
MAY_BE_REORDERED = {"contract", "reassoc", "nsz", "arcp"}
"""What the compiler may do with sums and products; unlike ``fastmath=True`` it may not assume that there is no NaN."""
HERE = Path(__file__).parent
log: logging.Logger = logging.getLogger("torchann")


@functools.cache
def cache_folder() -> str:
    """Return the folder that keeps compiled functions: beside the package, else the user's cache, else a temporary one.

    Its name has a digest of this folder's sources: Numba looks at the file of the function that is called, and would
    not see that another file, whose function it calls, has changed.
    """
    sources = b"".join(path.read_bytes() for path in sorted(HERE.glob("*.py")))
    name = hashlib.sha256(sources).hexdigest()[:16]
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for parent in (HERE / "__pycache__", users / "torchann"):
        folder = parent / "compiled" / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return str(folder)
        except OSError:
            continue
    return tempfile.mkdtemp(prefix="torchann-compiled-")


def compiled(function: F | None = None, *, reorder: bool = True, fuse: bool = True) -> Any:
    """Compile a function of the engine when it is first called; it holds no lock of Python while it runs.

    Args:
        function: what to compile.
        reorder: whether sums may be taken in another order, so that they fit the processor's vectors.
        fuse: whether a product may be added without being rounded first, where the processor can.
    """
    if function is None:
        return functools.partial(compiled, reorder=reorder, fuse=fuse)
    kept = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = cache_folder()  # for this function alone: Numba reads it when it decorates
    try:
        fast = MAY_BE_REORDERED if reorder else {"contract"} if fuse else set()
        return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fast)(function)
    finally:
        numba.config.CACHE_DIR = kept


@functools.cache
def say_first_use() -> None:
    """Log one line when there is nothing in the cache yet, as the first call then takes some seconds."""
    if not any(Path(cache_folder()).rglob("*.nbi")):
        log.warning("compiling the training engine for this machine, once: some 15 seconds")
        sys.stderr.flush()
