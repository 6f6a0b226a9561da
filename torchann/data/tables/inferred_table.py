"""What the columns of a table hold, inferred from all of its rows or from a sample of them."""

from typing import NamedTuple

import pyarrow as pa

from torchann.data.tables.column_kinds import LEFT_OUT, NUMBER_OF_ROW, Finding, find_kind, number_form, numbers_rows
from torchann.data.tables.table import Chunk, Table
from torchann.data.tables.table_settings import TableSettings
from torchann.data.tables.table_target import Target, find_target


class InferredTable(NamedTuple):
    """What the columns of a table hold.

    Attributes:
        target: what is to be predicted.
        reads: kind and form of each column that is learnt from.
        findings: of all columns but the targets.
        examples: a value of each column, as it stands in the table.
        notes: what a person should know of the targets.
    """

    target: Target
    reads: dict[str, tuple[str, str]]
    findings: dict[str, Finding]
    examples: dict[str, str]
    notes: list[str]


def infer(settings: TableSettings, table: Table, cells: Chunk, begun: Chunk | None = None) -> InferredTable:
    """Return what the columns of a table hold.

    Args:
        settings: of the table.
        table: that they name.
        cells: its columns, or a sample of their rows. Those that are learnt from are read and the others taken out, one
            after the other, as texts need more memory than what they are read as.
        begun: its first rows, where ``cells`` is a sample.

    Raises:
        ValueError: for a target that cannot be learnt, dates that could be read both ways, and where nothing is of the
            kind that was given.
    """
    names, given = settings.targets, settings.known_kinds
    target = find_target(names, [cells[name] for name in names], settings.asked_task, given)
    findings: dict[str, Finding] = {}
    reads, notes = {}, []
    if target.task == "regression":
        forms = {name: number_form(cells[name]) for name in names if cells[name].is_text}
        notes = [f"the target {name!r}: {form.why}" for name, form in forms.items() if form.why]
    examples = {name: column.example() for name, column in cells.items()}
    for name in table.columns:
        if name in names:
            continue
        found = Finding(LEFT_OUT, "left out as asked")
        if name == settings.split_by and name not in given:
            found = Finding(LEFT_OUT, "not learnt from: the rows are split by it")
        elif name in table.unusable and given.get(name) != LEFT_OUT:
            found = Finding(LEFT_OUT, f"left out: {table.unusable[name]}, not one value per row")
        elif given.get(name) != LEFT_OUT:
            found = find_kind(name, cells[name], given.get(name, ""))
            if begun is not None and name not in given and numbers_rows(name, begun[name], found.form):
                found = NUMBER_OF_ROW
            if found.kind == LEFT_OUT:
                found = found._replace(why=f"left out: {found.why}")
        findings[name] = found
        if found.kind != LEFT_OUT:
            reads[name] = (found.kind, found.form)
        if name != settings.split_by and name in cells:
            cells[name] = cells[name].only(found.kind, found.form)
    pa.default_memory_pool().release_unused()  # what the texts took
    return InferredTable(target, reads, findings, examples, notes)
