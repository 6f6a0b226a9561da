"""The folders that runs leave: which there are, which checkpoint of one is good, what it was made with."""

import platform
import warnings
from importlib.metadata import version
from pathlib import Path

import torch

from torchann.files.checkpoint_files import CheckpointError, read_checkpoint

PACKAGES = ("torchann", "torch", "lightning", "torchmetrics", "scikit-learn", "tensorboard", "numpy")


class RunFolderError(FileNotFoundError):
    """A run or checkpoint that was asked for is not there."""


def versions() -> dict[str, str]:
    """The versions and the machine that a run's bits depend on, by name.

    Example:
        >>> versions()["torch"] == version("torch")
        True
    """
    machine = {"python": platform.python_version(), "platform": platform.platform(), "machine": platform.machine()}
    return {name: version(name) for name in PACKAGES} | machine | {"threads": str(torch.get_num_threads())}


def latest_run(runs: str | Path, name: str) -> Path:
    """The folder of the latest run of that name that has a checkpoint.

    Raises:
        RunFolderError: if there is none.
    """
    for folder in reversed(run_folders(runs, name)):
        if has_checkpoint(folder):
            return folder
    raise RunFolderError(
        f"there is no finished epoch of a run {name!r} in {Path(runs)}; start one with `torchann fit`, "
        "or name a checkpoint with --ckpt_path"
    )


def has_checkpoint(run_folder: Path) -> bool:
    """Whether a run can be gone on with."""
    return any(path.is_file() for path in _checkpoints_of(run_folder))


def run_folders(runs: str | Path, name: str) -> list[Path]:
    """The folders of the runs of that name, the latest at the end."""
    return sorted((path for path in Path(runs, name).glob("*") if path.name.isdigit()), key=lambda path: int(path.name))


def _checkpoints_of(run_folder: Path) -> list[Path]:
    return [run_folder / "checkpoints" / f"{name}.ckpt" for name in ("last", "best")]


def good_checkpoint(run_folder: Path, wanted: str) -> Path:
    """A run's checkpoint of that name; where the last is not there or damaged, the best is good to go on from, too.

    Args:
        run_folder: such as ``runs/name/001``.
        wanted: ``"last"`` or ``"best"``.

    Raises:
        CheckpointError: if there is no good one.
        FileNotFoundError: if there is none.
    """
    last, best = _checkpoints_of(run_folder)
    if wanted == "best" or not last.is_file():
        return best
    if _is_good(last):
        return last
    if not best.is_file() or not _is_good(best):
        raise CheckpointError(f"{last} is damaged, and there is no good {best.name} beside it; begin a new run")
    warnings.warn(f"{last} is damaged; going on from {best}", stacklevel=2)
    return best


def _is_good(path: Path) -> bool:
    try:
        read_checkpoint(path)
    except CheckpointError:
        return False
    return True
