"""The losses of steps for TensorBoard, on a chart whose x-axis is the step."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.tensorboard import SummaryWriter

from torchann.dashboard.sample import is_task


class StepLosses:
    """The mean loss of the steps since the last point, every so many steps.

    Args:
        every: steps from a point to the next.

    Example:
        >>> StepLosses(100).state_dict()
        {}
    """

    def __init__(self, every: int) -> None:
        self.every: int = every
        self._losses: list[float] = []
        self._written = 0

    def start(self, step: int) -> None:
        """Begin to count after a step."""
        self._written = step

    def add(self, writer: SummaryWriter | None, last: int, task: Any, outputs: Any, batch: Any) -> None:
        """Take the losses of a training call.

        Args:
            writer: of the points; None on a process that writes none.
            last: step that the call ended with.
            task: that was called.
            outputs: of its training step.
            batch: of the call.
        """
        if is_task(task):  # which may have taken several steps, and has the loss of each row
            losses = task.latest_losses
            means = [part.mean() for part in losses.split(getattr(batch, "batch_size", len(losses)))]
        else:
            loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
            if not isinstance(loss, torch.Tensor):
                return
            means = [loss.detach().mean()]
        step = last - len(means)
        for loss in torch.stack(means).tolist():
            step += 1
            self._losses.append(loss)
            if step % self.every == 0 and step != self._written:  # batches may be gathered for a step
                if writer is not None:
                    writer.add_scalar("batch_loss", sum(self._losses) / len(self._losses), step)
                self._losses, self._written = [], step

    def state_dict(self) -> dict[str, Any]:
        """Return the losses since the last point."""
        return {"losses": list(self._losses)} if self._losses else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with them."""
        self._losses = list(state["losses"])


def rows_in(batch: Any) -> int:
    """Return the number of rows of a batch, 0 for one of an unknown form."""
    first = batch[0] if isinstance(batch, (tuple, list)) and batch else batch
    if isinstance(first, Mapping):
        first = next(iter(first.values()), None)
    return len(first) if isinstance(first, torch.Tensor) and first.ndim else 0
