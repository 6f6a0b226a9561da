"""How a CSV file begins: its delimiter, the names of its columns and its decimal sign; what stands above the names."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from torchann.data.errors import DataFileError
from torchann.data.tables.number_texts import OTHER, habits, plain_number
from torchann.nets.names import composed

DELIMITERS = (",", ";", "\t", "|")
HEAD_ROWS = 200


class Head(NamedTuple):
    """How a file begins.

    Attributes:
        delimiter: between its values.
        names: of its columns.
        lines: before the first row.
        decimal: sign of its numbers, as ColumnValues has it.
    """

    delimiter: str
    names: list[str]
    lines: int
    decimal: str


def find_head(path: Path, start: str, whole: bool, delimiter: str | None) -> Head:
    """Return how a file begins.

    Args:
        path: of the file, for errors.
        start: its first lines.
        whole: whether these are all.
        delimiter: between its values, where that is known.

    Raises:
        DataFileError: if it is empty, has no rows, or names a column twice.

    Example:
        >>> find_head(Path("a.csv"), "# rents\\nsize;rent\\n1,5;900", True, None)
        Head(delimiter=';', names=['size', 'rent'], lines=2, decimal=',')
    """
    lines = start.splitlines(keepends=True)
    lines = lines if whole else lines[:-1]
    said = re.fullmatch(r"sep=(.)\s*", lines[0]) if lines else None
    delimiter = delimiter or (said[1] if said else None)
    splits = {one: _split(lines[bool(said) :], one) for one in ([delimiter] if delimiter else DELIMITERS)}
    delimiter = max(splits, key=lambda one: splits[one].alike)  # the first of several that do as well
    rows, begin = splits[delimiter].rows, splits[delimiter].begin
    if not rows:
        raise DataFileError(path, "is empty", "a line of names and a line per row", "look where it comes from")
    if whole and not rows[begin + 1 :]:  # Arrow would begin to read on in a thread that the end of the process meets
        raise DataFileError(path, "has names and no rows", "a line per row", "look where it comes from")
    names = _names(path, rows[begin][1])
    return Head(delimiter, names, rows[begin][0] + bool(said), _decimal(rows[begin + 1 :], delimiter))


class _Split(NamedTuple):
    rows: list[tuple[int, list[str]]]  # with the number of their last line
    begin: int  # the header's place among them
    alike: tuple[float, int]  # how well the delimiter does


def _split(lines: Sequence[str], delimiter: str) -> _Split:
    reader = csv.reader(lines, delimiter=delimiter)
    found = [(reader.line_num, row) for row in islice(reader, HEAD_ROWS)]
    rows = [(line, row) for line, row in found if any(value.strip() for value in row) or len(row) > 1]
    begin = 0
    while begin + 1 < len(rows) and _is_comment(rows[begin][1], rows[begin + 1][1]):
        begin += 1
    titles = begin
    while titles < len(rows) and len(rows[titles][1]) == 1:
        titles += 1
    if begin < titles < len(rows):  # lines of one value above wider ones: a title, if names follow
        names, blank = rows[titles][1], rows[titles][0] > rows[titles - 1][0] + 1
        named = not any(plain_number(name) is not None for name in names if name.strip())
        begin = titles if named and (blank or len(names) > 2) else begin
    if not rows:
        return _Split(rows, 0, (0.0, 0))
    width = len(rows[begin][1])
    alike = sum(len(row) == width for _, row in rows[begin:]) / len(rows)
    return _Split(rows, begin, (alike, width) if width > 1 else (0.0, 0))


def _is_comment(row: list[str], following: list[str]) -> bool:
    if not row[0].startswith("#"):
        return False
    numbers = any(plain_number(value) is not None for value in following if value.strip())
    return len(row) != len(following) or (row[0][1:2].isspace() and not numbers)


def _names(path: Path, row: list[str]) -> list[str]:
    names = [composed(name.strip()) or f"column {place}" for place, name in enumerate(row, 1)]
    first: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if first.setdefault(name, place) < place:
            found = f"has the column {name!r} twice, as number {first[name]} and {place}"
            raise DataFileError(path, found, "a name of its own for each", "rename one in the first line")
    return names


def _decimal(rows: Sequence[tuple[int, list[str]]], delimiter: str) -> str:
    texts = Counter(value.strip() for _, row in rows for value in row if value.count(".") < 3)  # no addresses
    signs, _, either = habits(texts)
    agreed = [sign for sign in ".," if signs[sign] > 9 * signs[OTHER[sign]]]
    if agreed:
        return agreed[0]
    return "?," if delimiter == ";" and any("," in text for text in [either, *texts] if signs["?"]) else ""
