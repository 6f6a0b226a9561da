"""The strongest net for a table: encodings and recipes searched, and the nets that are chosen made one model."""

import copy
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from torchann.data.tables.number_choices import OCTAVES
from torchann.data.tables.number_encodings import fit_number_encoding
from torchann.data.tables.table_settings import TableSettings
from torchann.data.tabular import TabularDataModule
from torchann.estimators.portfolio.baselines import baselines
from torchann.estimators.portfolio.leaderboard import Leaderboard, Line
from torchann.estimators.portfolio.rows import Numbers, Rows
from torchann.estimators.portfolio.search import Search
from torchann.estimators.portfolio.waves import FEWEST_ROWS, wavy_columns
from torchann.nets.preprocessing import Preprocessing
from torchann.tasks.classification import ClassificationMLP
from torchann.tasks.interval import Calibration, calibration_of
from torchann.tasks.regression import RegressionMLP

MOST_CATEGORIES = 255  # of a column; the rarer ones count as unseen, as members learn no vectors
PARTS = 5


@dataclass(frozen=True)
class TableNet:
    """A model of several nets, and how it was found.

    Attributes:
        model: the task.
        data: the table as the model takes it.
        leaderboard: what was tried.
        calibration: of intervals, by rows that the nets have not seen; None for classes.
        interrupted: whether Ctrl-C ended the search.
    """

    model: RegressionMLP | ClassificationMLP
    data: TabularDataModule
    leaderboard: Leaderboard
    calibration: Calibration | None
    interrupted: bool


def search_table(
    data: TabularDataModule,
    ensemble: int | None = None,
    time_limit: float | None = None,
    seed: int = 42,
    say: Callable[[str], None] = lambda line: None,
) -> TableNet:
    """Search encodings and recipes on all rows of a table but its test rows, and return the best nets as one model.

    Each net is trained without one of several parts of the rows, by which it is judged; so no row is left aside in the
    end. Without a time limit the recipe that is best on one part has as many nets as there are parts; with one, as many
    recipes as there is time for, and their nets are weighted by what they say of the rows that they have not seen.

    Args:
        data: the table, in memory; it stays as it is.
        ensemble: parts, and nets of a recipe; 5 if not given.
        time_limit: seconds for the search.
        seed: of parts and nets.
        say: is told what has been tried.

    Raises:
        ValueError: for a table that is read in blocks, one split by groups, or too few rows.

    Example:
        >>> x = [float(i % 17) for i in range(120)]
        >>> data = TabularDataModule({"x": x, "y": [3 * value for value in x]}, "y", task="regression")
        >>> found = search_table(data, ensemble=2)
        >>> len(found.model.net.members), found.leaderboard.lines[0].loss < 0.3
        (2, True)
    """
    begun, parts = time.monotonic(), PARTS if ensemble is None else ensemble
    _check(data, parts, time_limit)
    data.setup()
    data = _without_embeddings(data) if data.embeddings else copy.copy(data)
    rows, std = _rows_of(data)
    encodings, plain, rows = _encode(data, rows, seed, say)
    left = None if time_limit is None else time_limit - (time.monotonic() - begun)
    ordered = data.settings.split == "time"
    search = Search(rows, encodings, parts, left, seed, ordered, say=say)
    lines = baselines(rows, plain, search.parts, seed)
    if left is not None:  # what the baselines took
        search.seconds = time_limit - (time.monotonic() - begun)  # type: ignore[operator]
    search.run()
    told = predictions, places = search.predictions()
    for trial in search.trials:
        of_trial = search.predictions_of(trial)
        lines.append(Line.of(trial.name, rows, of_trial, len(trial.nets), trial.seconds, trial.weight))
    model = _task_of(data, search, encodings)
    if len([trial for trial in search.trials if trial.weight]) > 1:
        spent = sum(trial.seconds for trial in search.trials)
        lines.append(Line.of("all that have a weight", rows, told, parts, spent, 1.0))
    calibration = None
    if not rows.classes:
        residuals = ((rows.y[places] - predictions) * std).astype(np.float64)
        calibration = calibration_of(dict(zip(data.target_names, residuals.T, strict=True)))
    board = Leaderboard.of(lines, bool(rows.classes))
    return TableNet(model, data, board, calibration, search.interrupted)


def wavy_names(data: TabularDataModule) -> list[str]:
    """Return the columns of a table that a net is better at with waves, by short fits on its training rows.

    Args:
        data: the table, read already.

    Returns:
        Their names; none for a table with few rows, read in blocks, or with encodings of its own.

    Example:
        >>> data = TabularDataModule({"x": range(40), "y": range(40)}, "y", kinds={"x": "number"}, task="regression")
        >>> data.setup()
        >>> wavy_names(data)
        []
    """
    standard = data.settings.numbers == "standard"
    if not standard or data._block_memory is not None or data.num_rows("train") < FEWEST_ROWS:
        return []
    x, y = data.prepare(data.splits.train.x).numpy(), data.splits.train.y.numpy()
    x = x[:, : x.shape[1] - len(data.embeddings or [])]  # which are no numbers
    rows, _ = _rows(data, x, y)
    names = _numbers_of(data)
    return [names[column] for column in wavy_columns(rows, len(names), OCTAVES)]


def _numbers_of(data: TabularDataModule) -> list[str]:
    table = data.preprocessing.table
    return [column.name for column in table.table if column.kind != "category"]  # type: ignore[union-attr]


def _check(data: TabularDataModule, parts: int, time_limit: float | None) -> None:
    if type(parts) is not int or parts < 2:
        raise ValueError(f"ensemble is {parts!r}; give a whole number from 2, of nets")
    if time_limit is not None and not (isinstance(time_limit, (int, float)) and time_limit > 0):
        raise ValueError(f"time_limit is {time_limit!r}; give seconds, above 0")
    if data.settings.split == "group":
        raise ValueError(
            "the table is split by groups, and the parts that nets are judged by would not be; leave ensemble and "
            "time_limit out, or give another split"
        )


def _without_embeddings(data: TabularDataModule) -> TabularDataModule:
    most = min(MOST_CATEGORIES, data.settings.max_categories)
    takes = inspect.signature(TabularDataModule).parameters
    told = {field.name: getattr(data, field.name) for field in fields(TableSettings) if field.name in takes}
    told |= {"max_one_hot": most, "max_categories": most}
    data = TabularDataModule(**told, batch_size=data._given_batch_size, seed=data.seed)
    data.setup()
    return data


def _rows_of(data: TabularDataModule) -> tuple[Rows, Numbers]:
    train, val, _ = data.splits  # which refuses a table that is read in blocks
    x = np.concatenate([data.prepare(part.x).numpy() for part in (train, val) if len(part.y)])
    y = np.concatenate([part.y.numpy() for part in (train, val) if len(part.y)])
    rows, mean = _rows(data, x, y)
    if rows.classes:
        return rows, np.ones(1)
    std = y.astype(np.float64).std(0).reshape(-1)
    data.target_mean, data.target_std = mean.tolist(), std.tolist()
    return rows, std


def _rows(data: TabularDataModule, x: Numbers, y: Numbers) -> tuple[Rows, Numbers]:
    # And the mean of the targets, which are standardised.
    if data.task != "regression":
        return Rows(x, y.astype(np.int64), data.num_classes), np.zeros(1)
    y = y.reshape(len(y), -1).astype(np.float64)
    return Rows(x, ((y - y.mean(0)) / y.std(0)).astype(np.float32)), y.mean(0)


def _encode(
    data: TabularDataModule, rows: Rows, seed: int, say: Callable[[str], None]
) -> tuple[dict[str, list[int]], list[int], Rows]:
    # And the columns that hold the table as it is.
    step, width = data.preprocessing.steps[0], rows.x.shape[1]
    names = _numbers_of(data)
    count = len(names)
    if len(data.preprocessing.steps) > 1 or not count:
        return {"as prepared": list(range(width))}, list(range(width)), rows
    wavy = wavy_columns(rows, count, OCTAVES, seed)
    parts: list[dict[str, Any]] = [{"kind": "standard"}, {"kind": "quantile"}]
    parts += [{"kind": "waves", "columns": wavy, "octaves": OCTAVES}] if wavy else []
    encoding = fit_number_encoding(torch.from_numpy(rows.x), parts, count=count)
    data.preprocessing = Preprocessing(step, encoding)
    data._prepared = {}
    data.in_features = encoding.out_features
    with_waves = list(range(2 * count, encoding.out_features))  # and the columns that are no numbers
    named = ""
    if wavy:
        say(f"waves of {', '.join(names[column] for column in wavy)} help")
        named = " with waves"
    encodings = {
        f"standard{named}": [*range(count), *with_waves],
        f"quantiles{named}": [*range(count, 2 * count), *with_waves],
    }
    plain = [*range(count), *range(encoding.out_features - encoding.behind, encoding.out_features)]
    return encodings, plain, rows._replace(x=encoding(torch.from_numpy(rows.x)).numpy())


def _task_of(
    data: TabularDataModule, search: Search, encodings: dict[str, list[int]]
) -> RegressionMLP | ClassificationMLP:
    members = search.members()
    described = [
        {
            "hidden_sizes": list(trial.recipe.hidden),
            "activation": trial.recipe.activation,
            "dropout": trial.recipe.dropout,
            "columns": encodings[trial.encoding],
            "weight": weight,
        }
        for trial, _, weight in members
    ]
    given: dict[str, Any] = {"in_features": data.in_features, "members": described}
    model: Any
    if data.task == "regression":
        given |= {"target_mean": data.target_mean, "target_std": data.target_std}
        model = RegressionMLP(out_features=data.out_features, target_names=data.target_names, **given)
    else:
        model = ClassificationMLP(num_classes=data.num_classes, class_names=data.class_names, **given)
    with torch.no_grad():
        for (_, net, _), mlp in zip(members, model.net.members, strict=True):
            for layer, kernel, bias in zip(mlp.linears(), net.coefs_, net.intercepts_, strict=True):
                layer.weight.copy_(torch.tensor(kernel).t())
                layer.bias.copy_(torch.tensor(bias))
    model.take_inputs(data)
    return model.eval()  # type: ignore[no-any-return]
