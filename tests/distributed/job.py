"""What torchrun starts: a run of two processes, of which one kills itself in each of the first two starts."""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import torch

import torchann
from tests.resume.killed_run import KillAtStep, NoteStart, Rows
from torchann.training.checkpoints import Checkpoints

KILLS = {("0", "1"): 0, ("1", "0"): 7}
"""By restart and rank, the call at which it dies: before there is a checkpoint, and in the third epoch of 3 calls."""


def train(runs: Path, *more: Any) -> None:
    """Trains for four epochs of 7 steps, with a checkpoint at every third; a restart needs nothing said."""
    torch.set_num_threads(1)
    model = torchann.ClassificationMLP([6], dropout=0.3, optimizer="adam")
    trainer = torchann.Trainer(
        runs=str(runs),
        quiet=True,
        max_epochs=4,
        accelerator="cpu",
        devices=2,
        callbacks=[NoteStart(), *more, Checkpoints(every_n_steps=3)],
    )
    trainer.fit(model, datamodule=Rows(classes=True))


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", ".*treespec, LeafSpec")
    batch = KILLS.get((os.environ["TORCHELASTIC_RESTART_COUNT"], os.environ["RANK"]))
    train(Path(sys.argv[1]), *([] if batch is None else [KillAtStep(batch)]))
