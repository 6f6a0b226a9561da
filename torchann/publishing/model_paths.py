"""A trained model by where it lies: a model file, a checkpoint, the folder of a run."""

import re
import warnings
from pathlib import Path
from typing import Any

from torchann.files.checkpoint_files import content_of, unpack
from torchann.files.history import History
from torchann.files.run import BEST, Run, RunFolderError, said_in
from torchann.nets.names import nearest
from torchann.publishing.judged import Judged
from torchann.publishing.model_document import CLASSES, class_of
from torchann.publishing.model_file import load

RUNS = Path("runs")
EXPORTED = (".onnx", ".pt2")
CLASS_LINE = re.compile(r"^model:\n  class_path: (?:[\w.]+\.)?(\w+)$", re.MULTILINE)


def existing(path: Path) -> Path:
    """Return a path, below ``runs`` if there alone it exists.

    Raises:
        RunFolderError: if it does not exist, and a similar name does.
    """
    below = RUNS / path
    if path.exists() or below.is_dir():
        return path if path.exists() else below
    parents = [path, *path.parents]
    place = next(number for number, parent in enumerate(parents) if parent.is_dir())
    wrong = parents[place - 1]
    places = [parents[place], RUNS] if place == len(parents) - 1 and not path.is_absolute() else [parents[place]]
    names = {found.name: found for folder in places if folder.is_dir() for found in folder.iterdir()}
    near = nearest(wrong.name, names)
    if near is not None:
        raise RunFolderError(f"there is no {path}; did you mean '{names[near] / path.relative_to(wrong)}'?")
    return path


def find_model(path: str | Path) -> Path:
    """The file of a model: the path itself, or the best checkpoint of a run.

    Args:
        path: a model file, a checkpoint, the folder of a run, or that of all runs of a name, whose latest counts; the
            name alone where they are in ``runs``.

    Raises:
        RunFolderError: if a folder is none of a run, or there is no such path and one of a similar name.
        ValueError: for a file that was exported.
    """
    path = existing(Path(path))
    if path.suffix in EXPORTED and path.is_file():
        raise ValueError(
            f"{path} is an exported model, which other programs run; its card says what it expects; give the model "
            "it was exported from"
        )
    if not path.is_dir():
        return path
    run = Run.at(path, lambda run: run.can_resume)
    if not run.best.is_file():
        raise RunFolderError(f"{run.folder} has no {BEST}; give a run that has finished an epoch, or a model file")
    return run.best


def model_from(path: str | Path) -> Any:
    """Return the model at a path for :func:`find_model`, in evaluation mode, ready to predict; no code of a file runs.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file is damaged, no model, or of a net whose code is not known.

    Example:
        >>> import tempfile, torchann
        >>> path = Path(tempfile.mkdtemp(), "net.safetensors")
        >>> torchann.save(torchann.RegressionMLP([3], in_features=2, out_features=1), path)
        >>> model_from(path).hparams["hidden_sizes"]
        [3]
    """
    path = find_model(path)
    if path.suffix != ".ckpt":
        return load(path)
    content = content_of(path)
    checkpoint = unpack(content.getvalue(), path)
    inputs = checkpoint.get("inputs")
    name = (inputs.get("class") if isinstance(inputs, dict) else None) or _class_in_config(path)
    if name == "NetTask":
        raise ValueError(
            f"{path} has the weights of a NetTask, not its net's code; load it in Python, with net=MyNet()"
        )
    if not isinstance(name, str) or name not in CLASSES:
        raise ValueError(
            f"{path} does not say of what class it is; in Python, torchann.save(CLASS.load_from_checkpoint(path), file)"
        )
    model = class_of(name).load_from_checkpoint(content, map_location="cpu").eval()
    model.history = _history(Run.of(path).history)
    model.judged = _judged(path, checkpoint)
    return model


def _judged(path: Path, checkpoint: dict[str, Any]) -> dict[str, Any] | None:
    # Of the best epoch, unless the run has gone on to another since.
    file = Run.of(path).measured("fit")
    told = said_in(file) if path.name == BEST else {}
    if not told or told.pop("epoch", None) != checkpoint.get("epoch"):
        return None
    try:
        return Judged.from_plain(told).describe()
    except ValueError as error:
        warnings.warn(f"{file} is left out: {error}", stacklevel=2)
        return None


def _history(path: Path) -> History | None:
    try:
        return History.from_csv(path) if path.is_file() else None
    except (ValueError, OSError) as error:  # a model predicts without it
        warnings.warn(f"{path} is left out: {error}", stacklevel=2)
        return None


def _class_in_config(checkpoint: Path) -> str | None:
    config = Run.of(checkpoint).config
    found = CLASS_LINE.search(config.read_text()) if config.is_file() else None
    return found[1] if found else None
