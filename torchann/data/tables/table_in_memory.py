"""A table that is read as a whole: what was inferred of it, and its rows as numbers, split."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from torchann.data.in_memory import Split, Splits
from torchann.data.tables.column_kinds import LEFT_OUT, Finding, find_kind
from torchann.data.tables.column_statistics import ColumnStatistics
from torchann.data.tables.column_values import ColumnValues
from torchann.data.tables.columns import UnseenValues, encode, reader
from torchann.data.tables.fitted_columns import fit_columns
from torchann.data.tables.known_table import KnownTable
from torchann.data.tables.row_splits import RowSplits, split_rows
from torchann.data.tables.table import Table
from torchann.data.tables.table_report import TableReport
from torchann.data.tables.table_settings import TableSettings
from torchann.data.tables.table_target import Target, find_target, is_wide, summary
from torchann.nets.checks import check_finite
from torchann.nets.column import Column
from torchann.nets.table_columns import TableColumns

PARTS = {"train": "training", "val": "validation", "test": "test"}


class ReadTable(NamedTuple):
    """A table, and what was inferred of it.

    Attributes:
        name: of the table.
        target: what is to be predicted.
        step: that prepares rows.
        splits: the rows as numbers.
        report: what a person should know.
    """

    name: str
    target: Target
    step: TableColumns
    splits: Splits
    report: TableReport


class Inferred(NamedTuple):
    """What the columns of a table hold.

    Attributes:
        target: what is to be predicted.
        findings: of the other columns.
        used: names of those that are learnt from.
        examples: a value of each column, as it stands in the table.
        parsed: values of the columns that are learnt from, as they were read.
    """

    target: Target
    findings: dict[str, Finding]
    used: list[str]
    examples: dict[str, str]
    parsed: dict[str, Any]


def infer(settings: TableSettings, table: Table, cells: dict[str, ColumnValues]) -> Inferred:
    """Return what the columns of a table hold.

    Args:
        settings: of the table.
        table: that they name.
        cells: its columns, or a sample of their rows; those that are learnt from are taken out, one after the other, as
            texts need more memory than what they are read as.

    Raises:
        ValueError: for a target that cannot be learnt, dates that could be read both ways, and where nothing is of the
            kind that was given.
    """
    names, given = settings.targets, settings.known_kinds
    target = find_target(names, [cells[name] for name in names], settings.asked_task, given)
    findings: dict[str, Finding] = {}
    parsed, examples = {}, {name: column.example() for name, column in cells.items()}
    for name in table.columns:
        if name in names:
            continue
        if given.get(name) == LEFT_OUT:
            findings[name] = Finding(LEFT_OUT, "left out as asked")
        elif name == settings.split_by and name not in given:
            findings[name] = Finding(LEFT_OUT, "not learnt from: the rows are split by it")
        elif name in table.unusable:
            findings[name] = Finding(LEFT_OUT, f"left out: {table.unusable[name]}, not one value per row")
        else:
            kind, why, form = find_kind(name, cells[name], given.get(name, ""))
            findings[name] = Finding(kind, f"left out: {why}" if kind == LEFT_OUT else why, form)
            if kind != LEFT_OUT:
                parsed[name] = cells[name].read(kind, form)
                if kind != "category" and np.isinf(parsed[name].values).any():
                    raise ValueError(f"column {name!r} has infinite values; take them out, or leave the column out")
            if name != settings.split_by:
                del cells[name]
    pa.default_memory_pool().release_unused()  # what the texts took
    return Inferred(target, findings, list(parsed), examples, parsed)


def read_in_memory(settings: TableSettings, table: Table, known: KnownTable | None = None) -> ReadTable:
    """Read a table as a whole, infer what it holds, split it and make its rows numbers.

    Args:
        settings: of the table.
        table: that they name.
        known: what a model knows of it, which then is not inferred.

    Raises:
        ValueError: for a table that cannot be learnt from.
        OSError: for files that cannot be read.

    Example:
        >>> settings = TableSettings({"age": range(10), "rich": ["no", "yes"] * 5}, "rich", kinds={"age": "number"})
        >>> read = read_in_memory(settings, settings.open())
        >>> read.target.class_names, read.splits.train.x.shape, sorted(read.splits.train.y.tolist())
        (('no', 'yes'), torch.Size([6, 1]), [0, 0, 0, 1, 1, 1])
    """
    if known is None:
        cells = table.read([name for name in table.columns if name not in table.unusable])
        target, findings, used, examples, parsed = infer(settings, table, cells)
    else:
        cells, target, used = known.read(table, settings.targets, settings.split_by), known.target, known.columns
        parsed = {column.name: reader(cells.__getitem__)(column) for column in known.step.table}
    target = replace(target, wide=True)
    y, rows, left_out = _targets(target, cells)
    parts, how, notes = _split(
        settings, target, y, None if settings.split_by is None else cells[settings.split_by].take(rows)
    )
    if target.task == "regression" and not _is_wide(y[parts.train]):
        target, y = replace(target, wide=False), y.float()
    if known is None:
        statistics = {name: ColumnStatistics(name, findings[name].kind, findings[name].form) for name in used}
        for name in used:
            statistics[name].add(parsed[name].take(rows[parts.train]))
        limits = (settings.max_one_hot, settings.max_categories, settings.model_missing, examples)
        step, columns = fit_columns(findings, statistics, *limits)
    else:
        step, columns = known.step, known.report
    splits, sources = {}, {"val": settings.val_source, "test": settings.test_source}
    for part, at in parts._asdict().items():
        if (source := sources.get(part)) is None:
            splits[part] = _encoded(step, part, _taking(parsed, rows[at]), y[at], notes)
            continue
        own = settings.open_part(source, [*[column.name for column in step.table], *target.names]).read(
            [*used, *target.names]
        )
        own_y, own_rows, missing = _targets(target, own)
        left_out += missing
        own = {name: column.take(own_rows) for name, column in own.items()} if missing else own
        splits[part] = _encoded(step, part, reader(own.__getitem__), own_y, notes)
    notes = [f"{left_out:,} rows have no target and are left out", *notes] if left_out else notes
    counts = [f"{len(split.y):,}" for split in splits.values()]
    split_told = f"{how}: {counts[0]} rows to train on, {counts[1]} to validate, {counts[2]} to test"
    report = TableReport(table.name, summary(target, splits["train"].y), columns, split_told, notes)
    return ReadTable(table.name, target, step, Splits(**splits), report)


def _is_wide(y: Tensor) -> bool:
    y = y.reshape(len(y), -1)
    return is_wide(y.mean(0).tolist(), y.std(0, correction=0).tolist())


def _taking(parsed: Mapping[str, Any], rows: Any) -> Callable[[Column], Any]:
    return lambda column: parsed[column.name].take(rows)


def _targets(target: Target, cells: Mapping[str, ColumnValues]) -> tuple[Tensor, Any, int]:
    """Return the targets of the rows that have one, the numbers of these rows, and how many have none."""
    y, there = target.values([cells[name] for name in target.names])
    if not there.any():
        raise ValueError(f"the target {target.names[0]!r} has no value in any row; give another column")
    rows = np.flatnonzero(there)
    return y[torch.from_numpy(rows)], rows, len(there) - len(rows)


def _split(
    settings: TableSettings, target: Target, y: Tensor, by: ColumnValues | None
) -> tuple[RowSplits, str, list[str]]:
    kind = settings.split
    classes, notes = y.numpy() if target.class_names else None, []
    if kind is None:
        counts = np.bincount(classes) if classes is not None else None
        kind = "random" if counts is None or counts.min() < len(PARTS) else "stratified"
        if counts is not None and kind == "random":
            rare = target.class_names[int(counts.argmin())]
            notes = [f"not stratified, as the class {rare!r} has fewer rows ({counts.min()}) than there are parts"]
    if kind == "stratified" and classes is None:
        raise ValueError(f"a stratified split of a regression of {target.names[0]!r}; give split=random")
    column = classes if kind == "stratified" else by
    by_kind = settings.known_kinds.get(settings.split_by or "", "")
    rows = split_rows(len(y), settings.sizes, settings.split_seed, kind, column, by_kind)
    own = [
        part for part, source in (("val", settings.val_source), ("test", settings.test_source)) if source is not None
    ]
    of = f" by {settings.split_by!r}" if settings.split_by else " split"
    return rows, f"{kind}{of}{f', {PARTS[own[0]]} rows from a file' if own else ''}", notes


def _encoded(step: TableColumns, part: str, read: Callable[[Column], Any], y: Tensor, notes: list[str]) -> Split:
    surprises = UnseenValues()
    x = encode(step.table, read, surprises)
    check_finite(x.nan_to_num(0, torch.inf, -torch.inf), f"{PARTS[part]} rows", [c.name for c in step.table], x.dtype)
    if part != "train":
        notes += [f"{PARTS[part]} rows, {line}" for line in surprises.lines()]
    return Split(x, y)
