"""What is to be predicted: values or classes, inferred from the target columns."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchann.data.tables.column_kinds import MOST_WRONG, family, find_kind, number_form
from torchann.data.tables.column_values import ColumnValues
from torchann.data.tables.columns import canonical, shortened
from torchann.data.tables.missing_values import text_of_value
from torchann.nets.standardized_objective import WIDE

TaskKind = Literal["regression", "binary", "multiclass"]
FEW = 10  # whole numbers of at most so many values are classes, where each is in so many rows on average
MOST_CLASSES = 1_000
WHOLE_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)(\.0+)?")  # 1 and 1.0 are one class, 1 and 01 are two


@dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Attributes:
        names: of the target columns.
        task: regression, binary or multiclass.
        class_names: of the classes, in the order of their numbers; empty for a regression.
        reads: kind and form of each target's values, as :meth:`ColumnValues.read` takes them.
        wide: whether values are float64, as float32 would round off much of what they differ by.
    """

    names: tuple[str, ...]
    task: TaskKind
    class_names: tuple[str, ...] = ()
    reads: tuple[tuple[str, str], ...] = ()
    wide: bool = False

    def values(self, cells: Sequence[ColumnValues]) -> tuple[Tensor, NDArray[np.bool_]]:
        """The targets of some rows, and which rows have one.

        Args:
            cells: the target columns.

        Returns:
            Classes ``(rows,)`` int64, or values, ``(rows,)`` for one and ``(rows, values)`` for several; and
            ``(rows,)``, where a row without a target is to be left out.

        Raises:
            ValueError: for a class that is none of the names, or text or infinity where numbers are to be predicted.
        """
        if self.task == "regression":
            found = [self._values(place, column) for place, column in enumerate(cells)]
            dtype = np.float64 if self.wide else np.float32
            if len(found) == 1:
                return torch.from_numpy(found[0].astype(dtype)), ~np.isnan(found[0])
            table = np.stack(found, 1)
            return torch.from_numpy(table.astype(dtype)), np.asarray(~np.isnan(table).any(1))
        codes, texts = cells[0].codes()
        places = [self.place(text) for text in texts]
        if None in places:
            raise ValueError(
                f"the target {self.names[0]!r} has the class {texts[places.index(None)]!r:.40}, and training rows have "
                f"{shortened(self.class_names)}; take such rows out, or put some among the training rows"
            )
        return torch.from_numpy(np.array([*places, 0], dtype=np.int64)[codes]), codes >= 0

    def _values(self, place: int, column: ColumnValues) -> NDArray[np.float64]:
        name, (kind, form) = self.names[place], self.reads[place]
        values, wrong = column.read(kind, form)
        if wrong:
            raise ValueError(
                f"the target {name!r} has {next(iter(wrong))!r:.40}, which is no {kind}, in {sum(wrong.values()):,} "
                "rows; name it in missing_values, or give task=multiclass for classes"
            )
        if infinite := int(np.isinf(values).sum()):
            raise ValueError(f"the target {name!r} is infinite in {infinite:,} rows; take these rows out")
        return values  # type: ignore[no-any-return]

    def place(self, text: str) -> int | None:
        """Return the number of the class that a text names; None if it is none."""
        for spelling in (text, canonical(text)):
            if spelling in self.class_names:
                return self.class_names.index(spelling)
        small = [name.lower() for name in self.class_names]  # True and TRUE are one class
        return small.index(text.lower()) if text.lower() in small and family(set(small)) else None


def classes_of(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the classes of texts in their order, each with its rows: exact, but for spellings of one truth value.

    Args:
        counts: rows of each text.

    Example:
        >>> classes_of({"True": 2, "FALSE": 1, "true": 1, "False": 3}), classes_of({"10": 1, "9.0": 2})
        ({'False': 4, 'True': 3}, {'9': 2, '10': 1})
    """
    merged: Counter[str] = Counter()
    small = {text.lower() for text in counts}
    truth = family(small) and len(small) < len(counts)
    whole = all(WHOLE_NUMBER.fullmatch(text) for text in counts)
    for text, count in counts.items():
        merged[text.lower().title() if truth else canonical(text) if whole else text] += count
    return {name: merged[name] for name in sorted(merged, key=_class_order)}


def _class_order(text: str) -> tuple[float, str]:
    """Numbers by their size, before texts."""
    try:
        number = float(text)
    except ValueError:
        number = math.inf
    return (math.inf if math.isnan(number) else number), text


def is_wide(mean: Sequence[float], std: Sequence[float]) -> bool:
    """Return whether values lie so far from 0 that float32 would round off more than a ten-thousandth of their spread.

    Example:
        >>> is_wide([300.0], [50.0]), is_wide([1e7], [2.2])
        (False, True)
    """
    return any(abs(centre) > WIDE * spread for centre, spread in zip(mean, std, strict=True))


def find_target(
    names: Sequence[str],
    cells: Sequence[ColumnValues],
    task: str | None = None,
    kinds: Mapping[str, str] = MappingProxyType({}),
) -> Target:
    """Infers what is to be predicted.

    Texts and truth values are classes, and so are whole numbers of few values, each in many rows; other numbers are
    values.

    Args:
        names: of the target columns; several are values.
        cells: their values.
        task: regression, binary or multiclass, in place of what would be inferred.
        kinds: of the columns, where they are given.

    Raises:
        ValueError: if nothing can be learnt, or the task is none that the values allow.

    Example:
        >>> from torchann.data.tables.column_values import column_of
        >>> find_target(["sold"], [column_of(["no", "yes", "yes"])]).class_names
        ('no', 'yes')
    """
    if task is not None and task not in get_args(TaskKind):
        raise ValueError(f"there is no task {task!r}; give {', '.join(get_args(TaskKind))}")
    if len(names) > 1:
        if task not in (None, "regression"):
            raise ValueError(f"{len(names)} targets in a {task} task; give one target, or a regression")
        return _regression(names, cells, kinds)
    (name,), (column,) = names, cells
    if (task or ("multiclass" if _are_classes(name, column) else "regression")) == "regression":
        return _regression(names, cells, kinds)
    classes = list(classes_of(column.codes().counts()))
    if len(classes) < 2:
        there = f"only {classes[0]!r:.40}" if classes else "no value"
        raise ValueError(f"the target {name!r} has {there}; give a column with two classes or more")
    if len(classes) > MOST_CLASSES or len(classes) * 2 > len(column) > 20:
        raise ValueError(
            f"the target {name!r} has {len(classes):,} classes in {len(column):,} rows, such as {classes[0]!r:.40}; "
            "give a column with fewer classes, or, where it holds numbers, task=regression"
        )
    if task == "binary" and len(classes) > 2:
        raise ValueError(f"the target {name!r} has {len(classes)} classes in a binary task; give task=multiclass")
    return Target((name,), "binary" if len(classes) == 2 else "multiclass", tuple(classes))


def _regression(names: Sequence[str], cells: Sequence[ColumnValues], kinds: Mapping[str, str]) -> Target:
    reads = []
    for name, column in zip(names, cells, strict=True):
        found = find_kind(name, column, kinds.get(name, ""))
        form = number_form(column).form if column.is_text else ""
        reads.append(("date", found.form) if found.kind == "date" else ("number", form))
    return Target(tuple(names), "regression", reads=tuple(reads))


def _are_classes(name: str, column: ColumnValues) -> bool:
    kind, form, values = "number", "", column.read("number").values
    if column.is_text:
        form = number_form(column).form
        values, wrong = column.read("number", form)
        if wrong:
            most = MOST_WRONG * int((column.codes().codes >= 0).sum())
            return sum(wrong.values()) > most and find_kind(name, column).kind != "date"
    elif (kind := find_kind(name, column).kind) in ("boolean", "date"):
        return kind == "boolean"
    values = values[~np.isnan(values)]
    distinct = np.unique(values)
    if not len(distinct) or not bool(np.all(distinct == np.floor(distinct))):
        return False
    return set(distinct) == {0.0, 1.0} or (len(distinct) <= FEW and len(values) >= FEW * len(distinct))


def describe_values(target: Target, low: float, high: float) -> str:
    """A line on values, the first target of which is between these."""
    ends = [text_of_value(float(f"{end:.6g}")) for end in (low, high)]
    more = f" and {len(target.names) - 1} more" if len(target.names) > 1 else ""
    return f"regression of {target.names[0]!r}{more}, from {ends[0]} to {ends[1]}"


def describe_classes(target: Target, counts: Sequence[int]) -> str:
    """A line on classes, each in so many rows."""
    parts = [f"{name} {count:,}" for name, count in zip(target.class_names, counts, strict=True)]
    return f"{target.task} classification of {target.names[0]!r}: {shortened(parts, 8)}"
