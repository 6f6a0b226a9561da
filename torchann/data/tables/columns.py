"""What a model knows of the columns of its table: names, kinds, categories; and how rows become numbers by them."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchann.data.tables.column_values import Codes, ColumnValues, Numbers
from torchann.nets.column import Column
from torchann.nets.names import nearest, printable

UNSEEN = -1.0  # the code of a category that no training row has
EXAMPLES = 3  # in a line that counts more
WHOLE = re.compile(r"^([+-]?\d+)\.0+$")


class UnseenValues:
    """What rows to predict have that no training row had: counted, to be told once.

    Example:
        >>> from torchann.data.tables.column_values import column_of
        >>> surprises, city = UnseenValues(), Column("city", "category", categories=("Paris",))
        >>> encode([city], reader({"city": column_of(["Ys"])}.__getitem__), surprises)
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


def canonical(text: str) -> str:
    """Return a text as it is, but a whole number without a point, as which numbers of any type are one category.

    Example:
        >>> canonical("3.0"), canonical("3.10"), canonical("007")
        ('3', '3.10', '007')
    """
    return WHOLE.sub(r"\1", text)


def reader(cells: Callable[[str], ColumnValues]) -> Callable[[Column], Numbers | Codes]:
    """Return what reads a column of the model, of what finds a column's values by its name."""
    return lambda column: cells(column.name).read(column.kind, column.form)


def encode(
    columns: Sequence[Column], read: Callable[[Column], Numbers | Codes], surprises: UnseenValues | None = None
) -> Tensor:
    """Return rows of a table as numbers: ``(rows, columns)`` float64, nan where there is no value.

    A category is the place of its text, -1 where that is unseen; a truth value 0 or 1; a date days since 1970.

    Args:
        columns: those of the model, in its order.
        read: from a column to what it was read as.
        surprises: counts what no training row had, if that is to be known.

    Example:
        >>> from torchann.data.tables.column_values import column_of
        >>> table = {"age": column_of([30, None]), "city": column_of(["Rome", "Paris"])}
        >>> columns = [Column("city", "category", categories=("Paris", "Rome")), Column("age", "number", missing=True)]
        >>> encode(columns, reader(table.__getitem__))
        tensor([[ 1., 30.],
                [ 0., nan]], dtype=torch.float64)
    """
    rows: NDArray[np.float64] | None = None
    for place, column in enumerate(columns):
        found, wrong = read(column), 0
        if isinstance(found, Codes):
            values = _places(column, found, surprises)
        else:
            values, wrong = found.values, sum(found.wrong.values())
            if wrong and surprises is not None:
                surprises.wrong.setdefault((column.name, column.kind), Counter()).update(found.wrong)
        if rows is None:
            rows = np.empty((len(values), len(columns)))
        rows[:, place] = values
        if surprises is not None and not column.missing and (gaps := int(np.isnan(values).sum()) - wrong):
            surprises.missing[column.name] += gaps
    assert rows is not None
    return torch.from_numpy(rows)


def _places(column: Column, found: Codes, surprises: UnseenValues | None) -> NDArray[np.float64]:
    places: dict[str, float] = {canonical(text): place for place, text in enumerate(column.categories)}
    places |= {text: place for place, text in enumerate(column.categories)}
    codes = [places.get(text, places.get(canonical(text), UNSEEN)) for text in found.texts]
    if surprises is not None and UNSEEN in codes:
        unseen = {text for text, code in zip(found.texts, codes, strict=True) if code == UNSEEN}
        counts = {text: count for text, count in found.counts().items() if text in unseen}
        if counts:
            surprises.unseen.setdefault(column.name, Counter()).update(counts)
    return np.array([*codes, np.nan])[found.codes]


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
            headless = " (has the file a first line of names?)" if sum(map(is_number, names)) * 2 >= len(names) else ""
            raise ValueError(f"{what} is no column {name!r}{hint} The columns are {shortened(names)}{headless}")


def is_number(name: str) -> bool:
    """Return whether a name of a column looks like a value.

    Example:
        >>> is_number("-1.5"), is_number("1st")
        (True, False)
    """
    return name.replace(".", "", 1).lstrip("+-").isdigit()


def near_name(name: str, names: Sequence[str]) -> str | None:
    """The name that was probably meant, whatever its capitals and spaces."""
    plain: Mapping[str, str] = {other.lower().replace("_", " "): other for other in names}
    found = nearest(name.lower().replace("_", " "), plain)
    return None if found is None else plain[found]


def shortened(names: Sequence[str], most: int = 12) -> str:
    """Names in a row, the first few of many."""
    message = ", ".join(map(shown, names[:most]))
    return message if len(names) <= most else f"{message} and {len(names) - most} more"


def shown(text: str, longest: int = 60) -> str:
    """A text of a file as it can be shown on a screen: what is no letter to see is a question mark, and it ends.

    Example:
        >>> shown("city\x1b[2J"), shown("abcdefgh", 6)
        ('city?[2J', 'abc...')
    """
    seen = printable(text).replace("\n", "?")
    return seen if len(seen) <= longest else f"{seen[: longest - 3]}..."
