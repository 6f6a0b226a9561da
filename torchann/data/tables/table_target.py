"""What is to be predicted: values or classes, inferred from the target columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchann.data.tables.column_values import ColumnValues, NumericColumn, as_kind, as_texts, text_of_number
from torchann.data.tables.columns import shortened

TaskKind = Literal["regression", "binary", "multiclass"]
FEW = 10  # whole numbers of at most so many values are classes, where each is in so many rows on average
MOST_CLASSES = 1_000


@dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Attributes:
        names: of the target columns.
        task: regression, binary or multiclass.
        class_names: of the classes, in the order of their numbers; empty for a regression.
    """

    names: tuple[str, ...]
    task: TaskKind
    class_names: tuple[str, ...] = ()

    def values(self, cells: Sequence[ColumnValues]) -> tuple[Tensor, NDArray[np.bool_]]:
        """The targets of some rows, and which rows have one.

        Args:
            cells: the target columns.

        Returns:
            Classes ``(rows,)`` int64, or values float32, ``(rows,)`` for one and ``(rows, values)`` for several; and
            ``(rows,)``, where a row without a target is to be left out.

        Raises:
            ValueError: for a class that is none of the names, or text or infinity where numbers are to be predicted.
        """
        if self.task == "regression":
            found = []
            for name, column in zip(self.names, cells, strict=True):
                values, wrong = as_kind(column, "number")
                if wrong:
                    raise ValueError(
                        f"the target {name!r} has {next(iter(wrong))!r:.40}, which is no number, in "
                        f"{sum(wrong.values()):,} rows; name it in missing_values, or give task=multiclass for classes"
                    )
                found.append(values)
                if infinite := int(np.isinf(values).sum()):
                    raise ValueError(f"the target {name!r} is infinite in {infinite:,} rows; take these rows out")
            if len(found) == 1:
                return torch.from_numpy(found[0].astype(np.float32)), ~np.isnan(found[0])
            table = np.stack(found, 1)
            return torch.from_numpy(table).float(), np.asarray(~np.isnan(table).any(1))
        texts = as_texts(cells[0])
        places = {name: place for place, name in enumerate(self.class_names)}
        if unknown := [text for text in texts.texts if text not in places]:
            raise ValueError(
                f"the target {self.names[0]!r} has the class {unknown[0]!r:.40}, and training rows have "
                f"{shortened(self.class_names)}; take such rows out, or put some among the training rows"
            )
        codes = np.array([*(places[text] for text in texts.texts), 0])[texts.codes]
        return torch.from_numpy(codes.astype(np.int64)), texts.codes >= 0


def find_target(names: Sequence[str], cells: Sequence[ColumnValues], task: str | None = None) -> Target:
    """Infers what is to be predicted.

    Texts and truth values are classes, and so are whole numbers of few values, each in many rows; other numbers are
    values.

    Args:
        names: of the target columns; several are values.
        cells: their values.
        task: regression, binary or multiclass, in place of what would be inferred.

    Raises:
        ValueError: if nothing can be learnt, or the task is none that the values allow.

    Example:
        >>> from torchann.data.tables.column_values import cells_of
        >>> find_target(["sold"], [cells_of(["no", "yes", "yes"])])
        Target(names=('sold',), task='binary', class_names=('no', 'yes'))
    """
    if task is not None and task not in get_args(TaskKind):
        raise ValueError(f"there is no task {task!r}; give {', '.join(get_args(TaskKind))}")
    if len(names) > 1:
        if task not in (None, "regression"):
            raise ValueError(f"{len(names)} targets in a {task} task; give one target, or a regression")
        return Target(tuple(names), "regression")
    (name,), (column,) = names, cells
    task = task or ("multiclass" if _are_classes(column) else "regression")
    if task == "regression":
        return Target((name,), "regression")
    classes = sorted(as_texts(column).texts, key=class_order)
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


def _are_classes(column: ColumnValues) -> bool:
    if isinstance(column, NumericColumn) and column.kind != "number":
        return column.kind == "boolean"
    values, wrong = as_kind(column, "number")
    if wrong:
        return True
    values = values[~np.isnan(values)]
    distinct = np.unique(values)
    if not len(distinct) or not bool(np.all(distinct == np.floor(distinct))):
        return False
    return set(distinct) == {0.0, 1.0} or (len(distinct) <= FEW and len(values) >= FEW * len(distinct))


def class_order(text: str) -> tuple[float, str]:
    """By which classes are sorted: numbers by their size, before texts."""
    try:
        return float(text), text
    except ValueError:
        return np.inf, text


def summary(target: Target, values: Tensor) -> str:
    """A line on what is to be predicted.

    Args:
        target: what is.
        values: of the rows that have some.
    """
    if target.task == "regression":
        return describe_values(target, *(float(end) for end in torch.aminmax(values.reshape(len(values), -1)[:, 0])))
    return describe_classes(target, torch.bincount(values, minlength=len(target.class_names)).tolist())


def describe_values(target: Target, low: float, high: float) -> str:
    """A line on values, the first target of which is between these."""
    ends = [text_of_number(float(f"{end:.6g}")) for end in (low, high)]
    more = f" and {len(target.names) - 1} more" if len(target.names) > 1 else ""
    return f"regression of {target.names[0]!r}{more}, from {ends[0]} to {ends[1]}"


def describe_classes(target: Target, counts: Sequence[int]) -> str:
    """A line on classes, each in so many rows."""
    parts = [f"{name} {count:,}" for name, count in zip(target.class_names, counts, strict=True)]
    return f"{target.task} classification of {target.names[0]!r}: {shortened(parts, 8)}"
