"""Two threads in one mini-batch: each has its units of a large layer, and they wait for each other between layers.

They wait in a loop, since a wait costs less than a microsecond then; a thread that has waited long lets others run. Who
has called looks at the clock: a second thread is no help while another process has its core.
"""

import ctypes
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding
from numba import types
from numba.extending import intrinsic

from torchann.engine.compiled.jit import compiled

ARRIVED, TURN = 0, 8
"""Places in a gate, an array of :data:`GATE` int64: a cache line each."""
GATE = 16
LOOKS = (0, 1e-4, 1e-3)  # seconds before each
PATIENCE = 20_000  # looks, some 20 to 50 microseconds, before others may run


class Crew(NamedTuple):
    """The threads that take steps together, as one of them sees it.

    Attributes:
        worker: its number.
        workers: how many there are.
        gate: where they wait for each other, an array of :data:`GATE` int64, zeros at first.
    """

    worker: int
    workers: int
    gate: Any


_library = ctypes.CDLL("kernel32" if sys.platform == "win32" else None)
_give_way = _library.SwitchToThread if sys.platform == "win32" else _library.sched_yield
llvmlite.binding.add_symbol("torchann_give_way", ctypes.cast(_give_way, ctypes.c_void_p).value)
give_way = types.ExternalFunction("torchann_give_way", types.int32())


def _place(context, builder, signature, arguments):
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


@intrinsic
def _read(typing, gate, place):
    """Read a number that another thread may have written."""

    def generate(context, builder, signature, arguments):
        return builder.load_atomic(_place(context, builder, signature, arguments), "acquire", 8)

    return types.int64(gate, types.int64), generate


@intrinsic
def _add(typing, gate, place, number):
    """Add to a number, in one go, and return what it was."""

    def generate(context, builder, signature, arguments):
        return builder.atomic_rmw("add", _place(context, builder, signature, arguments), arguments[2], "acq_rel")

    return types.int64(gate, types.int64, types.int64), generate


@compiled(inline=True)
def wait(crew):
    """Wait until all workers of a crew have come here; one alone never waits."""
    if crew.workers == 1:
        return
    gate = crew.gate
    turn = _read(gate, TURN)
    if _add(gate, ARRIVED, 1) == crew.workers - 1:
        _add(gate, ARRIVED, -crew.workers)
        _add(gate, TURN, 1)
        return
    looks = 0
    while _read(gate, TURN) == turn:
        looks += 1
        if looks > PATIENCE:
            give_way()


_lock = threading.Lock()
_taking_steps = 0


@contextmanager
def beside_others() -> Iterator[int]:
    """Take part in the count of the networks that are taking steps.

    Yields:
        How many others are.
    """
    global _taking_steps
    with _lock:
        others = _taking_steps
        _taking_steps += 1
    try:
        yield others
    finally:
        with _lock:
            _taking_steps -= 1


def free_cores() -> int:
    """Return how many of the cores that the calling thread may use, its own included, no other process wants now.

    Where that is one or none it is looked at again: a thread that is about to sleep still counts as one that wants a
    core. Threads of this process do not count, as the one that gathers the next rows is soon done. What others want is
    known under Linux alone, of a process that may use all cores.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = len(os.sched_getaffinity(0))
    if cores < (os.cpu_count() or 1):
        return cores
    free = cores
    for pause in LOOKS:
        time.sleep(pause)
        try:
            running = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])
        except OSError:
            return cores
        free = cores - (running - _running_here() if running > 1 else 0)
        if free > 1:
            break
    return free


def _running_here() -> int:
    """Return how many threads of this process, the calling one included, have a core or wait for one."""
    running = 0
    for stat in Path("/proc/self/task").glob("*/stat"):
        with suppress(OSError):  # a thread that has just ended
            running += stat.read_text().rpartition(")")[2].split()[0] == "R"
    return running


def other_cores() -> set[int]:
    """Return the cores that the calling thread may use, but for the one it is on; none if the system does not tell."""
    core_of_this_thread = getattr(_library, "sched_getcpu", None)
    if core_of_this_thread is None or not hasattr(os, "sched_getaffinity"):
        return set()
    return os.sched_getaffinity(0) - {core_of_this_thread()}


def keep_to(cores: set[int]) -> None:
    """Keep the calling thread to some cores, if there are any.

    Linux may leave two threads that wait for each other on one core for seconds, as neither of them ever sleeps.
    """
    if cores:
        os.sched_setaffinity(0, cores)


_pools: dict[int, ThreadPoolExecutor] = {}


def second_thread() -> ThreadPoolExecutor:
    """Return what runs a function in the other thread of this process."""
    with _lock:
        if os.getpid() not in _pools:  # a forked process has none of its parent's threads
            _pools.clear()
            _pools[os.getpid()] = ThreadPoolExecutor(1, "torchann")
        return _pools[os.getpid()]
