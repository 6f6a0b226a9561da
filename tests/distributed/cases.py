"""What several processes and one train alike."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Timer
from torch import nn

import torchann
from torchann.engine.rows.loader import Block, TensorLoader
from torchann.engine.rows.shuffling import shuffled_order
from torchann.training.terminate_on_nan import TerminateOnNaN

P = functools.partial
EPOCHS = 3
BATCH = 12  # rows per step, of all processes together


class Rows(pl.LightningDataModule):
    """Rows whose first input is their number, divided by 100; 57 of them to validate and the next 13 to test."""

    def __init__(self, batch_size: int, rows: int = 101, classes: int = 0, shuffle: bool = True):
        super().__init__()
        draws = torch.Generator().manual_seed(0)
        self.x = torch.randn(rows, 4, generator=draws)
        self.x[:, 0] = torch.arange(rows) / 100
        sums = self.x.sum(1) + 0.3 * torch.randn(rows, generator=draws)
        self.y = (sums.abs() * 2).long() % classes if classes else sums
        self.in_features, self.batch_size, self.seed, self.steps_per_execution = 4, batch_size, 7, 1
        self.shuffle = shuffle
        if classes:
            self.num_classes = classes
        else:
            self.out_features = 1

    def train_dataloader(self) -> TensorLoader:
        steps, self.steps_per_execution = self.steps_per_execution, 1
        shuffle = {"shuffle": self.shuffle, "seed": self.seed}
        return TensorLoader(self.x, self.y, self.batch_size, steps_per_execution=steps, **shuffle)

    def val_dataloader(self) -> TensorLoader:
        return TensorLoader(self.x[:57], self.y[:57], 10)

    def test_dataloader(self) -> TensorLoader:
        return TensorLoader(self.x[57:70], self.y[57:70], 1)


@dataclass
class Case:
    """What is trained; ``model`` makes the task."""

    model: Callable[[], Any]
    data: dict[str, Any] = field(default_factory=dict)
    trainer: dict[str, Any] = field(default_factory=dict)


class NoteRows(Timer):
    """Notes which rows this process was given in each epoch; a timer does not change how many steps a call takes."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[list[int]] = []

    def state_dict(self) -> dict[str, Any]:
        return {}

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        super().on_train_epoch_start(trainer, *_)
        self.epochs.append([])

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        assert pl_module.takes_own_steps is (trainer.gradient_clip_val is None)
        assert isinstance(batch, Block) or len(batch[0]) <= trainer.datamodule.batch_size  # type: ignore[attr-defined]
        self.epochs[-1] += (batch[0][:, 0] * 100).round().int().tolist()


def two_wide_nets() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 1))


CASES = {
    "sgd": Case(P(torchann.RegressionMLP, [5], lr=0.05)),
    "sgd, weight decay, calls of 2 steps": Case(
        P(torchann.RegressionMLP, [5], lr=0.05, weight_decay=0.1, steps_per_execution=2)
    ),
    "momentum": Case(P(torchann.RegressionMLP, [5], lr=0.02, momentum=0.9)),
    "adam, three classes": Case(P(torchann.ClassificationMLP, [6, 5], optimizer="adam", lr=0.02), {"classes": 3}),
    "balanced classes, one cycle": Case(
        P(torchann.ClassificationMLP, [6], lr=0.1, class_weight="balanced", lr_schedule="one_cycle"), {"classes": 3}
    ),
    "the last batch has one row": Case(P(torchann.RegressionMLP, [5], lr=0.05), {"rows": 97}),
    "the last batch has one row, one step a call": Case(
        P(torchann.RegressionMLP, [5], lr=0.05, steps_per_execution=1), {"rows": 97}
    ),
    "rows as they are stored": Case(P(torchann.RegressionMLP, [5], lr=0.05), {"shuffle": False, "rows": 97}),
    "wide and deep, two outputs": Case(P(torchann.WideAndDeep, [5], aux_weight=0.2, optimizer="adamw", lr=0.02)),
    "a net of one's own, by autograd": Case(
        P(
            torchann.NetTask,
            net=None,
            outputs={"value": torchann.Output()},
            optimizer="adam",
            lr=0.02,
        ),
        {"rows": 97},
    ),
    "Lightning's steps": Case(
        P(torchann.RegressionMLP, [5], optimizer="adam", lr=0.02), {"rows": 97}, {"gradient_clip_val": 1.0}
    ),
    "Lightning's steps, ragged": Case(P(torchann.RegressionMLP, [5], lr=0.05), {}, {"gradient_clip_val": 9.0}),
}


def trained(folder: Path, name: str, world: int) -> dict[str, Any]:
    """Trains and tests in this process, one of several; what came of it."""
    case, note = CASES[name], NoteRows()
    torch.manual_seed(3)
    given = {"net": two_wide_nets()} if "net" in getattr(case.model, "keywords", {}) else {}
    model, data = case.model(**given), Rows(BATCH // world, **case.data)
    several = {"strategy": "ddp", "devices": world} if world > 1 else {}
    trainer = torchann.Trainer(
        runs=str(folder / "runs"),
        name=name,
        max_epochs=EPOCHS,
        callbacks=[note],
        accelerator="cpu",
        **several,
        **case.trainer,
    )
    trainer.fit(model, datamodule=data)
    history = [{key: value for key, value in row.items() if key != "seconds"} for row in trainer.history]
    figures = trainer.test(model, datamodule=data, verbose=False)[0]
    predicted = trainer.predict(model, TensorLoader(data.x[:9], data.y[:9], 4))
    return {
        "history": history,
        "test": figures,
        "weights": {key: value.clone() for key, value in model.net.state_dict().items()},
        "epochs": note.epochs,
        "steps": trainer.global_step,
        "predicted": len(torch.cat([next(iter(batch.values())) for batch in predicted])),
    }


def all_trained(folder: Path, names: list[str], world: int) -> dict[str, Any]:
    """The same of several cases."""
    return {name: trained(folder, name, world) for name in names}


class OneBadRow(Rows):
    """The 41st row of the first epoch's order has a target whose squared error no float32 can hold."""

    def __init__(self, batch_size: int):
        super().__init__(batch_size)
        self.y[shuffled_order(101, self.seed, 0)[40]] = 1e25


def stopped(folder: Path, world: int) -> tuple[Any, ...]:
    """Trains on that row: why and at which step it ends, and with which weights."""
    several = {"strategy": "ddp", "devices": world} if world > 1 else {}
    watch, model = TerminateOnNaN(), torchann.RegressionMLP([5], lr=0.05)
    given = {"logger": False, "quiet": True, "max_epochs": 2, "accelerator": "cpu", "limit_val_batches": 0}
    trainer = torchann.Trainer(callbacks=[watch], **given, **several)
    trainer.fit(model, datamodule=OneBadRow(BATCH // world))
    return trainer.stopped_by, watch.step, model.net.state_dict()


def stopped_and_refused(folder: Path, world: int) -> tuple[Any, list[str]]:
    """The same, and what is said of what several processes cannot do, or cannot find."""
    told, found = [], stopped(folder, world)
    attempts = [
        (torchann.Perceptron(), Rows(4, classes=2), None),
        (torchann.RegressionMLP([5]), Rows(4), "no/such.ckpt"),
    ]
    for model, data, checkpoint in attempts:
        trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=1, accelerator="cpu", strategy="ddp", devices=2)
        try:
            trainer.fit(model, datamodule=data, ckpt_path=checkpoint)
        except (ValueError, OSError) as error:
            told.append(f"{type(error).__name__}: {error}")
    return found, told
