"""Permutation importance: how much worse a model does where one column of its table is shuffled."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tabulate import tabulate
from torch import Tensor

from torchann.data.tables.columns import UnseenValues, encode, reader, shown
from torchann.data.tables.known_table import KnownTable, table_of_model
from torchann.data.tables.open_table import open_table
from torchann.data.tabular import TabularDataModule
from torchann.files.atomic import replaced_when_whole
from torchann.files.predictions import predict_rows
from torchann.nets.names import nearest
from torchann.nets.readable import Readable
from torchann.pictures.importances import importances
from torchann.pictures.picture import Picture
from torchann.publishing.model_paths import model_from

MOST_ROWS = 20_000
"""Rows to shuffle, at most; of a larger table so many are drawn."""


@dataclass(frozen=True, repr=False)
class Importances(Readable):
    """What the columns of a table are worth to a model.

    Attributes:
        metric: R2 or accuracy.
        score: of the table as it is.
        rows: number of rows that were measured on.
        drops: by column, the most important first, how much lower the metric is, once for each time it was shuffled.
    """

    metric: str
    score: float
    rows: int
    drops: Mapping[str, list[float]]

    @property
    def rows_of_columns(self) -> list[tuple[str, float, float]]:
        """Each column's name, the mean and the standard deviation of its drops."""
        return [(name, float(np.mean(drops)), float(np.std(drops))) for name, drops in self.drops.items()]

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write a line per column, with the mean and the standard deviation of its drops."""
        with replaced_when_whole(Path(path)) as beside, beside.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("column", "drop", "deviation"), *self.rows_of_columns])

    def plot(self) -> Picture:
        """Draw the drops: a bar for the mean of each column, and a dot for each time it was shuffled."""
        return importances(self.drops, self.metric, f"{self.metric} {self.score:.4g} on {self.rows:,} rows")

    def __str__(self) -> str:
        times = len(next(iter(self.drops.values())))
        head = (
            f"{self.metric} is {self.score:.4g} on {self.rows:,} rows; lower, with a column shuffled {times} times, by"
        )
        rows = [(shown(name), f"{mean:.4f}", f"± {spread:.4f}") for name, mean, spread in self.rows_of_columns]
        align = ("left", "right", "left")
        return f"{head}\n{tabulate(rows, tablefmt='plain', colalign=align, disable_numparse=True)}"


def importance(
    model: Any,
    data: Any,
    target: str | None = None,
    *,
    repeats: int = 10,
    seed: int = 0,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    surprises: UnseenValues | None = None,
) -> Importances:
    """Measure how much lower R2 (of values) or the accuracy (of classes) of a model is with one column shuffled.

    Columns are shuffled as they stand in the table, before they are prepared, so that a category or a date counts as
    one. Give rows that the model was not trained on: what it has learnt by heart looks important. Of columns that say
    the same, each looks less important than it is, as the model still has the others.

    Args:
        model: a task that was trained on a table, or the path of a model file, a checkpoint or a run's folder.
        data: a table with the model's columns and its target, as :func:`torchann.predict` takes one; or the data module
            of its fit (``model.trainer.datamodule``), whose test rows are measured on.
        target: which of several targets to measure; the mean of their R2 if not given.
        repeats: how many times to shuffle each column.
        seed: of the shuffles.
        delimiter: between the values of a CSV file, one character or tab, if it is not found by itself.
        encoding: of a CSV file, if it is not UTF-8.
        decimal: sign of numbers in texts, ``.`` or ``,``, where they could be read both ways.
        surprises: counts what no training row had.

    Returns:
        The drops by column; print it, or call ``to_csv`` or ``plot``.

    Raises:
        ValueError: for a model that does not know its table, a table without its columns, or too few rows to measure.

    Example:
        >>> import torchann
        >>> draw = np.random.default_rng(0)
        >>> table = {"x": draw.normal(size=400), "noise": draw.normal(size=400)}
        >>> table["y"] = 3 * table["x"]
        >>> model = torchann.fit(table, "y", hidden_sizes=[], lr=0.05, epochs=20, logger=False, verbose=0)
        >>> found = importance(model, model.trainer.datamodule)
        >>> list(found.drops), round(found.score, 2)
        (['x', 'noise'], 1.0)
    """
    model = model_from(Path(model)) if isinstance(model, (str, PathLike)) else model
    known = table_of_model(model)
    if known is None:
        raise ValueError(
            f"this {type(model).__name__} does not know the columns of a table and its target; give a model of "
            "torchann.fit or torchann fit --data; of estimators see sklearn.inspection.permutation_importance"
        )
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; give 1 or more")
    names = list(known.target.names)
    if target is not None and target not in names:
        near = nearest(target, names)
        raise ValueError(f"there is no target {target!r}; " + (f"is it {near!r}?" if near else f"give one of {names}"))
    if isinstance(data, TabularDataModule):
        x, y = _test_rows(known, data)
    else:
        table = open_table(data, delimiter, encoding, known.missing, decimal or "")
        cells = known.read(table, names)
        y, there = known.target.values([cells[name] for name in names])
        x = encode(known.step.table, reader(cells.__getitem__), surprises)
        x, y = x[torch.from_numpy(there)], y[torch.from_numpy(there)]
    random = np.random.default_rng(seed)
    if len(y) > MOST_ROWS:
        drawn = torch.from_numpy(random.choice(len(y), MOST_ROWS, replace=False))
        x, y = x[drawn], y[drawn]
    true = y.double().numpy().reshape(len(y), -1)
    of = slice(None) if target is None else [names.index(target)]
    metric, key, score = ("R2", "value", _r2) if known.target.task == "regression" else ("accuracy", "class", _accuracy)
    if len(y) < 2 or (metric == "R2" and not np.ptp(true[:, of], axis=0).all()):
        raise ValueError(f"the table has {len(y)} rows with a target, all of one value; give rows that differ")

    def measure(rows: Tensor) -> float:
        found = predict_rows(model, model.predictions, rows, model.preprocessing)[key].cpu().double().numpy()
        return score(true[:, of], found.reshape(len(found), -1)[:, of])

    whole, orders = measure(x), [torch.from_numpy(random.permutation(len(y))) for _ in range(repeats)]
    drops: dict[str, list[float]] = {}
    for place, column in enumerate(known.columns):
        shuffled = x.clone()
        drops[column] = []
        for order in orders:
            shuffled[:, place] = x[order, place]
            drops[column].append(whole - measure(shuffled))
    ranked = sorted(drops.items(), key=lambda item: -np.mean(item[1]))
    return Importances(metric, whole, len(y), dict(ranked))


def _test_rows(known: KnownTable, data: TabularDataModule) -> tuple[Tensor, Tensor]:
    data.setup()
    own = table_of_model(data)
    if own is None or not known.is_like(own):
        raise ValueError("the data module prepares rows in another way than the model; give the table itself")
    return data.splits.test if len(data.splits.test.y) else data.splits.val


def _r2(y: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    return float(np.mean(1 - ((found - y) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)))


def _accuracy(y: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    return float((y == found).mean())
