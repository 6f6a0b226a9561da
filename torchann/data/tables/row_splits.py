"""Which rows to train on, which to choose by and which to be judged by: at random, by class, by group, by time."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from torchann.data.tables.column_kinds import LEFT_OUT, find_kind
from torchann.data.tables.column_values import ColumnValues

SplitKind = Literal["random", "stratified", "group", "time"]
Size = int | float
RowNumbers = NDArray[np.int64]


class RowSplits(NamedTuple):
    """Row numbers, each in one of the three, in the order of the table."""

    train: RowNumbers
    val: RowNumbers
    test: RowNumbers


def count_of(size: Size, rows: int, what: str) -> int:
    """How many rows a size stands for.

    Args:
        size: a share from 0 to 1, or a number of rows.
        rows: of the table.
        what: the size's name, for the error.

    Raises:
        ValueError: if it is none, or leaves no row to train on.

    Example:
        >>> count_of(0.2, 104, "val_size"), count_of(30, 104, "val_size")
        (21, 30)
    """
    if type(size) in (int, float) and (size == 0 or 1 <= size < rows) and size == int(size):  # YAML may write 20.0
        return int(size)
    if type(size) is float and 0 < size < 1:
        return int(np.ceil(size * rows))  # as scikit-learn rounds
    raise ValueError(f"{what} is {size} and there are {rows:,} rows; give a share from 0 to 1, or fewer rows")


def split_rows(
    rows: int,
    sizes: Callable[[int], tuple[int, int]],
    seed: int,
    kind: SplitKind = "random",
    by: ColumnValues | NDArray[np.int64] | None = None,
    by_kind: str = "",
) -> RowSplits:
    """Splits a table; no row is in two parts.

    Args:
        rows: how many there are.
        sizes: from the number of rows, or of groups, to how many of them are to validate and to test.
        seed: of what is random in it.
        kind: random; stratified, where each part has each class in its share; group, where no group is in two parts,
            and sizes are in groups; time, where the last rows are test rows and those before them validation rows, and
            rows of the same time stay together.
        by: for stratified the class of each row ``(rows,)``, for the others the column of groups or times.
        by_kind: kind of the column of times, where it is known.

    Raises:
        ValueError: if a part would have no row, or a class too few.

    Example:
        >>> parts = split_rows(10, lambda rows: (2, 3), seed=0)
        >>> [len(part) for part in parts]
        [5, 2, 3]
    """
    if kind in ("group", "time"):
        assert isinstance(by, ColumnValues)
        return _by_group(by, sizes, seed) if kind == "group" else _by_time(by, sizes, by_kind)
    val, test = sizes(rows)
    classes = np.asarray(by) if kind == "stratified" else None
    if classes is not None:
        _check_classes(classes, (val > 0) + (test > 0) + 1)
    return _in_order(_at_random(np.arange(rows), val, test, seed, classes))


def _at_random(pool: RowNumbers, val: int, test: int, seed: int, classes: RowNumbers | None = None) -> RowSplits:
    from sklearn.model_selection import train_test_split  # only here, as it imports pandas and SciPy's statistics

    parts = {}
    for name, count in (("test", test), ("val", val)):
        if not count:
            parts[name] = pool[:0]
            continue
        try:
            stratify = None if classes is None else classes[pool]
            pool, parts[name] = train_test_split(pool, test_size=count, random_state=seed, stratify=stratify)
        except ValueError as error:
            raise ValueError(f"{error}; give a larger {name}_size, or split=random") from None
    return RowSplits(pool, parts["val"], parts["test"])


def _in_order(parts: RowSplits) -> RowSplits:
    return RowSplits(*(np.sort(part) for part in parts))


def _check_classes(classes: RowNumbers, parts: int) -> None:
    counts = np.bincount(classes)
    if (rare := int(counts[counts > 0].min())) < parts:
        raise ValueError(
            f"a class has {rare} {'row' if rare == 1 else 'rows'} for {parts} parts; take such rows out, or give "
            "split=random"
        )


def _by_group(by: ColumnValues, sizes: Callable[[int], tuple[int, int]], seed: int) -> RowSplits:
    groups = by.codes().codes
    if (groups < 0).any():
        row = int(np.flatnonzero(groups < 0)[0])
        raise ValueError(f"row {row} has no group to split by; fill the gaps ({int((groups < 0).sum()):,} in all)")
    names = np.unique(groups)
    parts = _at_random(names, *sizes(len(names)), seed)
    return RowSplits(*(np.flatnonzero(np.isin(groups, part)) for part in parts))


def _by_time(by: ColumnValues, sizes: Callable[[int], tuple[int, int]], kind: str) -> RowSplits:
    times = times_of(by, time_read(by, kind))
    val, test = sizes(len(times))
    begin_test = np.sort(times)[len(times) - test] if test else np.inf
    before = np.sort(times[times < begin_test])
    begin_val = before[-val] if 0 < val <= len(before) else begin_test
    parts = RowSplits(
        np.flatnonzero(times < begin_val),
        np.flatnonzero((times >= begin_val) & (times < begin_test)),
        np.flatnonzero(times >= begin_test),
    )
    if not len(parts.train) or (val and not len(parts.val)):
        raise ValueError("so many rows have the same time that a part has none; give other sizes, or split=random")
    return parts


def time_read(by: ColumnValues, given: str = "") -> tuple[str, str]:
    """Return kind and form of a column of times: numbers or dates.

    Args:
        by: the column.
        given: its kind, where that is known.

    Raises:
        ValueError: for dates that could be read both ways.
    """
    if not by.is_text:
        return "date", ""
    found = find_kind("", by, given if given not in ("category", "boolean", LEFT_OUT) else "")
    return (found.kind, found.form) if found.kind == "number" else ("date", found.form)


def times_of(by: ColumnValues, read: tuple[str, str]) -> NDArray[np.float64]:
    """Return a column of times as numbers.

    Raises:
        ValueError: if a row has none.
    """
    times, wrong = by.read(*read)
    if np.isnan(times).any():
        got = f"{next(iter(wrong))!r:.40}, which is none" if wrong else "no time"
        raise ValueError(f"a row has {got}; to split by time give numbers or dates as 2026-01-31 in each row")
    return times  # type: ignore[no-any-return]
