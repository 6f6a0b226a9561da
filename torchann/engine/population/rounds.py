"""A bucket is trained for a while in one process: one thread, and what has stopped leaves it."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from torchann.engine.population.member import Member
from torchann.engine.population.padded_group import PaddedGroup
from torchann.engine.rows.shared_rows import SharedRows
from torchann.engine.threads import at_most


@contextmanager
def quick_arithmetic() -> Iterator[None]:
    """Keep torch to one thread, and take numbers too small for their dtype's exponent for zero, for a while.

    A small product that is spread over threads can wait 8 ms for a core that another process holds. Velocities of
    units that get no error shrink until they are such numbers, and then a product takes a hundred times as long.
    """
    flushed = sys.float_info.min / 2 == 0
    torch.set_flush_denormal(True)
    try:
        with at_most(1):
            yield
    finally:
        torch.set_flush_denormal(flushed)


@quick_arithmetic()
def train_for(
    members: Sequence[Member], table: SharedRows, seconds: float = float("inf"), losses: bool = True
) -> Sequence[Member]:
    """Trains networks of one bucket by whole epochs.

    Args:
        members: which are changed; stopped ones are left as they are.
        table: their rows.
        seconds: no epoch begins after that time.
        losses: whether training losses are worked out also for networks that do not stop by them.

    Returns:
        The members.
    """
    started = time.perf_counter()
    while going := [member for member in members if member.stopped is None]:
        since, late = time.perf_counter(), False
        with torch.inference_mode():
            bucket = PaddedGroup(going, table, losses)
            while not late and all(member.stopped is None for member in going):
                bucket.epoch()
                late = time.perf_counter() - started > seconds
        bucket.store()  # not in that mode, or nothing could be trained further that is made of these weights
        for member in going:
            member.seconds += (time.perf_counter() - since) / len(going)
        if late:
            break
    return members
