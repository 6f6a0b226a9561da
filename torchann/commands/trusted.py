"""Which classes a config may name: those of trusted packages, and of modules that the command line imports."""

import importlib
import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from jsonargparse import Namespace, set_parsing_settings

TRUSTED = ("lightning", "torch.nn", "torch.optim", "torchann", "torchmetrics")
IMPORT = "--import"


def trust(words: Sequence[str]) -> list[str]:
    """Import the modules that a command line names by ``--import``, and let configs name their classes and ours only.

    Modules are found where Python finds them and, after that, in the folder that the command is called in.

    Args:
        words: the options of a command.

    Returns:
        The other options.

    Raises:
        ValueError: for a module that cannot be imported.

    Example:
        >>> trust(["--import", "fractions", "--quiet"])
        ['--quiet']
    """
    rest, modules, given = [], [], list(words)
    while given:
        word = given.pop(0)
        if word.startswith(f"{IMPORT}="):
            modules.append(word.partition("=")[2])
        elif word == IMPORT:
            modules.append(given.pop(0) if given else "")
        else:
            rest.append(word)
    if modules and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    for module in modules:
        try:
            importlib.import_module(module)
        except (ImportError, ValueError) as error:
            raise ValueError(f"{IMPORT} {module}: {error}; give the name of a module, such as my_nets") from None
    set_parsing_settings(import_path_allowlist=modules)  # beside what every config may name
    return rest


def function_in(config: Any) -> str | None:
    """Return the first ``class_path`` of a config that is of something else than a class, None if there is none.

    jsonargparse would call a function that says it returns an object of the wanted class.
    """
    for path in _class_paths(config):
        module, _, name = path.rpartition(".")
        found = None
        with suppress(ImportError, AttributeError, ValueError):
            found = getattr(importlib.import_module(module), name)
        if found is not None and not inspect.isclass(found):
            return path
    return None


def _class_paths(value: Any) -> Iterator[str]:
    if isinstance(value, Namespace):
        value = vars(value)
    if isinstance(value, dict):
        if isinstance(value.get("class_path"), str):
            yield value["class_path"]
        for part in value.values():
            yield from _class_paths(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _class_paths(part)
