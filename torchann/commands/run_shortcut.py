"""A run in the place of its config: ``torchann test runs/homes``."""

import glob
from collections.abc import Sequence
from pathlib import Path

from torchann.data.tables.open_table import SHIPPED
from torchann.files.run import Run
from torchann.publishing.model_paths import find_model

MODELS = (".ckpt", ".safetensors", ".onnx", ".pt2")
MEASURES = ("validate", "test")


def with_run(command: str, words: Sequence[str]) -> list[str]:
    """Return a command line with the config, and to measure by the checkpoint, of a run that comes first.

    Args:
        command: the word after ``torchann``.
        words: the options of the command.

    Raises:
        FileNotFoundError: if the run is not there; the nearest name is suggested.
        ValueError: if there is no config beside the model.
    """
    if command == "fit" or not words or not _is_run(words[0], command):
        return list(words)
    model = find_model(words[0])
    config = Run.of(model).config
    if not model.is_file():
        raise FileNotFoundError(f"there is no run {words[0]}; give one such as runs/NAME, or a config")
    if not config.is_file():
        raise ValueError(f"there is no {config} to say what the rows are; give the config with --config")
    checkpoint = ["--ckpt_path", str(model)] if command in MEASURES else []
    return ["--config", str(config), *checkpoint, *words[1:]]


def _is_run(word: str, command: str) -> bool:
    path = Path(word)
    if word.startswith("-") or word in SHIPPED or path.suffix.lower() in (".yaml", ".yml"):
        return False
    if path.is_dir() or path.suffix in MODELS:
        return True
    table = path.suffix or glob.has_magic(word) or path.is_file()  # a name of classes comes behind --data
    return not table and (command in MEASURES or not path.exists())
