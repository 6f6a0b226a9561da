"""How the rows of a table are split, as its settings ask for: whole, or in blocks."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from torchann.data.tables.part_rows import RowSource
from torchann.data.tables.row_splits import NO_PART, PARTS, Splitter, draw_groups, time_bounds, time_read, times_of
from torchann.data.tables.table import Chunk, HeldRows, Unit
from torchann.data.tables.table_settings import TableSettings
from torchann.data.tables.table_target import Target

MOST_ROWS = 100_000  # to validate, and to test, of a table in blocks, where no size was given
MOST_TIMES = 1_000_000  # of which the bounds of a split by time are found


def splitter_of(
    settings: TableSettings, source: RowSource, target: Target, cells: Chunk
) -> tuple[Splitter, str, list[str]]:
    """Return what splits a table, how in words, and what a person should know of it.

    Args:
        settings: of the table.
        source: its rows, in memory or in blocks.
        target: what is to be predicted.
        cells: its columns, or a sample of their rows where they are in blocks.

    Raises:
        ValueError: for a split that the rows do not allow.
    """
    kind, by, seed = settings.split, settings.split_by, settings.split_seed
    whole, count = isinstance(source, HeldRows), sum(unit.rows for unit in source.units)
    classes, notes, there = None, [], np.ones(count, dtype=bool)
    if whole:
        y, there = target.values([cells[name] for name in target.names])
        count = int(there.sum())
        if not count:
            raise ValueError(f"the target {target.names[0]!r} has no value in any row; give another column")
        if target.class_names and kind in (None, "stratified"):
            classes = y.numpy()[there]
    elif kind == "stratified":
        raise ValueError("a stratified split of a table that is read in blocks; give split=random, group or time")
    if kind == "stratified" and classes is None:
        raise ValueError(f"a stratified split of a regression of {target.names[0]!r}; give split=random")
    if kind is None and classes is not None and (counts := np.bincount(classes)).min() < len(PARTS):
        rare = target.class_names[int(counts.argmin())]
        notes.append(f"not stratified, as the class {rare!r} has fewer rows ({counts.min()}) than there are parts")
        classes = None
    sizes = settings.sizes(count, None if whole else MOST_ROWS)
    splitter = Splitter(count, sizes, seed, classes, by)
    if by is not None:
        column = cells[by].take(there) if whole else cells[by]
        if kind == "group" and whole:
            groups = list(column.codes().counts())
            splitter = replace(splitter, groups=draw_groups(groups, settings.sizes(len(groups)), seed))
        elif kind == "time":
            read = time_read(column, settings.known_kinds.get(by, ""))
            times = times_of(column, read) if whole else _some_times(source, by, read, -(-count // MOST_TIMES))
            bounds = time_bounds(times, [round(len(times) * size / count) for size in sizes])
            splitter = replace(splitter, bounds=bounds, read=read)
    if whole:
        labels = np.full(len(there), NO_PART, dtype=np.int8)
        labels[there] = splitter.of_unit(Unit(0, 0, 0, count)) if by is None else splitter.of_column(column)
        splitter = replace(splitter, known=labels)
    told = f"{kind} by {by!r}" if by else f"{'random' if classes is None else 'stratified'} split"
    own = ", ".join(f"{PARTS[part]} rows from a file" for part in settings.own_sources)
    return splitter, f"{told}, {own}" if own else told, notes


def _some_times(source: RowSource, by: str, read: tuple[str, str], every: int) -> NDArray[np.float64]:
    chunks = (chunk for unit in source.units for chunk in source.read_unit(unit, [by]))
    return np.concatenate([times_of(chunk[by], read)[::every] for chunk in chunks])
