"""What a model knows of the columns of its table: names, kinds, categories; and how rows become numbers by them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchann.data.tables.column_values import ColumnValues, as_kind, as_texts
from torchann.nets.column import Column
from torchann.nets.names import nearest

UNSEEN = -1.0  # the code of a category that no training row has
EXAMPLES = 3  # in a line that counts more


class UnseenValues:
    """What rows to predict have that no training row had: counted, to be told once.

    Example:
        >>> from torchann.data.tables.column_values import cells_of
        >>> surprises = UnseenValues()
        >>> encode([Column("city", "category", categories=("Paris",))], {"city": cells_of(["Ys"])}.get, surprises)
        tensor([[-1.]], dtype=torch.float64)
        >>> surprises.lines()
        ["column 'city': 1 value is of no category of the training rows ('Ys' 1); taken as none of them"]
    """

    def __init__(self) -> None:
        self.unseen: dict[str, Counter[str]] = {}
        self.wrong: dict[tuple[str, str], Counter[str]] = {}
        self.missing: Counter[str] = Counter()

    def lines(self) -> list[str]:
        """A line per column and kind of surprise."""
        lines = []
        for name, counts in self.unseen.items():
            message = f"of no category of the training rows ({_most(counts)}); taken as none of them"
            lines.append(f"column {name!r}: {_values(counts.total())} {message}")
        for (name, kind), counts in self.wrong.items():
            lines.append(f"column {name!r}: {_values(counts.total())} no {kind} ({_most(counts)}); taken as missing")
        for name, count in self.missing.items():
            message = "missing, as in no training row; taken as the mean, or as no category"
            lines.append(f"column {name!r}: {_values(count)} {message}")
        return lines


def _values(count: int) -> str:
    return "1 value is" if count == 1 else f"{count:,} values are"


def _most(counts: Counter[str]) -> str:
    message = ", ".join(f"{text[:40]!r} {count:,}" for text, count in counts.most_common(EXAMPLES))
    return message + (", ..." if len(counts) > EXAMPLES else "")


def encode(
    columns: Sequence[Column], cells: Callable[[str], ColumnValues], surprises: UnseenValues | None = None
) -> Tensor:
    """Rows of a table as numbers: ``(rows, columns)`` float64, nan where there is no value.

    A category is the place of its text, -1 where that is unseen; a truth value 0 or 1; a date days since 1970.

    Args:
        columns: those of the model, in its order.
        cells: from a column's name to what it holds.
        surprises: counts what no training row had, if that is to be known.

    Example:
        >>> from torchann.data.tables.column_values import cells_of
        >>> table = {"age": cells_of([30, None]), "city": cells_of(["Rome", "Paris"])}
        >>> columns = [Column("city", "category", categories=("Paris", "Rome")), Column("age", "number", missing=True)]
        >>> encode(columns, table.__getitem__)
        tensor([[ 1., 30.],
                [ 0., nan]], dtype=torch.float64)
    """
    rows: NDArray[np.float64] | None = None
    for place, column in enumerate(columns):
        values, wrong = _encoded(column, cells(column.name), surprises)
        if rows is None:
            rows = np.empty((len(values), len(columns)))
        rows[:, place] = values
        if surprises is not None and not column.missing and (gaps := int(np.isnan(values).sum()) - wrong):
            surprises.missing[column.name] += gaps
    assert rows is not None
    return torch.from_numpy(rows)


def _encoded(column: Column, cells: ColumnValues, surprises: UnseenValues | None) -> tuple[NDArray[np.float64], int]:
    if column.kind != "category":
        values, wrong = as_kind(cells, column.kind)
        if wrong and surprises is not None:
            surprises.wrong.setdefault((column.name, column.kind), Counter()).update(wrong)
        return values, sum(wrong.values())
    found = as_texts(cells)
    places = {text: place for place, text in enumerate(column.categories)}
    codes = [places.get(text, UNSEEN) for text in found.texts]
    if surprises is not None and UNSEEN in codes:
        counts = np.bincount(found.codes[found.codes >= 0], minlength=len(codes))
        message = {text: int(counts[n]) for n, text in enumerate(found.texts) if codes[n] == UNSEEN and counts[n]}
        if message:
            surprises.unseen.setdefault(column.name, Counter()).update(message)
    return np.array([*codes, np.nan])[found.codes], 0


def check_names(wanted: Sequence[str], there: Iterable[str], what: str = "there") -> None:
    """Raises unless a table has all columns that a model needs; others it may have, in any order.

    Args:
        wanted: the columns that are needed.
        there: those of the table.
        what: where the error says that a column is missing.

    Raises:
        ValueError: with the column that was probably meant.

    Example:
        >>> check_names(["income"], ["Income", "age"])
        Traceback (most recent call last):
            ...
        ValueError: there is no column 'income'; did you mean it by 'Income'? The columns are Income, age
    """
    names = list(there)
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"the column {name!r} comes {count} times; give each column a name of its own")
    for name in wanted:
        if name not in names:
            near = near_name(name, [other for other in names if other not in wanted])
            hint = f"; did you mean it by {near!r}?" if near else "; give a table that has it."
            headless = " (has the file a first line of names?)" if sum(map(_is_number, names)) * 2 >= len(names) else ""
            raise ValueError(f"{what} is no column {name!r}{hint} The columns are {shortened(names)}{headless}")


def _is_number(name: str) -> bool:
    return name.replace(".", "", 1).lstrip("+-").isdigit()


def near_name(name: str, names: Sequence[str]) -> str | None:
    """The name that was probably meant, whatever its capitals and spaces."""
    plain: Mapping[str, str] = {other.lower().replace("_", " "): other for other in names}
    found = nearest(name.lower().replace("_", " "), plain)
    return None if found is None else plain[found]


def shortened(names: Sequence[str], most: int = 12) -> str:
    """Names in a row, the first few of many."""
    message = ", ".join(names[:most])
    return message if len(names) <= most else f"{message} and {len(names) - most} more"


def shown(text: str, longest: int = 60) -> str:
    """A text of a file as it can be shown on a screen: what is no letter to see is a question mark, and it ends.

    Example:
        >>> shown("city\x1b[2J"), shown("abcdefgh", 6)
        ('city?[2J', 'abc...')
    """
    seen = "".join(letter if letter.isprintable() else "?" for letter in text)
    return seen if len(seen) <= longest else f"{seen[: longest - 3]}..."
