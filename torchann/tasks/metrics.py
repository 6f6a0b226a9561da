"""The figures of a stage (train, val, test), accumulated over its rows and computed once per epoch."""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import ExplainedVariance, MeanMetric, Metric, MetricCollection, R2Score

from torchann.engine.rows.sharding import rank_and_world

UPDATE_EVERY = 64  # batches; a torchmetrics update costs as much as a training step of a small net
MOST_ROWS = 2**17  # that wait, of batches that are blocks of many


class RowMetrics(nn.Module):
    """Torchmetrics over the rows of an epoch: a batch of 4 rows counts 4, one of 32 counts 32.

    Args:
        metrics: what to measure of the predictions and targets, by name; the mean of the losses comes as ``"loss"``.
        activation: from the net's outputs to the predictions.
        columns: of the targets, by the names of the metrics that look at one of several.
        center: about the mean of each target, for R2 of targets that vary little beside their size.
        counts: what counts rows by class, beside the metrics; what it gave last is ``class_counts``.

    Raises:
        ValueError: from :meth:`compute`, for a metric that is not one number.

    Example:
        >>> from torchmetrics import MeanAbsoluteError
        >>> metrics = RowMetrics({"mae": MeanAbsoluteError()}, activation=torch.exp)
        >>> metrics.add(torch.tensor([1.0, 9.0]), torch.tensor([0.0, 0.0]), torch.tensor([2.0, 4.0]))
        >>> metrics.add(torch.tensor([2.0]), torch.tensor([0.0]), torch.tensor([6.0]))
        >>> metrics.compute()
        {'loss': tensor(4.), 'mae': tensor(3.)}
    """

    def __init__(
        self,
        metrics: dict[str, Metric],
        activation: Callable[[Tensor], Tensor],
        columns: Mapping[str, int] | None = None,
        center: Sequence[float] | None = None,
        counts: Metric | None = None,
    ) -> None:
        super().__init__()
        self.counts: Metric | None = counts
        self.class_counts: Tensor | None = None
        self.keeps_all = False
        """Whether all rows wait for :meth:`compute`, as where a threshold is chosen by them."""
        self.center: list[float] | None = None if center is None else list(center)
        self.activation = activation
        self.columns: dict[str, int] = dict(columns or {})
        self.loss: MeanMetric = MeanMetric(nan_strategy="disable")  # a run that diverges shows it
        self.metrics: MetricCollection = MetricCollection(
            {name: metric.clone() for name, metric in metrics.items()}, compute_groups=False
        )
        self._waiting: list[tuple[Tensor, Tensor, Tensor]] = []
        self._waiting_rows = 0

    def add(self, losses: Tensor, outputs: Tensor, target: Tensor) -> None:
        """Takes a batch: its losses ``(batch,)``, outputs and targets ``(batch, ...)``; kept until the next update."""
        if not losses.shape[0]:
            return
        self._waiting.append((losses.detach(), outputs.detach(), target))
        self._waiting_rows += losses.shape[0]
        if (len(self._waiting) >= UPDATE_EVERY or self._waiting_rows > MOST_ROWS) and not self.keeps_all:
            self._update()

    def compute(self) -> dict[str, Tensor]:
        """The figures over all rows since the last call, over all processes, by name."""
        self._update()
        if rank_and_world()[1] > 1:  # where this process has seen no row another has
            for _, metric in self._parts():
                metric._update_count = max(1, metric._update_count)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="torchmetrics")  # that a class has no rows, in each epoch
            figures = {"loss": self.loss.compute(), **{name: part.compute() for name, part in self.metrics.items()}}
        if self.counts is not None:
            self.class_counts = self.counts.compute()
        self.reset()
        for name, value in figures.items():
            if not isinstance(value, Tensor) or value.numel() != 1:
                raise ValueError(f"metric {name!r} gives {value!r:.80} and not one number; give it an average")
        return figures

    def reset(self) -> None:
        """Forgets the rows of an epoch that was computed, or broken off."""
        self._waiting.clear()
        self._waiting_rows = 0
        for _, metric in self._parts():
            metric.reset()

    def waiting(self) -> tuple[Tensor, Tensor] | None:
        """Return the predictions and targets of the rows that wait, None if there are none."""
        if not self._waiting:
            return None
        _, outputs, target = (torch.cat(batches) for batches in zip(*self._waiting, strict=True))
        return self.activation(outputs), target

    def cut_at(self, threshold: float) -> None:
        """Have all that chooses between two classes do so at a probability."""
        for _, metric in self._parts():
            if hasattr(metric, "threshold"):
                metric.threshold = threshold

    def state(self) -> dict[str, Any]:
        """What has been taken in since the last call of :meth:`compute`, as tensors and plain values."""
        parts = {name: [metric.metric_state, metric.update_count] for name, metric in self._parts()}
        return copy.deepcopy({"waiting": self._waiting, "parts": parts})

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from what :meth:`state` gave."""
        device = self.loss.device
        self._waiting = [tuple(part.to(device) for part in batch) for batch in state["waiting"]]
        self._waiting_rows = sum(len(losses) for losses, _, _ in self._waiting)
        for name, metric in self._parts():
            values, metric._update_count = state["parts"][name]
            for key, value in values.items():
                moved = [part.to(device) for part in value] if isinstance(value, list) else value.to(device)
                setattr(metric, key, moved)

    def _parts(self) -> list[tuple[str, Metric]]:
        counts = [] if self.counts is None else [("classes", self.counts)]
        return [("loss", self.loss), *self.metrics.items(), *counts]

    def _update(self) -> None:
        if self._waiting:
            losses, outputs, target = (torch.cat(batches) for batches in zip(*self._waiting, strict=True))
            self._waiting.clear()
            self._waiting_rows = 0
            self.loss.update(losses)
            predicted = self.activation(outputs)
            for name, metric in self.metrics.items():
                y_hat, y = predicted, target
                if metric.dtype == torch.float64:  # differences of squares, which float32 would lose
                    y_hat, y = y_hat.double(), y.double()
                if self.center is not None and isinstance(metric, (R2Score, ExplainedVariance)):
                    y_hat, y = (part - y.new_tensor(self.center) for part in (y_hat, y))
                column = self.columns.get(name)
                metric.update(*((y_hat, y) if column is None else (y_hat[:, column], y[:, column])))
            if self.counts is not None:
                self.counts.update(predicted, target)
