"""Predictions of a whole table, some rows at a time, in their order, to a file or as arrays."""

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchann.data.tables.columns import UnseenValues, check_names, encode, reader
from torchann.data.tables.csv_table import CsvTable
from torchann.data.tables.kept_columns import as_numpy, kept, kept_type
from torchann.data.tables.missing_values import MissingValues
from torchann.data.tables.open_table import open_table
from torchann.data.tables.raw_inputs import input_rows
from torchann.data.tables.table import Chunk, Table
from torchann.files.predictions import Columns, check_ending, open_predictions, predict_rows, prediction_table
from torchann.nets.checks import check_finite
from torchann.nets.names import composed
from torchann.publishing.model_paths import model_from
from torchann.tasks.interval import calibration_in, half_widths
from torchann.tasks.interval import interval as interval_of


def predict(
    model: Any,
    data: Any,
    output: str | PathLike[str] | None = None,
    *,
    keep: Sequence[str] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    guard_formulas: bool = False,
    interval: float | None = None,
    surprises: UnseenValues | None = None,
) -> Columns | int:
    """Predicts each row of a table, in the order of the rows; only some of them are in memory at a time.

    Args:
        model: a task, or the path of a model file, a checkpoint or a run's folder.
        data: a CSV, TSV, Parquet, NPY or NPZ file, several of one table, a data frame, a mapping of columns, an array;
            its columns are found by their names, and it may have others.
        output: a ``.csv``, ``.npy`` or ``.parquet`` file, put in its place when all rows are predicted.
        keep: columns of the table to have before the predictions, such as a number of the row, exactly as they stand in
            it; beside a column of the same name a prediction is called ``predicted NAME``.
        delimiter: between the values of a CSV file, one character or tab, if it is not found by itself.
        encoding: of a CSV file, if it is not UTF-8.
        decimal: sign of numbers in texts, ``.`` or ``,``, where they could be read both ways.
        guard_formulas: whether texts in a ``.csv`` that a spreadsheet would run as formulas, as they begin with ``=``,
            ``+``, ``-`` or ``@`` and are no numbers, get a ``'`` before them.
        interval: share of rows whose true value is to lie within the columns ``TARGET_low`` and ``TARGET_high`` beside
            a predicted value, as :meth:`~torchann.RegressionMLP.predict_interval` has them.
        surprises: counts what no training row had.

    Returns:
        The number of rows written; without ``output`` the columns by name: ``class`` and ``proba NAME`` for each class,
        or the values by the names of the targets.

    Raises:
        ValueError: for a table without a column that the model needs, values that it cannot take, or an interval of a
            model that has none.
        OSError: if a file cannot be read or written; an old output is untouched then.

    Example:
        >>> import torchann
        >>> table = {"x": np.arange(40.0) ** 2, "kind": ["a", "b"] * 20}
        >>> task, data = torchann.ClassificationMLP([]), torchann.TabularDataModule(table, "kind")
        >>> torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(task, datamodule=data)
        >>> {name: column.shape for name, column in predict(task, {"x": [1.0, 2.0]}).items()}
        {'class': (2,), 'proba a': (2,), 'proba b': (2,)}
    """
    if output is not None:
        check_ending(Path(output))
    model = model_from(Path(model)) if isinstance(model, (str, PathLike)) else model
    if not callable(getattr(model, "predictions", None)):
        raise ValueError(f"a {type(model).__name__} does not say what its outputs mean; give a task, or call predict")
    if interval is not None:
        half_widths(calibration_in(model), interval)  # which refuses, before a row is read, what cannot be had
    prepared = getattr(model, "preprocessing", None)
    table_step = None if prepared is None else prepared.table
    rule = () if table_step is None else (table_step.missing_values, table_step.default_missing)
    table = open_table(data, delimiter, encoding, MissingValues.of(*rule), decimal or "")
    keep = [composed(name) for name in keep]
    check_names(keep, table.columns)
    files = [path.resolve() for path in getattr(table, "paths", ())]  # also those that a pattern has found
    if output is not None and Path(output).resolve() in files:
        raise ValueError(f"{output} is the table itself; name another file for the predictions")
    ending = "" if output is None else Path(output).suffix
    untyped = isinstance(table, CsvTable) and ending != ".csv"
    types = {name: kept_type(table.read([name])[name]) for name in keep} if untyped else {}
    parts = _predicted(model, table, keep, types, ending, interval, surprises or UnseenValues())
    if output is None:
        found = list(parts)
        return {name: as_numpy([part[name] for part in found]) for name in found[0]}
    with open_predictions(Path(output), guard_formulas) as write:
        return sum(map(write, parts))


def _predicted(
    model: Any,
    table: Table,
    keep: Sequence[str],
    types: Mapping[str, Any],
    ending: str,
    coverage: float | None,
    surprises: UnseenValues,
) -> Iterator[Columns]:
    prepared = model.preprocessing
    columns = None if prepared is None or prepared.table is None else prepared.table.table
    named = model.feature_names or (table.columns if columns is None else [column.name for column in columns])
    names = [composed(name) for name in named]
    check_names(names, table.columns)
    start = 0
    for chunk in table.chunks(list(dict.fromkeys([*names, *keep]))):
        if columns is not None:
            x = encode(columns, reader(chunk.__getitem__), surprises)
            check_finite(x.nan_to_num(0, torch.inf, -torch.inf), "rows", names, x.dtype, range(start, start + len(x)))
        else:
            x = _numbers(chunk, names, start)
            input_rows(x, None, prepared)  # which checks them
        model._need_net()
        start += len(x)
        predicted = predict_rows(model, model.predictions, x, prepared)
        found = prediction_table(predicted, model.hparams)
        if coverage is not None:
            ends = interval_of(model, predicted["value"], coverage).cpu().numpy()
            found |= {f"{n}_{end}": ends[:, i, j] for i, n in enumerate(found) for j, end in enumerate(("low", "high"))}
        yield {name: kept(chunk[name], types.get(name), ending) for name in keep} | {
            _free(n, keep): c for n, c in found.items()
        }


def _free(name: str, keep: Sequence[str]) -> str:
    while name in keep:
        name = f"predicted {name}"
    return name


def _numbers(chunk: Chunk, names: Sequence[str], start: int) -> Tensor:
    found = []
    for name in names:
        values, wrong = chunk[name].read("number")
        if wrong:
            raise ValueError(f"column {name!r} holds what is no number, {next(iter(wrong))!r:.40}; give numbers")
        found.append(values)
    x = torch.from_numpy(np.stack(found, 1))
    check_finite(x, "rows", names, x.dtype, range(start, start + len(x)))
    return x
