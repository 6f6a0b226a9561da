"""Which columns a net learns from and how they are prepared, by the values of the training rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from torchann.data.tables.column_kinds import LEFT_OUT, Finding
from torchann.data.tables.column_statistics import ColumnStatistics
from torchann.data.tables.number_texts import plain_number
from torchann.data.tables.table_report import ColumnReport
from torchann.nets.table_columns import TableColumns


class FittedColumns(NamedTuple):
    """How rows are prepared.

    Attributes:
        step: that prepares them.
        report: a line per column, those that are left out among them.
    """

    step: TableColumns
    report: list[ColumnReport]


def fit_columns(
    findings: Mapping[str, Finding],
    statistics: Mapping[str, ColumnStatistics],
    max_one_hot: int,
    max_categories: int,
    missing: tuple[Sequence[str], bool],
    examples: Mapping[str, str],
) -> FittedColumns:
    """How rows are prepared, by the statistics of the training rows.

    Args:
        findings: what each column holds.
        statistics: of those that are not left out.
        max_one_hot: categories with more values are embedded.
        max_categories: of a column, the most frequent.
        missing: texts that stand for a missing value, and whether the usual ones do, too.
        examples: a value of each column, as it stands in the table.

    Raises:
        ValueError: if there is no column to learn from.
    """
    fitted, report = {}, []
    for name, (kind, why, _) in findings.items():
        if kind == LEFT_OUT:
            report.append(ColumnReport(name, "", 0, why, examples.get(name, "")))
            continue
        found = statistics[name].fit(max_one_hot, max_categories)
        line = ColumnReport(name, "", found.missing, found.summary, examples.get(name, ""))
        if found.column is not None:
            fitted[name] = found
            many = f" of {len(found.column.categories):,}" if kind == "category" else ""
            line = replace(
                line, kind=f"{found.column.words}{many}", summary=f"{found.summary}; {why}" if why else found.summary
            )
        report.append(line)
    if not fitted:
        told = "; ".join(f"{line.name!r} is {line.summary}" for line in report[:3]) or "it has the target alone"
        advice = next((f", or kinds={{{line.name!r}: {_likely(line)!r}}}" for line in report), "")
        raise ValueError(f"the table has no column to learn from: {told}; give one{advice}")
    mean = torch.tensor([found.mean for found in fitted.values()], dtype=torch.float64)
    std = torch.tensor([found.std for found in fitted.values()], dtype=torch.float64)
    columns = [found.column for found in fitted.values() if found.column is not None]
    return FittedColumns(TableColumns(columns, mean, std, *missing), report)


def _likely(line: ColumnReport) -> str:
    return "category" if plain_number(line.example) is None else "number"
