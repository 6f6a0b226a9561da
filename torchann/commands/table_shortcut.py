"""``--data FILE --target NAME`` on the command line, and the model for it where none is named."""

import glob
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torchann.commands.texts import keep_texts
from torchann.data.tables.columns import shortened
from torchann.data.tables.open_table import SHIPPED, open_table
from torchann.nets.names import nearest
from torchann.publishing.fit_table import MAX_EPOCHS, MODEL_OPTIONS
from torchann.publishing.fit_table import name_of as name_of

DEFAULTS = [word for name, value in MODEL_OPTIONS.items() for word in (f"--model.{name}", str(value))]
SHORT = {
    "--epochs": "--trainer.max_epochs",
    "--name": "--trainer.name",
    "--seed": "--seed_everything",
    "--task": "--data.task",
    "--time-limit": "--time_limit",
    "--verbose": "--trainer.verbose",
    "--batch-size": "--data.batch_size",
    "--numbers": "--data.numbers",
    "--lr": "--model.lr",
    "--optimizer": "--model.optimizer",
    "--activation": "--model.activation",
    "--dropout": "--model.dropout",
    "--hidden": "--model.hidden_sizes",
}
"""What people type for the options that they use most."""
HIDDEN = ("--hidden", "--model.hidden_sizes")
STOPPING = ["--trainer.callbacks+=torchann.EarlyStopping"]


def is_table(word: str) -> bool:
    """Whether what follows ``--data`` names a file, and no class.

    Example:
        >>> is_table("people.csv"), is_table("california-housing"), is_table("torchann.IrisDataModule")
        (True, True, False)
    """
    ending = Path(word).suffix[1:]
    named = word in SHIPPED or ending[:1].islower() or "/" in word  # classes begin with a capital letter
    return named or glob.has_magic(word) or Path(word).is_file()


def translated(words: Sequence[str]) -> list[str]:
    """Return a command line with a file in place of a class, in the words that LightningCLI knows.

    A table or a config may come first without an option, and the options of :data:`SHORT` stand for long ones.

    Args:
        words: the options of a command.

    Raises:
        ValueError: if there is a file and no target, or a target and no data.

    Example:
        >>> translated(["--data", "people.csv", "--target", "income", "--seed=1"])[1:]
        ['torchann.TabularDataModule', '--data.source=people.csv', '--data.target=income', '--seed_everything=1']
    """
    rest: list[str] = []
    table: list[str] = []  # comes first: the knobs of the data mean nothing before their class is known
    files: list[str] = []
    targets: list[str] = []
    given = list(words)
    if given and not given[0].startswith("-"):
        given.insert(0, "--config" if Path(given[0]).suffix.lower() in (".yaml", ".yml") else "--data")
    while given:
        word = given.pop(0)
        option, sign, value = word.partition("=")
        if option not in ("--data", "--target", *HIDDEN):
            rest.append(f"{SHORT.get(option, option)}{sign}{value}")
            continue
        values = [value] if sign else []
        while given and not sign and not given[0].startswith("--"):
            values.append(given.pop(0))
        if option in HIDDEN and (option == "--hidden" or len(values) > 1):
            rest.append(f"{SHORT['--hidden']}=[{', '.join(part.strip('[], ') for part in values)}]")
        elif option == "--target" and values:
            targets += values
        elif option == "--data" and values and is_table(values[0]):
            files = values
            table = ["--data", "torchann.TabularDataModule", "--data.source", _joined(values)]
        else:
            rest += [word] if sign else [word, *values]
    target = ["--data.target", _joined(targets)] if targets else []
    has_target = target or any(word == "--data.target" or word.startswith("--data.target=") for word in rest)
    if targets and not any(word.startswith(("--data", "--config", "-c")) for word in [*words, *table, *rest]):
        raise ValueError(f"there is a target and no table; give --data FILE --target {targets[0]}")
    if files and not has_target and "--help" not in rest:
        names = open_table(files).columns
        options = [word.partition("=")[0] for word in rest if word.startswith("--")]
        if wrong := next((option for option in options if nearest(option, ["--target"], cutoff=0.7)), None):
            raise ValueError(f"there is no option {wrong}; did you mean '--target'?")
        raise ValueError(f"there is no target; give --target and the column to predict, of {shortened(names)}")
    return keep_texts([*table, *target, *rest] if table else [*rest, *target])


def _joined(values: list[str]) -> str:
    return values[0] if len(values) == 1 else json.dumps(values)


def in_words(part: str, options: Mapping[str, Any]) -> list[str]:
    """Return options of a part as words of a command line.

    Example:
        >>> in_words("model", {"hidden_sizes": [64], "lr": 0.1})
        ['--model.hidden_sizes', '[64]', '--model.lr', '0.1']
    """
    return [word for name, value in options.items() for word in (f"--{part}.{name}", json.dumps(value))]


def option_name(word: str) -> str:
    """Return the name of the option that a word of a command line is, without what it belongs to.

    Example:
        >>> option_name("--data.val_size=0.1"), option_name("--trainer.callbacks+=x"), option_name("--ensemble")
        ('val_size', 'callbacks', 'ensemble')
    """
    return word.partition("=")[0].rstrip("+").rpartition(".")[2].lstrip("-")


def without_model_knobs(words: Sequence[str]) -> list[str]:
    """Return a command line without ``--model.KNOB VALUE``.

    Example:
        >>> without_model_knobs(["--model.lr", "0.1", "--quiet", "--model.norm=batch"])
        ['--quiet']
    """
    found: list[str] = []
    given = list(words)
    while given:
        word = given.pop(0)
        if not word.startswith("--model."):
            found.append(word)
        elif "=" not in word and given and not given[0].startswith("--"):
            given.pop(0)
    return found


def with_model(words: Sequence[str], task: str, epochs_given: bool, callbacks_given: bool) -> list[str]:
    """Return a command line with the model that suits a task; what the words say themselves stays.

    Args:
        words: the options of a command.
        task: regression, binary or multiclass.
        epochs_given: whether they say for how long to train.
        callbacks_given: whether they name callbacks.

    Example:
        >>> with_model(["--model.lr", "0.1"], "binary", True, True)[:2]
        ['--model', 'torchann.ClassificationMLP']
    """
    model = "torchann.RegressionMLP" if task == "regression" else "torchann.ClassificationMLP"
    more = [] if epochs_given else ["--trainer.max_epochs", str(MAX_EPOCHS)]
    more += [] if callbacks_given else STOPPING
    return ["--model", model, *DEFAULTS, *more, *words]
