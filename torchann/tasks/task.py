"""What all tasks share: a net sized by its data, losses and metrics over rows, predictions."""

from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torchmetrics import Metric

from torchann.engine.backprop import Backprop
from torchann.engine.class_report import ClassReport
from torchann.engine.rows.loader import Block, map_rows, num_rows
from torchann.files.metric_name import STAGES, MetricName
from torchann.nets.checks import check_dropout, check_width, explain
from torchann.nets.heads import Objective
from torchann.nets.mlp import MLP, activation_module
from torchann.nets.summary import Summary, summary
from torchann.tasks.block_steps import move_plateau_schedules
from torchann.tasks.data_check import DataCheck
from torchann.tasks.from_data import take_from_data
from torchann.tasks.metrics import RowMetrics
from torchann.tasks.monitor import check_monitors
from torchann.tasks.named_metrics import by_name, plain
from torchann.tasks.optimizers import check_optimizer, optimizer_and_schedule
from torchann.tasks.outputs import stage_metrics
from torchann.tasks.predictor import Predictor, trainer_of
from torchann.tasks.step_choice import StepChoice
from torchann.tasks.threads import Threads


class _BuildNet(pl.Callback):
    """Has a task build its net, as soon as its sizes are known from the data."""

    def setup(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        pl_module.complete(stage)


def _check_texts(hparams: Any) -> None:
    for name in ("target_names", "class_names"):
        names = hparams.get(name)
        listed = isinstance(names, (list, tuple)) and all(isinstance(text, (str, int, float)) for text in names)
        if names is not None and not listed:
            raise ValueError(f"{name} is {names!r:.80}; give a list of texts")


class Task(Predictor):
    """A net with its loss, its metrics and its predictions; abstract, as a task makes its net, head and metrics.

    Sizes that are not given come from the Trainer's data module and are saved with the hyperparameters, so that a
    checkpoint holds all that is needed to build the net again.
    """

    net: nn.Module
    objective: Objective
    metrics: nn.ModuleList
    sizes: tuple[str, ...]
    """Hyperparameters that the net cannot do without."""
    latest_losses: Tensor | None = None
    """Of each row of the latest training call, ``(rows,)``; several batches one after the other, if it had several."""
    _train_logged = False
    _epoch_lr = 0.0
    _validated = False
    architecture: tuple[str, ...]
    """Hyperparameters that another value of would make it another net."""
    names: tuple[str, ...] = ()
    """Hyperparameters that are taken from the data module where it has them."""
    _asked_metrics: dict[str, Any] | None = None

    def __init__(self) -> None:
        super().__init__()
        self._step_choice = StepChoice()

    def build(self) -> None:
        """Makes ``net`` and ``objective`` from complete hyperparameters."""
        raise NotImplementedError

    def make_metrics(self) -> dict[str, Metric]:
        """What to measure beside the loss, by name."""
        raise NotImplementedError

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

    def ends(self) -> dict[str, tuple[Objective, float]]:
        """What each output ends in and counts in the loss; an only output has no name."""
        return {"": (self.objective, 1.0)}

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

    def _ask(self, metrics: Any) -> Any:
        # In a constructor: keeps the metrics that a user asks for, and returns those that a checkpoint can hold.
        self._asked_metrics = by_name(metrics or [])
        return plain(metrics)

    def _check_and_build(self) -> None:
        """At the end of a constructor: what it was given is refused here, and not in a fit; the net needs its sizes."""
        if "activation" in self.hparams:
            activation_module(self.hparams["activation"])
        if "optimizer" in self.hparams:
            check_optimizer(self.hparams)
        if "dropout" in self.hparams:
            check_dropout(self.hparams["dropout"])
        _check_texts(self.hparams)
        if all(self.hparams[size] is not None for size in self.sizes):
            self._build()

    def _build(self) -> None:
        self.build()
        classes = self.hparams.get("num_classes")
        kind = "regression" if classes is None else self.hparams["task"]
        size = classes or self.objective.out_features
        self.metrics = nn.ModuleList(self._stages(kind, size, self.make_metrics(), self.objective))
        self._check_asked()

    def _stages(self, kind: str, size: int, always: dict[str, Metric], objective: Objective) -> list[RowMetrics]:
        hparams, asked = dict(self.hparams), self._asked_metrics or {}
        return [stage_metrics(stage, kind, size, always, asked, objective, hparams) for stage in STAGES]

    def _check_asked(self) -> None:
        known = {name for part in self._metrics_of("train").values() for name in part.metrics}
        for name in self._asked_metrics or {}:
            if name not in known:
                raise ValueError(f"metric {name!r} does not measure what {type(self).__name__} predicts; leave it out")

    def _metrics_of(self, stage: str) -> dict[str, RowMetrics]:
        # By output; an only one has no name.
        return {"": self._of_stage(stage)}

    def _of_stage(self, stage: str) -> Any:
        return dict(zip(STAGES, self.metrics, strict=True))[stage]

    def _need_net(self) -> None:
        if not hasattr(self, "net"):
            raise RuntimeError(
                f"{type(self).__name__} does not know its sizes yet; fit it with a data module, "
                f"or give {', '.join(self.sizes)}"
            )

    def forward(self, x: Tensor) -> Tensor:
        """The net's outputs, ``(batch, out_features)``: logits or values, never probabilities.

        Args:
            x: inputs ``(batch, *)``, floats, scaled as the data module scales them.

        Raises:
            RuntimeError: if the net has no sizes yet.
            TypeError: if the inputs are integers, as images are before they are scaled.
            ValueError: if their shape is not the net's.
        """
        self._need_net()
        if not x.is_floating_point():
            raise TypeError(f"inputs are {x.dtype}; scale them to floats as in training (pixels: x / 255)")
        try:
            outputs: Tensor = self.net(x.to(next(self.net.parameters()).dtype))
        except (RuntimeError, ValueError, IndexError) as error:
            explain(error, self.net, x)
            raise
        return outputs

    def check_input(self, x: Tensor, what: str) -> None:
        """Looks at the inputs of a stage before they are used, as the net will get them.

        Args:
            x: one row or more, ``(rows, *)``.
            what: how an error calls them, such as ``"training inputs"``.

        Raises:
            ValueError: if the net cannot take such rows.
        """
        if "in_features" in self.hparams:
            check_width(x, self.hparams["in_features"], what)

    def check_target(self, y: Any) -> None:
        """Looks at the targets of a stage before they are used, as the loader gives them.

        Raises:
            ValueError: if the task cannot have such targets.
        """

    def class_indices(self, y: Any) -> dict[str, Tensor]:
        """The targets that say which class each row has, by output (``""`` for the only one); none by default."""
        return {}

    def prepare_target(self, y: Any) -> Any:
        """Targets as the head wants them."""
        return y

    def row_weight(self, y: Tensor) -> Tensor | None:
        """How much each row counts in training, ``(batch,)``, by its prepared target; None for all the same."""
        return None

    def _evaluate(self, stage: str, batch: tuple[Any, Any]) -> None:
        x, y = batch
        self._add(stage, self(self.served(x)), self.prepare_target(y))

    def _losses(self, outputs: Any, y: Any, training: bool) -> Tensor:
        losses = self.objective.losses(outputs, y)
        weight = self.row_weight(y) if training else None
        return losses if weight is None else losses * weight

    def _add(self, stage: str, outputs: Any, y: Any) -> Tensor:
        losses = self._losses(outputs, y, training=stage == "train")
        self._metrics_of(stage)[""].add(losses, outputs, y)
        return losses

    def outputs_and_losses(self, x: Any, y: Any) -> tuple[Any, Tensor]:
        """The outputs of a batch and the loss of each row, by inputs and prepared targets."""
        outputs = self(x)
        return outputs, self._losses(outputs, y, training=True)

    def _weighted(self, losses: dict[str, Tensor]) -> Tensor:
        return torch.stack(list(losses.values())).sum(0)

    def _end(self, stage: str) -> None:
        parts = {output: metrics.compute() for output, metrics in self._metrics_of(stage).items()}
        figures = {
            MetricName(stage, output, name).key: value for output, part in parts.items() for name, value in part.items()
        }
        if "" not in parts:
            losses = {output: part["loss"] for output, part in parts.items()}
            figures = {MetricName(stage, "", "loss").key: self._weighted(losses), **figures}
        self.log_dict(figures, prog_bar=True, sync_dist=True, on_step=False, on_epoch=True, batch_size=1)

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

    def figure_names(self) -> list[str]:
        """All that a fit with validation logs: what ``monitor`` of a callback can be."""
        return ["lr", *(name for stage in ("train", "val") for name in self._names_of(stage))]

    def _names_of(self, stage: str) -> list[str]:
        parts = self._metrics_of(stage)
        names = [(output, name) for output, metrics in parts.items() for name in ("loss", *metrics.metrics)]
        return [MetricName(stage, *name).key for name in (names if "" in parts else [("", "loss"), *names])]

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

    def validation_step(self, batch: tuple[Any, Any], batch_idx: int) -> None:
        """Takes a batch ``(x, y)`` into the validation figures."""
        self._evaluate("val", batch)

    def test_step(self, batch: tuple[Any, Any], batch_idx: int) -> None:
        """Takes a batch ``(x, y)`` into the test figures."""
        self._evaluate("test", batch)

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

    def class_reports(self, stage: str) -> dict[str, ClassReport]:
        """Return the report of each output with classes on the rows that a stage had last, by output.

        Args:
            stage: val or test.
        """
        found = {name: part.class_counts for name, part in self._metrics_of(stage).items()}
        names = self.hparams.get("class_names")
        return {
            output: ClassReport.of(
                counts, names if names and len(names) == len(counts) else [*map(str, range(len(counts)))]
            )
            for output, counts in found.items()
            if counts is not None
        }

    def on_test_epoch_end(self) -> None:
        """Logs the test figures."""
        self._end("test")

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimiser and schedule that the hyperparameters name."""
        return optimizer_and_schedule(self, self._step_choice.batches_per_epoch)

    def _predict(self, x: Any) -> dict[str, Tensor]:
        self._need_net()
        return super()._predict(x)

    def summary(self) -> Summary:
        """The net's layers, output shapes and parameters, as Keras' ``model.summary()`` shows them; print it.

        Raises:
            RuntimeError: if the net has no sizes yet.
        """
        self._need_net()
        return summary(self.net, (self.hparams["in_features"],))
