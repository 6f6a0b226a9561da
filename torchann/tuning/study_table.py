"""The trials of a study as a table: to read, best first, and as CSV, in their order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from tabulate import tabulate

from torchann.files.history import csv_lines
from torchann.nets.readable import Readable
from torchann.tuning.trials import Criterion


@dataclass(frozen=True)
class Row:
    """A trial.

    Attributes:
        number: from 0.
        state: complete, pruned, running or failed.
        params: what was drawn, by name.
        score: what it is ranked by; None if it has none.
        figures: of its folds.
        epochs: of its folds.
        seconds: of all its trainings.
    """

    number: int
    state: str
    params: dict[str, Any]
    score: float | None
    figures: list[float]
    epochs: list[int]
    seconds: float | None


class StudyTable(Readable):
    """Rows of trials.

    Args:
        rows: in the order of their numbers.
        judge: what they are ranked by.

    Attributes:
        rows: the same.

    Example:
        >>> rows = [Row(0, "complete", {"lr": 0.1}, 0.5, [0.5], [9], 1.0)]
        >>> rows.append(Row(1, "complete", {"lr": 0.2}, 0.4, [0.4], [9], 1.0))
        >>> print(StudyTable(rows, Criterion()))
        trial    lr    val_loss    epochs    seconds
        -------  ----  ----------  --------  ---------
        1        0.2   0.4         9         1.0
        0        0.1   0.5         9         1.0
    """

    rows: list[Row]

    def __init__(self, rows: Iterable[Row], criterion: Criterion) -> None:
        self.rows, self._judge = list(rows), criterion

    @classmethod
    def of(cls, trials: Sequence[Any], criterion: Criterion) -> "StudyTable":
        """The table of Optuna's trials."""
        states = {"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running", "FAIL": "failed"}
        rows = []
        for trial in trials:
            folds = trial.user_attrs.get("folds", [])
            state = states.get(trial.state.name, trial.state.name.lower())
            score = trial.value if state == "complete" else None
            figures, epochs = [fold["figure"] for fold in folds], [fold["epochs"] for fold in folds]
            rows.append(Row(trial.number, state, trial.params, score, figures, epochs, trial.user_attrs.get("seconds")))
        return cls(rows, criterion)

    def __len__(self) -> int:
        """How many trials there are, of all states."""
        return len(self.rows)

    @property
    def finished(self) -> list[Row]:
        """Those that are complete or pruned."""
        return [row for row in self.rows if row.state in ("complete", "pruned")]

    @property
    def ranked(self) -> list[Row]:
        """Complete ones, the best first; of equal ones the earlier."""
        sign = 1 if self._judge.mode == "min" else -1
        scored = [(sign * row.score, row.number, row) for row in self.rows if row.score is not None]
        return [row for _, _, row in sorted(scored, key=lambda one: one[:2])]

    @property
    def best(self) -> Row | None:
        """The best one; None if none is complete, or none has a score that is a number."""
        return next((row for row in self.ranked if row.score is not None and isfinite(row.score)), None)

    @property
    def params(self) -> list[str]:
        """Names of what was drawn, in their order."""
        return list(dict.fromkeys(name for row in self.rows for name in row.params))

    def to_csv(self, path: str | Path | None = None) -> str:
        """All trials as CSV, also written to ``path`` where one is given."""
        folds = max((len(row.figures) for row in self.rows), default=0) if self._judge.folds else 0
        names = [f"fold_{number + 1}" for number in range(folds)]
        drawn = self.params
        lines: list[list[Any]] = [["trial", "state", *drawn, self._judge.score_name, *names, "epochs", "seconds"]]
        for row in self.rows:
            figures = [*row.figures, *folds * [""]][:folds]
            params = [row.params.get(name, "") for name in drawn]
            score, seconds = ("" if value is None else value for value in (row.score, row.seconds))
            lines.append([row.number, row.state, *params, score, *figures, sum(row.epochs), seconds])
        text = csv_lines(lines)
        if path is not None:
            Path(path).write_text(text, newline="")
        return text

    def __str__(self) -> str:
        others = [row for row in self.rows if row.score is None]
        headers = ["trial", *(name.removeprefix("model.") for name in self.params), self._judge.score_name]
        headers += (["of each fold"] if self._judge.folds else []) + ["epochs", "seconds"]
        rows = []
        for row in [*self.ranked, *others]:
            cells = [row.number, *(_short(row.params.get(name, "")) for name in self.params)]
            cells.append(row.state if row.score is None else _short(row.score))
            cells += ["  ".join(map(_short, row.figures))] if self._judge.folds else []
            rows.append([*cells, " ".join(map(str, row.epochs)), "" if row.seconds is None else f"{row.seconds:.1f}"])
        return str(tabulate(rows, headers, disable_numparse=True))


def _short(value: Any) -> str:
    if not isinstance(value, float) or not isfinite(value):
        return str(value)
    return f"{value:.4g}" if 1e-4 <= abs(value) < 1e4 else f"{value:.2e}"
