"""The learning-rate range test: a copy of a model trains while the rate grows from step to step."""

import copy
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.types import LRSchedulerConfig
from torch import Tensor
from torch.utils.data import DataLoader

from torchann.engine.rows.loader import Block, TensorLoader
from torchann.tasks.perceptron import Perceptron
from torchann.tasks.predictor import trainer_of
from torchann.tasks.task import Task
from torchann.training.trainer import Trainer
from torchann.tuning.lr_range.rates import growing_rates, window_for
from torchann.tuning.lr_range.result import LEAST_SHARE, RateRange


def learning_rate_range(
    model: pl.LightningModule,
    data: Any = None,
    min_lr: float = 1e-5,
    max_lr: float | None = None,
    steps: int | None = None,
    factor: float | None = None,
    stop_above: float | None = 10.0,
    seed: int = 42,
    **trainer: Any,
) -> RateRange:
    """Trains a copy of a model with a rate that grows by one factor from step to step, and notes each batch's loss.

    The model, its data and its run are untouched, no file is written, and the program's random generators are left as
    they were. Schedules of the model are left out; its optimiser, momentum and so on are what they are in a fit.

    Args:
        model: a task, or any LightningModule with one optimiser whose ``training_step`` returns the loss.
        data: a data module or a loader of training rows; None if the module has loaders of its own.
        min_lr: the first rate.
        max_lr: the last rate; 10 if it does not follow from the others.
        steps: how many, over as many epochs as they take; 1,000 if they do not follow from the others.
        factor: by which the rate grows in each step, in place of ``steps`` or of ``max_lr``; the book has 1.005.
        stop_above: the test ends when the median of the latest losses is so many times its lowest, or a loss is no
            number; null to take all steps.
        seed: of everything random, as in a Trainer.
        trainer: Lightning's arguments that change a step, such as ``accelerator``, ``precision`` and
            ``gradient_clip_val``.

    Returns:
        Rates and raw losses, with what they advise; a table, a CSV, a picture.

    Raises:
        TypeError: for a Perceptron, a module without a loss, or one with several optimisers.
        ValueError: if the rates do not grow, or the data cannot be trained on.
        KeyboardInterrupt: after Ctrl-C.

    Example:
        >>> import torchann
        >>> model = torchann.RegressionMLP([30])
        >>> found = learning_rate_range(model, torchann.CaliforniaHousingDataModule(), steps=300)
        >>> 0.01 < found.half < 1
        True
    """
    if isinstance(model, Perceptron):
        raise TypeError(
            "a Perceptron follows no gradient: its rate scales all weights alike and changes no prediction; keep lr=1, "
            "or give a task that descends, such as ClassificationMLP"
        )
    rates = growing_rates(min_lr, max_lr, steps, factor)
    tried, sweep = _copy_of(model), _Sweep(rates, stop_above)
    fitter = Trainer(
        seed=seed,
        quiet=True,
        logger=False,
        callbacks=[sweep],
        max_epochs=-1,
        max_steps=len(rates),
        limit_val_batches=0,
        terminate_on_nan=False,  # to diverge is what it is for
        **trainer,
    )
    with _as_they_were(data) as loaders, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "You passed in a `val_dataloader`")  # which is not used
        if isinstance(data, pl.LightningDataModule):
            fitter.fit(tried, datamodule=copy.copy(data))
        else:
            fitter.fit(tried, train_dataloaders=loaders)
    if fitter.stopped_by == "interrupt":
        raise KeyboardInterrupt
    given = model.hparams.get("lr", model.hparams.get("learning_rate"))
    return RateRange(rates[: len(sweep.losses)], sweep.losses, sweep.window, given)


def _copy_of(model: pl.LightningModule) -> pl.LightningModule:
    trainer = trainer_of(model)
    tried = copy.deepcopy(model, {} if trainer is None else {id(trainer): trainer})
    tried.trainer = None
    if isinstance(tried, Task):
        tried.hparams.update({"lr_schedule": "constant", "lr_schedule_options": None})
    return tried


@contextmanager
def _as_they_were(loaders: Any) -> Iterator[Any]:
    # The loaders to read from; those of the caller keep their place and their generators.
    if isinstance(loaders, TensorLoader):
        yield copy.copy(loaders)
        return
    holders: list[Any] = [loaders, loaders.sampler] if isinstance(loaders, DataLoader) else []
    before = [(holder, holder.generator) for holder in holders if hasattr(holder, "generator")]
    states = [(generator, generator.get_state()) for _, generator in before if generator is not None]
    try:
        yield loaders
    finally:
        for holder, generator in before:
            holder.generator = generator
        for generator, state in states:
            generator.set_state(state)


class _Sweep(Callback):
    # Sets the rate of each step and keeps its loss; to a task that takes several steps per call it is a schedule.

    def __init__(self, rates: Sequence[float], stop_above: float | None) -> None:
        self.rates, self.stop_above = rates, stop_above
        self.window = min(window_for(rates[1] / rates[0]), len(rates))
        self.losses: list[float] = []
        self._taken = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if len(trainer.optimizers) != 1:
            raise TypeError(
                f"{type(pl_module).__name__} has {len(trainer.optimizers)} optimizers; a range test needs exactly one"
            )
        self.groups = trainer.optimizers[0].param_groups
        by_itself = isinstance(pl_module, Task) and not pl_module.automatic_optimization
        config = LRSchedulerConfig(self, interval="step")  # type: ignore[arg-type]
        trainer.strategy.lr_scheduler_configs = [config] if by_itself else []
        self._set()

    def step(self) -> None:
        self._taken += 1
        self._set()

    def _set(self) -> None:
        rate = self.rates[min(self._taken, len(self.rates) - 1)]
        for group in self.groups:
            group["lr"] = rate

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if isinstance(batch, Block) and isinstance(pl_module, Task) and pl_module.latest_losses is not None:
            self.losses += [part.mean().item() for part in torch.split(pl_module.latest_losses, batch.batch_size)]
        else:
            loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
            if not isinstance(loss, Tensor):
                raise TypeError(f"training_step of {type(pl_module).__name__} returned no loss; a range test needs it")
            self.losses.append(loss.item())
        if not trainer.strategy.lr_scheduler_configs:
            self.step()
        self._end_if_enough(trainer)

    def _end_if_enough(self, trainer: pl.Trainer) -> None:
        if self.stop_above is None:
            return
        # By medians: a single batch with rows that are far from all others is no end.
        typical = torch.tensor(self.losses).unfold(0, min(self.window, len(self.losses)), 1).median(1).values
        lowest = typical.cummin(0).values.clamp(min=LEAST_SHARE * float(typical[0]))
        over = (~(typical < self.stop_above * lowest)).nonzero().flatten() + len(self.losses) - len(typical)
        wrong = (~torch.tensor(self.losses).isfinite()).nonzero().flatten()
        end = min([*over[:1].tolist(), *wrong[:1].tolist()], default=None)
        if end is not None:
            del self.losses[max(2, end + 1) :]
            trainer.should_stop = True
