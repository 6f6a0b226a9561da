"""What all tasks share: a net sized by its data, losses and metrics over rows, predictions."""

import logging
import weakref
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torchmetrics import Metric

from torchann.batches import Block, TensorLoader
from torchann.callbacks.threads import Threads
from torchann.nets.heads import Head
from torchann.nets.mlp import MLP
from torchann.tasks.explicit import ExplicitSteps, carry_step_count, largest_block, total_steps, why_autograd
from torchann.tasks.metrics import RowMetrics
from torchann.tasks.optimizers import make_optimizer, make_schedule

log = logging.getLogger("torchann")

PREDICT_ROWS = 8192  # per product: large enough to keep the cores busy, small enough for any memory


class Task(pl.LightningModule):
    """A net with its loss, its metrics and its predictions; abstract, as a task makes its net, head and metrics.

    Sizes that are not given come from the Trainer's data module and are saved with the hyperparameters, so that a
    checkpoint holds all that is needed to build the net again.
    """

    net: nn.Module
    head: Head
    metrics: nn.ModuleDict
    sizes: tuple[str, ...]
    """Hyperparameters that the net cannot do without."""
    _steps: ExplicitSteps | None = None
    _batches_per_epoch: int | None = None
    _explicit_in: "weakref.ref[pl.Trainer] | None" = None
    architecture: tuple[str, ...]
    """Hyperparameters that another value of would make it another net."""
    names: tuple[str, ...] = ()
    """Hyperparameters that are taken from the data module where it has them."""

    def build(self) -> None:
        """Makes ``net`` and ``head`` from complete hyperparameters."""
        raise NotImplementedError

    def make_metrics(self) -> dict[str, Metric]:
        """What to measure beside the loss, by name."""
        raise NotImplementedError

    def setup(self, stage: str) -> None:
        """Lightning's hook before any stage: takes what is missing from the data module and builds the net.

        Raises:
            ValueError: if a size is neither given nor in the data module, or the two differ.
        """
        data, task = getattr(self.trainer, "datamodule", None), type(self).__name__
        for name in self.sizes + self.names:
            if self.hparams.get(name) is None:
                self.hparams[name] = getattr(data, name, None)
        for size in self.sizes:
            given, found = self.hparams[size], getattr(data, size, None)
            if given is None:
                source = "there is no data module" if data is None else f"{type(data).__name__} has none"
                raise ValueError(
                    f"{task} needs {size}: it was not given and {source}; "
                    f"give {task}({size}=...) or a data module with that attribute"
                )
            if found is not None and found != given:
                raise ValueError(
                    f"{task} has {size}={given} and {type(data).__name__} has {size}={found}; "
                    f"leave {size} out to take that of the data"
                )
        if not hasattr(self, "net"):
            self._build()
        for metrics in self.metrics.values():
            assert isinstance(metrics, RowMetrics)
            metrics.reset()
        if stage == "fit" and "steps_per_execution" in self.hparams:
            self._choose_engine(data)

    def _choose_engine(self, data: Any) -> None:
        reason = why_autograd(self, self.net, self.trainer)
        self._explicit_in = None if reason is not None else weakref.ref(self.trainer)
        self._steps, self._batches_per_epoch = None, None
        if reason is not None:
            level = logging.INFO if getattr(self.trainer, "quiet", False) else logging.WARNING
            if self.trainer.is_global_zero:
                log.log(level, "%s trains by autograd, one batch per step: %s", type(self).__name__, reason)
        elif hasattr(data, "steps_per_execution") and isinstance(loader := data.train_dataloader(), TensorLoader):
            wanted = largest_block(self, self.trainer, loader.num_batches(), self.hparams["steps_per_execution"])
            data.steps_per_execution = wanted
            self._batches_per_epoch = loader.num_batches() if wanted != 1 else None

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out what belongs to a Trainer."""
        return super().__getstate__() | {"_explicit_in": None, "_steps": None}

    @pl.LightningModule.automatic_optimization.getter  # type: ignore[attr-defined, untyped-decorator]
    def automatic_optimization(self) -> bool:
        """Whether Lightning steps by autograd: not while a Trainer uses the fast path that was chosen for it."""
        explicit = self._explicit_in is not None and self._explicit_in() is self._trainer
        return bool(self._automatic_optimization) and not explicit

    def configure_callbacks(self) -> list[pl.Callback]:
        """The choice of threads, unless the Trainer has one."""
        given: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        return [] if any(isinstance(callback, Threads) for callback in given) else [Threads()]

    def _build_if_complete(self) -> None:
        if all(self.hparams[size] is not None for size in self.sizes):
            self._build()

    def _build(self) -> None:
        self.build()
        stages = ("train_", "val_", "test_")
        self.metrics = nn.ModuleDict({s: RowMetrics(self.make_metrics(), self.head.activation) for s in stages})

    def forward(self, x: Tensor) -> Tensor:
        """The net's outputs, ``(batch, out_features)``: logits or values, never probabilities.

        Args:
            x: inputs ``(batch, *)``, floats, scaled as the data module scales them.

        Raises:
            RuntimeError: if the net has no sizes yet.
            TypeError: if the inputs are integers, as images are before they are scaled.
        """
        if not hasattr(self, "net"):
            raise RuntimeError(
                f"{type(self).__name__} does not know its sizes yet; fit it with a data module, "
                f"or give {', '.join(self.sizes)}"
            )
        if not x.is_floating_point():
            raise TypeError(f"inputs are {x.dtype}; scale them to floats as in training (pixels: x / 255)")
        outputs: Tensor = self.net(x.to(next(self.net.parameters()).dtype))
        return outputs

    def check_target(self, y: Tensor) -> None:
        """Looks at the targets of the first batch of an epoch, as the loader gives them.

        Raises:
            ValueError: if the task cannot have such targets.
        """

    def prepare_target(self, y: Tensor) -> Tensor:
        """Targets as the head wants them."""
        return y

    def _evaluate(self, stage: str, batch: tuple[Tensor, Tensor]) -> None:
        x, y = batch
        self._add(stage, self(x), self.prepare_target(y))

    def _add(self, stage: str, outputs: Tensor, y: Tensor) -> Tensor:
        losses = self.head.losses(outputs, y)
        metrics = self.metrics[stage]
        assert isinstance(metrics, RowMetrics)
        metrics.add(losses, outputs, y)
        return losses

    def _end(self, stage: str) -> None:
        metrics = self.metrics[stage]
        assert isinstance(metrics, RowMetrics)
        self.log_dict(metrics.compute(stage), prog_bar=True, sync_dist=True)

    def on_train_start(self) -> None:
        """Prepares the fast path, where it can take the fit."""
        self._steps = None
        if not self.automatic_optimization and isinstance(self.net, MLP):
            self._steps = ExplicitSteps(self.net, self.head, self.trainer)
        if "steps_per_execution" in self.hparams:
            carry_step_count(self.trainer, explicit=self._steps is not None)

    def training_step(self, batch: tuple[Tensor, Tensor] | Block, batch_idx: int) -> Tensor | None:
        """Mean loss of a batch ``(x, y)``, for autograd, or of a block of batches that have been trained already."""
        if batch_idx == 0:
            self.check_target(batch[1])
        x, y = batch[0], self.prepare_target(batch[1])
        if self._steps is None:
            if isinstance(batch, Block):  # of a loader that the task did not get from a data module
                raise ValueError(
                    f"a block of {len(x)} rows came and autograd takes one batch per step; give the TensorLoader "
                    "steps_per_execution=1"
                )
            return self._add("train_", self(x), y).mean()
        batch_size = batch.batch_size if isinstance(batch, Block) else len(x)
        with torch.no_grad():
            if batch_idx == 0:
                self.head.losses(self(x[:batch_size]), y[:batch_size])  # for the errors they raise
            outputs = self._steps.run(x.flatten(1).to(next(self.net.parameters()).dtype), y, batch_size)
            return self._add("train_", outputs, y[: len(outputs)]).mean()

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Takes a batch ``(x, y)`` into the validation figures."""
        self._evaluate("val_", batch)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Takes a batch ``(x, y)`` into the test figures."""
        self._evaluate("test_", batch)

    def on_train_epoch_start(self) -> None:
        """Logs the learning rate that the epoch begins with; when it ends the schedule has moved on."""
        self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"], sync_dist=True)

    def on_train_epoch_end(self) -> None:
        """Logs the epoch's training figures."""
        self._end("train_")
        if self._steps is not None:
            self._steps.end_epoch()

    def on_validation_epoch_end(self) -> None:
        """Logs the validation figures."""
        self._end("val_")

    def on_test_epoch_end(self) -> None:
        """Logs the test figures."""
        self._end("test_")

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimiser and schedule that the hyperparameters name."""
        h: Any = self.hparams
        knobs = (h.lr, h.momentum, h.nesterov, h.weight_decay)
        optimizer = make_optimizer(h.optimizer, self.net.parameters(), *knobs, fused=not self.automatic_optimization)
        epochs = self.trainer.max_epochs if (self.trainer.max_epochs or -1) > 0 else None
        steps = total_steps(self.trainer, self._batches_per_epoch, epochs) if h.lr_schedule == "one_cycle" else None
        schedule = make_schedule(h.lr_schedule, optimizer, h.lr_schedule_options or {}, epochs, steps)
        if schedule is None:
            return optimizer
        if h.lr_schedule == "plateau" and not self.trainer.enable_validation:
            raise ValueError(
                "lr_schedule 'plateau' waits for val_loss and there is no validation; give validation rows"
            )
        if not self.automatic_optimization:
            del schedule["monitor"]  # Lightning leaves stepping to a task that steps by itself
        return {"optimizer": optimizer, "lr_scheduler": schedule}  # type: ignore[return-value]

    def predictions(self, outputs: Tensor) -> dict[str, Tensor]:
        """What the net's outputs say, by meaning (``"class"``, ``"proba"``, ``"value"``), each ``(batch, ...)``."""
        raise NotImplementedError

    def predict_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        """Predictions of a batch ``x`` or ``(x, y)``."""
        return self.predictions(self(batch[0] if isinstance(batch, (tuple, list)) else batch))

    def _predict(self, x: Tensor | np.ndarray[Any, Any]) -> dict[str, Tensor]:
        rows = torch.as_tensor(x)
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                parts = [self.predictions(self(part.to(self.device))) for part in torch.split(rows, PREDICT_ROWS)]
        finally:
            self.train(training)
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
