"""What a model knows of the table that it was trained on: how its columns are prepared, and what it predicts."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from torchann.data.tables.columns import check_names
from torchann.data.tables.missing_values import MissingValues
from torchann.data.tables.table import Chunk, Table
from torchann.data.tables.table_report import ColumnReport
from torchann.data.tables.table_target import Target
from torchann.nets.names import composed
from torchann.nets.number_encoding import NumberEncoding
from torchann.nets.preprocessing import Preprocessing
from torchann.nets.table_columns import TableColumns


class KnownTable(NamedTuple):
    """A table as a model knows it, by which another table is read.

    Attributes:
        step: prepares rows by the columns, means and categories of the training rows.
        target: what is predicted, with the classes of the training rows.
        fingerprint: of the training rows, None if it is not known.
        rows: number of training rows, None if it is not known.
        numbers: encodes numbers of prepared rows, None if they stay standardised.
    """

    step: TableColumns
    target: Target
    fingerprint: str | None
    rows: int | None
    numbers: NumberEncoding | None = None

    @property
    def preprocessing(self) -> Preprocessing:
        """From rows as numbers to what a net gets."""
        return Preprocessing(self.step, self.numbers)

    @property
    def columns(self) -> list[str]:
        """The names of the columns that the model learns from."""
        return [column.name for column in self.step.table]

    @property
    def missing(self) -> MissingValues:
        """The values that stand for none."""
        return MissingValues.of(self.step.missing_values, self.step.default_missing)

    @property
    def report(self) -> list[ColumnReport]:
        """A line per column."""
        return [ColumnReport(column.name, column.kind, 0, "as in the model") for column in self.step.table]

    def check(self, table: Table, targets: list[str]) -> None:
        """Raise ValueError unless a table has the model's columns and its target; its missing values are the model's.

        Args:
            table: the table.
            targets: the columns that are to be predicted.
        """
        if targets != list(self.target.names):
            wanted, given = ", ".join(map(repr, self.target.names)), ", ".join(map(repr, targets))
            raise ValueError(f"the model predicts {wanted} and the target is {given}; give the same, or train anew")
        check_names([*self.columns, *targets], table.columns)
        table.missing = self.missing

    def read(self, table: Table, targets: list[str], other: str | None = None) -> Chunk:
        """Return the model's columns of a table, the targets and another column.

        Raises:
            ValueError: as :meth:`check` does.
        """
        self.check(table, targets)
        return table.read(list(dict.fromkeys([*self.columns, *targets, *([other] if other else [])])))

    def describe_target(self) -> dict[str, Any]:
        """Return the target as plain values."""
        target, reads = self.target, [list(read) for read in self.target.reads]
        names = {"names": list(target.names), "class_names": list(target.class_names)}
        return {**names, "task": target.task, "reads": reads}

    def compare(self, data_info: Mapping[str, Any]) -> None:
        """Warn if the training rows are others than those that the model was trained on.

        Args:
            data_info: of the table that the model is to be judged by.
        """
        if self.fingerprint in (None, data_info["fingerprint"]):
            return
        warnings.warn(
            f"the table {data_info['name']!r} or its split has changed since the model was trained: {self.rows:,} "
            f"training rows then, {data_info['rows']:,} others now; the model may know rows that it is judged by",
            stacklevel=3,
        )

    def is_like(self, other: "KnownTable") -> bool:
        """Return whether rows become the same numbers by both."""
        mine, others = self.preprocessing, other.preprocessing
        same = mine.describe() == others.describe()
        same &= replace(self.target, wide=False) == replace(other.target, wide=False)
        pairs = zip(mine.tensors().values(), others.tensors().values(), strict=False)
        return same and all(torch.equal(*pair) for pair in pairs)


def table_of_model(model: Any) -> KnownTable | None:
    """Return what a task knows of its table; None if it knows none, or its file is of a time before it did."""
    return _known(getattr(model, "preprocessing", None), getattr(model, "data_info", None))


def table_of_checkpoint(checkpoint: Mapping[str, Any]) -> KnownTable | None:
    """Return what the task of a checkpoint knows of its table."""
    inputs = checkpoint.get("inputs") or {}
    steps = inputs.get("preprocessing")
    return _known(None if steps is None else Preprocessing.rebuild(*steps), inputs.get("data_info"))


def _known(preprocessing: Preprocessing | None, data_info: Mapping[str, Any] | None) -> KnownTable | None:
    step = None if preprocessing is None else preprocessing.table
    told = (data_info or {}).get("target")
    if step is None or data_info is None or told is None:
        return None
    reads = tuple((kind, form) for kind, form in told["reads"])
    target = Target(tuple(map(composed, told["names"])), told["task"], tuple(told["class_names"]), reads)
    numbers = next((more for more in preprocessing.steps if isinstance(more, NumberEncoding)), None)  # type: ignore[union-attr]
    return KnownTable(step, target, data_info.get("fingerprint"), data_info.get("rows"), numbers)
