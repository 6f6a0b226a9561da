"""Which rows to train on, which to choose by and which to be judged by: at random, by class, by group, by time."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from torchann.data.tables.column_kinds import LEFT_OUT, find_kind
from torchann.data.tables.column_values import ColumnValues
from torchann.data.tables.table import Unit

SplitKind = Literal["random", "stratified", "group", "time"]
Size = int | float
PARTS = {"train": "training", "val": "validation", "test": "test"}
NO_PART = -1
MOST_KEPT = 2**24  # labels, each a byte, so that a table of any size will do
Labels = NDArray[np.int8]
"""The part of each row, ``(rows,)``: its place in PARTS, or NO_PART."""


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


@dataclass(frozen=True, eq=False)
class Splitter:
    """Which part each row of a table belongs to, whole or unit by unit; a row gets the same one each time it is read.

    Args:
        rows: of the table.
        sizes: how many of them are to validate and to test.
        seed: of a random split.
        classes: for a stratified split the class of each row ``(rows,)``, which needs the table whole.
        by: the column of groups or times; None for a random split.
        groups: the part of each group, where all are known; each is drawn by its name otherwise.
        bounds: where the times of validation and of test begin.
        read: kind and form of the times.
        known: the part of each row, where that was found out.

    Example:
        >>> np.bincount(Splitter(10, (2, 3), seed=0).of_unit(Unit(0, 0, 0, 10)))
        array([5, 2, 3])
    """

    rows: int
    sizes: tuple[int, int]
    seed: int
    classes: NDArray[np.int64] | None = None
    by: str | None = None
    groups: Mapping[str, int] | None = None
    bounds: tuple[float, float] | None = None
    read: tuple[str, str] = ("date", "")
    known: Labels | None = None
    _drawn: dict[int, Labels] = field(default_factory=dict, repr=False)

    def of_unit(self, unit: Unit) -> Labels:
        """Return the part of each row of a unit, which has its share of each part; a table may be one unit."""
        if self.known is not None:
            return self.known[unit.start : unit.start + unit.rows]
        end = unit.start + unit.rows
        if unit.start in self._drawn:
            return self._drawn[unit.start]
        val, test = (end * size // self.rows - unit.start * size // self.rows for size in self.sizes)
        labels = draw(unit.rows, (val, test), (self.seed + 1_000_003 * unit.start) % 2**32, self.classes)
        if self.rows <= MOST_KEPT:  # a draw takes a fifth of the time in which rows are read
            self._drawn[unit.start] = labels
        return labels

    def of_column(self, cells: ColumnValues) -> Labels:
        """Return the part of each row by its group or time.

        Raises:
            ValueError: if a row has none.
        """
        if self.bounds is not None:
            times = times_of(cells, self.read)
            return (times >= self.bounds[0]).astype(np.int8) + (times >= self.bounds[1])
        codes, texts = cells.codes()
        if gaps := int((codes < 0).sum()):
            raise ValueError(f"{gaps:,} rows have no {self.by!r} to split by; fill the gaps")
        return np.array([self._part(text) for text in texts], np.int8)[codes]

    def _part(self, text: str) -> int:
        if self.groups is not None:
            return self.groups.get(text, NO_PART)
        digest = hashlib.blake2b(f"{self.seed} {text}".encode(), digest_size=8).digest()
        place, (val, test) = int.from_bytes(digest, "little") / 2**64 * self.rows, self.sizes
        return 1 if place < val else 2 if place < val + test else 0


def draw(rows: int, sizes: tuple[int, int], seed: int, classes: NDArray[np.int64] | None = None) -> Labels:
    """Draw the part of each row: as scikit-learn's ``train_test_split`` takes test rows, then validation rows.

    Args:
        rows: how many there are.
        sizes: how many of them are to validate and to test.
        seed: of the draw.
        classes: of the rows, ``(rows,)``, where each part is to have each class in its share.

    Raises:
        ValueError: if a class has too few rows.
    """
    if classes is not None and (rare := int(min(np.unique(classes, return_counts=True)[1]))) < 1 + np.count_nonzero(
        sizes
    ):
        raise ValueError(
            f"a class has {rare} {'row' if rare == 1 else 'rows'} for {1 + np.count_nonzero(sizes)} parts; take such "
            "rows out, or give split=random"
        )
    labels, pool = np.zeros(rows, dtype=np.int8), np.arange(rows)
    for part, count in ((2, sizes[1]), (1, sizes[0])):
        if not count:
            continue
        if classes is None:
            pool = pool[np.random.RandomState(seed).permutation(len(pool))]
            taken, pool = pool[:count], pool[count:]
        else:
            from sklearn.model_selection import train_test_split  # only here, as it imports pandas

            try:
                pool, taken = train_test_split(pool, test_size=count, random_state=seed, stratify=classes[pool])
            except ValueError as error:
                raise ValueError(f"{error}; give a larger {list(PARTS)[part]}_size, or split=random") from None
        labels[taken] = part
    return labels


def draw_groups(names: Iterable[str], sizes: tuple[int, int], seed: int) -> dict[str, int]:
    """Draw the part of each group, by its name."""
    listed = list(names)
    return dict(zip(listed, draw(len(listed), sizes, seed).tolist(), strict=True))


def time_bounds(times: NDArray[np.float64], sizes: Sequence[int]) -> tuple[float, float]:
    """Return where the times of validation and those of test begin; rows of the same time stay together.

    Args:
        times: in any order.
        sizes: how many of them are to validate and to test, at least.

    Example:
        >>> time_bounds(np.array([3.0, 1.0, 2.0, 3.0, 2.0]), (1, 1))
        (2.0, 3.0)
    """
    val, test = sizes
    times = np.sort(times)
    begin_test = times[len(times) - test] if test else np.inf
    before = times[times < begin_test]
    return float(before[-val] if 0 < val <= len(before) else begin_test), float(begin_test)


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
