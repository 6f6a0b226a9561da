"""Real runs for TensorBoard, and its server on them: digits twice, housing by a Wide & Deep net, iris."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import pytest
import torch
from sklearn.datasets import load_digits

from tests.dashboard.served import served
from torchann import (
    CaliforniaHousingDataModule,
    ClassificationMLP,
    IrisDataModule,
    Perceptron,
    TensorBoardReport,
    Trainer,
    WideAndDeep,
)
from torchann.engine.rows.loader import TensorLoader

EVERYTHING = {
    "histogram_freq": 1,
    "write_images": True,
    "update_freq": 10,
    "profile_batch": (2, 3),
    "embeddings_freq": 2,
    "pictures_freq": 1,
}
LITTLE = {"update_freq": 10}  # and pictures after the last epoch, as by itself


class Runs(NamedTuple):
    """What was trained.

    Attributes:
        folder: with all runs: `digits/001` with everything, `digits/002`, `wide_deep/001`, `iris_perceptron/001`.
        names: of the ten digits.
        lr: learning rates of the two runs on digits.
        epochs: of each run but wide_deep's, which has 2.
        digits: the network that `digits/001` ends with.
        x: the 497 rows that it was judged by, `(497, 64)`, 0 to 1.
        y: the digits they are.
    """

    folder: Path
    names: list[str]
    lr: tuple[float, float]
    epochs: int
    digits: torch.nn.Sequential
    x: torch.Tensor
    y: torch.Tensor


def fit(runs: Path, name: str, task: Any, data: Any, epochs: int, report: dict[str, Any]) -> None:
    given = {"runs": str(runs), "name": name, "max_epochs": epochs, "quiet": True}
    trainer = Trainer(**given, callbacks=[TensorBoardReport(**report)])
    if isinstance(data, pl.LightningDataModule):
        trainer.fit(task, datamodule=data)
    else:
        trainer.fit(task, *data)


@pytest.fixture(scope="session")
def real_runs(tmp_path_factory) -> Runs:
    """Four runs of the callback. Not to be written to."""
    runs = tmp_path_factory.mktemp("real") / "runs"
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    digits = load_digits()  # 1,797 of 8 x 8 pixels, each 0 to 16
    x, y = torch.from_numpy(digits.images).to(torch.uint8), torch.from_numpy(digits.target)
    val = TensorLoader(x[1300:], y[1300:], 50, prepare=lambda x: x / 16)
    models = []
    for lr, report in ((0.1, EVERYTHING), (0.02, LITTLE)):
        torch.manual_seed(42)
        train = TensorLoader(x[:1300], y[:1300], 50, shuffle=True, prepare=lambda x: x / 16)
        models.append(ClassificationMLP([16], 64, 10, class_names=names, lr=lr))
        fit(runs, "digits", models[-1], (train, val), 5, report)
    fit(runs, "wide_deep", WideAndDeep(aux_weight=0.1), CaliforniaHousingDataModule(), 2, {})
    fit(runs, "iris_perceptron", Perceptron(), IrisDataModule(), 5, {"pictures_freq": 1})
    return Runs(runs, names, (0.1, 0.02), 5, models[0].net, x[1300:].flatten(1) / 16, y[1300:])


@pytest.fixture(scope="session")
def real_board(real_runs: Runs) -> Iterator[str]:
    """The address of a server on these runs."""
    with served(real_runs.folder) as address:
        yield address
