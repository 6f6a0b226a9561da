"""Processes that train buckets beside this one, each with one thread; they share the table through a file."""

import signal
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from joblib import effective_n_jobs
from joblib.externals.loky import ProcessPoolExecutor

from torchann.engine.population.member import Member
from torchann.engine.population.rounds import train_for
from torchann.engine.rows.shared_rows import SharedRows

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Workers:
    """Other processes, started when there is first something for them to do, and stopped at the end of the block.

    Args:
        n_jobs: processes in all, this one among them, as joblib counts: None is 1, -1 all cores.

    Attributes:
        number: of other processes.

    Example:
        >>> with Workers(n_jobs=1) as workers:
        ...     workers.number
        0
    """

    def __init__(self, n_jobs: int | None = None) -> None:
        self.number: int = effective_n_jobs(n_jobs) - 1
        self._executor: ProcessPoolExecutor | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._tables: list[SharedRows] = []

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()

    def share(self, table: SharedRows) -> Path:
        """Writes a table where all processes find it, once.

        Args:
            table: that lives as long as the workers.

        Returns:
            The folder that has it.
        """
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="torchann-population-")
        known = [number for number, other in enumerate(self._tables) if other is table]
        place = Path(self._folder.name) / str(known[0] if known else len(self._tables))
        if not known:
            place.mkdir()
            np.save(place / "x.npy", table.x.numpy())
            np.save(place / "y.npy", table.y.numpy())
            self._tables.append(table)
        return place

    def train_for(self, members: Sequence[Member], place: Path, seconds: float, losses: bool) -> Sequence[Member]:
        """:func:`torchann.engine.population.rounds.train_for` in one of the processes; returns when it has.

        Args:
            members: of one bucket; they stay as they are.
            place: of the table.
            seconds: no epoch begins after that time.
            losses: whether training losses are worked out also for networks that do not stop by them.

        Returns:
            Copies of the members, trained.

        Raises:
            joblib.externals.loky.BrokenProcessPool: if the process has been ended.
        """
        if self._executor is None:
            self._executor = ProcessPoolExecutor(self.number, initializer=_ignore_interrupts, env=ENVIRONMENT)
        trained: Sequence[Member] = self._executor.submit(_train_for, members, place, seconds, losses).result()
        return trained

    def stop(self) -> None:
        """Ends the processes, whatever they do, and removes the file."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
        if self._folder is not None:
            self._folder.cleanup()
        self._executor, self._folder, self._tables = None, None, []


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the one that asks decides


@lru_cache(maxsize=2)
def _load(place: Path) -> SharedRows:
    return SharedRows(*(torch.from_numpy(np.load(place / f"{name}.npy", mmap_mode="c")) for name in "xy"))


def _train_for(members: Sequence[Member], place: Path, seconds: float, losses: bool) -> Sequence[Member]:
    return train_for(members, _load(place), seconds, losses)
