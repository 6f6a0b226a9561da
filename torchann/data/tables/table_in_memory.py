"""A table that is read as a whole: what was inferred of it, and its rows as numbers, split."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from torchann.data.in_memory import Split, Splits
from torchann.data.tables.column_kinds import LEFT_OUT
from torchann.data.tables.column_statistics import ColumnStatistics
from torchann.data.tables.columns import UnseenValues, encode
from torchann.data.tables.fitted_columns import find_kinds, fit_columns
from torchann.data.tables.row_splits import RowSplits, split_rows
from torchann.data.tables.table import Chunk, Table
from torchann.data.tables.table_report import TableReport
from torchann.data.tables.table_settings import TableSettings
from torchann.data.tables.table_target import Target, find_target, summary
from torchann.nets.checks import check_finite
from torchann.nets.table_columns import TableColumns

PARTS = {"train": "training", "val": "validation", "test": "test"}
SPLITS = "not learnt from: the rows are split by it"


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


class _Part(NamedTuple):
    cells: Chunk
    y: Tensor
    left_out: int  # rows without a target


def read_in_memory(settings: TableSettings, table: Table) -> ReadTable:
    """Reads a table as a whole, infers what it holds, splits it and makes its rows numbers.

    Args:
        settings: of the table.
        table: that they name.

    Raises:
        ValueError: for a table that cannot be learnt from.
        OSError: for files that cannot be read.

    Example:
        >>> settings = TableSettings({"age": range(10), "rich": ["no", "yes"] * 5}, "rich", kinds={"age": "number"})
        >>> read = read_in_memory(settings, settings.open())
        >>> read.target.class_names, read.splits.train.x.shape, sorted(read.splits.train.y.tolist())
        (('no', 'yes'), torch.Size([6, 1]), [0, 0, 0, 1, 1, 1])
    """
    names = settings.targets
    cells = table.read([name for name in table.columns if name not in table.unusable], settings.texts)
    target = find_target(names, [cells[name] for name in names], settings.asked_task)
    whole = _with_target(cells, target)
    by = {settings.split_by: SPLITS} if settings.split_by else {}
    findings = {n: f for n, f in find_kinds(table, whole.cells, settings.kinds, by).items() if n not in names}
    used = [name for name, found in findings.items() if found.kind != LEFT_OUT]
    rows, how, notes = _split(whole, target, settings)
    parts = {part: _take(whole, at, used) for part, at in rows._asdict().items()}
    sources = {"val": settings.val_source, "test": settings.test_source}
    parts |= {
        part: _read_part(source, used, target, settings) for part, source in sources.items() if source is not None
    }
    statistics = {name: ColumnStatistics(name, findings[name].kind) for name in used}
    for name in used:
        statistics[name].add(parts["train"].cells[name])
    limits = (settings.max_one_hot, settings.max_categories, settings.missing_values)
    step, columns = fit_columns(findings, statistics, *limits)
    left_out = whole.left_out + sum(part.left_out for name, part in parts.items() if sources.get(name) is not None)
    notes += [f"{left_out:,} rows have no target and are left out"] if left_out else []
    splits = Splits(*(_encoded(step, part, parts[part], notes) for part in PARTS))
    counts = [f"{len(split.y):,}" for split in splits]
    split_told = f"{how}: {counts[0]} rows to train on, {counts[1]} to validate, {counts[2]} to test"
    report = TableReport(table.name, summary(target, splits.train.y), columns, split_told, notes)
    return ReadTable(table.name, target, step, splits, report)


def _with_target(cells: Chunk, target: Target) -> _Part:
    y, there = target.values([cells[name] for name in target.names])
    if not there.any():
        raise ValueError(f"the target {target.names[0]!r} has no value in any row; give another column")
    if there.all():
        return _Part(cells, y, 0)
    kept = np.flatnonzero(there)
    return _Part({name: column.take(kept) for name, column in cells.items()}, y[there], len(there) - len(kept))


def _take(whole: _Part, at: np.ndarray, used: list[str]) -> _Part:
    return _Part({name: whole.cells[name].take(at) for name in used}, whole.y[at], 0)


def _read_part(source: object, used: list[str], target: Target, settings: TableSettings) -> _Part:
    table = settings.open_part(source, [*used, *target.names])
    texts = settings.texts | (set(target.names) if target.class_names else set())
    return _with_target(table.read([*used, *target.names], texts), target)


def _split(whole: _Part, target: Target, settings: TableSettings) -> tuple[RowSplits, str, list[str]]:
    kind, by = settings.split, None
    classes, notes = whole.y.numpy() if target.class_names else None, []
    if kind is None:
        counts = np.bincount(classes) if classes is not None else None
        kind = "random" if counts is None or counts.min() < len(PARTS) else "stratified"
        if counts is not None and kind == "random":
            rare = target.class_names[int(counts.argmin())]
            notes = [f"not stratified, as the class {rare!r} has fewer rows ({counts.min()}) than there are parts"]
    if kind == "stratified" and classes is None:
        raise ValueError(f"a stratified split of a regression of {target.names[0]!r}; give split=random")
    if kind in ("group", "time") and settings.split_by is not None:
        by = whole.cells[settings.split_by]
    column = classes if kind == "stratified" else by
    rows = split_rows(len(whole.y), settings.sizes, settings.split_seed, kind, column)
    own = [
        part for part, source in (("val", settings.val_source), ("test", settings.test_source)) if source is not None
    ]
    of = f" by {settings.split_by!r}" if settings.split_by else " split"
    return rows, f"{kind}{of}{f', {PARTS[own[0]]} rows from a file' if own else ''}", notes


def _encoded(step: TableColumns, name: str, part: _Part, notes: list[str]) -> Split:
    surprises = UnseenValues()
    x = encode(step.table, part.cells.__getitem__, surprises)
    check_finite(x.nan_to_num(0, torch.inf, -torch.inf), f"{PARTS[name]} rows", [c.name for c in step.table], x.dtype)
    if name != "train":
        notes += [f"{PARTS[name]} rows, {line}" for line in surprises.lines()]
    return Split(x, part.y)
