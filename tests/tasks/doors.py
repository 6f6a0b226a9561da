"""Each task, each kind of loader and a data module of one's own: the doors by which rows come in."""

import lightning.pytorch as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import torchann
from torchann import ClassificationMLP, Perceptron, RegressionMLP, WideAndDeep
from torchann.engine.rows.loader import TensorLoader
from torchann.tasks.net_task import NetTask
from torchann.tasks.outputs import Output

NAN, INF = float("nan"), float("inf")
X = torch.randn(70, 3, generator=torch.Generator().manual_seed(0))
VALUES, CLASSES, TWO, LABELS = X.sum(1), torch.arange(70) % 3, torch.arange(70) % 2, (X > 0).long()


def net_of(task: str, size: int) -> NetTask:
    return NetTask(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, size)), {"out": Output(task, size)})


TASKS = {
    "regression": (lambda: RegressionMLP([4], 3, 1), VALUES),
    "wide and deep": (lambda: WideAndDeep([4], 3, 1), VALUES),
    "own net": (lambda: net_of("regression", 1), VALUES),
    "binary": (lambda: ClassificationMLP([4], 3, 2), TWO),
    "multiclass": (lambda: ClassificationMLP([4], 3, 3), CLASSES),
    "multilabel": (lambda: ClassificationMLP([4], 3, 3, "multilabel"), LABELS),
    "perceptron": (lambda: Perceptron(3), TWO),
    "own classifier": (lambda: net_of("multiclass", 3), CLASSES),
}
CLASSIFIERS = ["binary", "multiclass", "perceptron", "own classifier"]


def tensor_loader(x, y):
    return TensorLoader(x, y, 32)


def data_loader(x, y):
    return DataLoader(TensorDataset(x, y), batch_size=32)


def batch_by_batch(x, y):
    return DataLoader(list(zip(x, y, strict=True)), batch_size=32)  # a data set that is no TensorDataset


LOADERS = [tensor_loader, data_loader, batch_by_batch]


class Data(pl.LightningDataModule):
    """Somebody's own data module."""

    feature_names = ("length", "width", "height")

    def __init__(self, loader, train, other):
        super().__init__()
        self.loader, self.train, self.other = loader, train, other

    def train_dataloader(self):
        return self.loader(*self.train)

    def val_dataloader(self):
        return self.loader(*self.other)

    test_dataloader = predict_dataloader = val_dataloader


def quiet_trainer(**options) -> torchann.Trainer:
    return torchann.Trainer(**{"logger": False, "quiet": True, "max_epochs": 1} | options)


def fit(task, train, other=None, loader=tensor_loader) -> torchann.Trainer:
    trainer = quiet_trainer()
    trainer.fit(task, datamodule=Data(loader, train, other or train))
    return trainer


def with_value(rows, value, *place):
    rows = rows.clone().to(torch.float32)
    rows[place] = value
    return rows


def weights(task) -> torch.Tensor:
    return nn.utils.parameters_to_vector(task.parameters()).clone()
