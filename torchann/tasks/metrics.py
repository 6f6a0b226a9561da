"""The figures of a stage (train, val, test), accumulated over its rows and computed once per epoch."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric, Metric, MetricCollection

from torchann.engine.rows.sharding import rank_and_world

UPDATE_EVERY = 64  # batches; a torchmetrics update costs as much as a training step of a small net
MOST_ROWS = 2**17  # that wait, of batches that are blocks of many


class RowMetrics(nn.Module):
    """Torchmetrics over the rows of an epoch: a batch of 4 rows counts 4, one of 32 counts 32.

    Args:
        metrics: what to measure of the predictions and targets, by name; the mean of the losses comes as ``"loss"``.
        activation: from the net's outputs to the predictions.

    Example:
        >>> from torchmetrics import MeanAbsoluteError
        >>> metrics = RowMetrics({"mae": MeanAbsoluteError()}, activation=torch.exp)
        >>> metrics.add(torch.tensor([1.0, 9.0]), torch.tensor([0.0, 0.0]), torch.tensor([2.0, 4.0]))
        >>> metrics.add(torch.tensor([2.0]), torch.tensor([0.0]), torch.tensor([6.0]))
        >>> metrics.compute()
        {'loss': tensor(4.), 'mae': tensor(3.)}
    """

    def __init__(self, metrics: dict[str, Metric], activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.activation = activation
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
        if len(self._waiting) == UPDATE_EVERY or self._waiting_rows > MOST_ROWS:
            self._update()

    def compute(self) -> dict[str, Tensor]:
        """The figures over all rows since the last call, over all processes, by name."""
        self._update()
        if rank_and_world()[1] > 1:  # where this process has seen no row another has
            for _, metric in self._parts():
                metric._update_count = max(1, metric._update_count)
        figures = {"loss": self.loss.compute(), **self.metrics.compute()}
        self.reset()
        return figures

    def reset(self) -> None:
        """Forgets the rows of an epoch that was computed, or broken off."""
        self._waiting.clear()
        self._waiting_rows = 0
        self.loss.reset()
        self.metrics.reset()

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
                setattr(metric, key, value.to(device))

    def _parts(self) -> list[tuple[str, Metric]]:
        return [("loss", self.loss), *self.metrics.items()]

    def _update(self) -> None:
        if self._waiting:
            losses, outputs, target = (torch.cat(batches) for batches in zip(*self._waiting, strict=True))
            self._waiting.clear()
            self._waiting_rows = 0
            self.loss.update(losses)
            self.metrics.update(self.activation(outputs), target)
