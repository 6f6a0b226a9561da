"""The command line's parser: help that names every knob, errors that suggest the one that was meant."""

import argparse
import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ArgumentParser
from lightning.pytorch.cli import LightningArgumentParser

from torchann.commands.plain_yaml import NO_CONFIG, accept_only_plain_yaml
from torchann.commands.suggestions import DATA, TASKS, parameters, suggestion
from torchann.commands.table_shortcut import SHORT
from torchann.commands.trusted import IMPORT, TRUSTED, function_in
from torchann.dashboard.tensorboard_report import TensorBoardReport
from torchann.nets.names import did_you_mean, printable

_NOT_ACCEPTED = (
    r"Option '([\w.]+)' is not accepted",
    r"does not accept option '([\w.]+)'",
    r"unrecognized arguments: --([\w.-]+)",
    r"has no attribute '(\w+)'",
    r"Expected a dot import path string: (\w+)",
)
CLI_OPTIONS = ("config", "quiet", "resume", "ensemble", "time_limit", "seed_everything", "ckpt_path", "output")
LONGEST_LINE = 1_000  # characters
_DATA = "give FILE --target COLUMN, CONFIG.yaml, or --model CLASS and --data CLASS"
_SPACE = """give what to search, such as --tune.space '{model.lr: {low: 0.0001, high: 0.1}}', or in a config:
tune:
  space:
    model.lr: {low: 0.0001, high: 0.1}
    model.hidden_sizes: {layers: [1, 3], neurons: [16, 128]}
  trials: 20"""
_TYPES = {"NoneType": "null", "float": "a number", "int": "a whole number", "bool": "true or false", "str": "text"}
_TYPES |= {
    "Sequence": "a list, such as [300, 100]",
    "list": "a list, such as [a, b]",
    "dict": "a mapping, such as {a: 1}",
}


class Parser(LightningArgumentParser):
    """Lightning's parser, without abbreviations: ``--trainer.max_epoch`` is refused, not guessed."""

    command = "torchann"
    """What the user typed; the parsers of parsers do not know it."""
    own: tuple[str, ...] = ()
    """Options that belong to no model, data or Trainer."""
    words: tuple[str, ...] = ()
    """The command line, with short options as long ones."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        accept_only_plain_yaml()
        super().__init__(*args, **kwargs | {"allow_abbrev": False})

    def add_method_arguments(self, theclass: type, themethod: str, *args: Any, **kwargs: Any) -> list[str]:
        """Add what a subcommand takes beside Trainer, model and data, and return what the Trainer's method gets of it.

        Args:
            theclass: the Trainer.
            themethod: its method, ``fit``, ``validate``, ``test`` or ``predict``.
            args: jsonargparse's, without a use here.
            kwargs: jsonargparse's, without a use here.
        """
        checkpoint = "best or last of the latest run, or a .ckpt file; fit goes on from it"
        self.add_argument("--ckpt_path", type=str | Path | None, help=checkpoint)
        if themethod == "fit":
            resume = "go on with the latest run where it was stopped; start one if there is none"
            self.add_argument("--resume", action="store_true", help=resume)
            nets = "nets that are trained together on a table, and averaged, after a search of how to"
            self.add_argument("--ensemble", type=int | None, help=nets)
            seconds = "seconds in which to search the strongest nets for a table"
            self.add_argument("--time_limit", type=float | None, help=seconds)
        if themethod == "predict":
            output = "a .csv, .npy or .parquet file; by default in the run's folder"
            self.add_argument("--output", type=str, help=output)
        return ["ckpt_path"]

    def parse_args(self, *args: Any, **kwargs: Any) -> Any:
        """Parses the command line and the config files that it names."""
        if args and isinstance(args[0], list):
            Parser.words = tuple(map(str, args[0]))
        try:
            config = super().parse_args(*args, **kwargs)
        except UnicodeDecodeError as error:
            self.error(f"the config is no text in UTF-8 ({error.reason} at byte {error.start}); give a YAML file")
        if (path := function_in(config)) is not None:
            self.error(f"{path} is no class; give the class_path of a class, which is then made")
        return config

    def format_help(self, *args: Any, **kwargs: Any) -> str:
        """The knobs of the tasks and the data first, then the run's and Lightning's own."""
        usage = f"usage: {self.command} CONFIG.yaml [--model.OPTION VALUE]\n"
        usage += f"       {self.command} --model CLASS --data CLASS [--trainer.OPTION VALUE]\n"
        usage += "\nshort for long options:\n" + "".join(f"  {short:<14}{long}\n" for short, long in SHORT.items())
        own = "".join(_knobs("model", task) for task in TASKS) + "".join(_knobs("data", data) for data in DATA)
        own += _knobs("tensorboard", TensorBoardReport)
        return on_screen(usage + "\n" + own + super().format_help(*args, **kwargs).split("\n\n", 1)[1])

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Says in one line what is wrong and what was probably meant, and exits with status 2."""
        text = _in_one_line(message)
        for pattern in _NOT_ACCEPTED:
            if found := re.search(pattern, message):
                owner = re.search(r"given class_path '(?:[\w.]+\.)?(\w+)'", message)
                text += suggestion(found.group(1), owner.group(1) if owner else None, self.words, self.own)
                break
        text = text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE // 2]} ... {text[-LONGEST_LINE // 2 :]}"
        print(f"{self.command}: error: {printable(text)}\nHelp: {self.command} --help", file=sys.stderr)
        sys.exit(2)


def on_screen(text: str) -> str:
    r"""Return a help text in 80 columns, without the markup of docstrings.

    Example:
        >>> on_screen("  --data.names DATA.NAMES, --data.names+ DATA.NAMES")
        '  --data.names NAMES\n'
        >>> on_screen("as :meth:`~torchann.Trainer.fit` has it, ``x``")
        'as fit has it, x\n'
    """
    text = re.sub(r":[a-z:]+:`[~!]?(?:[\w.\s]*\.)?\s*(\w+[^`]*)`", r"\1", text.replace("``", ""))
    text = re.sub(r", --[\w.]+\+ \S+", "", text)
    text = re.sub(r" (?:MODEL|DATA|TRAINER|TENSORBOARD|TUNE)\.(?=[A-Z_]+\b)", " ", text)
    lines = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        lines += textwrap.wrap(line, 80, subsequent_indent=f"{indent}  ", break_on_hyphens=False) or [""]
    return "\n".join(lines) + "\n"


def _in_one_line(message: str) -> str:
    if denied := re.search(r"Importing '([\w.]+)' is not allowed", message):
        module = denied[1].rpartition(".")[0]
        trusted = f"a config may name classes of {', '.join(TRUSTED)}"
        return f"{denied[1]} is not trusted; {trusted}, and of your own modules with {IMPORT} {module}"
    if several := re.search(r"Multiple subclasses with name (\w+)\. .*?: (.*)\.", message):
        return f"there are several classes {several[1]}; give the whole name, {' or '.join(several[2].split(', '))}"
    if unknown := re.search(r"module '([\w.]+)' has no attribute '(\w+)'|dot import path string: (\w+)", message):
        return f"there is no class {unknown[3] or f'{unknown[1]}.{unknown[2]}'}"
    key, value = re.search(r'Parser key "([\w.]+)"', message), re.search(r"(?:Got|Given) value: (.*)", message)
    if key and value:
        return f"{_full_name(key[1])} is {value[1]!r}; {_wanted(message, value[1])}"
    if missing := re.search(r"are required: (.*)", message):
        names = missing[1].replace(f"{Parser.command.split()[-1]}.", "")
        return f"there is no {' and no '.join(names.split(', '))}; {_SPACE if names == 'space' else _DATA}"
    if message.startswith("Unexpected config: "):
        return NO_CONFIG.replace("it is", "the config is")
    if "trainer.seed" in message and "seed_everything" in message:
        return "the seed of a run is given as --seed, or as seed_everything in a config, not as trainer.seed"
    return " ".join(message.replace('Parser key "config":', "--config:").replace('in "<unicode string>", ', "").split())


def _full_name(name: str) -> str:
    if "." in name:
        return name
    places = [place for place, owners in (("model", TASKS), ("data", DATA)) for o in owners if name in parameters(o)]
    return f"{places[0]}.{name}" if places else name


def _wanted(message: str, value: str) -> str:
    found = ", ".join(re.findall(r"Expected a typing.Literal\[(.*?)\]", message))
    if choices := list(dict.fromkeys(found.replace("'", "").split(", "))) if found else []:
        return f"give one of {', '.join(choices)}{did_you_mean(value, choices, before='; ')}"
    if kind := re.search(r"does not correspond to a subclass of (\w+)", message):
        return f"give a subclass of {kind[1]}"
    types = dict.fromkeys(re.findall(r"Expected an? <class '(?:\w+\.)*(\w+)'>", message))
    if list(types) == ["NoneType"]:
        return "give class_path, the name of a class, and init_args, a mapping of its knobs"
    return "give " + " or ".join(_TYPES.get(name, name) for name in types)


def _knobs(key: str, owner: type) -> str:
    parser = ArgumentParser(add_help=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_class_arguments(owner, key)
    body = parser.format_help().split("\n\n", 1)[1].splitlines()
    kept = [line for line in body if not line.startswith(f"  --{key} CONFIG")]
    title = inspect.getdoc(owner) or ""
    return f"--{key} torchann.{owner.__name__}: {title.splitlines()[0]}\n" + "\n".join(kept[1:]) + "\n\n"
