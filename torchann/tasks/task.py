"""What all tasks share: a net that is sized by its data and trained, step by step or in blocks of steps."""

from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor

from torchann.engine.backprop import Backprop
from torchann.engine.rows.loader import Block, map_rows, num_rows
from torchann.files.metric_name import STAGES
from torchann.nets.mlp import MLP
from torchann.tasks.block_steps import move_plateau_schedules
from torchann.tasks.data_check import DataCheck
from torchann.tasks.from_data import take_from_data
from torchann.tasks.measured_net import MeasuredNet
from torchann.tasks.monitor import check_monitors
from torchann.tasks.optimizers import optimizer_and_schedule
from torchann.tasks.predictor import trainer_of
from torchann.tasks.step_choice import StepChoice
from torchann.tasks.threads import Threads


class _BuildNet(pl.Callback):
    """Has a task build its net, as soon as its sizes are known from the data."""

    def setup(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        pl_module.complete(stage)


class Task(MeasuredNet):
    """A net that learns; abstract, as a task makes its net, head and metrics.

    Sizes that are not given come from the Trainer's data module and are saved with the hyperparameters, so that a
    checkpoint holds all that is needed to build the net again.
    """

    latest_losses: Tensor | None = None
    """Of each row of the latest training call, ``(rows,)``; several batches one after the other, if it had several."""
    _train_logged = False
    _epoch_lr = 0.0
    _validated = False

    def __init__(self) -> None:
        super().__init__()
        self._step_choice = StepChoice()

    def setup(self, stage: str) -> None:
        """Lightning's hook before any stage: takes what is missing from the data module and builds the net.

        Raises:
            ValueError: if a size is neither given nor in the data module, or the two differ.
        """
        data = self.complete(stage)
        if stage == "fit" and not self.training:
            self.train()  # a model from a file is in evaluation mode, and Lightning would leave it there
        for part in STAGES:
            for metrics in self._metrics_of(part).values():
                metrics.reset()
        if stage == "fit":
            check_monitors(self.trainer, self.figure_names())
        if stage == "fit" and "steps_per_execution" in self.hparams:
            self._step_choice.choose(self, data)

    def complete(self, stage: str) -> Any:
        """Take what is missing from the Trainer's data module, build the net if there is none, and return the data.

        Raises:
            ValueError: if a size is neither given nor in the data module, or the two differ.
        """
        data = getattr(self.trainer, "datamodule", None)
        take_from_data(self.hparams, data, self.sizes, self.names, type(self).__name__)
        if data is not None and (stage == "fit" or self.data_info is None):
            self.take_inputs(data)
        if not hasattr(self, "net"):
            self._build()
        return data

    def why_own_forward(self) -> str | None:
        """What the net may do that no step written out knows of, in a few words; None if it is one that is known."""
        return None

    def backprop(self) -> Backprop:
        """Backpropagation written out for the net."""
        assert isinstance(self.net, MLP)
        return Backprop(self.net, self.objective.error)

    def changed_backprop(self) -> str | None:
        """Return that a subclass has a way of its own for the gradients, in a few words; None if it has not."""
        return None if type(self).backprop is Task.backprop else "backprop() is one of your own"

    @pl.LightningModule.automatic_optimization.getter  # type: ignore[attr-defined, untyped-decorator]
    def automatic_optimization(self) -> bool:
        """Whether Lightning takes the steps: not while the task does so in the Trainer that this was chosen for."""
        return bool(super().automatic_optimization) and not self._step_choice.taken_in(trainer_of(self))

    def configure_callbacks(self) -> list[pl.Callback]:
        """The choice of threads and the look at the data, unless the Trainer has them.

        One that builds the net is put in front of all others, which may want to copy or prune it in their setup.
        """
        given: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        if not any(isinstance(callback, _BuildNet) for callback in given):
            given.insert(0, _BuildNet())
        return [kind() for kind in (Threads, DataCheck) if not any(isinstance(callback, kind) for callback in given)]

    def on_train_start(self) -> None:
        """Prepares the steps, where the task takes them by itself."""
        self._train_logged = False
        if "steps_per_execution" in self.hparams:
            self._step_choice.start(self)

    def training_step(self, batch: tuple[Any, Any] | Block, batch_idx: int) -> Tensor | None:
        """Mean loss of a batch ``(x, y)``, for Lightning's step, or of a block of batches that were trained here."""
        x, y = batch[0], self.prepare_target(batch[1])
        blocks = self._step_choice.blocks
        if blocks is None:
            if isinstance(batch, Block):  # of a loader that the task did not get from a data module
                raise ValueError(
                    f"a block of {num_rows(x)} rows came and Lightning takes one batch per step; give the "
                    "TensorLoader steps_per_execution=1"
                )
            loss = self._training_loss(self(x), y)
            self._end_with_last_batch()
            return loss * self._share_of_step(num_rows(x))
        block = batch._replace(y=y) if isinstance(batch, Block) else Block(x, y, max(1, num_rows(x)), 1)
        with torch.no_grad():
            if batch_idx == 0 and not blocks.learner.looks_at_rows:
                x, y = (map_rows(lambda part: part[: block.batch_size], rows) for rows in (block.x, block.y))
                self._losses(self(x), y, training=True)  # for the errors they raise
            outputs = blocks.run(block)
            loss = torch.zeros((), device=self.device)
            if outputs is not None:
                loss = self._training_loss(outputs, map_rows(lambda part: part[: num_rows(outputs)], block.y))
        self._end_with_last_batch()
        return loss

    def _training_loss(self, outputs: Any, y: Any) -> Tensor:
        losses = self._add("train", outputs, y)
        self.latest_losses = losses.detach()
        return losses.mean() if len(losses) else losses.sum()  # a process may have no row of the last batch

    def _share_of_step(self, rows: int) -> float:
        # Lightning takes the mean of all processes' gradients, and the last batch may be larger on some.
        world = self.trainer.world_size
        if world == 1 or not self.trainer.is_last_batch:
            return 1.0
        together = self.trainer.strategy.reduce(torch.tensor(float(rows), device=self.device), reduce_op="sum")
        return world * rows / float(together)

    def _end_with_last_batch(self) -> None:
        # Callbacks find the epoch's training figures in their on_train_epoch_end, which comes before the task's.
        if self.trainer.is_last_batch:
            self._end_training()

    def _end_training(self) -> None:
        self._end("train")
        self.log("lr", self._epoch_lr, sync_dist=True, on_step=False, on_epoch=True, batch_size=1)
        self._train_logged = True

    @property
    def takes_own_steps(self) -> bool:
        """Whether the task takes its steps by itself in the fit under way."""
        return self._step_choice.blocks is not None

    def epoch_state(self) -> dict[str, Any]:
        """What the epoch under way has gathered on this process; a checkpoint within it holds this, too."""
        figures = [metrics.state() for metrics in self._metrics_of("train").values()]
        return {"lr": self._epoch_lr, "validated": self._validated, "figures": figures}

    def load_epoch_state(self, state: dict[str, Any]) -> None:
        """Goes on within an epoch."""
        self._epoch_lr, self._validated = state["lr"], state["validated"]
        for metrics, saved in zip(self._metrics_of("train").values(), state["figures"], strict=True):
            metrics.load_state(saved)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Saves what the next step depends on, too, where the optimiser's state does not hold it all."""
        super().on_save_checkpoint(checkpoint)
        blocks = self._step_choice.blocks
        if blocks is not None and (state := blocks.learner.state()) is not None:
            checkpoint["learner"] = state

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps that until training starts."""
        super().on_load_checkpoint(checkpoint)
        self._step_choice.learner_state = checkpoint.get("learner")

    def on_train_epoch_start(self) -> None:
        """Keeps the learning rate that the epoch begins with; when it ends the schedule has moved on."""
        self._epoch_lr = self.trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_epoch_end(self) -> None:
        """Logs the epoch's training figures, where its last batch has not."""
        if not self._train_logged:
            self._end_training()
        self._train_logged = False
        if self._validated:
            move_plateau_schedules(self.trainer)
        self._validated = False

    def on_validation_epoch_end(self) -> None:
        """Logs the validation figures."""
        self._end("val")
        self._validated = True

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimiser and schedule that the hyperparameters name."""
        return optimizer_and_schedule(self, self._step_choice.batches_per_epoch)
