"""The folder that a run leaves, as an object: its files by name, which checkpoint is good, whose it is."""

import json
import platform
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from torchann.files.checkpoint_files import CheckpointError, read_checkpoint

PACKAGES = ("torchann", "torch", "lightning", "torchmetrics", "scikit-learn", "tensorboard", "numpy")
CHECKPOINTS, BEST, LAST = "checkpoints", "best.ckpt", "last.ckpt"
LOCK = ".lock"
"""A hidden file in the folder of a run while a process trains in it."""


LONGEST_NAME = 200
"""Bytes of the name of a run, in UTF-8; file systems take 255."""


class RunFolderError(FileNotFoundError):
    """A run or checkpoint that was asked for is not there."""


def check_name(name: object, what: str = "name") -> str:
    """Return the name of a run or a study, which is the name of one folder.

    Args:
        name: as the user gave it.
        what: how the error calls it.

    Raises:
        ValueError: for a path, a name that is empty or too long, and letters that a terminal would act on.

    Example:
        >>> check_name("../x")
        Traceback (most recent call last):
            ...
        ValueError: name is '../x'; give the name of one folder, such as 'demo', without / and control characters
    """
    text = name if isinstance(name, str) else ""
    plain = text.isprintable() and not set(text) & {"/", "\\"} and text.strip() not in ("", ".", "..")
    if not plain or len(text.encode()) > LONGEST_NAME:
        length = f", {len(text.encode())} bytes" if plain else ""
        raise ValueError(
            f"{what} is {name!r:.80}{length}; give the name of one folder, such as 'demo', "
            + (f"of at most {LONGEST_NAME} bytes" if plain else "without / and control characters")
        )
    return text


def name_from(text: str) -> str:
    """Return a name for :func:`check_name` that is like a text, such as the name of a file.

    Example:
        >>> name_from("homes"), name_from("a/b" + chr(27)), name_from("..")
        ('homes', 'a_b_', 'run')
    """
    letters = (letter if letter.isprintable() and letter not in "/\\" else "_" for letter in text)
    name = "".join(letters).encode()[: LONGEST_NAME // 2].decode(errors="ignore")
    return "run" if name.strip() in ("", ".", "..") else name


class Run:
    """The folder of a run, such as ``runs/name/001``, and the files in it, of which each may be missing.

    Args:
        folder: the folder.

    Attributes:
        folder: the folder.
        checkpoints: the folder of the two checkpoints.
        best: the checkpoint of the best epoch.
        last: the checkpoint to resume from.
        config: the configuration of a run of the command line (YAML).
        history: the metrics of each epoch (CSV).
        versions: what the run was made with (JSON).
        predictions: what ``torchann predict`` wrote (CSV).
        importance: what ``torchann importance`` measured (CSV), with a picture beside it.

    Example:
        >>> Run("runs/demo/001").best.as_posix()
        'runs/demo/001/checkpoints/best.ckpt'
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder: Path = Path(folder)
        self.checkpoints: Path = self.folder / CHECKPOINTS
        self.best: Path = self.checkpoints / BEST
        self.last: Path = self.checkpoints / LAST
        self.config: Path = self.folder / "config.yaml"
        self.history: Path = self.folder / "history.csv"
        self.versions: Path = self.folder / "versions.json"
        self.predictions: Path = self.folder / "predictions.csv"
        self.importance: Path = self.folder / "importance.csv"

    def measured(self, command: str) -> Path:
        """Return the file with the metrics that ``torchann fit``, ``validate`` or ``test`` measured (JSON)."""
        return self.folder / f"{command}.json"

    @classmethod
    def of(cls, checkpoint: Path) -> "Run":
        """Return the run that a checkpoint is from, if it lies where runs have theirs."""
        return cls(checkpoint.parent.parent)

    @classmethod
    def all(cls, runs: str | Path, name: str) -> "list[Run]":
        """Return the runs of a name, the latest at the end."""
        numbered = (path for path in Path(runs, name).glob("*") if path.name.isdigit())
        return [cls(path) for path in sorted(numbered, key=lambda path: int(path.name))]

    @classmethod
    def latest(cls, runs: str | Path, name: str) -> "Run":
        """Return the latest run of a name that can be resumed.

        Raises:
            RunFolderError: if there is none.
        """
        for run in reversed(cls.all(runs, name)):
            if run.can_resume:
                return run
        raise RunFolderError(
            f"there is no finished epoch of a run {name!r} in {Path(runs)}; start one with `torchann fit`, "
            "or name a checkpoint with --ckpt_path"
        )

    @classmethod
    def at(cls, path: str | Path, wanted: "Callable[[Run], bool]") -> "Run":
        """Return the run of a folder, or the latest one that has what is wanted of a folder with runs.

        Raises:
            RunFolderError: if the folder is neither.
        """
        named = cls(path)
        if named.checkpoints.is_dir() or named.history.is_file():
            return named
        for run in reversed(cls.all(named.folder.parent, named.folder.name)):
            if wanted(run):
                return run
        raise RunFolderError(f"{path} is no folder of a run; give one such as runs/NAME, or a model file")

    @classmethod
    def claim(cls, runs: str | Path, name: str) -> "Run":
        """Make the folder of a new run of a name, with the next number; no other process gets the same.

        Example:
            >>> import tempfile
            >>> runs = tempfile.mkdtemp()
            >>> [Run.claim(runs, "demo").folder.name for _ in range(2)]
            ['001', '002']
        """
        Path(runs, name).mkdir(parents=True, exist_ok=True)
        number = max((int(run.folder.name) for run in cls.all(runs, name)), default=0)
        while True:
            number += 1
            with suppress(FileExistsError):  # another process was faster
                (folder := Path(runs, name, f"{number:03}")).mkdir()
                return cls(folder)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep the folder for this process; the system gives it free when the process ends, however that happens.

        Raises:
            OSError: if the folder cannot be made.
            RunFolderError: if another process trains in it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / LOCK, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunFolderError(
                f"another process is training in {self.folder}; wait for its end, or begin a run of your own"
            ) from None
        try:
            yield
        finally:
            with suppress(OSError):  # Windows removes no open file, and filelock removes it there
                (self.folder / LOCK).unlink()
            lock.release()

    @property
    def can_resume(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return self.last.is_file() or self.best.is_file()

    def remove_if_empty(self) -> None:
        """Remove the folder of a run that failed before an epoch had ended, and that of the runs of its name if empty.

        Example:
            >>> import tempfile
            >>> run = Run.claim(tempfile.mkdtemp(), "demo")
            >>> run.remove_if_empty()
            >>> run.folder.exists()
            False
        """
        if self.folder.name.isdigit() and not self.can_resume and not self.history.is_file():
            shutil.rmtree(self.folder, ignore_errors=True)
            with suppress(OSError):  # where others are
                self.folder.parent.rmdir()

    def good_checkpoint(self, wanted: str) -> Path:
        """Return a checkpoint; where the last is missing or damaged, the best is good to resume from, too.

        Args:
            wanted: ``"last"`` or ``"best"``.

        Raises:
            CheckpointError: if there is no good one.
            FileNotFoundError: if there is none.
        """
        if wanted == "best" or not self.last.is_file():
            return self.best
        if _is_good(self.last):
            return self.last
        if not self.best.is_file() or not _is_good(self.best):
            raise CheckpointError(f"{self.last} is damaged, and there is no good {BEST} beside it; begin a new run")
        warnings.warn(f"{self.last} is damaged; going on from {self.best}", stacklevel=2)
        return self.best


def said_in(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file that describes a run; nothing where there is none, with a warning if damaged.

    Example:
        >>> said_in(Path("runs/demo/001/versions.json"))
        {}
    """
    try:
        found = json.loads(path.read_text()) if path.is_file() else {}
    except (ValueError, RecursionError, OSError) as error:
        found = error
    if not isinstance(found, dict):
        what = f"it has a {type(found).__name__}" if not isinstance(found, Exception) else str(found)
        warnings.warn(f"{path} holds no JSON object and is left out: {what}", stacklevel=2)
        return {}
    return found


def _is_good(path: Path) -> bool:
    try:
        read_checkpoint(path)
    except CheckpointError:
        return False
    return True


def versions() -> dict[str, str]:
    """Return the versions and the machine that a run's bits depend on, by name.

    Example:
        >>> versions()["torch"] == version("torch")
        True
    """
    machine = {"python": platform.python_version(), "platform": platform.platform(), "machine": platform.machine()}
    return {name: version(name) for name in PACKAGES} | machine | {"threads": str(torch.get_num_threads())}
