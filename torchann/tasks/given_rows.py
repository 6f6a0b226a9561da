"""Rows that a Trainer is given as they are, an array or a data frame, as a loader."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchann.data.tables.columns import encode, reader
from torchann.data.tables.known_table import table_of_model
from torchann.data.tables.open_table import open_table
from torchann.data.tables.raw_inputs import input_rows
from torchann.data.tables.table_target import is_wide
from torchann.engine.rows.loader import TensorLoader, num_rows
from torchann.files.predictions import PREDICT_ROWS


def is_rows(value: Any) -> bool:
    """Return whether a value is a tensor, an array or a data frame, and no loader.

    Example:
        >>> is_rows(np.zeros((2, 3))), is_rows([torch.zeros(2, 3)])
        (True, False)
    """
    return isinstance(value, (Tensor, np.ndarray)) or (hasattr(value, "columns") and hasattr(value, "to_numpy"))


def loader_of(model: Any, rows: Any, targets: bool) -> TensorLoader:
    """Return a loader of raw rows.

    Args:
        model: a task, which prepares them.
        rows: a tensor, an array, or a data frame whose columns are found by name.
        targets: whether the rows are to be judged by, so that they must have the column to predict, too.

    Raises:
        ValueError: for rows without targets, a column that is missing, an unknown class.
    """
    if not targets:
        x = input_rows(rows, model.feature_names, model.preprocessing)
        return TensorLoader(x, torch.zeros(num_rows(x)), PREDICT_ROWS)
    known = table_of_model(model)
    if known is None or not hasattr(rows, "columns"):
        kind = type(rows).__name__
        raise ValueError(f"a {kind} has no targets to judge by; give a data module, or a loader of pairs (x, y)")
    names = list(known.target.names)
    table = open_table(rows, missing=known.missing)
    cells = known.read(table, names)
    h = model.hparams
    target = replace(known.target, wide=is_wide(h.get("target_mean") or [], h.get("target_std") or []))
    y, there = target.values([cells[name] for name in names])
    kept = torch.from_numpy(np.flatnonzero(there))
    return TensorLoader(encode(known.step.table, reader(cells.__getitem__))[kept], y[kept], PREDICT_ROWS)
