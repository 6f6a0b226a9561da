"""One pass over the rows of a table: what the training rows say, and how many rows each part has."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from torchann.data.tables.column_statistics import ColumnStatistics
from torchann.data.tables.column_values import Codes, Numbers
from torchann.data.tables.row_splits import PARTS, Labels
from torchann.data.tables.table import Chunk
from torchann.data.tables.table_target import MOST_CLASSES, Target, classes_of, describe_classes, describe_values


class TableScan:
    """What one pass over all rows says: statistics of training rows, and how many rows each part has.

    Args:
        target: what is to be predicted.
        reads: kind and form of each column that is learnt from.
        fingerprinted: whether the training rows' fingerprint is wanted.

    Attributes:
        counts: of each part, the rows with a target in each unit.
        left_out: rows without a target.
        statistics: of the columns, by name.
        targets: statistics of the targets of a regression.
    """

    def __init__(self, target: Target, reads: Mapping[str, tuple[str, str]], fingerprinted: bool) -> None:
        self.target, self.left_out = target, 0
        self.statistics = {name: ColumnStatistics(name, *read) for name, read in reads.items()}
        regression = target.task == "regression"
        self.targets = [
            ColumnStatistics(name, *read) for name, read in zip(target.names, target.reads, strict=regression)
        ]
        self.classes: Counter[str] = Counter()
        self.train_classes: Counter[str] = Counter()
        self.counts: list[list[int]] = [[] for _ in PARTS]
        self.digests = {name: hashlib.sha256() for name in [*reads, *target.names] if fingerprinted}

    def begin_unit(self) -> None:
        """Begin to count the rows of another unit."""
        for counts in self.counts:
            counts.append(0)

    def add(self, cells: Chunk, labels: Labels) -> None:
        """Take in some rows, and the part of each."""
        y = [cells[name] for name in self.target.names]
        if self.targets:
            there = self.target.values(y)[1]
        else:
            found = y[0].codes()
            there = found.codes >= 0
            self.classes.update(found.counts())
        self.left_out += int((~there).sum())
        for number, counted in enumerate(self.counts):
            counted[-1] += int((there & (labels == number)).sum())
        train = np.flatnonzero(there & (labels == 0))
        for statistics in (*self.statistics.values(), *self.targets):
            read = cells[statistics.name].read(statistics.kind, statistics.form).take(train)
            statistics.add(read)
            self._note(statistics.name, read)
        if not self.targets:
            self.train_classes.update(found.take(train).counts())
            self._note(self.target.names[0], found.take(train))

    def _note(self, name: str, read: Numbers | Codes) -> None:
        if name in self.digests:
            self.digests[name].update(np.ascontiguousarray(read[0]).data)
            self.digests[name].update("\n".join(read.texts).encode() if isinstance(read, Codes) else b"")

    def found_target(self) -> Target:
        """Return the target with the classes of all rows.

        Raises:
            ValueError: if there are too many.
        """
        if self.targets:
            return self.target
        names = list(classes_of(self.classes))
        if len(names) > MOST_CLASSES:
            raise ValueError(
                f"the target {self.target.names[0]!r} has {len(names):,} classes; give a column with fewer, or, where "
                "it holds numbers, task=regression"
            )
        return replace(self.target, task="binary" if len(names) == 2 else "multiclass", class_names=tuple(names))

    def summary(self, target: Target) -> str:
        """Return a line on the training rows' targets."""
        if self.targets:
            return describe_values(target, self.targets[0].low, self.targets[0].high)
        counts = [0] * len(target.class_names)
        for text, count in self.train_classes.items():
            if (place := target.place(text)) is not None:
                counts[place] += count
        return describe_classes(target, counts)

    def fingerprint(self, columns: Sequence[str]) -> str:
        """Return a SHA-256 over the training rows, whatever their columns' order; empty if they are in memory."""
        found = [
            f"{name}={self.digests[name].hexdigest()}"
            for name in sorted({*columns, *self.target.names})
            if self.digests
        ]
        return f"sha256:{hashlib.sha256(chr(10).join(found).encode()).hexdigest()}" if found else ""
