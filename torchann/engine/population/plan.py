"""Which networks are trained in the same products: alike enough, and no more than the processor's cache holds."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple

from torchann.engine.population.member import Member

CALLS_PER_LAYER, CALLS = 8, 4
MOST_CUTS = {True: 2000, False: 200}  # that are considered in a row of networks, of small buckets and of large


class Machine(NamedTuple):
    """What training costs.

    Attributes:
        call: seconds to start a product.
        rate: floating-point operations per second in products of this size.
        network: seconds for what each network needs besides in a step.
        bucket_bytes: of weights and velocities, that a bucket may have.
        enough: how many times the seconds of its calls a bucket may take; more would save little, and smaller buckets
            can be spread over processes.
    """

    call: float
    rate: float
    network: float
    bucket_bytes: int
    enough: float


CPU = Machine(call=1.5e-6, rate=1e11, network=1e-6, bucket_bytes=2**19, enough=4)
"""As measured on one core of a Xeon with AVX-512, the bytes a quarter of its second-level cache: with twice as many a
network of 8-96-96-96-1 took a fifth longer. Only how the numbers compare matters."""
GPU = Machine(call=1e-5, rate=5e12, network=1e-8, bucket_bytes=2**30, enough=inf)
"""Not measured: no product is too large."""


def kind(member: Member) -> Hashable:
    """What networks must have in common to be trained in the same products.

    Depth, ends, activation, solver, steps per epoch and, unless one step is an epoch, rows per step.
    """
    settings = member.settings
    adam = (settings.beta_1, settings.beta_2, settings.epsilon) if settings.solver == "adam" else None
    ahead = settings.solver == "sgd" and settings.nesterovs_momentum
    return (
        (member.sizes[0], len(member.sizes), member.sizes[-1], settings.activation, settings.loss),
        (settings.solver, adam, ahead, bool(len(member.validation))),
        (member.steps, None if member.steps == 1 else member.batch_size),
    )


def num_weights(sizes: Sequence[int]) -> int:
    """Weights and biases of a network of these sizes."""
    return sum((inputs + 1) * units for inputs, units in pairwise(sizes))


def widest(bucket: Sequence[Member]) -> list[int]:
    """The sizes that the networks of a bucket are padded to."""
    return [max(units) for units in zip(*(member.sizes for member in bucket), strict=True)]


def plan(members: Sequence[Member], item_size: int, machine: Machine = CPU) -> list[list[Member]]:
    """Divides networks into buckets so that an epoch of all takes the least time.

    A bucket pays for its calls once and for padding with each network. Neighbours by size go together; of all ways to
    cut that row into buckets of allowed size the cheapest is taken.

    Args:
        members: networks, of any kind.
        item_size: bytes of a number.
        machine: what it costs; a bucket of several networks has at most its ``bucket_bytes``.

    Returns:
        Buckets, the one that is expected to take longest first; the same for the same networks.
    """
    groups = defaultdict(list)
    for member in members:
        groups[kind(member)].append(member)
    limit = machine.bucket_bytes // (2 * item_size)
    buckets = [bucket for group in groups.values() for bucket in _cut(group, machine, limit)]
    return sorted(buckets, key=seconds_left, reverse=True)


def seconds_left(bucket: Sequence[Member], machine: Machine = CPU) -> float:
    """How long a bucket is expected to train, if no network stops early."""
    left = max((member.max_iter - member.n_iter for member in bucket if member.stopped is None), default=0)
    batch_size = max(member.batch_size for member in bucket)
    return left * bucket[0].steps * sum(_seconds_per_step(widest(bucket), batch_size, len(bucket), machine))


def _seconds_per_step(sizes: Sequence[int], batch_size: int, count: int, machine: Machine) -> tuple[float, float]:
    """To start its calls, and to work them out."""
    flop = 6 * batch_size * num_weights(sizes)
    calls = (CALLS + CALLS_PER_LAYER * (len(sizes) - 2)) * machine.call
    return calls, count * (flop / machine.rate + machine.network)


def _cut(group: list[Member], machine: Machine, limit: int) -> list[list[Member]]:
    row = sorted(group, key=lambda member: (num_weights(member.sizes), member.sizes))
    ends = [*range(0, len(row), max(1, len(row) // MOST_CUTS[machine.enough < inf])), len(row)]
    best: list[tuple[float, int]] = [
        (0.0, 0)
    ]  # of the networks up to an end: seconds, and where the last bucket starts
    for number, end in enumerate(ends[1:], 1):
        found, sizes, batch_size = (inf, number - 1), row[end - 1].sizes, 1
        for start in range(number - 1, -1, -1):
            for member in row[ends[start] : ends[start + 1]]:
                sizes, batch_size = [*map(max, sizes, member.sizes)], max(batch_size, member.batch_size)
            count = end - ends[start]
            calls, work = _seconds_per_step(sizes, batch_size, count, machine)
            if start < number - 1 and (count * num_weights(sizes) > limit or work > machine.enough * calls):
                break
            found = min(found, (best[start][0] + calls + work, start))
        best.append(found)
    buckets, number = [], len(ends) - 1
    while number:
        start = best[number][1]
        buckets.append(row[ends[start] : ends[number]])
        number = start
    return buckets
