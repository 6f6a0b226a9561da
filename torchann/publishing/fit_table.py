"""A table in, a fitted and judged model out: ``torchann.fit``, and what ``torchann fit --data`` does."""

import inspect
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback

from torchann.dashboard.tensorboard_report import TensorBoardReport
from torchann.data.tables.csv_table import stem
from torchann.data.tabular import TabularDataModule
from torchann.files.checkpoint_files import read_checkpoint
from torchann.nets.names import no_such_argument, printable
from torchann.publishing.judging import judge
from torchann.publishing.small_tables import cross_validated, kind_of, said_of, settings_of
from torchann.publishing.telling import tell
from torchann.tasks.classification import ClassificationMLP
from torchann.tasks.regression import RegressionMLP
from torchann.training.checkpoints import best_path
from torchann.training.early_stopping import EarlyStopping
from torchann.training.trainer import Trainer

MAX_EPOCHS = 100
MODEL_OPTIONS: dict[str, Any] = {"hidden_sizes": [128, 64], "optimizer": "adam", "lr": 0.001}
"""Of the model for a user's table."""
SHORT = {"epochs": "max_epochs", "hidden": "hidden_sizes"}
"""Options that the command has shorter names for, too."""


def fit(
    data: Any, target: Any, *, ensemble: int | None = None, time_limit: float | None = None, **options: Any
) -> RegressionMLP | ClassificationMLP:
    """Train a model on a table, as ``torchann fit --data FILE --target NAME`` does, and measure it at the end.

    The task is found from the target. Columns that nets are better at with waves, such as coordinates, get them, unless
    ``numbers`` says what columns get. By default the net has hidden layers of 128 and 64, trained by Adam for up to 100
    epochs; early stopping gives it the weights of its best epoch.

    Args:
        data: a CSV, Parquet or NumPy file, several, a data frame, a mapping of columns, an array ``(rows, columns)``.
        target: the column to predict, or several, by name or number; or their values.
        ensemble: number of nets that are trained together, each without another part of the rows, and averaged; the
            encoding of the numbers and the recipe of the nets are searched first.
        time_limit: seconds in which as many recipes as there is time for are tried; the best are weighted and averaged.
        options: arguments of :class:`~torchann.TabularDataModule`, of the model and of the
            :class:`~torchann.Trainer`, by their names: ``epochs`` (``max_epochs``), ``lr``, ``hidden_sizes``,
            ``batch_size``, ``dropout``, ``seed``, ``name``, ``verbose``, ``callbacks``, ``kinds``, ...

    Returns:
        The model, with the weights of its best epoch. ``model.report`` has its metrics beside those of a trivial and a
        linear model, ``model.trainer`` the history and the run's folder, :func:`torchann.info` all that it knows.

    Raises:
        TypeError: for an unknown option.
        ValueError: for a table or a target that cannot be trained on, and for a fit that diverged in its first epoch.
        OSError: if a file cannot be read.

    Example:
        >>> x = [float(i % 17) for i in range(200)]
        >>> table = {"x": x, "size": ["big" if value > 8 else "small" for value in x]}
        >>> model = fit(table, "size", epochs=30, lr=0.01, logger=False, verbose=0)
        >>> model.predict({"x": [3.0, 15.0]}, names=True).tolist()
        ['small', 'big']
        >>> model.report.metrics["net"]["accuracy"]
        1.0
    """
    from torchann.estimators.portfolio.table_net import wavy_names  # scikit-learn, which no command but fit needs
    from torchann.publishing.fit_ensemble import fit_ensemble

    given = {SHORT.get(name, name): value for name, value in options.items()}
    of_trainer, of_data = _takes(Trainer) | _takes(Trainer.__bases__[0]), _takes(TabularDataModule)
    known = of_trainer | of_data | _takes(RegressionMLP) | _takes(ClassificationMLP)
    for name in given:
        if name not in known:
            raise TypeError(no_such_argument("fit", name, sorted(known), {}))
    together = ensemble is not None or time_limit is not None
    parts: dict[str, dict[str, Any]] = {"trainer": {}, "data": {}, "model": {}}
    for name, value in given.items():
        parts["trainer" if name in of_trainer else "data" if name in of_data else "model"][name] = value
    table = TabularDataModule(data, target, **parts["data"])
    named: dict[str, Any] = {"name": name_of(data), "max_epochs": MAX_EPOCHS}
    if together:
        check_options(given)
        trainer = Trainer(**(named | parts["trainer"]))
        say = _say_nothing if trainer.quiet else print
        return fit_ensemble(trainer, table, ensemble, time_limit, say)  # type: ignore[no-any-return]
    table.setup()
    small = kind_of(table, given)
    of_small: tuple[dict[str, Any], ...] = ({}, {}, {}) if small is None else settings_of(small, table)
    if small is not None:
        table = TabularDataModule(data, target, **(of_small[1] | parts["data"]))
        table.setup()
    elif "numbers" not in given and (wavy := wavy_names(table)):
        table = TabularDataModule(data, target, **(parts["data"] | {"numbers": dict.fromkeys(wavy, "waves")}))
        table.setup()
    kind = RegressionMLP if table.task == "regression" else ClassificationMLP
    model = kind(**(MODEL_OPTIONS | of_small[0] | parts["model"]))
    stopping: list[Callback] = [] if small is not None else [EarlyStopping()]
    callbacks = parts["trainer"].pop("callbacks", None) or stopping
    callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    logs = parts["trainer"].get("logger") in (None, True)
    if logs and not any(isinstance(callback, TensorBoardReport) for callback in callbacks):
        callbacks.append(TensorBoardReport())
    trainer = Trainer(callbacks=callbacks, **(named | of_small[2] | parts["trainer"]))
    fit_on_table(trainer, model, table, say=_say_nothing if trainer.quiet else print, small=small)
    return model


def check_options(given: Iterable[str]) -> None:
    """Refuse options of a model and of its training where a search chooses the nets.

    Args:
        given: names of options.

    Raises:
        ValueError: if there are any.

    Example:
        >>> check_options(["target", "val_size"])
    """
    chosen = _takes(RegressionMLP) | _takes(ClassificationMLP) | {"max_epochs", "batch_size", "callbacks"}
    if wrong := sorted(set(given) & (chosen - _takes(TabularDataModule) | {"batch_size"})):
        raise ValueError(
            f"ensemble and time_limit choose the nets, and {', '.join(wrong)} would not be heeded; leave one or the "
            "other out"
        )


def _takes(owner: type) -> set[str]:
    return set(inspect.signature(owner).parameters) - {"source", "target", "kwargs"}


def _say_nothing(line: str) -> None:
    pass


def name_of(source: Any) -> str:
    """Return what the runs on a table are called.

    Example:
        >>> name_of("data/homes.csv"), name_of(["2023.csv", "2024.csv"]), name_of({"x": [1.0]})
        ('homes', '2023', 'table')
    """
    first = source[0] if isinstance(source, (list, tuple)) and source else source
    return (stem(Path(first)).replace("*", "") if isinstance(first, (str, PathLike)) else "") or "table"


def fit_on_table(
    trainer: Trainer,
    model: Any,
    data: TabularDataModule,
    ckpt_path: Any = None,
    say: Callable[[str], None] = print,
    small: str | None = None,
) -> None:
    """Train a model on a table and measure it: its ``report``, which its run's folder and TensorBoard have, too.

    Args:
        trainer: that fits it.
        model: a task; ends with the weights of its best epoch.
        data: the table.
        ckpt_path: a checkpoint to resume from.
        say: takes what was found out about the table, and the metrics.
        small: few or wide, for a table whose options are those of :mod:`torchann.publishing.small_tables`.

    Raises:
        ValueError: if the fit diverged before an epoch ended.
    """
    if trainer.max_epochs == 0:
        raise ValueError("max_epochs is 0, and a net that is not trained says nothing of a table; give 1 or more")
    data.setup("fit")
    if trainer.is_global_zero:
        say(printable(str(data.report)))
        if small is not None:
            say(said_of(small, data, int(trainer.max_epochs or 0)))
    trainer.fit(model, datamodule=data, ckpt_path=ckpt_path, weights_only=True)
    check_usable(trainer)
    if trainer.stopped_by in (None, "interrupt") or trainer.fast_dev_run or not trainer.is_global_zero:  # type: ignore[attr-defined]
        return
    best, epoch = best_path(trainer.checkpoint_callback), trainer.current_epoch - 1
    if best:
        checkpoint = read_checkpoint(best)
        epoch = checkpoint["epoch"]
        model.load_state_dict(checkpoint["state_dict"])
    judged = judge(model, data)
    if judged is None:
        return
    tell(model, judged, trainer, epoch, say)
    if small is not None:
        say(cross_validated(model, data, int(trainer.max_epochs or 0), trainer.seed) or "too few rows for folds")


def check_usable(trainer: Trainer) -> None:
    """Raise ValueError if a fit diverged before there was a model worth keeping."""
    if trainer.stopped_by == "nan" and not best_path(trainer.checkpoint_callback):
        raise ValueError("the fit has diverged before an epoch ended, and leaves no model that is of use")
