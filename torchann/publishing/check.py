"""Whether an exported file predicts what the model predicts: on raw rows of all kinds, in batches of several sizes."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchann.data.tables.columns import UNSEEN
from torchann.engine.rows.loader import Rows, map_rows, num_rows
from torchann.nets.preprocessing import Pixels
from torchann.nets.table_columns import TableColumns
from torchann.publishing.raw_model import FEATURES, Port, RawModel

Outputs = Mapping[str, np.ndarray[Any, Any]]
BATCHES = (1, 2, 7, 64)
MOST_CODES = 10_000  # rows of a batch that has each category
TOLERANCE = 1e-5
GAPS = 0.2  # share of the values of a table that are missing


def check_export(model: RawModel, run: Callable[[Rows], Outputs]) -> tuple[int, float]:
    """Compare a file, which ``run`` runs, with its model; return how many rows, and the largest difference in scales.

    The rows are drawn from what the model's preparation knows: means and deviations of numbers and dates, each
    category, unseen ones and gaps; pixels from 0 to 255; without a preparation normally distributed numbers. Rows that
    the model was given for the export are another batch.

    A value may differ by :data:`TOLERANCE` times the scale of its column, which is the largest magnitude that the model
    predicts in any of the batch's rows; the scale of probabilities is 1. Classes must be the same, but where the
    model's own probabilities are as close to each other as that.

    Raises:
        ValueError: with the output that differs most, and by how much.
    """
    largest, rows = 0.0, 0
    for batch in _batches(model):
        wanted, found = {name: part.numpy() for name, part in model.predict(batch).items()}, run(batch)
        rows += num_rows(batch)
        for name, want in wanted.items():
            proba = wanted.get(f"{name.removesuffix('class')}proba") if name.endswith("class") else None
            largest = max(largest, _difference(name, want, found[name], proba))
    return rows, largest


def _difference(name: str, want: Any, got: Any, proba: Any) -> float:
    if got.shape != want.shape or got.dtype != want.dtype:
        message = f"{got.shape} {got.dtype} and the model's {want.shape} {want.dtype}"
        raise ValueError(f"output {name!r} of the exported file is {message}; report this with the model")
    if name.endswith("class"):
        wrong = _other_classes(want, got, proba)
        if wrong:
            raise ValueError(
                f"output {name!r} of the exported file is another class than the model's in {wrong} of {len(want)} "
                "rows; nothing was written: report this with the model"
            )
        return 0.0
    scale = np.ones(want.shape[1:]) if name.endswith("proba") else np.abs(want).max(0)
    off = np.abs(got.astype(np.float64) - want).max(0) / np.where(scale > 0, scale, 1)
    worst = float(off.max())
    if not worst <= TOLERANCE:  # also nan
        raise ValueError(
            f"output {name!r} of the exported file differs from the model's by {worst:.2g} of its scale, more than "
            f"{TOLERANCE:g}; nothing was written: export the model in float32 or float64, or report this with the model"
        )
    return worst


def _other_classes(want: Any, got: Any, proba: Any) -> int:
    if proba is None:
        return int((want != got).sum())
    if want.ndim == 2:  # labels, each for itself
        return int(((want != got) & (np.abs(proba - 0.5) > TOLERANCE)).sum())
    rows = np.arange(len(want))
    return int((proba[rows, want] - proba[rows, got] > TOLERANCE).sum())


def _batches(model: RawModel) -> list[Rows]:
    generator = torch.Generator().manual_seed(0)
    given: dict[str, Any] = model.rows if isinstance(model.rows, dict) else {FEATURES: model.rows}
    step = next(iter(model.preparation.children()), None)
    table = step if isinstance(step, TableColumns) else None
    codes = max((len(column.categories) for column in table.table), default=0) if table is not None else 0
    sizes = [*BATCHES[:-1], max(BATCHES[-1], min(codes + 1, MOST_CODES))]
    batches = []
    for size in sizes:
        parts = {port.name: _drawn(port, size, step, given.get(port.name), generator) for port in model.inputs}
        batches.append(parts[FEATURES] if list(parts) == [FEATURES] else parts)
    if model.rows is not None:
        batches.append(map_rows(lambda part: part[:MOST_CODES], model.rows))
    return batches


def _drawn(port: Port, rows: int, step: Any, given: Any, generator: torch.Generator) -> Tensor:
    shape = (rows, *port.shape)
    if isinstance(step, Pixels):
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    if not port.torch_dtype.is_floating_point:  # codes of a net of one's own, from the lowest that was given on
        low, high = given.min(), given.max()
        codes = torch.randint(0, int(high - low) + 1, shape, generator=generator)
        return (low + codes).to(port.torch_dtype)  # type: ignore[no-any-return]
    z = torch.randn(shape, dtype=torch.float64, generator=generator)
    if step is not None and hasattr(step, "mean"):
        z = step.mean + 1.5 * step.std * z
    if isinstance(step, TableColumns):
        for place, column in enumerate(step.table):
            if column.kind == "category":  # each code in turn, from that of unseen ones on
                z[:, place] = torch.arange(rows) % (len(column.categories) + 1) + UNSEEN
            elif column.kind == "boolean":
                z[:, place] = torch.arange(rows) % 2
            elif column.kind == "date":
                z[:, place].round_()
        gone = torch.rand(shape, generator=generator) < GAPS
        z[gone & (torch.arange(rows)[:, None] % 3 == 0)] = torch.nan  # leaves whole rows, too
    return z.to(port.torch_dtype)
