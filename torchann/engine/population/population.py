"""Many networks at once, each as if it were trained alone."""

import copy
import queue
import threading
import warnings
from collections.abc import Iterator, Sequence

import torch
from joblib.externals.loky import BrokenProcessPool

from torchann.engine.population.member import Member
from torchann.engine.population.plan import CPU, GPU, plan, seconds_left
from torchann.engine.population.rounds import train_for
from torchann.engine.population.workers import Workers
from torchann.engine.rows.shared_rows import SharedRows

ROUND = 0.5  # seconds of training between two looks at what has finished
WORTH_A_PROCESS = 4.0  # seconds of training; a process takes two to start


class Population:
    """Networks that share the rows of a table, trained in batched products, in buckets of those that are alike.

    Small networks leave a machine idle: starting a product takes longer than working it out. Here one product serves
    many networks, each with its own width, rates, penalty, rows, order and end. What a network becomes does not depend
    on those beside it, but for the last bits where it is padded, nor on the number of processes.

    Args:
        members: networks, not yet trained or not yet at their end.
        table: their rows.
        workers: other processes to share the work with; none by default.
        device: where to compute; on anything but a CPU this process does it alone.
        losses: whether each epoch's training loss is worked out also for networks that stop by validation rows.

    Example:
        >>> import numpy as np
        >>> from torchann.engine.population import Member, SeededOrder, Settings
        >>> x = torch.linspace(-1, 1, 64)[:, None]
        >>> options = {"solver": "sgd", "batch_size": 8, "max_iter": 50}
        >>> settings = [Settings(learning_rate_init=rate, **options) for rate in (0.1, 10)]
        >>> start = [torch.tensor([[0.5, 0.0]])]  # a weight and a bias
        >>> members = [Member(each, start, SeededOrder(np.arange(64), seed=0)) for each in settings]
        >>> finished = list(Population(members, SharedRows.of(x, 3 * x)).train())
        >>> [member.stopped for member in members]
        ['converged', 'diverged']
        >>> members[0].weights[0].abs().round(decimals=2)
        tensor([[3., 0.]])
    """

    def __init__(
        self,
        members: Sequence[Member],
        table: SharedRows,
        *,
        workers: Workers | None = None,
        device: torch.device | str = "cpu",
        losses: bool = True,
    ) -> None:
        self.members: list[Member] = list(members)
        self.device: torch.device = torch.device(device)
        self.table = table
        self.workers = workers
        self.losses = losses

    def train(self) -> Iterator[Member]:
        """Trains all to their ends.

        Ctrl-C, or leaving the loop, ends it; each network is then what it was after some epoch, and a new call goes on.

        Yields:
            Each network that has come to its end, soon after it has.
        """
        going = [member for member in self.members if member.stopped is None]
        machine = CPU if self.device.type == "cpu" else GPU
        work_queue = _WorkQueue(plan(going, self.table.x.element_size(), machine))
        table = self.table.to(self.device)
        helpers = self._helpers(work_queue)
        for helper in helpers:
            helper.start()
        try:
            while True:
                helping = [helper for helper in helpers if helper.is_alive()]
                if bucket := work_queue.take():
                    work_queue.give(bucket, train_for(copy.deepcopy(bucket), table, ROUND, self.losses))
                elif helping:
                    helping[0].join(ROUND / 2)
                else:
                    break
                yield from work_queue.news()
            yield from work_queue.news()
        except BaseException:
            work_queue.close()
            if self.workers is not None and helpers:
                self.workers.stop()
            raise

    def _helpers(self, work_queue: "_WorkQueue") -> list[threading.Thread]:
        workers, seconds = self.workers, sum(map(seconds_left, work_queue.waiting))
        if workers is None or self.device.type != "cpu" or seconds < WORTH_A_PROCESS:
            return []
        place = workers.share(self.table)

        def train_groups() -> None:
            while bucket := work_queue.take():
                try:
                    work_queue.give(bucket, workers.train_for(bucket, place, ROUND, self.losses))
                except Exception as error:
                    work_queue.fail(bucket, error)
                    return

        number = min(workers.number, len(work_queue.waiting) - 1)
        return [threading.Thread(target=train_groups, daemon=True) for _ in range(number)]


class _WorkQueue:
    """Buckets that wait for a process, and networks that wait to be shown."""

    def __init__(self, buckets: list[list[Member]]) -> None:
        self.waiting = buckets
        self.closed = False
        self._error: Exception | None = None
        self._lock = threading.Lock()
        self._finished: queue.SimpleQueue[Member] = queue.SimpleQueue()

    def take(self) -> list[Member] | None:
        """The bucket that has most to do; while there are many, one that has been begun, to keep few in memory."""
        with self._lock:
            if self.closed or not self.waiting:
                return None
            many = len(self.waiting) > 8
            chosen = max(self.waiting, key=lambda bucket: (many and bucket[0].n_iter > 0, seconds_left(bucket)))
            self.waiting.remove(chosen)
            return chosen

    def give(self, bucket: list[Member], trained: Sequence[Member]) -> None:
        """Takes over what has been trained; what has not finished waits again."""
        with self._lock:
            if self.closed:
                return
            for member, copied in zip(bucket, trained, strict=True):
                vars(member).update(vars(copied))
                if member.stopped is not None:
                    self._finished.put(member)
            if left := [member for member in bucket if member.stopped is None]:
                self.waiting.append(left)

    def fail(self, bucket: list[Member], error: Exception) -> None:
        """Lets a bucket wait again, or be no more."""
        with self._lock:
            self.waiting.append(bucket)
            self._error = error

    def close(self) -> None:
        """Nothing is given out or taken back any more."""
        with self._lock:
            self.closed = True

    def news(self) -> Iterator[Member]:
        """Networks that have come to their end since the last call; raises what went wrong in a process."""
        while not self._finished.empty():
            yield self._finished.get()
        error, self._error = self._error, None
        if isinstance(error, BrokenProcessPool):
            warnings.warn(f"a process that trained networks has ended: {error} Going on without.", stacklevel=2)
        elif error is not None:
            raise error
