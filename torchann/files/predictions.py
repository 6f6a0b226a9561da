"""Predictions of many rows, and as one file, a row for each row of the input."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from torchann.engine.rows.loader import Rows, map_rows, split_rows

Columns = dict[str, np.ndarray[Any, Any]]


PREDICT_ROWS = 8192  # per product: large enough to keep the cores busy, small enough for any memory


def predict_rows(
    net: nn.Module,
    meaning: Callable[[Any], dict[str, Tensor]],
    rows: Rows,
    prepare: Callable[[Tensor], Tensor] | None = None,
) -> dict[str, Tensor]:
    """Predictions of all rows, in evaluation mode and without gradients, a few thousand rows at a time.

    Args:
        net: whose outputs are taken; its training flag is afterwards what it was.
        meaning: from outputs to predictions by name.
        rows: inputs ``(rows, *)``, or several by name.
        prepare: applied to a part of the inputs before the net gets it.

    Example:
        >>> predict_rows(nn.Identity(), lambda outputs: {"value": outputs}, torch.ones(2, 1))["value"].tolist()
        [[1.0], [1.0]]
    """
    device = next((parameter.device for parameter in net.parameters()), torch.device("cpu"))
    training = net.training

    def put(part: Tensor) -> Tensor:
        part = part if device.type == "mps" else part.to(device)  # which has no float64 to prepare in
        return (part if prepare is None else prepare(part)).to(device)

    net.eval()
    try:
        with torch.no_grad():
            parts = [meaning(net(map_rows(put, part))) for part in split_rows(rows, PREDICT_ROWS)]
    finally:
        net.train(training)
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}


def prediction_table(
    batches: Sequence[Mapping[str, Tensor]], hparams: Mapping[str, Any]
) -> dict[str, np.ndarray[Any, Any]]:
    """Predictions by column: classes by name and their probabilities, or values.

    Args:
        batches: what a task's ``predict_step`` gave: ``"class"`` and perhaps ``"proba"``, or ``"value"``, behind the
            output's name (``"main_value"``) where there are several.
        hparams: the task's hyperparameters; ``class_names`` and ``target_names`` name the columns.

    Raises:
        ValueError: if there are no rows, or not a name for each value.

    Example:
        >>> batches = [{"class": torch.tensor([1]), "proba": torch.tensor([[0.25, 0.75]])}]
        >>> prediction_table(batches, {"class_names": ["no", "yes"]})["class"].tolist()
        ['yes']
    """
    if not batches:
        raise ValueError("there are no rows to predict; give a data module whose predict_dataloader has some")
    if not isinstance(batches[0], Mapping):
        raise ValueError(
            f"predict_step gave a {type(batches[0]).__name__}; give a dictionary with 'class' and 'proba', or 'value'"
        )
    whole = {key: torch.cat([batch[key] for batch in batches]).cpu().numpy() for key in batches[0]}
    outputs = dict.fromkeys(key.rpartition("_")[0] for key in whole)  # "main_value" is the value of the output main
    table: Columns = {}
    for output in outputs:
        parts = {key.rpartition("_")[2]: part for key, part in whole.items() if key.rpartition("_")[0] == output}
        columns = _values(parts["value"], hparams) if "value" in parts else _classes(parts, {} if output else hparams)
        table |= {f"{output} {name}" if output else name: column for name, column in columns.items()}
    return table


def _values(values: np.ndarray[Any, Any], hparams: Mapping[str, Any]) -> Columns:
    count = values.shape[1]
    names = hparams.get("target_names") or (["value"] if count == 1 else [f"value_{i}" for i in range(count)])
    if len(names) != count:
        raise ValueError(f"target_names are {names} and a row has {count} values; name every value")
    return {name: values[:, i] for i, name in enumerate(names)}


def _classes(parts: Columns, hparams: Mapping[str, Any]) -> Columns:
    classes, proba = parts["class"], parts.get("proba")
    count = proba.shape[1] if proba is not None else 2
    names = [str(name) for name in hparams.get("class_names") or range(count)]
    if classes.ndim == 2:
        table = {name: classes[:, i] for i, name in enumerate(names)}
    else:
        table = {"class": np.asarray(names)[classes]}
    if proba is not None:
        table |= {f"proba {name}": proba[:, i] for i, name in enumerate(names)}
    return table


def check_ending(path: Path) -> None:
    """Raises unless predictions can be written to such a file.

    Raises:
        ValueError: if it is neither CSV nor NPY.
    """
    if path.suffix not in (".csv", ".npy"):
        raise ValueError(f"predictions cannot be written to {path}; give a file that ends in .csv or .npy")


def write_predictions(path: Path, batches: Sequence[Mapping[str, Tensor]], hparams: Mapping[str, Any]) -> int:
    """Writes predictions as CSV, or as a NumPy structured array with the same columns.

    Args:
        path: a ``.csv`` or ``.npy`` file; its folder is made if need be.
        batches: see :func:`prediction_table`.
        hparams: see :func:`prediction_table`.

    Returns:
        The number of rows.

    Raises:
        ValueError: if the file is to be of another kind.
    """
    check_ending(path)
    table = prediction_table(batches, hparams)
    rows = len(next(iter(table.values())))
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        array = np.empty(rows, dtype=[(name, column.dtype) for name, column in table.items()])
        for name, column in table.items():
            array[name] = column
        np.save(path, array)
    else:
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table)
            writer.writerows(zip(*(column.astype(str) for column in table.values()), strict=True))
    return rows
