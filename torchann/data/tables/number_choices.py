"""Which encoding each column of numbers gets: by one name for all, or by the names of columns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from torch import Tensor

from torchann.data.tables.columns import check_names
from torchann.data.tables.number_encodings import BINS, fit_number_encoding
from torchann.data.tables.table_report import ColumnReport
from torchann.nets.names import composed, did_you_mean
from torchann.nets.number_encoding import NumberEncoding
from torchann.nets.table_columns import TableColumns

Numbers = dict[str, str] | str
MOST_BINS = 2048  # of all columns together
OCTAVES = 6


class _Encoding(NamedTuple):
    becomes: str
    beside: bool  # whether the standardised number stays
    part: dict[str, Any]


ENCODINGS = {
    "standard": _Encoding("standardised", True, {}),
    "robust": _Encoding("quartiles from the median, bent", False, {"kind": "robust"}),
    "quantile": _Encoding("normal quantiles", False, {"kind": "quantile"}),
    "piecewise": _Encoding("standardised, bins by quantiles", True, {"kind": "piecewise", "by": "quantiles"}),
    "piecewise_target": _Encoding("standardised, bins by the target", True, {"kind": "piecewise", "by": "target"}),
    "waves": _Encoding(f"standardised, waves of {OCTAVES} octaves", True, {"kind": "waves", "octaves": OCTAVES}),
}
"""What a data module's ``numbers`` may be, for all columns or for one."""


def check_numbers(numbers: Numbers, columns: Sequence[str]) -> Numbers:
    """Return encodings that were chosen, the names of columns as the table has them.

    Args:
        numbers: one of :data:`ENCODINGS`, or one for each of some columns.
        columns: of the table.

    Raises:
        ValueError: for an unknown column or encoding, with what was probably meant.

    Example:
        >>> check_numbers({"age": "quantil"}, ["age"])
        Traceback (most recent call last):
            ...
        ValueError: numbers of column 'age' are to be 'quantil'; did you mean 'quantile'?
    """
    chosen = {composed(str(name)): kind for name, kind in numbers.items()} if isinstance(numbers, Mapping) else {}
    check_names(list(chosen), columns)
    for name, kind in chosen.items() if isinstance(numbers, Mapping) else [("", numbers)]:
        if not isinstance(kind, str) or kind not in ENCODINGS:
            of = f"numbers of column {name!r} are" if name else "numbers are"
            hint = did_you_mean(str(kind), ENCODINGS, f"give {', '.join(ENCODINGS)}")
            raise ValueError(f"{of} to be {kind!r:.80}; {hint}")
    return chosen if isinstance(numbers, Mapping) else numbers


def choose(numbers: Numbers, step: TableColumns) -> dict[str, str]:
    """Return the encoding of each column that is scaled, by name, in their order.

    One name is that of all numbers and dates; truth values have two values, which nothing spreads.

    Raises:
        ValueError: if a column that was named is not scaled.
    """
    scaled = {column.name: column.kind for column in step.table if column.kind != "category"}
    if isinstance(numbers, Mapping):
        for name in numbers:
            if name not in scaled:
                there = "a category" if name in [column.name for column in step.table] else "not learnt from"
                raise ValueError(f"numbers name the column {name!r}, which is {there}; give one of {', '.join(scaled)}")
        return {name: numbers.get(name, "standard") for name in scaled}
    return {name: "standard" if kind == "boolean" else numbers for name, kind in scaled.items()}


def fit_numbers(chosen: Mapping[str, str], z: Tensor, y: Tensor, task: str | None) -> NumberEncoding | None:
    """Return the step that encodes columns as was chosen; None where all are standardised.

    Args:
        chosen: the encoding of each of the first columns, in order.
        z: prepared training rows.
        y: their targets.
        task: regression, binary or multiclass.

    Raises:
        ValueError: if rows become too wide.
    """
    kinds = list(chosen.values())
    if set(kinds) <= {"standard"}:
        return None
    beside = [place for place, kind in enumerate(kinds) if ENCODINGS[kind].beside]
    parts: list[dict[str, Any]] = [{"kind": "standard", "columns": beside}] if beside else []
    bins = {"bins": max(2, min(BINS, MOST_BINS // len(kinds)))}
    for kind in dict.fromkeys(kinds):
        part = {**ENCODINGS[kind].part, "columns": [place for place, other in enumerate(kinds) if other == kind]}
        if kind != "standard":
            parts.append(part | (bins if part["kind"] == "piecewise" else {}))
    return fit_number_encoding(z, parts, y, task, len(kinds))


def told(lines: Sequence[ColumnReport], chosen: Mapping[str, str]) -> list[ColumnReport]:
    """Return the lines of a report with what becomes of each column of numbers."""
    return [
        replace(line, summary=line.summary.replace("standardised", ENCODINGS[chosen[line.name]].becomes, 1))
        if line.kind and line.name in chosen
        else line
        for line in lines
    ]
