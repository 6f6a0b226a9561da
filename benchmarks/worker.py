"""A peer in a process of its own, which works when it is asked to and answers in JSON; and a neighbour that disturbs.

A script of peers calls :func:`serve` in the process; the one that measures has a :class:`Worker` of it.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STARTED = time.perf_counter()
SLOW = 3.0  # seconds of an epoch, from which on a turn is one, and none before it
DATA = "TORCHANN_BENCHMARK_DATA"
NEIGHBOUR = "import numpy\na = numpy.ones((512, 512))\nwhile True: a @ a"


def arrays(name: str) -> Any:
    """Return training rows, float32 matrices and targets, and validation rows; no peer pays for another's loader.

    Args:
        name: ``"fashion"`` or ``"housing"``.
    """
    import numpy as np

    with np.load(Path(os.environ[DATA]) / f"{name}.npz") as file:
        return tuple(file[part] for part in ("x", "y", "x_val", "y_val"))


def write_arrays(folder: str) -> None:
    """Write what :func:`arrays` reads; in a process of its own, as this one must not grow."""
    import numpy as np

    from torchann.data import CaliforniaHousingDataModule, FashionMNISTDataModule

    for name, data in (("fashion", FashionMNISTDataModule(download=False)), ("housing", CaliforniaHousingDataModule())):
        try:
            data.setup()
        except (FileNotFoundError, RuntimeError) as error:
            print(f"without {name}: {error}", file=sys.stderr)
            continue
        train, val, _ = data.prepared()
        x, x_val = (part.x.flatten(1).numpy() for part in (train, val))
        np.savez(Path(folder) / f"{name}.npz", x=x, y=train.y.numpy(), x_val=x_val, y_val=val.y.numpy())


def megabytes() -> float:
    """Return the most memory that this process has had. ``ru_maxrss`` would begin with that of its parent."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** (20 if sys.platform == "darwin" else 10)


def answer(**measured: float) -> None:
    """Write one line to the process that measures."""
    print("@" + json.dumps(measured), flush=True)


def asked() -> list[str]:
    """Wait for a line and return its words."""
    return sys.stdin.readline().split()


def serve(epoch: Callable[[], object], predict: Callable[[int], object]) -> None:
    """Answer lines: ``epoch`` (seconds, and a dictionary that it returns), ``predict ROWS TIMES``, ``end``."""
    answer(ready=time.perf_counter() - STARTED)
    while (words := asked()) and words[0] == "epoch":
        started = time.perf_counter()
        told = epoch()
        answer(seconds=time.perf_counter() - started, **(told if isinstance(told, dict) else {}))
    serve_end(words, predict)


def serve_end(words: list[str], predict: Callable[[int], object]) -> None:
    """Answer what comes when training is over, ``words`` first."""
    most = megabytes()
    while words and words[0] == "predict":
        rows, times = int(words[1]), int(words[2])
        predict(rows)
        started = time.perf_counter()
        for _ in range(times):
            predict(rows)
        answer(seconds=(time.perf_counter() - started) / times)
        words = asked()
    answer(megabytes=most)


class Worker:
    """A peer's process; it sleeps unless it is asked.

    Args:
        script: of peers.
        peer: one of them.
        task: what it trains.
    """

    def __init__(self, script: str, peer: str, task: str) -> None:
        pipe, self.errors = subprocess.PIPE, tempfile.TemporaryFile("w+")  # noqa: SIM115
        command = [sys.executable, str(HERE / script), peer, task]
        self.slow = False
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self.errors, text=True)
        self.ready = self._read()["ready"]

    def _read(self) -> dict[str, float]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("@"):
                return dict(json.loads(line[1:]))
        self.errors.seek(0)
        raise RuntimeError(f"{self.process.args} ended without an answer: {self.errors.read()[-2000:]}")

    def ask(self, *words: object) -> dict[str, float]:
        """Send a line and wait for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self._read()

    def epoch(self) -> dict[str, float]:
        """Let the peer work."""
        told = self.ask("epoch")
        self.slow = told["seconds"] > SLOW
        return told

    def turn(self, epochs: int) -> float:
        """Return the median of the seconds of some epochs; one before them fills the caches again."""
        if self.slow:
            return self.epoch()["seconds"]
        self.epoch()
        return statistics.median(self.epoch()["seconds"] for _ in range(epochs))


@contextmanager
def neighbour() -> Iterator[None]:
    """Let another process compute on one core."""
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    process = subprocess.Popen([sys.executable, "-c", NEIGHBOUR], env={**os.environ, **threads})
    time.sleep(1)
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    write_arrays(sys.argv[1])
