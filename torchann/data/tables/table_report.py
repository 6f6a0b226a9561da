"""What was inferred of a table, as a person reads it before a fit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tabulate import tabulate

from torchann.data.tables.columns import shown
from torchann.nets.names import printable
from torchann.nets.readable import Readable

MOST_COLUMNS = 40  # that are shown of each kind


@dataclass(frozen=True)
class ColumnReport:
    """A line of the report.

    Attributes:
        name: of the column.
        kind: what it holds; empty where it is left out.
        missing: gaps among the training rows.
        summary: what becomes of it.
        example: a value as it stands in the table.
    """

    name: str
    kind: str
    missing: int
    summary: str
    example: str = ""


@dataclass(repr=False)
class TableReport(Readable):
    """What was inferred of a table; print it.

    Attributes:
        table: its name.
        target: what is to be predicted.
        columns: what each column holds, and what becomes of it.
        split: how many rows each part has, and how they were chosen.
        notes: what else a person should know.

    Example:
        >>> age = ColumnReport("age", "number", 3, "standardised; 1 if missing", "31")
        >>> print(TableReport("people", "regression of 'income', from 0 to 9", [age], "random: 60 to train on"))
        people: regression of 'income', from 0 to 9
        column    kind    such as      missing  becomes
        --------  ------  ---------  ---------  --------------------------
        age       number  31                 3  standardised; 1 if missing
        random: 60 to train on
    """

    table: str
    target: str
    columns: Sequence[ColumnReport]
    split: str
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        used = [column for column in self.columns if column.kind]
        unused = [column for column in self.columns if not column.kind]
        listed = [*used[:MOST_COLUMNS], *unused[:MOST_COLUMNS]]
        rows = [
            [shown(c.name), c.kind or "-", shown(c.example, 20), f"{c.missing:,}" * bool(c.kind), shown(c.summary, 120)]
            for c in listed
        ]
        alignment = ("left", "left", "left", "right", "left")
        table = tabulate(
            rows, ["column", "kind", "such as", "missing", "becomes"], colalign=alignment, disable_numparse=True
        )
        more = len(self.columns) - len(listed)
        rest = [f"and {more:,} columns more"] if more else []
        return printable("\n".join([f"{self.table}: {self.target}", table, *rest, self.split, *self.notes]))
