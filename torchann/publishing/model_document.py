"""What a model file says in words: the class, its hyperparameters, where it learnt; checked before anything is made."""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import torch

from torchann.files.history import History
from torchann.files.plain_values import plain
from torchann.files.safetensors_file import Shapes, wrong
from torchann.nets.embedded_mlp import check_embeddings
from torchann.nets.names import nearest
from torchann.publishing.judged import Judged
from torchann.tasks.saved_net import hidden_layers

CLASSES = {
    "ClassificationMLP": "torchann.tasks.classification",
    "MLP": "torchann.nets.mlp",
    "NetTask": "torchann.tasks.net_task",
    "Perceptron": "torchann.tasks.perceptron",
    "RegressionMLP": "torchann.tasks.regression",
    "WideAndDeep": "torchann.tasks.wide_and_deep",
}
"""What a file may hold, and the module that each class is in; no other name in a file is ever imported."""
FIELDS: dict[str, tuple[type, ...]] = {
    "torchann": (str,),
    "class": (str,),
    "hyperparameters": (dict,),
    "preprocessing": (list, type(None)),
    "feature_names": (list, type(None)),
    "data": (dict, type(None)),
    "history": (dict, type(None)),
}
DATA_FIELDS: dict[str, type] = {"name": str, "fingerprint": str, "rows": int}
TARGET_FIELDS = {"names", "task", "class_names", "reads"}
NOT_NUMBERS = ("nan", "inf", "-inf")
SMALL = 2**16  # a size up to this costs nothing
MAX_OUTPUTS = 100


def class_of(name: str) -> Any:
    """The class that :data:`CLASSES` has under that name."""
    return getattr(importlib.import_module(CLASSES[name]), name)


def history_columns(history: Sequence[Mapping[str, float]] | None) -> dict[str, list[Any]] | None:
    """A history by column, as JSON can hold it: what is no number in words, None where a row has no value.

    Example:
        >>> history_columns([{"epoch": 0, "val_loss": float("nan")}, {"epoch": 1}])
        {'epoch': [0, 1], 'val_loss': ['nan', None]}
    """
    if history is None:
        return None
    names = dict.fromkeys(name for row in history for name in row)
    return {name: [_cell(row.get(name)) for row in history] for name in names}


def _cell(value: float | None) -> Any:
    return value if value is None or isfinite(value) else str(float(value))


def history_from(columns: Any) -> History | None:
    """The history that :func:`history_columns` has put into columns.

    Raises:
        ModelFileError: if they are no such columns.
    """
    if columns is None:
        return None
    lists = list(columns.values())
    cells = [cell for cells in lists if type(cells) is list for cell in cells]
    if not all(type(cells) is list and len(cells) == len(lists[0]) for cells in lists) or not all(
        cell is None or type(cell) in (int, float) or cell in NOT_NUMBERS for cell in cells
    ):
        raise wrong("the history is no table of numbers")
    epochs = columns.get("epoch", [] if not lists or not lists[0] else [None])
    if not all(type(epoch) is int and 0 <= epoch < 2**53 for epoch in epochs):
        raise wrong("the history has a row without an epoch, counted from 0")
    if not all(abs(cell) <= sys.float_info.max for cell in cells if type(cell) is int):
        raise wrong("the history has a number that is too large")
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]
    return History(
        {name: float(value) if isinstance(value, str) else value for name, value in row.items() if value is not None}
        for row in rows
    )


def check(document: dict[str, Any]) -> None:
    """Looks at all that a document says but for sizes.

    Raises:
        ModelFileError: for a class that is not known, an unknown hyperparameter, fields of another kind.
    """
    if set(document) - {"judged"} != set(FIELDS):
        raise wrong(f"the fields are {sorted(document)!r:.200} and should be {sorted(FIELDS)}")
    for field, types in FIELDS.items():
        if type(document[field]) not in types:
            raise wrong(f"{field} is a {type(document[field]).__name__} and should be a {types[0].__name__}")
    if document.get("judged") is not None:
        _checked(Judged.from_plain, document["judged"])
    name, names, data = document["class"], document["feature_names"], document["data"]
    if name not in CLASSES:
        near = nearest(name[:80], CLASSES)
        raise wrong(f"there is no class {name!r:.80}: " + (f"is it {near}?" if near else f"only {', '.join(CLASSES)}"))
    if names is not None and not all(type(name) is str for name in names):
        raise wrong(f"feature_names are {names!r:.80} and should be text")
    if data is not None and (
        set(data) - {"target"} != set(DATA_FIELDS)
        or not all(data[key] is None or type(data[key]) is kind for key, kind in DATA_FIELDS.items())
    ):
        raise wrong(f"data is {data!r:.80} and should be a name, a fingerprint and a number of rows")
    _check_target((data or {}).get("target"))
    known = [option for option in inspect.signature(class_of(name)).parameters if option != "net"]
    for option, value in document["hyperparameters"].items():
        if option not in known:
            near = nearest(option[:80], known)
            raise wrong(f"{name} has no hyperparameter {option!r:.80}" + (f": is it {near!r}?" if near else ""))
        plain(option, value)


def _check_target(target: Any) -> None:
    if target is None:
        return
    given = target if type(target) is dict and set(target) == TARGET_FIELDS else dict.fromkeys(TARGET_FIELDS)
    reads: list[Any] = given["reads"] if type(given["reads"]) is list else [None]
    lists = [given["names"], given["class_names"], *reads]
    texts = all(type(part) is list and all(type(text) is str for text in part) for part in lists)
    if not texts or type(given["task"]) is not str or any(len(read) != 2 for read in reads):
        raise wrong(f"the target is {target!r:.80} and should be names, a task, class_names and reads")


def check_sizes(document: dict[str, Any], shapes: Shapes) -> None:
    """Make sure that a net of these hyperparameters, which :func:`check` has let pass, is no larger than its tensors.

    Raises:
        ModelFileError: for a size that is none, or that has no tensors to go with.
    """
    options, kind = document["hyperparameters"], class_of(document["class"])
    limit = max(SMALL, sum(torch.Size(shape).numel() for _, shape in shapes.values()))
    layers, outputs = _checked(hidden_layers, options, len(shapes)), options.get("outputs", {})
    if type(outputs) is not dict or len(outputs) > MAX_OUTPUTS or not all(type(o) is dict for o in outputs.values()):
        raise wrong(f"outputs is {outputs!r:.80} and should be at most {MAX_OUTPUTS}, each with its options")
    sizes = {size: options.get(size) for size in getattr(kind, "sizes", ("in_features", "out_features"))}
    sizes |= {f"{name}[{number}]": size for name, part in layers.items() for number, size in enumerate(part)}
    sizes |= {f"the size of output {output!r:.80}": knobs.get("size", 1) for output, knobs in outputs.items()}
    if embeddings := options.get("embeddings"):
        in_features = options.get("in_features")
        _checked(check_embeddings, embeddings, in_features if type(in_features) is int else 0)
        sizes |= {f"embedding {number}": rows * width for number, (rows, width) in enumerate(embeddings)}
    for what, size in sizes.items():
        if type(size) is not int or not 1 <= size <= limit:
            raise wrong(f"{what} is {size!r:.80} and should be from 1 to {limit:,} to go with the tensors")


def _checked(check: Callable[..., Any], *given: Any) -> Any:
    try:
        return check(*given)
    except ValueError as error:
        raise wrong(str(error)) from None
