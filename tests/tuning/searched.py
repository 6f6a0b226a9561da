"""Studies of small runs, in this process and in others that kill themselves."""

import functools
import os
import signal
import sys
import warnings
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from tests.resume.killed_run import KillAtStep, Rows
from torchann import EarlyStopping, RegressionMLP
from torchann.data.in_memory import InMemoryDataModule, Split, Splits
from torchann.training.checkpoints import Checkpoints
from torchann.tuning.study import Study

SPACE = {"hidden_sizes": {"layers": [0, 2], "neurons": [1, 9]}, "lr": {"low": 1e-3, "high": 0.1}}


class Held(InMemoryDataModule):
    """The rows of :class:`Rows` in memory: 100 to train, as many to validate and to test."""

    name, in_features, out_features = "held", 4, 1

    def __init__(self, seed: int = 7) -> None:
        super().__init__(8, seed)

    def read(self) -> Splits:
        rows = Rows()
        x, y = rows.x, rows.y
        return Splits(Split(x, y), Split(x.flip(0), y.flip(0)), Split(x.roll(1, 0), y.roll(1, 0)))


def make(params: dict[str, Any], epochs: int = 3, callbacks: Any = (), steps: int | None = 1) -> Any:
    """A net with dropout, stopped early; a checkpoint after every third step."""
    model = RegressionMLP(params["hidden_sizes"], lr=params["lr"], dropout=0.2, steps_per_execution=steps)
    own = [EarlyStopping(patience=2), Checkpoints(every_n_steps=3), *callbacks]
    return model, Held(), {"max_epochs": epochs, "callbacks": own}


def study(folder: Path, evaluate: Any = None, **knobs: Any) -> Study:
    """A quiet study of that, which scores candidates by ``evaluate`` where it is given."""
    given = {"make": make, "space": SPACE, "folds": 2, "folder": folder, "quiet": True}
    found = Study("s", **{**given, **knobs})
    if evaluate is not None:
        found._evaluate = evaluate
    return found


def results(found: Study) -> list[Any]:
    """What a study has measured, without what a clock decides."""
    return [(row.number, row.state, row.params, row.score, row.figures, row.epochs) for row in found.table.rows]


class KillOnce(KillAtStep):
    """Ends the process at the ``count``-th training that begins in it, at a step of that."""

    begun = 0

    def __init__(self, count: int, step: int) -> None:
        super().__init__(step)
        self.count = count

    def on_train_start(self, *_: Any) -> None:
        KillOnce.begun += 1

    def on_train_batch_start(self, *args: Any) -> None:
        if KillOnce.begun == self.count:
            super().on_train_batch_start(*args)


def killed_at(count: int, step: int) -> Any:
    """What makes candidates whose ``count``-th training kills the process."""
    return functools.partial(make, callbacks=[KillOnce(count, step)])


def _search(folder: Path, trials: int, kill: tuple[int, int] | None, knobs: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", ".*treespec, LeafSpec")
    found = study(folder, **({} if kill is None else {"make": killed_at(*kill)}), **knobs)
    if kill == (0, 0):  # between drawing and training
        found._evaluate = lambda _: os.kill(os.getpid(), signal.SIGKILL)
    found.run(trials)
    sys.exit(0)


def started(folder: Path, trials: int, kill: tuple[int, int] | None = None, **knobs: Any) -> Any:
    """A process that searches."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.tuning.searched"])
    process = context.Process(target=_search, args=(folder, trials, kill, knobs))
    process.start()
    return process


def in_a_process(*args: Any, **knobs: Any) -> int:
    """Searches in a process of its own; returns its exit status, -9 if it was killed."""
    process = started(*args, **knobs)
    process.join(60)
    return process.exitcode
