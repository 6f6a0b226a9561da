"""Compilation of the engine's functions, kept on disk so that a machine compiles them once."""

import atexit
import functools
import hashlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import filelock
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
    not see that another file, whose function it calls, has changed. What was compiled beside a package that cannot be
    written, such as in a container's image, is copied to the user's cache, as Numba wants a folder that it may write.
    """
    sources = b"".join(path.read_bytes() for path in sorted(HERE.glob("*.py")))
    name = hashlib.sha256(sources).hexdigest()[:16]
    beside = HERE / "__pycache__" / "compiled" / name
    users = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    for place in (str(beside), f"{users}/torchann/compiled/{name}"):
        try:
            folder = Path(place).expanduser()
            folder.mkdir(parents=True, exist_ok=True)
            _write_in(folder)
            if folder != beside and beside.is_dir() and not any(folder.iterdir()):
                shutil.copytree(beside, folder, dirs_exist_ok=True)
            return str(folder)
        except (OSError, RuntimeError):  # it cannot be written, or the user has no home
            continue
    folder = Path(tempfile.mkdtemp(prefix="torchann-compiled-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(folder)


def _write_in(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder):
        pass


def _save_one_at_a_time(function: Any) -> None:
    """Let one process at a time save: two would give the machine code of two dtypes the same file name."""
    save = function._cache.save_overload

    def locked(*arguments: Any) -> None:
        with filelock.FileLock(Path(cache_folder()) / "lock"):
            save(*arguments)

    function._cache.save_overload = locked


def compiled(
    function: F | None = None, *, reorder: bool = True, fuse: bool = True, inline: bool = False, entry: bool = False
) -> Any:
    """Compile a function of the engine when it is first called; it holds no lock of Python while it runs.

    Args:
        function: what to compile.
        reorder: whether sums may be taken in another order, so that they fit the processor's vectors.
        inline: whether it becomes a part of the functions that call it: a call hands over each number of each array.
        entry: whether Python calls it; the others are kept on disk as parts of those.
        fuse: whether a product may be added without being rounded first, where the processor can.
    """
    if function is None:
        return functools.partial(compiled, reorder=reorder, fuse=fuse, inline=inline, entry=entry)
    fast = MAY_BE_REORDERED if reorder else {"contract"} if fuse else set()
    # Nothing here makes an array; to count who uses one would take a third of a small net's step.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fast, "_nrt": False}
    if not entry:
        return numba.njit(**options, forceinline=inline, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    kept = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = cache_folder()  # for this function alone: Numba reads it when it decorates
    try:
        made = numba.njit(**options, cache=True)(function)
        _save_one_at_a_time(made)
        return made
    finally:
        numba.config.CACHE_DIR = kept


@functools.cache
def say_first_use() -> None:
    """Log one line when the cache has no training steps yet, as the first call then takes some seconds."""
    if not any(Path(cache_folder()).rglob("steps.take_steps*.nbi")):
        log.warning("compiling the training engine for this machine, once: some 15 seconds")
        sys.stderr.flush()
