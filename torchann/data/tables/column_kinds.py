"""Infers what a column of a table holds, by all of its values, and what is of no use to a net."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from torchann.data.tables.column_values import FAMILIES, ColumnValues
from torchann.data.tables.columns import check_names
from torchann.data.tables.date_texts import days_of
from torchann.data.tables.number_texts import CURRENCY, OTHER, habits, number_of
from torchann.nets.column import DAY_FIRST, MONTH_FIRST, TIME
from torchann.nets.column import KINDS as NET_KINDS
from torchann.nets.names import nearest

LEFT_OUT = "ignore"
KINDS = (*NET_KINDS, DAY_FIRST, MONTH_FIRST, TIME, LEFT_OUT)
_SAID = {
    "number": "numeric, float, int, integer",
    "category": "categorical",
    "boolean": "bool",
    "date": "datetime, timestamp, yyyy-mm-dd, yyyy-mm, iso",
    TIME: "time",
    DAY_FIRST: "dayfirst, day first, dd.mm.yyyy, dd-mm-yyyy",
    MONTH_FIRST: "monthfirst, month first, mm-dd-yyyy",
    LEFT_OUT: "drop, skip",
}
WORDS = {word: kind for kind, words in _SAID.items() for word in words.split(", ")}
MOST_WRONG = 0.1  # of the values of a column of numbers or dates may be other texts, taken as missing
FREE_TEXT = (50, 0.5)  # more different texts than this, and than this share of the rows, are no categories
LONGEST_CATEGORY = 200  # characters
SHORTEST_CODE = 3  # digits
FIRST_TEXTS = 1000  # of which none is a date in a column that has none
ROW_NUMBER = re.compile(r"(?i:(.*[ _.-])?(id|index|row|rowid|uuid|guid)|column 1|unnamed.*)|.*[a-z]I[dD]")


class Finding(NamedTuple):
    """What a column holds.

    Attributes:
        kind: number, category, boolean, date, or ``"ignore"``.
        why: what a person should know of it; empty where there is nothing to say.
        form: of its texts, as a model's column keeps it.
    """

    kind: str
    why: str = ""
    form: str = ""


NUMBER_OF_ROW = Finding(LEFT_OUT, "another one in each row, a name or number of the row")


def find_kind(name: str, cells: ColumnValues, given: str = "") -> Finding:
    """Return what a column holds, by its values.

    Args:
        name: of the column.
        cells: all of its values, or a sample of them, in the order of the table.
        given: kind that it is to be, where that is known; its form is found all the same.

    Raises:
        ValueError: for dates that could be read both ways, and where nothing is of the kind that was given.

    Example:
        >>> from torchann.data.tables.column_values import column_of
        >>> find_kind("age", column_of(["31", "44", "27", "old"] + ["50"] * 10))
        Finding(kind='number', why="1 value is no number ('old'), taken as missing", form='')
        >>> find_kind("rent", column_of(["1.200 €", "980 €", "1.050,50 €"]))
        Finding(kind='number', why='', form=',€')
    """
    if given in (DAY_FIRST, MONTH_FIRST, TIME):
        return _checked(name, cells, Finding("date", "", given))
    if not cells.is_text:
        kind = given or _of_type(cells)
        form = TIME if kind == "date" and pa.types.is_time(cells.array.type) else ""
        found = Finding(kind, "empty" if kind == LEFT_OUT and not given else "", form)
    elif given in ("number", "date", "boolean"):
        found = number_form(cells) if given == "number" else (given == "date" and _date(name, cells)) or Finding(given)
        return _checked(name, cells, found)
    else:
        found = Finding(given) if given else _of_texts(name, cells)
    if not given and found.kind in ("number", "category") and numbers_rows(name, cells, found.form):
        return NUMBER_OF_ROW
    return found


def _of_type(cells: ColumnValues) -> str:
    kind, types = cells.array.type, pa.types
    if types.is_null(kind) or bool(np.isnan(cells.read("number").values).all()):
        return LEFT_OUT
    dated = types.is_temporal(kind) and not types.is_duration(kind)
    return "boolean" if types.is_boolean(kind) else "date" if dated else "number"


def _of_texts(name: str, cells: ColumnValues) -> Finding:
    plain = cells.read("number")
    if not plain.wrong and np.isnan(plain.values).all():
        return Finding(LEFT_OUT, "empty")
    codes = _are_codes(cells)
    numbers = number_form(cells)
    wrong = cells.read("number", numbers.form).wrong
    count = sum(wrong.values())
    if not count and not codes:
        return numbers
    there = int((cells.codes().codes >= 0).sum())
    if count <= MOST_WRONG * there and not codes:
        return _told(numbers, wrong)
    texts = cells.codes().texts
    if family({text.lower() for text in texts}):
        return Finding("boolean")
    if not codes and (dates := _date(name, cells)) is not None:
        return dates
    if len(texts) > max(FREE_TEXT[0], FREE_TEXT[1] * there) or max(map(len, texts)) > LONGEST_CATEGORY:
        return Finding(LEFT_OUT, f"{len(texts):,} different texts in {there:,} rows")
    if codes:
        first = next(text for text in texts if text.startswith("0"))
        return Finding("category", f"codes such as {first!r}; give kinds={{{name!r}: 'number'}} for numbers")
    return Finding("category", are_none(wrong, "number") if count < there else "")


def _are_codes(cells: ColumnValues) -> bool:
    """Return whether texts are digits, equally many and three or more, and some begin with 0, as post codes do."""
    for some in (cells.array.slice(0, FIRST_TEXTS), cells.array):  # few of most columns are enough to see that not
        texts = (cells if some is cells.array else ColumnValues(some, cells.missing)).codes().texts
        if not all(len(text) == len(texts[0]) >= SHORTEST_CODE and text.isdecimal() for text in texts):
            return False
    return any(text.startswith("0") for text in texts)


def family(texts: set[str]) -> bool:
    """Return whether texts, in small letters, are truth values of one spelling."""
    return any(texts <= set(words) for words in FAMILIES)


def number_form(cells: ColumnValues) -> Finding:
    """Return how the numbers of a column of texts are written: decimal sign and unit, the commonest of each."""
    if cells.is_plain and not cells.decimal.endswith(","):
        return Finding("number")
    signs, units, either = habits(cells.codes().counts())
    unit = units.most_common(1)[0][0] if units else ""
    own = max(".,", key=lambda one: signs[one]) if signs["."] + signs[","] else ""
    if either and not own and signs[""] > MOST_WRONG * signs["?"]:
        own = "," if "." in either else "."  # numbers without a sign beside them are whole ones, and so are these
    known, said = cells.decimal[-1:], cells.decimal.startswith("!")
    used, why = (not said and own) or known, ""
    if either and not own and cells.decimal in ("", "?,"):  # a guess: money has thousands
        used = known or "."
        if re.fullmatch(CURRENCY, unit):
            used = "," if "." in either and unit not in "$£" else "."
        other = OTHER[used]
        values = [f"{number_of(either, one, unit):g}" for one in (used, other)]
        why = f"{either!r} is read as {values[0]}; give decimal={other!r} if it is {values[1]}"
    apart = "=" if said or (own and known not in ("", own)) else ""  # whatever the rest of a file looks like
    return Finding("number", why, f"{apart}{used or '.'}{unit}" if signs.keys() - {""} or unit else "")


def _date(name: str, cells: ColumnValues) -> Finding | None:
    counts = cells.codes().counts()
    first = list(counts)[:FIRST_TEXTS]
    orders = [
        one for one in ("", DAY_FIRST, MONTH_FIRST, TIME) if any(days_of(text, one) is not None for text in first)
    ]
    if not orders:
        return None
    wrong = {order: cells.read("date", order).wrong for order in orders}
    least = min(orders, key=lambda order: sum(wrong[order].values()))
    if sum(wrong[least].values()) > MOST_WRONG * sum(counts.values()):
        return None
    if least == DAY_FIRST and wrong.get(MONTH_FIRST) == wrong[DAY_FIRST]:
        either = next(text for text in counts if days_of(text, DAY_FIRST) != days_of(text, MONTH_FIRST))
        days = [np.datetime64(int(days_of(either, order) or 0), "D") for order in (DAY_FIRST, MONTH_FIRST)]
        raise ValueError(
            f"column {name!r} has dates that can be read both ways: {either!r} is {days[0]} as {DAY_FIRST} and "
            f"{days[1]} as {MONTH_FIRST}; say which with kinds={{{name!r}: {DAY_FIRST!r}}} or {MONTH_FIRST!r}"
        )
    return _told(Finding("date", "", least), wrong[least])


def _told(found: Finding, wrong: Mapping[str, int]) -> Finding:
    message = f"{are_none(wrong, found.kind)}, taken as missing" if wrong else ""
    return found._replace(why="; ".join(part for part in (found.why, message) if part))


def _checked(name: str, cells: ColumnValues, found: Finding) -> Finding:
    read = cells.read(found.kind, found.form)
    if read.wrong and np.isnan(read.values).all():
        message = f"column {name!r} is to be a {found.kind}, and none of its values is one"
        raise ValueError(f"{message}, such as {next(iter(read.wrong))!r:.40}; give another kind")
    return _told(found, read.wrong)


def are_none(wrong: Mapping[str, int], kind: str) -> str:
    """Return in words that some values are not of a kind."""
    count, example = sum(wrong.values()), next(iter(wrong))
    told = f"1 value is no {kind}" if count == 1 else f"{count:,} values are no {kind}s"
    return f"{told} ({example!r:.40})"


def numbers_rows(name: str, cells: ColumnValues, form: str = "") -> bool:
    """Return whether a column only tells rows apart: it counts them, or is called so and has another value in each.

    Args:
        name: of the column.
        cells: its values in the order of the table.
        form: of its texts.

    Example:
        >>> from torchann.data.tables.column_values import column_of
        >>> numbers_rows("x", column_of([1, 2, 3])), numbers_rows("year", column_of([2024, 2025, 2026]))
        (True, False)
    """
    if len(cells) < 3:
        return False
    named = bool(ROW_NUMBER.fullmatch(name))
    if cells.is_text and cells.read("number", form).wrong:
        return named and len(cells.codes().texts) == len(cells)
    values = cells.read("number", form).values
    if not bool(np.all(values == np.floor(values))):  # nan is no whole number
        return False
    counted = values[0] in (0, 1) and bool(np.all(np.diff(values) == 1))
    return counted or (named and len(cells.codes().texts) == len(cells))


def check_kinds(kinds: Mapping[str, str], columns: list[str]) -> dict[str, str]:
    """Return kinds that were given, each in the word of :data:`KINDS`.

    Args:
        kinds: by the names of columns.
        columns: of the table.

    Raises:
        ValueError: for an unknown column or kind, with what was probably meant.

    Example:
        >>> check_kinds({"age": "Numeric"}, ["age"])
        {'age': 'number'}
        >>> check_kinds({"age": "colour"}, ["age"])
        Traceback (most recent call last):
            ...
        ValueError: column 'age' is to be 'colour'; give number, category, boolean, date, ...
    """
    check_names(list(kinds), columns)
    found = {}
    for name, kind in kinds.items():
        word = str(kind).strip().lower()
        found[name] = WORDS.get(word, word)
        if found[name] not in KINDS:
            near = nearest(word, KINDS)
            hint = f"; did you mean {near}?" if near else ";"
            raise ValueError(f"column {name!r} is to be {kind!r}{hint} give {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    return found
