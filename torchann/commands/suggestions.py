"""Which option was probably meant by one that there is not."""

import inspect
from collections.abc import Sequence

from torchann.commands.table_shortcut import SHORT
from torchann.dashboard.tensorboard_report import TensorBoardReport
from torchann.data import (
    CaliforniaHousingDataModule,
    FashionMNISTDataModule,
    IrisDataModule,
    TabularDataModule,
)
from torchann.nets.names import nearest
from torchann.tasks.classification import ClassificationMLP
from torchann.tasks.perceptron import Perceptron
from torchann.tasks.regression import RegressionMLP
from torchann.training.checkpoints import Checkpoints
from torchann.training.early_stopping import EarlyStopping
from torchann.training.trainer import Trainer

TASKS = (ClassificationMLP, RegressionMLP, Perceptron)
DATA = (FashionMNISTDataModule, CaliforniaHousingDataModule, IrisDataModule, TabularDataModule)
CALLBACKS = (EarlyStopping, Checkpoints)
OTHER_WORDS = {"learning_rate": "lr", "learning_rate_init": "lr", "hidden_layer_sizes": "hidden_sizes"}
"""What other packages call an option."""
ELSEWHERE = {
    "early_stopping": "; it is a callback: give --trainer.callbacks null to train without it, and "
    "--trainer.callbacks+=torchann.EarlyStopping to train with it",
    "patience": "; it belongs to early stopping: give --trainer.callbacks+=torchann.EarlyStopping before "
    "--trainer.callbacks.patience",
    "lr_scheduler": "; schedules are options of the model: --model.lr_schedule step "
    "--model.lr_schedule_options '{step_size: 10}'",
    "fashion": "; did you mean 'torchann.FashionMNISTDataModule'?",
    "seed": "; did you mean 'seed_everything'?",
}
"""What there is in the place of an option of another package."""


def parameters(owner: type) -> list[str]:
    """Return the names of what a class is made with.

    Example:
        >>> parameters(Checkpoints)[:1]
        ['monitor']
    """
    return [name for name in inspect.signature(owner).parameters if name not in ("self", "kwargs")]


def suggestion(name: str, owner: str | None, words: Sequence[str], own: Sequence[str]) -> str:
    """Return what to say of an option that there is not, to be put behind an error.

    Args:
        name: of the option, or of a line in a config.
        owner: the class that has no such option, if that is known.
        words: the command line; a name that is not in it is from a config, where no dashes are.
        own: options that belong to no model, data or Trainer.

    Example:
        >>> suggestion("max-epoch", None, ["--trainer.max-epoch", "3"], [])
        "; did you mean '--trainer.max_epochs'?"
        >>> suggestion("bath_size", None, [], [])
        "; did you mean 'data.batch_size'?"
    """
    options = [word.partition("=")[0].rstrip("+") for word in words if word.startswith("--")]
    typed = next((option for option in options if option.endswith((f".{name}", f"--{name}"))), None)
    full = (typed or name).removeprefix("--")
    for part in full.split("."):
        if part in ELSEWHERE:
            return ELSEWHERE[part]
    dashes = "" if typed is None else "--"
    leaf = full.rpartition(".")[2].replace("-", "_")
    leaf = OTHER_WORDS.get(leaf, leaf)
    for place, kind in [("model.", task) for task in TASKS] + [("data.", data) for data in DATA]:
        if kind.__name__ == owner:
            near = nearest(leaf, parameters(kind))
            return _ask(f"{dashes}{place}{near}") if near else f"; {owner} has {', '.join(parameters(kind))}"
    if typed is not None and "." not in full:
        near = nearest(f"--{leaf.replace('_', '-')}", [*SHORT, "--data", "--target"], cutoff=0.75)
        if near is not None:
            return _ask(near)
    places = _places(own)
    near = nearest(leaf, {option for names in places.values() for option in names}, cutoff=0.7)
    if near is None:
        return ""
    fitting = [place for place, names in places.items() if near in names]
    first = f"{full.partition('.')[0]}."
    place = first if first in fitting else fitting[0]
    if place == "trainer.callbacks." and typed is None:
        place = ""
    return _ask(f"--{near}" if place == "--" else f"{dashes if place != 'torchann.' else ''}{place}{near}")


def _ask(option: str) -> str:
    return f"; did you mean {option!r}?"


def _places(own: Sequence[str]) -> dict[str, list[str]]:
    # What stands before the names of options, and these names.
    places: dict[str, list[str]] = {"--": []}
    for name in own:
        place, _, leaf = name.rpartition(".")
        places.setdefault(f"{place}." if place else "--", []).append(leaf)
    trainer = [*parameters(Trainer), *parameters(Trainer.__bases__[0])]
    return places | {
        "torchann.": [owner.__name__ for owner in (*TASKS, *DATA)],
        "model.": [name for task in TASKS for name in parameters(task)],
        "data.": [name for data in DATA for name in parameters(data)],
        "tensorboard.": parameters(TensorBoardReport),
        "trainer.": [name for name in trainer if name not in own],
        "trainer.callbacks.": [name for callback in CALLBACKS for name in parameters(callback)],
    }
