"""The rows that TensorBoard's pictures are of, and what a task says of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from torchann.engine.rows.loader import Rows, TensorLoader, cat_rows, map_rows
from torchann.files.predictions import predict_rows
from torchann.nets.evaluating import evaluating


class Sample(NamedTuple):
    """The first rows of a loader.

    Attributes:
        of: ``"training"`` or ``"validation"``.
        x: as the net gets them, on its device.
        y: their targets, as the loader gives them.
        raw: the inputs before they were prepared; None where nothing is known of that.
        prepare: from raw inputs to those that the net gets; None if that is the same.
    """

    of: str
    x: Rows
    y: Rows
    raw: Rows | None
    prepare: Callable[[Tensor], Tensor] | None

    @property
    def seen(self) -> Rows:
        """The inputs as a person knows them, if that is known; else as the net gets them."""
        return self.x if self.raw is None else self.raw


def is_task(module: Any) -> bool:
    """Whether a module is a task of this project, which knows its loss and says what it predicts.

    Example:
        >>> is_task(nn.Linear(2, 1))
        False
    """
    methods = ("outputs_and_losses", "prepare_target", "predictions", "figure_names")
    return all(callable(getattr(module, name, None)) for name in methods)


class SampleOutput(NamedTuple):
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
def undisturbed(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode for a block of code; afterwards its modes and buffers are what they were."""
    parts = list(module.modules())
    buffers = [(part, name, b, b.clone()) for part in parts for name, b in part.named_buffers(recurse=False)]
    try:
        with evaluating(module):
            yield
    finally:
        for part, name, buffer, before in buffers:
            with torch.no_grad():
                setattr(part, name, buffer.copy_(before))


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


def _first_rows(loader: Any, count: int, to_device: Callable[[Any], Any]) -> tuple[Any, ...] | None:
    if isinstance(loader, TensorLoader):
        raw, y = (map_rows(lambda part: part[:count], rows) for rows in (loader.x, loader.y))
        x, y = to_device((raw if loader.prepare is None else map_rows(loader.prepare, raw), y))
        return x, y, raw, loader.prepare
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset) or not loader.batch_size:
        return None
    # Another loader on the same rows: one that shuffles or has workers is not to be disturbed.
    again = DataLoader(loader.dataset, loader.batch_size, collate_fn=loader.collate_fn, generator=torch.Generator())
    batches = [to_device(batch) for batch in islice(again, -(-count // loader.batch_size))]
    if not batches or not all(_is_pair(batch) for batch in batches):
        return None
    return *(cat_rows(parts) for parts in zip(*batches, strict=True)), None, None


def _is_pair(batch: Any) -> bool:
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        return False
    tensors = [list(part.values()) if isinstance(part, dict) else [part] for part in batch]
    return all(tensors) and all(isinstance(t, Tensor) and t.ndim > 0 for part in tensors for t in part)


def predict_sample(task: Any, rows: Sample) -> list[SampleOutput]:
    """What a task says of some rows, an entry per output; none for a module that is no task of this project.

    Args:
        task: in evaluation mode.
        rows: to predict.
    """
    if not is_task(task):
        return []
    predicted = predict_rows(task, task.predictions, rows.x)
    said = {name: (value.float() if value.is_floating_point() else value).cpu() for name, value in predicted.items()}
    y = task.prepare_target(rows.y)
    return [_judged(key, said, y) for key in said if key.endswith(("value", "class"))]


def _judged(key: str, said: dict[str, Tensor], y: Rows) -> SampleOutput:
    name, _, kind = key.rpartition("_")
    truth = (y[name] if name else next(iter(y.values()))) if isinstance(y, dict) else y
    predicted = said[key]
    if kind == "class" and predicted.ndim == 2:
        kind = "label"
    return SampleOutput(name, kind, truth.cpu(), predicted, said.get(key.removesuffix("class") + "proba"))
