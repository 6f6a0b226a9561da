"""The figures of a run, a row per epoch: a table to read, a CSV to keep, a picture to look at."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any, Literal, overload

from torchann.nets.names import nearest

Row = dict[str, float]


def epoch_number(index: float) -> int:
    """Return the number of an epoch as people are shown it, counted from 1.

    Args:
        index: counted from 0, as in the rows of a history, ``trainer.current_epoch`` and TensorBoard's steps.

    Example:
        >>> epoch_number(0)
        1
    """
    return int(index) + 1


class History(Sequence[Row]):
    """What was measured in a run: a row of figures for each epoch, and each figure as a column.

    It is the sequence of its rows, oldest first; a name in brackets gives that figure's values over the epochs that
    have it, as in Keras' ``History.history``.

    Args:
        rows: for each epoch its figures by name, ``"epoch"`` among them: its index, from 0 as in Keras and Lightning.
            Tables, plots and messages count epochs from 1.

    Attributes:
        rows: the same, as a list.

    Example:
        >>> history = History([{"epoch": 0, "val_loss": 0.5}, {"epoch": 1, "val_loss": 0.25}])
        >>> history["val_loss"], history[-1], len(history)
        ([0.5, 0.25], {'epoch': 1, 'val_loss': 0.25}, 2)
        >>> print(history)
          epoch    val_loss
        -------  ----------
              1        0.5
              2        0.25
    """

    def __init__(self, rows: Iterable[Mapping[str, float]] = ()) -> None:
        self.rows: list[Row] = [dict(row) for row in rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @overload
    def __getitem__(self, key: str) -> list[float]: ...
    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> "History": ...
    def __getitem__(self, key: str | int | slice) -> "list[float] | Row | History":
        if isinstance(key, slice):
            return History(self.rows[key])
        if isinstance(key, int):
            return self.rows[key]
        if key not in self.columns:
            raise KeyError(no_such_figure(key, self.columns))
        return [row[key] for row in self.rows if key in row]

    @property
    def columns(self) -> list[str]:
        """The figures' names: ``epoch`` first, ``seconds`` last."""
        ends = {"epoch": -1, "seconds": 1}
        return sorted({name for row in self.rows for name in row}, key=lambda name: (ends.get(name, 0), name))

    @property
    def history(self) -> dict[str, list[float]]:
        """Each figure's values, as in Keras; ``pandas.DataFrame(history.history)`` takes it."""
        return {name: self[name] for name in self.columns if name != "epoch"}

    def best(self, name: str, mode: Literal["min", "max"] = "min") -> Row:
        """The row of the epoch in which a figure was lowest, or highest.

        Args:
            name: of the figure.
            mode: min for figures that should fall, max for those that should rise.

        Raises:
            KeyError: if there is no such figure.
            ValueError: if it was a number in no epoch.

        Example:
            >>> History([{"epoch": 0, "val_accuracy": 0.9}, {"epoch": 1, "val_accuracy": 0.8}]).best(
            ...     "val_accuracy", mode="max"
            ... )
            {'epoch': 0, 'val_accuracy': 0.9}
        """
        figures = self[name]
        rows = [row for row in self.rows if name in row and not isnan(row[name])]
        if not rows:
            raise ValueError(f"{name} is nan in all of {len(figures)} epochs and none is best; lower the learning rate")
        return (min if mode == "min" else max)(rows, key=lambda row: row[name])

    def to_csv(self, path: str | Path | None = None) -> str:
        """The table as CSV, which is also written to ``path`` where one is given."""
        columns = self.columns
        text = csv_lines([columns, *([row.get(name, "") for name in columns] for row in self.rows)]) if columns else ""
        if path is not None:
            Path(path).write_text(text, newline="")
        return text

    @classmethod
    def from_csv(cls, path: str | Path) -> "History":
        """Reads what :meth:`to_csv` wrote, such as the ``history.csv`` of a run.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is no history: no column ``epoch``, or something that is no number.
        """
        return cls.from_text(Path(path).read_text(), str(path))

    @classmethod
    def from_text(cls, text: str, name: str = "the text") -> "History":
        """Reads what :meth:`to_csv` returned; ``name`` is what errors call it."""
        table = csv.DictReader(io.StringIO(text))
        if text and "epoch" not in (table.fieldnames or ()):
            raise ValueError(f"{name} has the columns {table.fieldnames} and no epoch; give a run's history.csv")
        try:
            return cls({key: _number(key, cell) for key, cell in row.items() if cell} for row in table)
        except (TypeError, ValueError) as error:
            raise ValueError(f"line {table.line_num} of {name}: {error}; give a run's history.csv") from None

    def __str__(self) -> str:
        return self._table("simple")

    def __repr__(self) -> str:
        return f"History({len(self)} epochs of {', '.join(self.columns) or 'nothing'})"

    def _repr_html_(self) -> str:
        return self._table("html")

    def _table(self, form: str) -> str:
        columns = self.columns
        cells = [[_cell(name, row[name]) if name in row else "" for name in columns] for row in self.rows]
        from tabulate import tabulate

        return str(tabulate(cells, columns, form))

    def plot(self) -> Any:
        """Draws the learning curves: training and validation together, the learning rate if it moved.

        Returns:
            A ``matplotlib.figure.Figure``; ``savefig`` keeps it.
        """
        from torchann.pictures.learning_curves import learning_curves

        return learning_curves([self.rows])


def _cell(name: str, value: float) -> str:
    return str(epoch_number(value)) if name == "epoch" else f"{value:.4g}"


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    """Return the lines of rows in a CSV.

    Example:
        >>> csv_lines([[0, 0.1], [1, ""]])
        '0,0.1\\n1,\\n'
    """
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue()


def no_such_figure(name: str, names: Sequence[str]) -> str:
    """What to tell someone who asked for a figure that there is not.

    Example:
        >>> no_such_figure("val_los", ["train_loss", "val_loss"])
        "there is no figure 'val_los'; did you mean 'val_loss'? There are train_loss, val_loss"
    """
    near, there = nearest(name, names), f"here are {', '.join(names)}"
    return f"there is no figure {name!r}; " + (f"did you mean {near!r}? T{there}" if near else f"t{there}")


def _number(column: str | None, cell: str) -> float:
    return int(cell) if column == "epoch" else float(cell)
