"""Many fits at the same time: a loop over networks in threads, which hold no lock of Python while they compute."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Protocol, TypeVar

from joblib import cpu_count


class Runs(Protocol):
    """Work that can be done in a thread, such as a :class:`~torchann.engine.fit.Fit`."""

    def run(self) -> Any:
        """Do the work."""


Work = TypeVar("Work", bound=Runs)


class Stopped(BaseException):
    """The end of work whose threads were told to stop."""


_here = threading.local()


class StoppableThreads(ThreadPoolExecutor):
    """Threads whose work can be stopped, at its next call of :func:`check_stop`.

    Args:
        threads: how many.
    """

    def __init__(self, threads: int) -> None:
        self._told_to_stop = threading.Event()
        super().__init__(threads, "torchann", initializer=self._enter)

    def _enter(self) -> None:
        _here.told_to_stop = self._told_to_stop

    def stop(self) -> None:
        """Drop the work that has not begun, have the rest end, and wait for that."""
        self._told_to_stop.set()
        self.shutdown(cancel_futures=True)


def check_stop() -> None:
    """End the work of this thread if it was told to stop.

    Raises:
        Stopped: if it was.
    """
    told_to_stop = getattr(_here, "told_to_stop", None)
    if told_to_stop is not None and told_to_stop.is_set():
        raise Stopped


def run_together(fits: Sequence[Work], threads: int | None = None) -> Iterator[Work]:
    """Run fits in threads, and yield each of them when it ends.

    Ctrl-C, an error or a caller that wants no more of them stops the others at the end of their epoch.

    Args:
        fits: they share nothing that changes.
        threads: how many; None for one per core.

    Example:
        >>> class Count:
        ...     def run(self):
        ...         self.total = sum(range(5))
        >>> [count.total for count in run_together([Count(), Count()], threads=2)]
        [10, 10]
    """
    pool = StoppableThreads(max(1, min(threads or cpu_count(), len(fits))))
    try:
        running = {pool.submit(fit.run): fit for fit in fits}
        for future in as_completed(running):
            future.result()
            yield running[future]
    finally:
        pool.stop()
