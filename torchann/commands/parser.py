"""The command line's parser: help that names every knob, errors that suggest the one that was meant."""

import argparse
import difflib
import inspect
import re
import sys
from typing import Any, NoReturn

from jsonargparse import ArgumentParser
from lightning.pytorch.cli import LightningArgumentParser

from torchann.data import CaliforniaHousingDataModule, FashionMNISTDataModule, IrisDataModule
from torchann.runs import Trainer
from torchann.tasks.classification import ClassificationMLP
from torchann.tasks.perceptron import Perceptron
from torchann.tasks.regression import RegressionMLP

TASKS = (ClassificationMLP, RegressionMLP, Perceptron)
DATA = (FashionMNISTDataModule, CaliforniaHousingDataModule, IrisDataModule)
_NOT_ACCEPTED = (
    r"Option '([\w.]+)' is not accepted",
    r"does not accept option '([\w.]+)'",
    r"unrecognized arguments: --([\w.]+)",
    r"has no attribute '(\w+)'",
)


class Parser(LightningArgumentParser):
    """Lightning's parser, without abbreviations: ``--trainer.max_epoch`` is refused, not guessed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"allow_abbrev": False})

    def format_help(self, *args: Any, **kwargs: Any) -> str:
        """The knobs of the tasks and the data first, then the run's and Lightning's own."""
        usage = (
            f"usage: {self._command()} --config FILE [--model.KNOB VALUE] [--data.KNOB VALUE] [--trainer.KNOB VALUE]\n"
        )
        own = "".join(_knobs("model", task) for task in TASKS) + "".join(_knobs("data", data) for data in DATA)
        return usage + "\n" + own + super().format_help(*args, **kwargs).split("\n\n", 1)[1]

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Says in one line what is wrong and what was probably meant, and exits with status 2."""
        told = _in_one_line(message)
        for pattern in _NOT_ACCEPTED:
            if found := re.search(pattern, message):
                told += _suggestion(found.group(1))
                break
        print(f"{self._command()}: error: {told}\nAll knobs: {self._command()} --help", file=sys.stderr)
        sys.exit(2)

    def _command(self) -> str:
        return re.sub(r" \[options\]", "", self.prog)


def _in_one_line(message: str) -> str:
    # jsonargparse wraps the sentence that matters into what it tried: "Does not validate against any of ...".
    found = re.search(r"- Problem with given class_path '(?P<owner>[^']+)':\n(?P<what>(?:\s{8,}.*\n?)+)", message)
    if found is None:
        return message
    what = " ".join(line.strip() for line in found["what"].splitlines())
    what = re.sub(r"typing\.Literal\[(.*?)\]", r"one of \1", what).replace("Parser key", "option")
    return f"{found['owner']}: {what}"


def _parameters(owner: type) -> list[str]:
    return [name for name in inspect.signature(owner).parameters if name not in ("self", "kwargs")]


def _suggestion(name: str) -> str:
    leaf = name.rpartition(".")[2]
    lightning = _parameters(Trainer.__bases__[0])
    places = {"trainer": [*_parameters(Trainer), *lightning], "": [owner.__name__ for owner in (*TASKS, *DATA)]}
    places |= {"model": [knob for task in TASKS for knob in _parameters(task)]}
    places |= {"data": [knob for data in DATA for knob in _parameters(data)]}
    near = difflib.get_close_matches(leaf, {knob for knobs in places.values() for knob in knobs}, n=1, cutoff=0.7)
    if not near:
        return ""
    first = name.partition(".")[0]
    fitting = [place for place, knobs in places.items() if near[0] in knobs]
    place = first if first in fitting else fitting[0]
    return f"; did you mean {f'{place}.{near[0]}' if place else f'torchann.{near[0]}'!r}?"


def _knobs(key: str, owner: type) -> str:
    parser = ArgumentParser(add_help=False, formatter_class=argparse.HelpFormatter)
    parser.add_class_arguments(owner, key)
    body = parser.format_help().split("\n\n", 1)[1].splitlines()
    kept = [line for line in body if not line.startswith(f"  --{key} CONFIG")]
    title = inspect.getdoc(owner) or ""
    return f"--{key} torchann.{owner.__name__}: {title.splitlines()[0]}\n" + "\n".join(kept[1:]) + "\n\n"
