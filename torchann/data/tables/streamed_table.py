"""A Parquet table that is larger than memory: its statistics in one pass, its parts as streams of rows."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from torchann.data.tables.column_kinds import LEFT_OUT, NUMBER_OF_ROW, Finding, numbers_rows
from torchann.data.tables.column_statistics import ColumnStatistics
from torchann.data.tables.column_values import ColumnValues
from torchann.data.tables.fitted_columns import fit_columns
from torchann.data.tables.known_table import KnownTable
from torchann.data.tables.parquet_rows import PARTS, Labels, ParquetRows, RowLabels, labelled, units_of
from torchann.data.tables.parquet_table import ParquetTable
from torchann.data.tables.row_splits import time_read, times_of
from torchann.data.tables.table import Chunk
from torchann.data.tables.table_in_memory import infer
from torchann.data.tables.table_report import TableReport
from torchann.data.tables.table_settings import TableSettings
from torchann.data.tables.table_target import (
    MOST_CLASSES,
    Target,
    classes_of,
    describe_classes,
    describe_values,
    is_wide,
)
from torchann.nets.table_columns import TableColumns

MOST_ROWS = 100_000  # to validate, and to test, where no size was given
SEEN_GROUPS, SEEN_ROWS = 16, 2048  # row groups, and rows at their beginning, that say what columns hold
MOST_TIMES = 1_000_000  # of which the bounds of a split by time are found


class StreamedTable(NamedTuple):
    """A table that is read in blocks, and what was inferred of it.

    Attributes:
        name: of the table.
        target: what is to be predicted.
        target_mean: of the training targets, each, of a regression.
        target_std: their standard deviations.
        step: that prepares rows.
        parts: training, validation and test rows by name.
        report: what a person should know.
    """

    name: str
    target: Target
    target_mean: list[float]
    target_std: list[float]
    step: TableColumns
    parts: dict[str, ParquetRows]
    report: TableReport

    def fingerprint(self) -> str:
        """Return a SHA-256 over the bytes of the files."""
        digest = hashlib.sha256()
        for path in self.parts["train"].table.paths:
            with path.open("rb") as file:
                while chunk := file.read(2**20):
                    digest.update(chunk)
        return f"sha256:{digest.hexdigest()}"


def read_in_blocks(settings: TableSettings, table: ParquetTable, known: KnownTable | None = None) -> StreamedTable:
    """Looks at all rows of a table once, some at a time, and infers what it holds.

    Args:
        settings: of the table.
        table: that they name.
        known: what a model knows of it, which then is not inferred.

    Raises:
        ValueError: for a table that cannot be learnt from, or a split that needs all rows at once.
    """
    usable = [name for name in table.columns if name not in table.unusable]
    names = settings.targets
    some = _some_rows(table, usable)
    if known is None:
        target, findings, used, examples, _ = infer(settings, table, some)
        for name, begun in next(table.chunks(usable)).items():
            if name in used and name not in settings.known_kinds and numbers_rows(name, begun, findings[name].form):
                findings[name] = Finding(LEFT_OUT, f"left out: {NUMBER_OF_ROW.why}")
        used = [name for name in used if findings[name].kind != LEFT_OUT]
    else:
        known.check(table, names)
        target, used, findings, examples = known.target, known.columns, {}, {}
    columns = list(dict.fromkeys([*used, *names, *([settings.split_by] if settings.split_by else [])]))
    labels = _labels(settings, table, some)
    scan = _Scan(target, {name: findings[name] for name in used if name in findings})
    for unit in units_of(table):
        scan.begin_unit()
        for cells, parts in labelled(table, unit, columns, labels):
            scan.add(cells, parts)
    deviations = [statistics.std for statistics in scan.targets] if target.task == "regression" else []
    means = [statistics.mean for statistics in scan.targets] if target.task == "regression" else []
    if known is None:
        target = scan.found_target()
        limits = (settings.max_one_hot, settings.max_categories, settings.model_missing, examples)
        step, columns_report = fit_columns(findings, scan.statistics, *limits)
    else:
        step, columns_report = known.step, known.report
    target = replace(target, wide=is_wide(means, deviations))
    streams = {
        part: ParquetRows(table, columns, labels, target, number, scan.counts[number], step)
        for number, part in enumerate(PARTS)
    }
    for part, source in (("val", settings.val_source), ("test", settings.test_source)):
        if source is not None:
            streams[part] = _own_files(settings, source, [*used, *names], target, step)
    notes = [f"{scan.left_out:,} rows have no target and are left out"] if scan.left_out else []
    counts = [f"{sum(streams[part].counts):,}" for part in PARTS]
    rows_told = f"{counts[0]} rows to train on, {counts[1]} to validate, {counts[2]} to test, read in blocks"
    kind = f"{settings.split} by {settings.split_by!r}" if settings.split_by else "random split"
    report = TableReport(table.name, scan.summary(), columns_report, f"{kind}: {rows_told}", notes)
    return StreamedTable(table.name, target, means, deviations, step, streams, report)


def _some_rows(table: ParquetTable, columns: Sequence[str]) -> Chunk:
    # Of row groups all over the table: one that is sorted begins with one class.
    units = [unit for unit in units_of(table) if unit.rows]
    count = min(SEEN_GROUPS, len(units))
    parts = []
    for unit in [units[number * len(units) // count] for number in range(count)]:
        cells, _ = next(labelled(table, unit, columns, None))
        parts.append(pa.table({name: column.array.slice(0, SEEN_ROWS) for name, column in cells.items()}))
    whole = pa.concat_tables(parts, promote_options="permissive")
    return {name: ColumnValues(whole[name], table.missing, table.decimal) for name in columns}


def _own_files(
    settings: TableSettings, source: Any, columns: Sequence[str], target: Target, step: TableColumns
) -> ParquetRows:
    table = settings.open_part(source, columns)
    if not isinstance(table, ParquetTable):
        raise ValueError(f"{table.name!r} is no Parquet file, and the training rows are; give files of one kind")
    counts = []
    for unit in units_of(table):
        parts = labelled(table, unit, target.names, None)
        counts.append(sum(int(target.values([cells[n] for n in target.names])[1].sum()) for cells, _ in parts))
    return ParquetRows(table, columns, None, target, None, counts, step)


def _labels(settings: TableSettings, table: ParquetTable, some: Chunk) -> RowLabels:
    if settings.split == "stratified":
        raise ValueError("a stratified split of a table that is read in blocks; give split=random, group or time")
    rows = table.num_rows
    val, test = settings.sizes(rows, MOST_ROWS)
    shares, by = (val / rows, test / rows), settings.split_by
    if settings.split != "time" or by is None:
        return RowLabels(rows, shares, settings.split_seed, by)
    every, read = -(-rows // MOST_TIMES), time_read(some[by], settings.known_kinds.get(by, ""))
    times = np.sort(np.concatenate([times_of(chunk[by], read)[::every] for chunk in table.chunks([by])]))
    val, test = (round(len(times) * share) for share in shares)
    begin_test = times[len(times) - test] if test else np.inf
    before = times[times < begin_test]
    begin_val = before[-val] if 0 < val <= len(before) else begin_test
    return RowLabels(rows, shares, settings.split_seed, by, (float(begin_val), float(begin_test)), read)


class _Scan:
    """What one pass over all rows tells: statistics of training rows, and how many rows each part has."""

    def __init__(self, target: Target, findings: Mapping[str, Finding]) -> None:
        self.target, self.left_out = target, 0
        self.statistics = {name: ColumnStatistics(name, found.kind, found.form) for name, found in findings.items()}
        self.targets = [ColumnStatistics(name, "number") for name in target.names]
        self.classes: Counter[str] = Counter()
        self.counts: list[list[int]] = [[] for _ in PARTS]

    def begin_unit(self) -> None:
        for counts in self.counts:
            counts.append(0)

    def add(self, cells: Chunk, parts: Labels) -> None:
        y = [cells[name] for name in self.target.names]
        if self.target.task == "regression":
            there = self.target.values(y)[1]
        else:
            found = y[0].codes()
            there = found.codes >= 0
            self.classes.update(found.counts())
        self.left_out += int((~there).sum())
        for number, counted in enumerate(self.counts):
            counted[-1] += int((there & (parts == number)).sum())
        train = np.flatnonzero(there & (parts == PARTS.index("train")))
        for name, statistics in self.statistics.items():
            statistics.add(cells[name].read(statistics.kind, statistics.form).take(train))
        if self.target.task == "regression":
            for statistics, column, read in zip(self.targets, y, self.target.reads, strict=True):
                statistics.add(column.read(*read).take(train))

    def found_target(self) -> Target:
        if self.target.task == "regression":
            return self.target
        names = list(classes_of(self.classes))
        if len(names) > MOST_CLASSES:
            raise ValueError(
                f"the target {self.target.names[0]!r} has {len(names):,} classes; give a column with fewer, or, where "
                "it holds numbers, task=regression"
            )
        return replace(self.target, task="binary" if len(names) == 2 else "multiclass", class_names=tuple(names))

    def summary(self) -> str:
        first = self.targets[0]
        if self.target.task == "regression":
            return describe_values(self.target, first.low, first.high)
        target = self.found_target()
        return describe_classes(target, list(classes_of(self.classes).values()))
