"""A table that is read, whole or in blocks: what was inferred of it, and its rows in three parts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa

from torchann.data.in_memory import Split
from torchann.data.tables.column_values import ColumnValues
from torchann.data.tables.columns import UnseenValues, is_number, shortened, shown
from torchann.data.tables.csv_table import CsvTable
from torchann.data.tables.fitted_columns import fit_columns
from torchann.data.tables.inferred_table import InferredTable, infer
from torchann.data.tables.known_table import KnownTable
from torchann.data.tables.number_choices import choose, fit_numbers
from torchann.data.tables.number_choices import told as told_of
from torchann.data.tables.parquet_table import ParquetTable
from torchann.data.tables.part_rows import PartRows, labelled
from torchann.data.tables.row_splits import PARTS
from torchann.data.tables.table import Chunk, HeldRows, Table
from torchann.data.tables.table_report import ColumnReport, TableReport
from torchann.data.tables.table_scan import TableScan
from torchann.data.tables.table_settings import TableSettings
from torchann.data.tables.table_splitter import splitter_of
from torchann.data.tables.table_target import Target, is_wide
from torchann.nets.number_encoding import NumberEncoding
from torchann.nets.table_columns import TableColumns

SEEN_GROUPS, SEEN_ROWS = 16, 2048  # row groups, and rows at their beginning, that say what columns hold


class ReadTable(NamedTuple):
    """A table, and what was inferred of it.

    Attributes:
        name: of the table.
        target: what is to be predicted.
        target_mean: of the training targets, each, of a regression.
        target_std: their standard deviations.
        step: that prepares rows.
        numbers: encodes their numbers, None if they stay standardised.
        parts: training, validation and test rows by name: as numbers in memory, or as streams.
        rows: of each part.
        report: what a person should know.
        fingerprint: of the training rows, where they are not in memory.
    """

    name: str
    target: Target
    target_mean: list[float]
    target_std: list[float]
    step: TableColumns
    numbers: NumberEncoding | None
    parts: dict[str, Split | PartRows]
    rows: dict[str, int]
    report: TableReport
    fingerprint: str


def read_table(
    settings: TableSettings, table: Table, known: KnownTable | None = None, in_blocks: bool = False
) -> ReadTable:
    """Infer what a table holds, say which part each row belongs to, and make its rows numbers.

    Args:
        settings: of the table.
        table: that they name.
        known: what a model knows of it, which then is not inferred.
        in_blocks: whether a Parquet table is looked at once, some rows at a time, and its rows stay where they are.

    Raises:
        ValueError: for a table that cannot be learnt from, or a split that needs all rows at once.
        OSError: for files that cannot be read.

    Example:
        >>> settings = TableSettings({"age": range(10), "rich": ["no", "yes"] * 5}, "rich", kinds={"age": "number"})
        >>> read = read_table(settings, settings.open())
        >>> read.target.class_names, read.parts["train"].x.shape, sorted(read.parts["train"].y.tolist())
        (('no', 'yes'), torch.Size([6, 1]), [0, 0, 0, 1, 1, 1])
    """
    names, by = settings.targets, [settings.split_by] if settings.split_by else []
    usable = [name for name in table.columns if name not in table.unusable]
    if known is not None:
        known.check(table, names)
        usable = list(dict.fromkeys([*known.columns, *names, *by]))
    cells = _some_rows(table, usable) if in_blocks else table.read(usable)
    if known is None:
        inferred = infer(settings, table, cells, next(table.chunks(usable)) if in_blocks else None)
    else:
        inferred = InferredTable(known.target, {c.name: (c.kind, c.form) for c in known.step.table}, {}, {}, [])
        cells |= {name: cells[name].only(*read) for name, read in inferred.reads.items() if name not in [*names, *by]}
    source = table if isinstance(table, ParquetTable) and in_blocks else HeldRows(cells)
    splitter, told, notes = splitter_of(settings, source, inferred.target, cells)
    columns = list(dict.fromkeys([*inferred.reads, *names, *by]))
    scan = TableScan(inferred.target, inferred.reads, in_blocks)
    for unit in source.units:
        scan.begin_unit()
        for chunk, labels in labelled(source, unit, columns, splitter):
            scan.add(chunk, labels)
    for part, counts in zip(PARTS, scan.counts, strict=True):
        if not any(counts) and part not in ("test", *settings.own_sources):
            why = f", as too many rows have the same {by[0]!r}" if by else ""
            raise ValueError(f"the split leaves no {PARTS[part]} rows{why}; give other sizes, or split=random")
    target = scan.found_target() if known is None else known.target
    means, deviations = [one.mean for one in scan.targets], [one.std for one in scan.targets]
    target = replace(target, wide=target.task == "regression" and is_wide(means, deviations))
    if known is None:
        limits = (settings.max_one_hot, settings.max_categories, settings.model_missing, inferred.examples)
        step, lines = fit_columns(inferred.findings, scan.statistics, *limits)
        encodings = choose(settings.numbers, step)
        lines, numbers = told_of(lines, encodings), None
        if in_blocks and set(encodings.values()) - {"standard"}:
            why = "needs all training rows at once, and the table is read in blocks"
            raise ValueError(f"numbers={settings.numbers!r} {why}; give a larger max_memory, or numbers='standard'")
    else:
        step, lines, numbers = known.step, known.report, known.numbers
    streams = {
        part: PartRows(source, columns, splitter, target, part, counts, step, numbers)
        for part, counts in zip(PARTS, scan.counts, strict=True)
    }
    for part, own in settings.own_sources.items():
        streams[part], left_out = _own_rows(settings, own, part, target, streams["train"], in_blocks)
        scan.left_out += left_out
    rows = {part: sum(stream.counts) for part, stream in streams.items()}
    parts: dict[str, Split | PartRows] = {**streams}
    if not in_blocks:
        for part, stream in streams.items():
            surprises = UnseenValues()
            parts[part] = stream.held(surprises)
            notes += [f"{PARTS[part]} rows, {line}" for line in surprises.lines() if part != "train"]
    if known is None and isinstance(train := parts["train"], Split):
        numbers = fit_numbers(encodings, step(train.x), train.y, target.task)
    notes = [*inferred.notes, *notes]
    if scan.left_out:
        notes.insert(0, f"{scan.left_out:,} rows have no target and are left out")
    notes += _remarks(table, settings, lines)
    told += f": {rows['train']:,} rows to train on, {rows['val']:,} to validate, {rows['test']:,} to test"
    report = TableReport(table.name, scan.summary(target), lines, told + ", read in blocks" * in_blocks, notes)
    fingerprint = scan.fingerprint([column.name for column in step.table])
    return ReadTable(table.name, target, means, deviations, step, numbers, parts, rows, report, fingerprint)


def _remarks(table: Table, settings: TableSettings, lines: Sequence[ColumnReport]) -> list[str]:
    # What a person may not have meant.
    found, names = [], table.columns
    counted = names in ([str(place + first) for place in range(len(names))] for first in (0, 1))
    if isinstance(table, CsvTable) and sum(map(is_number, names)) * 2 >= len(names) and not counted:
        found.append(f"the first line, {shortened(names, 3)}, was taken for names; if it is a row, put names above it")
    dates = [line.name for line in lines if line.kind.startswith("date")]
    if dates and settings.split in (None, "random") and not settings.own_sources:
        found.append(f"with dates, --data.split time --data.split_by {shown(dates[0])} judges by the latest rows")
    return found


def _some_rows(table: Table, columns: Sequence[str]) -> Chunk:
    # Of row groups all over the table: one that is sorted begins with one class.
    assert isinstance(table, ParquetTable)
    units = [unit for unit in table.units if unit.rows]
    count = min(SEEN_GROUPS, len(units))
    parts = []
    for unit in [units[number * len(units) // count] for number in range(count)]:
        cells = next(table.read_unit(unit, columns))
        parts.append(pa.table({name: column.array.slice(0, SEEN_ROWS) for name, column in cells.items()}))
    whole = pa.concat_tables(parts, promote_options="permissive")
    return {name: ColumnValues(whole[name], table.missing, table.decimal) for name in columns}


def _own_rows(
    settings: TableSettings, own: Any, part: str, target: Target, train: PartRows, in_blocks: bool
) -> tuple[PartRows, int]:
    """Return the rows of a part that has files of its own, and how many have no target."""
    columns = list(dict.fromkeys([*[column.name for column in train.step.table], *target.names]))
    table = settings.open_part(own, columns)
    if in_blocks and not isinstance(table, ParquetTable):
        raise ValueError(f"{table.name!r} is no Parquet file, and the training rows are; give files of one kind")
    source = table if isinstance(table, ParquetTable) and in_blocks else HeldRows(table.read(columns))
    counts = []
    for unit in source.units:
        found = [target.values([cells[n] for n in target.names])[1] for cells in source.read_unit(unit, columns)]
        counts.append(sum(int(there.sum()) for there in found))
    if not any(counts):
        raise ValueError(f"{table.name!r} has no row with a target; give other {PARTS[part]} rows")
    left_out = sum(unit.rows for unit in source.units) - sum(counts)
    return PartRows(source, columns, None, target, part, counts, train.step, train.numbers), left_out
