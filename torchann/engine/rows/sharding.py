"""Which rows of an epoch each of several processes takes."""

from typing import NamedTuple

import torch


def rank_and_world() -> tuple[int, int]:
    """Which of the processes that work together this is, counted from 0, and how many there are.

    Asked at each use: Lightning builds loaders before and after the processes have met.

    Example:
        >>> rank_and_world()
        (0, 1)
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


class Shard(NamedTuple):
    """The rows of one process: every ``world``-th of the epoch's order, in as many batches as all others have.

    Attributes:
        num_rows: of the epoch.
        batch_size: rows per batch and process, at most.
        rank: of the process, from 0.
        world: how many processes there are.
        trains: the batches of all processes are together those of one with ``world`` times the ``batch_size``; where
            the last has fewer rows than there are processes, some have none of it. Else the rows are spread so that
            no batch is empty, and one may have a row more than the ``batch_size``.

    Example:
        >>> share = Shard(num_rows=9, batch_size=2, rank=1, world=2, trains=True)
        >>> [list(range(9))[share.places(batch, batch + 1)] for batch in range(share.num_batches)]
        [[1, 3], [5, 7], []]
        >>> share = share._replace(trains=False)
        >>> [list(range(9))[share.places(batch, batch + 1)] for batch in range(share.num_batches)]
        [[1], [3], [5, 7]]
    """

    num_rows: int
    batch_size: int
    rank: int
    world: int
    trains: bool

    @property
    def num_batches(self) -> int:
        """Batches per epoch, the same number on all processes.

        Raises:
            ValueError: if there are fewer rows to evaluate than processes.
        """
        wanted = -(-self.num_rows // (self.batch_size * self.world))
        if self.world == 1 or self.trains:
            return wanted
        if self.num_rows < self.world:
            message = f"{self.num_rows} rows cannot be shared by {self.world} processes"
            raise ValueError(f"{message}; give each at least one, or use fewer processes")
        return min(wanted, self.num_rows // self.world)

    def places(self, batch: int, after: int) -> slice:
        """Which places of the epoch's order the batches from ``batch`` to before ``after`` have."""
        start, stop = (self.rank + self._first(number) * self.world for number in (batch, after))
        return slice(start, stop, self.world)

    def _first(self, batch: int) -> int:
        here = len(range(self.rank, self.num_rows, self.world))
        if self.world == 1 or self.trains:
            return min(batch * self.batch_size, here)
        return here * batch // self.num_batches
