"""The rows that TensorBoard's pictures are of, and what a task says of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from torchann.batches import Rows, TensorLoader, cat_rows, map_rows, num_rows

ROWS_AT_ONCE = 4096


class Sample(NamedTuple):
    """The first rows of a loader.

    Attributes:
        of: ``"training"`` or ``"validation"``.
        x: as the net gets them, on its device.
        y: their targets, as the loader gives them.
        raw: the inputs before they were prepared; the same where nothing is known of that.
    """

    of: str
    x: Rows
    y: Rows
    raw: Rows


class Judged(NamedTuple):
    """An output of a task on some rows, on the CPU.

    Attributes:
        name: of the output, ``""`` where there is one.
        kind: ``"value"``, ``"class"`` or ``"label"``, where a row may have several.
        y: true values ``(rows, size)``, classes ``(rows,)``, or 0 and 1 for each label ``(rows, size)``.
        predicted: of the same shape.
        proba: of each class or label ``(rows, size)``; None where the task has none.
    """

    name: str
    kind: str
    y: Tensor
    predicted: Tensor
    proba: Tensor | None


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Puts a module into evaluation mode for a block of code, each part of it back afterwards.

    Example:
        >>> net = nn.Sequential(nn.Dropout())
        >>> with evaluating(net):
        ...     net[0].training
        False
        >>> net[0].training
        True
    """
    flags = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in flags.items():
            part.training = training


def first_rows(trainer: pl.Trainer, count: int, training: bool = False) -> Sample | None:
    """The first validation rows in stored order, or training rows where there is no validation.

    Args:
        trainer: in a fit.
        count: how many at most.
        training: training rows in any case, as they are without augmentation.

    Returns:
        None where the loader cannot be read beside the training: several loaders, or one of an ``IterableDataset``.
    """
    loader = trainer.val_dataloaders
    if training or loader is None or loader == []:
        loader, training = trainer.train_dataloader, True
    if isinstance(loader, list) and len(loader) == 1:
        loader = loader[0]
    found = _first_rows(loader, count, lambda batch: trainer.strategy.batch_to_device(batch, dataloader_idx=0))
    return None if found is None else Sample("training" if training else "validation", *found)


def _first_rows(loader: Any, count: int, to_device: Callable[[Any], Any]) -> tuple[Rows, Rows, Rows] | None:
    if isinstance(loader, TensorLoader):
        raw, y = (map_rows(lambda part: part[:count], rows) for rows in (loader.x, loader.y))
        x, y = to_device((raw if loader.prepare is None else map_rows(loader.prepare, raw), y))
        return x, y, raw
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset) or not loader.batch_size:
        return None
    # Another loader on the same rows: one that shuffles or has workers is not to be disturbed.
    again = DataLoader(loader.dataset, loader.batch_size, collate_fn=loader.collate_fn, generator=torch.Generator())
    batches = [to_device(batch) for batch in islice(again, -(-count // loader.batch_size))]
    if not batches or not all(isinstance(batch, (tuple, list)) and len(batch) == 2 for batch in batches):
        return None
    x, y = (cat_rows(parts) for parts in zip(*batches, strict=True))
    return x, y, x


def judge(task: Any, rows: Sample) -> list[Judged]:
    """What a task says of some rows, an entry per output; none for a module that is no task of this project.

    Args:
        task: in evaluation mode.
        rows: to predict.
    """
    if not hasattr(task, "prepare_target") or not hasattr(task, "predictions"):
        return []
    found: list[dict[str, Tensor]] = []
    with torch.no_grad():
        for start in range(0, num_rows(rows.x), ROWS_AT_ONCE):
            part = map_rows(lambda x, start=start: x[start : start + ROWS_AT_ONCE], rows.x)  # type: ignore[misc]
            found.append({name: value.cpu() for name, value in task.predictions(task(part)).items()})
        y = task.prepare_target(rows.y)
    said = {name: torch.cat([part[name] for part in found]) for name in found[0]}
    return [_judged(key, said, y) for key in said if key.endswith(("value", "class"))]


def _judged(key: str, said: dict[str, Tensor], y: Rows) -> Judged:
    name, _, kind = key.rpartition("_")
    truth = (y[name] if name else next(iter(y.values()))) if isinstance(y, dict) else y
    predicted = said[key]
    if kind == "class" and predicted.ndim == 2:
        kind = "label"
    return Judged(name, kind, truth.cpu(), predicted, said.get(key.removesuffix("class") + "proba"))
