"""What both loaders are: mini-batches, or blocks of them, of epochs that can be resumed anywhere."""

from abc import ABC, abstractmethod
from typing import Any


class ResumableLoader(ABC):
    """Keeps where an iteration stands; abstract, as rows in memory and rows on a disk come in different ways.

    Args:
        batch_size: rows per batch; the last may have fewer.

    Attributes:
        epoch: whose rows the next iteration yields; it decides their order.
        steps_per_execution: mini-batches that are yielded at once; above 1 as a block.
    """

    batch_sampler = None  # Lightning looks for the two attributes of a DataLoader side by side
    batch_size: int
    steps_per_execution: int

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.epoch: int = 0
        self._first_batch = self._next_batch = 0

    @abstractmethod
    def num_batches(self) -> int:
        """Return how many mini-batches an epoch has on this process, which is the number on all."""

    @property
    def sampler(self) -> "ResumableLoader":
        """Where Lightning looks for ``set_epoch``."""
        return self

    def __len__(self) -> int:
        """Return how many batches, or blocks of them, an epoch has on this process."""
        return -(-self.num_batches() // self.steps_per_execution)

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration that of ``epoch``; a loaded position holds only for the epoch it was saved in."""
        if epoch != self.epoch:
            self.epoch, self._first_batch, self._next_batch = epoch, 0, 0

    def _note(self, batch: int) -> None:
        """Note which batch comes next, before a yield: the consumer may save the state, and may never come back."""
        self._next_batch = batch
        if batch == self.num_batches():
            self.epoch, self._next_batch = self.epoch + 1, 0

    def state_dict(self) -> dict[str, int]:
        """Return the epoch and the batch that comes next, 0 of the next epoch at an end."""
        return {"epoch": self.epoch, "batch": self._next_batch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Make the next iteration go on where ``state`` was taken.

        Raises:
            ValueError: if the epoch has no such batch, as after a change of the batch size, or the rows come in
                another order.
        """
        self._check(state)
        self.epoch, self._first_batch = state["epoch"], state["batch"]
        self._next_batch = self._first_batch

    def _check(self, state: dict[str, Any]) -> None:
        if not 0 <= state["batch"] < self.num_batches():
            raise ValueError(
                f"the state is at batch {state['batch']} and an epoch has {self.num_batches()}; "
                f"give the batch_size and the data it was saved with (batch_size is {self.batch_size})"
            )
