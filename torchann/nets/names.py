"""Names: which one was probably meant, and those of a package that are imported when they are first used."""

import difflib
import importlib
import re
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any


def composed(name: str) -> str:
    """Return a name with each accent in one character with its letter, as which names typed either way are one.

    Example:
        >>> composed("Hohe") == composed("Ho\u0308he"), composed("Höhe") == composed("Ho\u0308he")
        (False, True)
    """
    return unicodedata.normalize("NFC", name)


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name that was probably meant, None if none is near.

    Example:
        >>> nearest("Relu", ["elu", "relu", "tanh"]), nearest("x", ["relu", "tanh"])
        ('relu', None)
    """
    known = {each.casefold(): each for each in names}
    return next((known[each] for each in difflib.get_close_matches(name.casefold(), known, n=1, cutoff=cutoff)), None)


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "", before: str = "") -> str:
    """Return what to say of a name that does not exist.

    Args:
        name: as it was given.
        names: that exist.
        otherwise: what to say where none is near.
        before: put before the question.

    Example:
        >>> did_you_mean("relo", ["relu", "tanh"], "choose one of relu, tanh")
        "did you mean 'relu'?"
    """
    near = nearest(name, names)
    return otherwise if near is None else f"{before}did you mean {near!r}?"


ELSEWHERE = {
    "learning_rate": "lr",
    "epochs": "max_epochs",
    "n_epochs": "max_epochs",
    "max_iter": "max_epochs",
    "hidden": "hidden_sizes",
    "hidden_layer_sizes": "hidden_sizes",
    "solver": "optimizer",
    "random_state": "seed",
}
"""What other libraries call an argument."""


def no_such_argument(owner: str, name: str, names: Iterable[str], others: Mapping[str, Iterable[str]]) -> str:
    """Return what to say of an argument that a constructor does not take.

    Args:
        owner: the class.
        name: of the argument.
        names: those that it takes.
        others: arguments of classes that go with it, to be named where one of them was meant.

    Example:
        >>> no_such_argument("Net", "learning_rate", ["lr", "seed"], {})
        "Net has no argument 'learning_rate'; did you mean 'lr'?"
        >>> no_such_argument("Net", "epochs", ["lr"], {"Trainer": ["max_epochs"]})
        "Net has no argument 'epochs'; give the Trainer max_epochs"
    """
    names, theirs = list(names), ELSEWHERE.get(name, name)
    found = theirs if theirs in names else None
    of_other = next((f"give the {other} {theirs}" for other, has in others.items() if theirs in has), None)
    near = found or (None if of_other else nearest(name, names))
    hint = f"did you mean {near!r}?" if near else of_other or f"it takes {', '.join(names)}"
    return f"{owner} has no argument {name!r}; {hint}"


def printable(text: str) -> str:
    """Return a text as a terminal, a log or a page can show it, whatever file it is from.

    Control characters and those that turn the direction of writing are question marks; lines stay lines.

    Example:
        >>> printable("city" + chr(27) + "[2J")
        'city?[2J'
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names are imported when they are used.

    Args:
        package: whose ``__init__`` imports each name under ``TYPE_CHECKING``, as ``from module import name as name``.

    Example:
        >>> lazy_names("torchann")[2][:2]
        ['CaliforniaHousingDataModule', 'Checkpoints']
    """
    module = sys.modules[package]
    here = Path(str(module.__file__))
    source = here.read_text(encoding="utf-8")
    homes = {name: home for home, name in re.findall(r"^ +from ([\w.]+) import (\w+) as \2$", source, re.MULTILINE)}

    def get(name: str) -> Any:
        if name in homes:
            # What Lightning's import makes tqdm say in a notebook without ipywidgets, whose bars nobody shows here.
            warnings.filterwarnings("ignore", "IProgress not found")
            return getattr(importlib.import_module(homes[name]), name)
        if name == "__version__":
            from importlib.metadata import version  # which takes longer than all the rest of the import

            return version(package)
        if (here.parent / name / "__init__.py").is_file():
            return importlib.import_module(f"{package}.{name}")
        what = f"module {package!r} has no attribute {name!r}"
        raise AttributeError(what if name.startswith("_") else did_you_mean(name, homes, what, before=f"{what}; "))

    def public() -> list[str]:
        doors = [name for name in ("estimators", "tuning") if (here.parent / name).is_dir()]
        return sorted([*(name for name in vars(module) if name.startswith("__")), *doors, *homes])

    return get, public, sorted(homes)
