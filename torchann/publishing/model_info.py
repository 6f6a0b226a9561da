"""What a model file is, what it expects and how it scored, in words."""

import json
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

from tabulate import tabulate
from torch import nn

from torchann.data.tables.columns import shortened, shown
from torchann.files.history import Row, epoch_number
from torchann.files.metric_name import MetricName
from torchann.files.run import Run, said_in
from torchann.files.safetensors_file import read
from torchann.nets.column import TIME, Column
from torchann.nets.names import printable
from torchann.nets.readable import Readable
from torchann.nets.table_columns import TableColumns
from torchann.publishing.judged import judged_of
from torchann.publishing.model_paths import find_model, model_from
from torchann.tasks.net_choice import net_in_words

MOST_COLUMNS = 40


class ModelInfo(Readable):
    """A model in words, as :func:`info` returns it; print it.

    Attributes:
        path: the model's file; None for a model that was given itself.
        model: that the file holds, or that was given.

    Raises:
        TypeError: for something that is neither a path nor a model.
    """

    def __init__(self, model: Any) -> None:
        given = isinstance(model, (str, PathLike))
        if not given and not hasattr(model, "predict"):
            raise TypeError(f"a {type(model).__name__} is no model; give a task, an estimator, or the path of a file")
        self.path: Path | None = find_model(Path(model)) if given else None
        self.model: Any = model if self.path is None else model_from(self.path)

    def __str__(self) -> str:
        model = self.model
        net = getattr(model, "net", model if isinstance(model, nn.Module) else None)
        weights = "" if net is None else f", {sum(part.numel() for part in net.parameters()):,} weights"
        built = hasattr(model, "net") or not getattr(model, "sizes", ())
        weights = weights if built else ", whose sizes come from the data of its first fit"
        written = f" of torchann {self.versions.get('torchann')}"
        if self.path is None or self.path.suffix == ".ckpt":
            written = "" if self.path is None else ", a checkpoint"
        name = "" if self.path is None else f"{self.path}: "
        lines = [f"{name}{type(model).__name__}{written}{weights}"]
        hparams = dict(getattr(model, "hparams", {}))
        lines += [net_in_words(hparams)] if net_in_words(hparams) else []
        lines += [_predicts(model)] if hparams and built else []
        lines += _expects(model)
        lines += _learnt_from(getattr(model, "data_info", None))
        lines += _scored(model)
        judged = judged_of(model)
        lines += [] if judged is None else [str(judged)]
        for stage, figures in self.measured.items():
            message = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
            lines.append(f"measured by torchann {stage}: {message}")
        return printable("\n".join(lines))

    @property
    def versions(self) -> dict[str, str]:
        """What it was trained with, by name: what the run of a checkpoint had, or the torchann that wrote a file."""
        if self.path is None:
            return {}
        if self.path.suffix != ".ckpt":
            return {"torchann": shown(str(read(self.path).document.get("torchann")))}
        message = said_in(Run.of(self.path).versions)
        return {shown(name): shown(str(number)) for name, number in message.items()}

    @property
    def measured(self) -> dict[str, dict[str, float]]:
        """What ``torchann validate`` and ``torchann test`` measured of the run, figures by command."""
        found: dict[str, dict[str, float]] = {}
        if self.path is None:
            return found
        for stage in ("validate", "test"):
            file = Run.of(self.path).measured(stage)
            if self.path.suffix == ".ckpt" and file.is_file():
                message = said_in(file)
                found[stage] = {shown(name): value for name, value in message.items() if isinstance(value, float)}
        return found


def info(model: Any) -> ModelInfo:
    """What a model is, what it expects and how it scored; print it.

    Args:
        model: a task or an estimator, or the path of a model file, a checkpoint or the folder of a run.

    Raises:
        OSError: if there is none.
        TypeError: for something that is no model.
        ValueError: if it is damaged, or no model.

    Example:
        >>> import tempfile, torchann
        >>> path = Path(tempfile.mkdtemp(), "net.safetensors")
        >>> model = torchann.RegressionMLP([3], in_features=2, out_features=1, target_names=["price"])
        >>> info(model)
        RegressionMLP, 13 weights
        hidden layers [3], relu
        predicts values: price
        expects 2 numbers per row
        says nothing of its training data
        >>> torchann.save(model, path)
        >>> print(str(info(path)).partition(": ")[2].partition(",")[0])
        RegressionMLP of torchann 0.1.0
    """
    return ModelInfo(model)


def outputs_of(model: Any) -> str | dict[str, str]:
    """Return what a task's output is: regression, binary, multiclass or multilabel; of several each by its name.

    Example:
        >>> import torchann
        >>> outputs_of(torchann.ClassificationMLP([], 2, 3))
        'multiclass'
    """
    hparams = model.hparams
    if "outputs" in hparams:
        return {name: str(output["task"]) for name, output in hparams["outputs"].items()}
    if "num_classes" in hparams or "class_names" in hparams:
        return str(hparams.get("task") or "binary")
    return "regression"


def metadata(task: Any) -> dict[str, str]:
    """Return what an exported file says beside its graph, for servers: facts by name; lists and mappings are JSON.

    ``columns`` has for each column of a table its name and kind; a category's code is its place in ``categories``.

    Example:
        >>> import torchann
        >>> metadata(torchann.ClassificationMLP([], 2, 3, class_names=["a", "b", "c"]))["class_names"]
        '["a", "b", "c"]'
    """
    prepared = task.preprocessing
    table = None if prepared is None else prepared.table
    facts: dict[str, Any] = {
        "torchann_version": version("torchann"),
        "model_class": type(task).__name__,
        "task": outputs_of(task),
        "feature_names": task.feature_names,
        "columns": None if table is None else table.columns,
        "missing_values": None if table is None else table.missing_values,
        "class_names": task.hparams.get("class_names"),
        "target_names": task.hparams.get("target_names"),
    }
    return {
        name: fact if isinstance(fact, str) else json.dumps(fact, ensure_ascii=True)
        for name, fact in facts.items()
        if fact
    }


def _predicts(model: Any) -> str:
    what, hparams = outputs_of(model), model.hparams
    if not isinstance(what, str):
        return f"predicts the outputs {shortened(list(map(str, what)))}"
    if what == "regression":
        names, what = hparams.get("target_names") or [f"{hparams.get('out_features')} per row"], "values"
    else:
        names, what = hparams.get("class_names") or range(hparams.get("num_classes") or 2), f"{what} classes"
    cut = getattr(model, "decision_threshold", 0.5)
    after = f", the second from a probability of {cut:.3g} on" if what == "binary classes" and cut != 0.5 else ""
    return f"predicts {what}: {shortened(list(map(str, names)))}{after}"


def _expects(model: Any) -> list[str]:
    prepared, names = getattr(model, "preprocessing", None), getattr(model, "feature_names", None)
    if prepared is not None and prepared.table is not None:
        return ["expects a table with these columns, in any order:", _columns(prepared.table)]
    if names is not None:
        return [f"expects a table with the columns {shortened(names, MOST_COLUMNS)}"]
    size = getattr(model, "hparams", {}).get("in_features") or getattr(model, "n_features_in_", None)
    return [f"expects {size} numbers per row"] if size else []


def _columns(step: TableColumns) -> str:
    rows = column_rows(step)
    more = len(rows) - MOST_COLUMNS
    table = tabulate(rows[:MOST_COLUMNS], ["column", "kind", "", "training rows"], disable_numparse=True)
    return table + (f"\nand {more:,} columns more" if more > 0 else "")


def column_rows(step: TableColumns) -> list[list[str]]:
    """Of each column of a table its name, its kind, whether it may be missing, and what training rows had."""
    parts = zip(step.table, step.mean.tolist(), step.std.tolist(), strict=True)
    return [
        [shown(column.name), shown(column.words), "may be missing" if column.missing else "", _of(column, mean, std)]
        for column, mean, std in parts
    ]


def _of(column: Column, mean: float, std: float) -> str:
    if column.kind == "category":
        return shortened([shown(text, 20) for text in column.categories], 6)
    if column.form == TIME:
        return "share of the day"
    if column.kind == "date":
        return "days since 1970" + "".join(f", again after {days:g}" for days in column.periods)
    return f"{mean:.4g} ± {std:.4g}"


def _learnt_from(data: dict[str, Any] | None) -> list[str]:
    if not data or not any(data.values()):
        return ["says nothing of its training data"]
    rows = f", {data['rows']:,} rows" if data.get("rows") else ""
    print_of = f", {shown(data['fingerprint'], 80)}" if data.get("fingerprint") else ""
    return [f"learnt from {shown(str(data.get('name')))}{rows}{print_of}"]


def _scored(model: Any) -> list[str]:
    history = getattr(model, "history", None)
    if not history:
        return []
    best, epochs = best_epoch(model), "1 epoch" if len(history) == 1 else f"{len(history)} epochs"
    if best is None:
        return [f"trained for {epochs}"]
    message = [f"{shown(key)} {value:.4g}" for key, value in best.items() if MetricName.parse(key).stage]
    return [f"trained for {epochs}, best in epoch {epoch_number(best['epoch'])}: {', '.join(message)}"]


def best_epoch(model: Any) -> Row | None:
    """Return the epoch with the lowest loss on validation rows, or training rows where there are no others, if any."""
    history = getattr(model, "history", None)
    try:
        return history.best("val_loss" if "val_loss" in history.columns else "train_loss") if history else None
    except (KeyError, ValueError):
        return None
