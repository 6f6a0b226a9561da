"""What has been tried on a table, the best first."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate

from torchann.estimators.portfolio.rows import Numbers, Rows


@dataclass(frozen=True)
class Line:
    """A model in the leaderboard.

    Attributes:
        name: of the recipe and what its nets get of the numbers.
        loss: on rows that it has not seen: log loss, or RMSE in deviations of the target.
        metric: the share of wrong answers, or R².
        parts: parts of the rows that it has predicted.
        seconds: of processor time.
        weight: of its nets in the model.
    """

    name: str
    loss: float
    metric: float
    parts: int
    seconds: float
    weight: float = 0.0

    @classmethod
    def of(
        cls, name: str, rows: Rows, told: tuple[Numbers, Numbers], parts: int, seconds: float, weight: float = 0
    ) -> "Line":
        """Return the line of a model by what it predicts of rows that it has not seen, and their places."""
        predictions, places = told
        y = rows.y[places]
        if rows.classes:
            metric = float(np.mean(predictions.argmax(1) != y))
        else:
            metric = float(1 - np.mean(np.square(predictions - y)) / np.mean(np.square(y - y.mean(0))))
        return cls(name, rows.loss(predictions, places), metric, parts, round(seconds, 2), round(weight, 4))


@dataclass(frozen=True)
class Leaderboard:
    """Models that have been tried on a table, and the one that was made of them.

    Attributes:
        lines: the best first.
        classes: whether it is about classes.

    Example:
        >>> lines = [Line("relu", 0.45, 0.8, 5, 3.0, 1.0), Line("boosted trees", 0.40, 0.84, 5, 2.0)]
        >>> board = Leaderboard.of(lines, classes=False)
        >>> print(board)
        model            loss    R2    parts    seconds    weight
        -------------  ------  ----  -------  ---------  --------
        boosted trees    0.4   0.84        5        2.0
        relu             0.45  0.8         5        3.0      1.00
        >>> board.warning
        'boosted trees predict this table better (0.4) than the nets (0.45); where that counts most, use them'
    """

    lines: tuple[Line, ...]
    classes: bool

    @classmethod
    def of(cls, lines: Sequence[Line], classes: bool) -> "Leaderboard":
        """Return a leaderboard of lines in any order."""
        return cls(tuple(sorted(lines, key=lambda line: line.loss)), classes)

    def __str__(self) -> str:
        return self._table("simple")

    @property
    def markdown(self) -> str:
        """The table in Markdown."""
        return self._table("github")

    def _table(self, style: str) -> str:
        rows = [
            [line.name, f"{line.loss:.4g}", f"{line.metric:.4g}", line.parts, f"{line.seconds:.1f}",
             f"{line.weight:.2f}" if line.weight else ""]
            for line in self.lines
        ]  # fmt: skip
        head = ["model", "loss", "errors" if self.classes else "R2", "parts", "seconds", "weight"]
        alignment = ("left", "decimal", "decimal", "right", "right", "right")
        return tabulate(rows, head, tablefmt=style, disable_numparse=True, colalign=alignment)

    @property
    def warning(self) -> str | None:
        """A line for a table on which something simpler is better by more than a hundredth; None if nets are."""
        nets = min((line.loss for line in self.lines if line.weight), default=np.inf)
        best = self.lines[0]
        if best.weight or best.loss > 0.99 * nets or best.name not in SIMPLER:
            return None
        what = f"{best.name} predict{'s' * (best.name == 'linear model')} this table better ({best.loss:.4g})"
        return f"{what} than the nets ({nets:.4g}); where that counts most, use {SIMPLER[best.name]}"

    def write(self, path: Path) -> None:
        """Write a CSV file."""
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(Line.__dataclass_fields__))
            writer.writeheader()
            writer.writerows(asdict(line) for line in self.lines)


SIMPLER = {"linear model": "it", "boosted trees": "them"}
