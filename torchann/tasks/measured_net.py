"""A net with what it is measured by: losses, metrics over rows, the figures of a stage."""

from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from torchann.engine.class_report import ClassReport
from torchann.files.metric_name import STAGES, MetricName
from torchann.nets.checks import check_dropout, check_width, explain
from torchann.nets.heads import Objective
from torchann.nets.mlp import activation_module
from torchann.nets.summary import Summary, summary
from torchann.tasks.metrics import RowMetrics
from torchann.tasks.named_metrics import by_name, plain
from torchann.tasks.optimizers import check_optimizer
from torchann.tasks.outputs import stage_metrics
from torchann.tasks.predictor import Predictor


class MeasuredNet(Predictor):
    """A net with its loss, its metrics and its predictions; abstract, as a task makes its net, head and metrics.

    :class:`~torchann.tasks.task.Task` trains it.
    """

    net: nn.Module
    objective: Objective
    metrics: nn.ModuleList
    sizes: tuple[str, ...]
    """Hyperparameters that the net cannot do without."""
    architecture: tuple[str, ...]
    """Hyperparameters that another value of would make it another net."""
    names: tuple[str, ...] = ()
    """Hyperparameters that are taken from the data module where it has them."""
    _asked_metrics: dict[str, Any] | None = None

    def build(self) -> None:
        """Makes ``net`` and ``objective`` from complete hyperparameters."""
        raise NotImplementedError

    def make_metrics(self) -> dict[str, Metric]:
        """What to measure beside the loss, by name."""
        raise NotImplementedError

    def ends(self) -> dict[str, tuple[Objective, float]]:
        """What each output ends in and counts in the loss; an only output has no name."""
        return {"": (self.objective, 1.0)}

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

    def outputs_and_losses(self, x: Any, y: Any) -> tuple[Any, Tensor]:
        """The outputs of a batch and the loss of each row, by inputs and prepared targets."""
        outputs = self(x)
        return outputs, self._losses(outputs, y, training=True)

    def figure_names(self) -> list[str]:
        """All that a fit with validation logs: what ``monitor`` of a callback can be."""
        return ["lr", *(name for stage in ("train", "val") for name in self._names_of(stage))]

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

    def validation_step(self, batch: tuple[Any, Any], batch_idx: int) -> None:
        """Takes a batch ``(x, y)`` into the validation figures."""
        self._evaluate("val", batch)

    def test_step(self, batch: tuple[Any, Any], batch_idx: int) -> None:
        """Takes a batch ``(x, y)`` into the test figures."""
        self._evaluate("test", batch)

    def on_test_epoch_end(self) -> None:
        """Logs the test figures."""
        self._end("test")

    def summary(self) -> Summary:
        """The net's layers, output shapes and parameters, as Keras' ``model.summary()`` shows them; print it.

        Raises:
            RuntimeError: if the net has no sizes yet.
        """
        self._need_net()
        return summary(self.net, (self.hparams["in_features"],))

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

    def _names_of(self, stage: str) -> list[str]:
        parts = self._metrics_of(stage)
        names = [(output, name) for output, metrics in parts.items() for name in ("loss", *metrics.metrics)]
        return [MetricName(stage, *name).key for name in (names if "" in parts else [("", "loss"), *names])]

    def _predict(self, x: Any) -> dict[str, Tensor]:
        self._need_net()
        return super()._predict(x)


def _check_texts(hparams: Any) -> None:
    for name in ("target_names", "class_names"):
        names = hparams.get(name)
        listed = isinstance(names, (list, tuple)) and all(isinstance(text, (str, int, float)) for text in names)
        if names is not None and not listed:
            raise ValueError(f"{name} is {names!r:.80}; give a list of texts")
