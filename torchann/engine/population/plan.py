"""Which networks are trained in the same products: alike enough, no more than the processor's cache holds."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import NamedTuple

from torchann.engine.population.member import Member

CACHE_BYTES = 2**20  # of weights and velocities: about half of a core's second-level cache
CALLS_PER_LAYER, CALLS = 8, 4
CALL = 1.5e-6  # seconds to start a product
RATE = 1e11  # floating-point operations per second in products of this size
NETWORK = 1e-6  # seconds for what each network needs besides
"""Measured on one core of a Xeon with AVX-512. Other machines have other times; what matters is how they compare."""


class Cost(NamedTuple):
    """Seconds that a step takes.

    Attributes:
        calls: however many networks there are.
        network: more for each network.
    """

    calls: float
    network: float


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


def cost(sizes: Sequence[int], batch_size: int) -> Cost:
    """What a step of networks of these sizes costs.

    Args:
        sizes: inputs, and units of each layer.
        batch_size: rows per step.
    """
    flop = 6 * batch_size * num_weights(sizes)
    return Cost((CALLS + CALLS_PER_LAYER * (len(sizes) - 2)) * CALL, flop / RATE + NETWORK)


def num_weights(sizes: Sequence[int]) -> int:
    """Weights and biases of a network of these sizes."""
    return sum((inputs + 1) * units for inputs, units in pairwise(sizes))


def plan(members: Sequence[Member], item_size: int, max_bytes: int = CACHE_BYTES) -> list[list[Member]]:
    """Divides networks into buckets so that an epoch of all takes the least time.

    A bucket pays for its calls once and for padding with each network. Neighbours by size go together; of all ways to
    cut that row into buckets of at most ``max_bytes`` the cheapest is taken.

    Args:
        members: networks, of any kind.
        item_size: bytes of a number.
        max_bytes: weights, gradients or velocities of a bucket, unless it is a single network.

    Returns:
        Buckets, the one that is expected to take longest first; the same for the same networks.
    """
    groups = defaultdict(list)
    for member in members:
        groups[kind(member)].append(member)
    buckets = [bucket for group in groups.values() for bucket in _cut(group, item_size, max_bytes)]
    return sorted(buckets, key=seconds_left, reverse=True)


def seconds_left(bucket: Sequence[Member]) -> float:
    """How long a bucket is expected to train, if no network stops early."""
    left = max((member.max_iter - member.n_iter for member in bucket if member.stopped is None), default=0)
    return left * bucket[0].steps * _seconds_per_step(bucket)


def _widest(bucket: Sequence[Member]) -> list[int]:
    return [max(units) for units in zip(*(member.sizes for member in bucket), strict=True)]


def _seconds_per_step(bucket: Sequence[Member]) -> float:
    calls, network = cost(_widest(bucket), max(member.batch_size for member in bucket))
    return calls + len(bucket) * network


def _cut(group: list[Member], item_size: int, max_bytes: int) -> list[list[Member]]:
    row = sorted(group, key=lambda member: (num_weights(member.sizes), member.sizes))
    best: list[tuple[float, int]] = [(0.0, 0)]  # of the first networks: seconds, and where the last bucket starts
    for end in range(1, len(row) + 1):
        found: tuple[float, int] = (float("inf"), end - 1)
        for start in range(end - 1, -1, -1):
            bucket = row[start:end]
            if len(bucket) > 1 and 2 * len(bucket) * num_weights(_widest(bucket)) * item_size > max_bytes:
                break
            found = min(found, (best[start][0] + _seconds_per_step(bucket), start))
        best.append(found)
    buckets, end = [], len(row)
    while end:
        start = best[end][1]
        buckets.append(row[start:end])
        end = start
    return buckets
