"""What the training rows say of a column, gathered some rows at a time: mean, deviation, gaps, categories."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from torchann.data.tables.column_values import Codes, Numbers
from torchann.data.tables.missing_values import text_of_value
from torchann.nets.column import TIME, Column

YEAR, WEEK, DAY = 365.2425, 7.0, 1.0
MOST_TEXTS = 1_000_000  # that are counted; a column with more is none of categories
MOST_NUMBERS = 100  # of an embedding


class Fitted(NamedTuple):
    """How a column is prepared.

    Attributes:
        column: None if it says nothing.
        mean: that is subtracted; 0 of a category.
        std: that is divided by; 1 of a category.
        missing: gaps in the training rows.
        summary: what becomes of it, in words, or why nothing does.
    """

    column: Column | None
    mean: float
    std: float
    missing: int
    summary: str


@dataclass
class ColumnStatistics:
    """Gathers what preparing a column needs to know, of training rows alone.

    Args:
        name: of the column.
        kind: what it holds: number, category, boolean or date.
        form: of its texts.

    Attributes:
        rows: that were taken in.
        missing: how many of them lack a value.
        texts: of a category, each with its rows.
        mean: of the others.
        low: the lowest of them.
        high: the highest of them.

    Example:
        >>> from torchann.data.tables.column_values import column_of
        >>> statistics = ColumnStatistics("age", "number")
        >>> [statistics.add(column_of(part).read("number")) for part in ([20.0, 30.0], [40.0, None])]
        [None, None]
        >>> fitted = statistics.fit()
        >>> fitted.mean, round(fitted.std, 3), fitted.summary
        (30.0, 8.165, 'standardised; 1 if missing')
    """

    name: str
    kind: str
    form: str = ""
    rows: int = 0
    missing: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    mean: float = 0.0
    low: float = np.inf
    high: float = -np.inf
    _squares: float = 0.0
    _times: bool = False

    def add(self, found: Numbers | Codes) -> None:
        """Take in some rows, as they were read.

        Raises:
            ValueError: for numbers that are infinite.
        """
        if isinstance(found, Codes):
            self.rows += len(found.codes)
            self.missing += int((found.codes < 0).sum())
            if len(self.texts) <= MOST_TEXTS:
                self.texts.update(found.counts())
            return
        values = found.values
        self.rows += len(values)
        there = values[~np.isnan(values)]
        before = self.rows - len(values) - self.missing
        self.missing += len(values) - len(there)
        if not len(there):
            return
        if np.isinf(there).any():
            raise ValueError(f"column {self.name!r} has infinite values; take them out, or leave the column out")
        # Chan, Golub and LeVeque: the mean and the squares about it, of two parts together
        mean, share = there.mean(), len(there) / (before + len(there))
        apart = mean - self.mean
        self._squares += float(((there - mean) ** 2).sum() + apart**2 * before * share)
        self.mean += float(apart * share)
        self.low, self.high = min(self.low, float(there.min())), max(self.high, float(there.max()))
        self._times |= self.kind == "date" and bool((there % 1 != 0).any())

    @property
    def std(self) -> float:
        """Standard deviation, divided by the number of rows."""
        return float((self._squares / max(1, self.rows - self.missing)) ** 0.5)

    def fit(self, max_one_hot: int = 50, max_categories: int = 10_000) -> Fitted:
        """How the column is prepared.

        Args:
            max_one_hot: categories with more values are embedded.
            max_categories: the most frequent so many are kept, the others count as unseen.
        """
        return self._category(max_one_hot, max_categories) if self.kind == "category" else self._number()

    def _left_out(self, why: str) -> Fitted:
        return Fitted(None, 0.0, 1.0, self.missing, f"left out: {why}")

    def _number(self) -> Fitted:
        there, gaps = self.rows - self.missing, self.missing > 0
        if not there:
            return self._left_out("empty in the training rows")
        if self.low == self.high and not gaps:
            always = bool(self.low) if self.kind == "boolean" else self.low
            return self._left_out(f"always {text_of_value(always)}")
        std = self.std if self.low < self.high else 1.0
        span = self.high - self.low
        periods = [days for days in (YEAR, WEEK, DAY) if self.kind == "date" and span >= 2 * days]
        periods = [DAY] if self.form == TIME else [days for days in periods if days > DAY or self._times]
        names = {YEAR: "year", WEEK: "week", DAY: "day"}
        waves = "".join(f", time of {names[days]}" for days in periods)
        message = f"standardised{waves}{'; 1 if missing' if gaps else ''}"
        column = Column(self.name, self.kind, gaps, periods=periods, form=self.form)  # type: ignore[arg-type]
        return Fitted(column, self.mean, std, self.missing, message)

    def _category(self, max_one_hot: int, max_categories: int) -> Fitted:
        if len(self.texts) > MOST_TEXTS:
            return self._left_out(f"more than {MOST_TEXTS:,} different texts")
        if not self.texts:
            return self._left_out("empty in the training rows")
        if len(self.texts) == 1 and not self.missing:
            return self._left_out(f"always {next(iter(self.texts))!r:.40}")
        kept = sorted(self.texts, key=lambda text: (-self.texts[text], text))[:max_categories]
        size = embedding_size(len(kept)) if len(kept) > max_one_hot else 0
        column = Column(self.name, "category", self.missing > 0, sorted(kept), size)
        rest = f", the rarest {len(self.texts) - len(kept):,} of them none" if len(kept) < len(self.texts) else ""
        return Fitted(column, 0.0, 1.0, self.missing, f"a vector of {size} learnt{rest}" if size else f"one-hot{rest}")


def embedding_size(categories: int) -> int:
    """How many numbers to learn for each of so many categories: fast.ai's rule, 1.6 times their 0.56th power.

    Example:
        >>> embedding_size(60), embedding_size(1_000_000)
        (16, 100)
    """
    return int(min(MOST_NUMBERS, round(1.6 * categories**0.56)))
