"""Runs that kill themselves with SIGKILL at a chosen moment, each in a process of its own."""

import os
import signal
import socket
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Timer
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.tensorboard import SummaryWriter

import torchann
from torchann.engine.rows.loader import TensorLoader
from torchann.files import atomic
from torchann.files.checkpoint_files import read_checkpoint
from torchann.files.run import Run as RunFolder
from torchann.files.run import RunFolderError
from torchann.training import checkpoints
from torchann.training.checkpoints import Checkpoints


class Rows(pl.LightningDataModule):
    """100 rows in 13 batches, the last of 4 rows, in another order in each epoch, and as many to validate."""

    def __init__(self, classes: bool = False, batch_size: int = 8, of_torch: bool = False):
        super().__init__()
        draws = torch.Generator().manual_seed(0)
        self.x = torch.randn(100, 4, generator=draws)
        y = self.x.sum(1) + 0.3 * torch.randn(100, generator=draws)
        self.y = (y > 0).long() if classes else y
        self.in_features, self.batch_size, self.seed, self.steps_per_execution = 4, batch_size, 7, 1
        self.of_torch = of_torch
        if classes:
            self.num_classes = 2
        else:
            self.out_features = 1

    def train_dataloader(self):
        if self.of_torch:
            return DataLoader(TensorDataset(self.x, self.y), self.batch_size, shuffle=True)
        steps, self.steps_per_execution = self.steps_per_execution, 1
        return TensorLoader(self.x, self.y, self.batch_size, shuffle=True, seed=self.seed, steps_per_execution=steps)

    def val_dataloader(self):
        return TensorLoader(self.x.flip(0), self.y.flip(0), 32)


@dataclass
class Run:
    """What is trained; ``model`` makes the task."""

    model: Callable[[], Any]
    data: dict[str, Any] = field(default_factory=dict)
    trainer: dict[str, Any] = field(default_factory=dict)
    callbacks: list[Callable[[], Any]] = field(default_factory=list)
    checkpoints: dict[str, Any] = field(default_factory=dict)
    epochs: int = 4


class KillAtStep(Timer):
    """Ends the process at a training batch, counted over the whole run, without any chance to tidy up.

    A timer, because that does not change how many steps a call takes.
    """

    def __init__(self, batch: int):
        super().__init__()
        self.batch = batch

    def state_dict(self):
        return {}

    def on_train_batch_start(self, trainer, *_):
        if trainer.fit_loop.total_batch_idx >= self.batch:
            os.kill(os.getpid(), signal.SIGKILL)


class NoteStart(pl.Callback):
    """Writes down from which step a process trains on."""

    def on_train_start(self, trainer, *_):
        folder = Path(trainer.log_dir).parent  # all processes ask: the first tells the others
        if trainer.is_global_zero:
            with (folder / "starts.txt").open("a") as file:
                file.write(f"{trainer.global_step}\n")


def starts(runs: Path) -> list[int]:
    """The steps from which the processes of a run went on."""
    return [int(line) for line in (runs / "run" / "starts.txt").read_text().splitlines()]


def kill_in_writing(count: int) -> None:
    """Ends the process in the middle of writing the ``count``-th checkpoint from now on: half of it is on the disk."""
    flush, seen = os.fsync, []

    def fsync(descriptor):
        # A file that is the second name of a checkpoint is whole.
        new = os.fstat(descriptor).st_size > 0 and os.fstat(descriptor).st_nlink == 1
        if new and Path(f"/proc/self/fd/{descriptor}").readlink().suffix == ".part":
            seen.append(descriptor)
            if len(seen) == count:
                os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)
        flush(descriptor)

    atomic.os.fsync = fsync


def kill_before_renaming(count: int) -> None:
    """Ends the process when the ``count``-th file is whole and has not its name yet."""
    rename, seen = os.replace, []

    def replace(source, target):
        seen.append(target)
        if len(seen) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)

    atomic.os.replace = replace


def kill_between_best_and_last(count: int) -> None:
    """Ends the process when ``best`` is written for the ``count``-th time and ``last`` is still the one before."""
    seen = []

    def link(source, target):
        seen.append(target)
        if len(seen) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return name_twice(source, target)

    name_twice = checkpoints._give_second_name
    checkpoints._give_second_name = link


def kill_after(seconds: float) -> None:
    """Ends the process in so many seconds, wherever it is then."""
    clock = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    clock.daemon = True
    clock.start()


def kill_before_the_best_figure(count: int) -> None:
    """Ends the process when all is trained and kept, and TensorBoard is about to be told the best figure."""
    add_scalar = SummaryWriter.add_scalar

    def add(writer, tag, *args, **kwargs):
        if tag.startswith("summary/"):
            writer.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        add_scalar(writer, tag, *args, **kwargs)

    SummaryWriter.add_scalar = add


KILLS = {
    "summary": kill_before_the_best_figure,
    "after": kill_after,
    "writing": kill_in_writing,
    "renaming": kill_before_renaming,
    "best": kill_between_best_and_last,
}


def train(run: Run, runs: Path, kill: tuple[str, float] | None = None) -> None:
    """Begins a run, or goes on with the latest; dies if told to."""
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", ".*treespec, LeafSpec")
    warnings.filterwarnings("ignore", ".*does not have many workers")
    callbacks = [NoteStart(), *(make() for make in run.callbacks)]
    if kill is not None and kill[0] == "step":
        callbacks.append(KillAtStep(kill[1]))
    elif kill is not None:
        KILLS[kill[0]](kill[1])
    trainer = torchann.Trainer(
        runs=str(runs),
        quiet=True,
        max_epochs=run.epochs,
        callbacks=[*callbacks, Checkpoints(**run.checkpoints)],
        **run.trainer,
    )
    trainer.fit(run.model(), datamodule=Rows(**run.data), ckpt_path=_last(runs))


def _last(runs: Path) -> str | None:
    try:
        RunFolder.latest(runs, "run")
    except RunFolderError:
        return None
    return "last"


def _started(args: Any, environment: dict[str, str] | None = None) -> Any:
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.resume.killed_run"])
    process = context.Process(target=_train_in, args=(environment or {}, *args))
    process.start()
    return process


def _train_in(environment: dict[str, str], *args: Any) -> None:
    os.environ.update(environment)
    train(*args)


def in_a_process(*args: Any) -> int:
    """Runs :func:`train` in a process of its own; returns its exit status, -9 if it was killed."""
    process = _started(args)
    process.join(60)
    return process.exitcode


def in_two_processes(run: Run, runs: Path, kill: tuple[str, float] | None = None) -> list[int]:
    """The same in two that train together; only the second is killed, and the first then by whoever started them."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    common = {"WORLD_SIZE": "2", "NODE_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
    kills = (None, kill)
    processes = [_started((run, runs, kills[rank]), {**common, "LOCAL_RANK": str(rank)}) for rank in (0, 1)]
    processes[1].join(60)
    if processes[1].exitcode != 0:
        processes[0].kill()
    processes[0].join(60)
    return [process.exitcode for process in processes]


def what_is_left(runs: Path) -> dict[str, Any]:
    """Both checkpoints and the history of the latest run, without what a clock decides."""
    run = RunFolder.latest(runs, "run")
    left = {"best": read_checkpoint(run.best), "last": read_checkpoint(run.last)}
    for checkpoint in list(left.values()):
        checkpoint["history"]["csv"] = _without_seconds(checkpoint["history"]["csv"])
    left["history"] = _without_seconds(run.history.read_text())
    return left


def _without_seconds(table: str) -> list[str]:
    return [line.rpartition(",")[0] for line in table.splitlines()]


def differences(a: Any, b: Any, where: str = "") -> list[str]:
    """Where two nested values differ, bit by bit."""
    if isinstance(a, dict) and isinstance(b, dict):
        if list(a) != list(b):
            return [f"{where}: {list(a)} and {list(b)}"]
        return [line for key in a for line in differences(a[key], b[key], f"{where}/{key}")]
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        if len(a) != len(b):
            return [f"{where}: {len(a)} and {len(b)} entries"]
        return [line for i, (x, y) in enumerate(zip(a, b, strict=True)) for line in differences(x, y, f"{where}/{i}")]
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        same = a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()
        return [] if same else [f"{where}: {a.flatten()[:4]} and {b.flatten()[:4]}"]
    return [] if type(a) is type(b) and (a == b or (a != a and b != b)) else [f"{where}: {a!r} and {b!r}"]
