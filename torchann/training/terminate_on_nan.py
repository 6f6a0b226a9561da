"""Ends training at the first loss that is no number, and says where it came from."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, NamedTuple

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from torchann.engine.generators import generator_states, restore_generators
from torchann.engine.rows.loader import Block
from torchann.engine.stop import StopTraining


class _Call(NamedTuple):
    # What a training step began with; where the task takes several steps in it, all that they depend on.
    batch: Any
    step: int
    weights: list[Tensor]
    engine: dict[str, Any] | None


class TerminateOnNaN(Callback):
    """Ends training at the first step whose loss is nan or infinite.

    The message names the step (counted from 1 over the whole run), the epoch and the first layer whose weights or
    output are not finite. The model keeps the last weights whose loss was finite. Where a task takes several steps per
    call, the steps of the call are taken once more to find the one: a run that goes well pays for a copy of the
    weights and the optimiser's state per call.

    Attributes:
        step: the step, None as long as none was found.
        layer: the layer's name, None if no layer was found: where inputs or targets were not finite, or the loss alone.

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
        """Begins anew."""
        self.step = self.layer = None
        self._tensors = [*pl_module.parameters(), *pl_module.buffers()]
        self._last: _Call | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keeps what the step or the steps begin with."""
        several = isinstance(batch, Block) and getattr(pl_module, "takes_own_steps", False)
        self._now = _Call(batch, trainer.global_step, self._weights(), _engine(trainer) if several else None)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Looks at the loss."""
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        loss = loss.item() if isinstance(loss, Tensor) else 0.0
        bad = not isfinite(loss)
        if not trainer.strategy.reduce_boolean_decision(bad, all=False):
            self._last = self._now
        else:
            with torch.no_grad():
                message = self._find(trainer, pl_module, loss)
            raise StopTraining("nan", message)

    def _find(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: float) -> str:
        good = None
        for index, (weights, batch, its_loss) in enumerate(self._steps(trainer, pl_module, self._now)):
            step, began, its_batch = self._now.step + index + 1, weights, batch
            if its_loss is None or not isfinite(its_loss):
                loss = loss if its_loss is None else its_loss
                break
            good = weights
        if good is None and self._last is not None:
            *_, (good, _, _) = self._steps(trainer, pl_module, self._last)
        self._load(began)
        self.step, (self.layer, where, what_to_do) = step, _culprit(pl_module, its_batch)
        self._load(began if good is None else good)
        kept = "this fit" if good is None else f"step {step - 1:,}"
        return (
            f"the loss of step {step:,}, in epoch {trainer.current_epoch + 1}, is {loss:g}: {where}; "
            f"the model has the weights that {kept} began with; {what_to_do}"
        )

    def _steps(
        self, trainer: pl.Trainer, pl_module: Any, call: _Call
    ) -> Iterator[tuple[list[Tensor], Any, float | None]]:
        if call.engine is None:
            yield call.weights, call.batch, None
            return
        self._load(call.weights)
        _restore(trainer, call.engine)
        losses = pl_module.repeat_steps(call.batch)
        for batch in call.batch.batches():
            weights = self._weights()
            yield weights, batch, next(losses).item()

    def _weights(self) -> list[Tensor]:
        return [tensor.detach().clone() for tensor in self._tensors]

    def _load(self, weights: list[Tensor]) -> None:
        for tensor, kept in zip(self._tensors, weights, strict=True):
            tensor.copy_(kept)


def _engine(trainer: pl.Trainer) -> dict[str, Any]:
    (optimizer,) = trainer.optimizers
    state = {parameter: _copies(part) for parameter, part in optimizer.state.items()}
    schedules = [dict(config.scheduler.state_dict()) for config in trainer.lr_scheduler_configs]
    groups = [dict(group) for group in optimizer.param_groups]
    return {"state": state, "groups": groups, "schedules": schedules, "generators": generator_states()}


def _copies(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value.clone() if isinstance(value, Tensor) else value for name, value in state.items()}


def _restore(trainer: pl.Trainer, engine: dict[str, Any]) -> None:
    (optimizer,) = trainer.optimizers
    optimizer.state.clear()
    optimizer.state.update({parameter: _copies(part) for parameter, part in engine["state"].items()})
    for group, kept in zip(optimizer.param_groups, engine["groups"], strict=True):
        group.update(kept)  # the same dictionary: steps hold on to it
    for config, kept in zip(trainer.lr_scheduler_configs, engine["schedules"], strict=True):
        config.scheduler.load_state_dict(kept)
    restore_generators(engine["generators"])


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
        return None, "every layer is finite, the loss itself is not", what_to_do
    name, layer, told = bad[0]
    return name, f"the first layer that is not finite is {name} ({type(layer).__name__}), whose {told}", what_to_do


def _not_finite(values: Any) -> str | None:
    # "nan" or "inf" for the first in a tensor, or in tensors in a list or by name.
    if isinstance(values, Tensor):
        wrong = values[~values.isfinite()] if values.is_floating_point() else values[:0]
        return None if len(wrong) == 0 else "nan" if wrong.isnan().any() else "infinite"
    parts = values.values() if isinstance(values, Mapping) else values if isinstance(values, (list, tuple)) else ()
    return next((found for part in parts if (found := _not_finite(part))), None)
