"""Ends training at the first loss that is no number, and says where it came from."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from torchann.engine.rows.loader import Block
from torchann.engine.stop import StopTraining
from torchann.files.history import epoch_number


class _Call(NamedTuple):
    # The weights that a call began with, and its first step.
    step: int
    weights: list[Tensor]


class TerminateOnNaN(Callback):
    """Ends training at the first step whose loss is nan or infinite.

    The message names the step (counted from 1 over the whole run), the epoch, and what of the batch, or which layer,
    is not finite. The model gets back weights whose loss was finite: those that the step before began with or, where a
    task takes several steps per call, those that the call began with.

    Attributes:
        step: the step, None as long as none was found.
        layer: the first layer that is not finite; None if none was found: where inputs or targets are not finite, or
            the loss alone, or the weights grew too large within a call.

    Raises:
        StopTraining: at that step; :meth:`torchann.Trainer.fit` says why and returns.

    Example:
        >>> import torchann
        >>> trainer = torchann.Trainer(callbacks=[TerminateOnNaN()], logger=False, quiet=True)
    """

    def __init__(self) -> None:
        self.step: int | None = None
        self.layer: str | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin anew."""
        self.step = self.layer = None
        self._tensors = [*pl_module.parameters(), *pl_module.buffers()]
        self._last: _Call | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keep the weights that the step or the steps begin with."""
        self._now = _Call(trainer.global_step + 1, [tensor.detach().clone() for tensor in self._tensors])

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Look at the loss."""
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        loss = loss.item() if isinstance(loss, Tensor) else 0.0
        if not trainer.strategy.reduce_boolean_decision(not isfinite(loss), all=False):
            self._last = self._now
            return
        index = 0
        if isinstance(batch, Block) and getattr(pl_module, "takes_own_steps", False):
            losses = _loss_of_each_step(trainer, pl_module, batch)
            # Only the sum over the steps may overflow; then the last one stands for them.
            index = next((number for number, loss in enumerate(losses) if not isfinite(loss)), len(losses) - 1)
            batch, loss = list(batch.batches())[index], losses[index]
        with torch.no_grad():
            message = self._told(pl_module, batch, index)
        where = f"step {self.step:,}, in epoch {epoch_number(trainer.current_epoch)}"
        raise StopTraining("nan", f"the loss of {where}, is {loss:g}: {message}")

    def _told(self, pl_module: pl.LightningModule, batch: Any, index: int) -> str:
        self.step = self._now.step + index
        self._load(self._now)
        self.layer, where, what_to_do = _culprit(pl_module, batch)
        if where == LOSS_ALONE and index:
            where = f"each layer was finite at step {self._now.step:,}; weights grew too large since, or the loss alone"
        kept = self._now if index else self._last
        self._load(kept or self._now)
        began = "this fit" if kept is None else f"step {kept.step:,}"
        return f"{where}; the model has the weights that {began} began with; {what_to_do}"

    def _load(self, call: _Call) -> None:
        for tensor, kept in zip(self._tensors, call.weights, strict=True):
            tensor.copy_(kept)


def _loss_of_each_step(trainer: pl.Trainer, task: Any, block: Block) -> list[float]:
    # The mean over the rows of all processes, some of which may have none of the last batch.
    sums = task.latest_losses.new_zeros(2, block.num_steps)
    for number, losses in enumerate(task.latest_losses.split(block.batch_size)):
        sums[:, number] = torch.stack([losses.sum(), losses.new_tensor(len(losses))])
    total, rows = trainer.strategy.reduce(sums, reduce_op="sum")
    return list((total / rows.clamp(min=1)).tolist())


LOSS_ALONE = "every layer is finite, the loss itself is not"


def _culprit(pl_module: pl.LightningModule, batch: Any) -> tuple[str | None, str, str]:
    # The layer, what of it is not finite, and what to do.
    x, y = batch[:2] if isinstance(batch, (tuple, list)) and len(batch) >= 2 else (batch, ())
    for name, rows in (("inputs", x), ("targets", y)):
        if found := _not_finite(rows):
            return None, f"the batch has {name} that are {found}", f"look for {found} in the data"
    what_to_do = "lower the learning rate, and see that the inputs are scaled"
    bad: list[tuple[str, nn.Module, str]] = []
    modules = [(module, name) for name, module in pl_module.named_modules() if name]
    names = {m: name for m, name in modules if [*m.parameters(recurse=False)] or not [*m.children()]}

    def look(layer: nn.Module, inputs: Any, outputs: Any) -> None:
        for part, tensors in (("weights", [*layer.parameters(recurse=False)]), ("output", outputs)):
            if found := _not_finite(tensors):
                bad.append((names[layer], layer, f"{part} {'are' if part == 'weights' else 'is'} {found}"))

    if hasattr(pl_module, "prepare_target"):  # a task of this project: forward takes the inputs
        hooks = [layer.register_forward_hook(look) for layer in names]
        try:
            pl_module(x)
        finally:
            for hook in hooks:
                hook.remove()
    else:
        for layer in names:
            look(layer, (), ())
    if not bad:
        return None, LOSS_ALONE, what_to_do
    name, layer, text = bad[0]
    return name, f"the first layer that is not finite is {name} ({type(layer).__name__}), whose {text}", what_to_do


def _not_finite(values: Any) -> str | None:
    # "nan" or "inf" for the first in a tensor, or in tensors in a list or by name.
    if isinstance(values, Tensor):
        wrong = values[~values.isfinite()] if values.is_floating_point() else values[:0]
        return None if len(wrong) == 0 else "nan" if wrong.isnan().any() else "infinite"
    parts = values.values() if isinstance(values, Mapping) else values if isinstance(values, (list, tuple)) else ()
    return next((found for part in parts if (found := _not_finite(part))), None)
