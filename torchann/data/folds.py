"""Cross-validation with data modules: each part of the training rows held out once."""

import copy
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import KFold, StratifiedKFold

from torchann.data.in_memory import InMemoryDataModule, Split, Splits
from torchann.engine.rows.loader import map_rows, num_rows


def folds_of(data: Any, count: int) -> list[InMemoryDataModule]:
    """Data modules that train on all but one part of the training rows, and have that part as their test rows.

    Parts are blocks of rows in stored order, as with scikit-learn's ``cv=count``, and have each class in its share
    where there are classes. The validation rows are the same in all; inputs are prepared as those of the whole module
    are, whose scale comes from all training rows.

    Args:
        data: a data module that holds its rows in memory.
        count: of parts, 2 or more.

    Raises:
        TypeError: for another data module.
        ValueError: if there are not as many rows, or no two parts.

    Example:
        >>> from torchann import CaliforniaHousingDataModule
        >>> [len(part.splits.test.y) for part in folds_of(CaliforniaHousingDataModule(), 3)]
        [3870, 3870, 3870]
    """
    if not isinstance(data, InMemoryDataModule):
        raise TypeError(
            f"{type(data).__name__} does not say which rows it holds, and {count} folds divide them; judge by its "
            "validation rows (folds: null), or give an InMemoryDataModule"
        )
    if count < 2:
        raise ValueError(f"folds is {count}; give at least 2, or null to judge by the validation rows")
    data.setup()
    train, val, _ = data.splits
    rows = num_rows(train.y)
    if rows < count:
        raise ValueError(f"{count} folds of {rows} training rows; give at most as many folds as rows")
    has_classes = hasattr(data, "num_classes") and isinstance(train.y, torch.Tensor) and train.y.ndim == 1
    splitter = StratifiedKFold(count) if has_classes else KFold(count)
    y = train.y.numpy() if has_classes else np.zeros(rows)
    parts = []
    for kept, held_out in splitter.split(np.zeros(rows), y):
        part = copy.copy(data)
        for name in ("data_info", "run_settings"):  # of other rows
            part.__dict__.pop(name, None)
        part._resident = {}
        part._splits = Splits(_rows_of(train, kept), val, _rows_of(train, held_out))
        parts.append(part)
    return parts


def _rows_of(split: Split, rows: Any) -> Split:
    take = partial(torch.index_select, dim=0, index=torch.from_numpy(rows))
    return Split(*(map_rows(lambda part: take(part), rows_) for rows_ in split))  # type: ignore[arg-type]
