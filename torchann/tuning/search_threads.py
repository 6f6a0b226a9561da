"""Threads in which joblib runs the fits of a search, and which keep the results that are there."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from itertools import count
from typing import Any

from joblib import cpu_count
from joblib.parallel import ParallelBackendBase

from torchann.engine.together import StoppableThreads
from torchann.tuning.progress import SearchProgress


class SearchThreads(ParallelBackendBase):  # type: ignore[misc]
    """A backend of joblib for fits that hold no lock of Python while they compute.

    A search without ``n_jobs`` has a thread per core, one that runs in a job of another search a single one.
    """

    supports_retrieve_callback = True
    uses_threads = True
    supports_sharedmem = True

    _pool: StoppableThreads | None = None

    def begin(self, progress: SearchProgress, known: Sequence[Mapping[str, Any]] = ()) -> None:
        """Begin a round of fits.

        Args:
            progress: has the results, and shows how many there are.
            known: results to return in the place of the fits; all of them, or none.
        """
        self._progress, self._known, self._places = progress, known, count()

    @property
    def default_n_jobs(self) -> int:
        """Jobs of a search that does not say how many."""
        return 1 if self.nesting_level else -1

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return the number of jobs; two even for one thread, as joblib asks no backend for a single job."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        self._threads = n_jobs if n_jobs > 0 else max(1, cpu_count() + 1 + n_jobs)
        return max(2, self._threads)

    def submit(self, func: Callable[[], list[Any]], callback: Callable[[Any], None] | None = None) -> Future[Any]:
        """Have a fit run, and call back when it has ended."""
        if self._pool is None:
            self._pool = StoppableThreads(self._threads)
        place, known, progress = next(self._places), self._known, self._progress

        def run() -> list[Any]:
            results = [known[place]] if known else func()
            progress.note(place, results[0])
            return results

        future = self._pool.submit(run)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Future[Any]) -> Any:
        """Return what a fit returned, or raise its error."""
        return out.result()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Stop all fits, those that run at the end of their epoch."""
        self.terminate()

    def terminate(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.stop()
            self._pool = None
