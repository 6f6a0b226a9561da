"""Tasks of files: no larger than the tensors that come with them, and of parts that fit each other."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from torchann.nets.ensemble import listed_members

START: dict[str, Any] = {"weight_init": None, "weight_init_options": None, "bias_init": "zeros"}
"""Initial weights that cost nothing, for a net that gets others."""


def without_memory(kind: Any, options: Mapping[str, Any]) -> Any:
    """Return what a class makes of hyperparameters, with shapes and without values, which would take memory.

    Example:
        >>> from torchann.nets.mlp import MLP
        >>> without_memory(MLP, {"in_features": 2, "hidden_sizes": [50_000], "out_features": 50_000})[3].weight.is_meta
        True
    """
    start = {name: value for name, value in START.items() if name in inspect.signature(kind).parameters}
    with torch.device("meta"):
        return kind(**{**options, **start})


def hidden_layers(options: Mapping[str, Any], tensors: int) -> dict[str, Any]:
    """Return the sizes of hidden layers that hyperparameters name, by where they do.

    Args:
        options: arguments of a task, from a file.
        tensors: number of tensors in the file.

    Raises:
        ValueError: for more layers than tensors, or members of an ensemble that are none.

    Example:
        >>> hidden_layers({"members": [{"hidden_sizes": [30, 20], "weight": 1}]}, 6)
        {'members[0].hidden_sizes': [30, 20]}
    """
    layers, members = options.get("hidden_sizes", []), options.get("members")
    if members is None:
        if not isinstance(layers, (list, tuple)) or len(layers) > tensors:
            raise ValueError(f"hidden_sizes is {layers!r:.80} for {tensors} tensors")
        return {"hidden_sizes": layers}
    found = {f"members[{i}].hidden_sizes": part["hidden_sizes"] for i, part in enumerate(listed_members(members))}
    depth = sum(map(len, found.values())) + len(found)
    if depth > tensors:
        raise ValueError(f"members have {depth:,} layers for {tensors:,} tensors")
    return found


def check_size(kind: Any, options: Mapping[str, Any], tensors: Iterable[Any]) -> None:
    """Raise ValueError if hyperparameters make more weights than tensors hold numbers.

    Args:
        kind: a task.
        options: its arguments, from a file.
        tensors: of the same file.
    """
    found = [tensor for tensor in tensors if isinstance(tensor, Tensor)]
    hidden_layers(options, len(found))
    # A tensor can claim any shape of a few numbers, which are then said to repeat.
    memory = {part.untyped_storage().data_ptr(): part.untyped_storage().nbytes() // part.itemsize for part in found}
    weights = sum(part.numel() for part in without_memory(kind, options).parameters())
    if weights > sum(memory.values()):
        raise ValueError(f"its hyperparameters make {weights:,} weights, and it has {sum(memory.values()):,} numbers")


def check_prediction(model: Any) -> None:
    """Raise ValueError unless a model from a file predicts a row, as its parts need not fit each other.

    Args:
        model: a task with a net; of one that does not know what a row looks like nothing is asked.
    """
    prepared, names = model.preprocessing, model.feature_names
    table = None if prepared is None else prepared.table
    if names is not None and len(set(names)) < len(names):
        raise ValueError(f"feature_names {names!r:.80} has one twice")
    if table is not None and names is not None and list(names) != [column.name for column in table.table]:
        raise ValueError(f"feature_names are {names!r:.80} and the columns of the table have other names")
    mean = None if prepared is None else getattr(prepared.steps[0], "mean", None)
    width = len(names) if names is not None else model.hparams.get("in_features")
    if mean is None and width is None:
        return
    row = torch.zeros(1, *((width,) if mean is None else mean.shape), dtype=None if mean is None else mean.dtype)
    try:
        model.predict(row)
    except (ValueError, TypeError, LookupError, RuntimeError) as error:
        raise ValueError(f"its parts do not fit each other: {error}") from None
