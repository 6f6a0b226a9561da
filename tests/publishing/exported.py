"""Models of every kind with raw rows for them, and exported files run without this package."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import torchann
from tests.data.own_tables import homes
from torchann.chapter.two_inputs import TwoInputs
from torchann.data.tables.column_values import column_of
from torchann.data.tables.columns import encode, reader
from torchann.estimators import MLPClassifier
from torchann.nets.preprocessing import Pixels, Preprocessing
from torchann.tasks.task import Task


def inputs_of(task: Task, data, seed: int = 0) -> Task:
    """The task with its weights as they start, and the names, sizes and preparation of a data module."""
    torch.manual_seed(seed)
    torchann.Trainer(max_epochs=1, limit_train_batches=2, logger=False, quiet=True).fit(task, datamodule=data)
    return task.eval()


@cache
def housing():
    data = torchann.CaliforniaHousingDataModule(batch_size=1024, periodic_coordinates=12)
    return inputs_of(torchann.RegressionMLP([8]), data), data.splits.test.x[:33].double(), None


@cache
def table(max_one_hot: int = 50, target: str = "price"):
    data = torchann.TabularDataModule(homes(), target, max_one_hot=max_one_hot, task=None)
    task = (torchann.RegressionMLP if target == "price" else torchann.ClassificationMLP)([8])
    inputs_of(task, data)
    rows = {name: column for name, column in homes(33, 5).items() if name in data.feature_names}
    rows["city"] = ["Ys", *rows["city"][1:]] if "city" in rows else []
    rows = {name: column for name, column in rows.items() if column}
    columns = task.preprocessing.table
    return task, encode(columns.table, reader(lambda name: column_of(rows[name]))), None


def images():
    task = torchann.ClassificationMLP([10, 10], 784, 10, norm="batch", dropout=0.5, activation="selu")
    norms = [layer for layer in task.net if isinstance(layer, nn.BatchNorm1d)]
    for norm in norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    task.preprocessing = Preprocessing(Pixels())
    return task.eval(), torch.randint(0, 256, (33, 28, 28), dtype=torch.uint8), None


def binary():
    names = ["no", "yes"]
    return torchann.ClassificationMLP([4], 3, 2, class_names=names, norm="layer"), torch.randn(33, 3), None


def labels():
    return (
        torchann.ClassificationMLP([4], 3, 4, task="multilabel", class_names=["|a", "b`", "c", "d"]),
        torch.randn(33, 3),
        None,
    )


def perceptron():
    task = torchann.Perceptron(2)
    task.net.weight.data = torch.tensor([[-0.7, -1.2]], dtype=torch.float64)
    task.net.bias.data = torch.tensor([2.0], dtype=torch.float64)
    return task, 3 * torch.rand(33, 2, dtype=torch.float64), None


def wide_deep():
    task = torchann.WideAndDeep(
        [5, 5], 8, 1, wide_features=[0, 1, 2, 3, 4], deep_features=[2, 3, 4, 5, 6, 7], aux_weight=0.1
    )
    task.feature_names = list("abcdefgh")
    return task, torch.randn(33, 8), None


def named_inputs():
    outputs = {"main": torchann.Output(), "aux": torchann.Output("binary")}
    rows = {"wide": torch.randn(33, 5), "deep": torch.randn(33, 6)}
    return torchann.NetTask(TwoInputs(), outputs=outputs), rows, rows


def columns_of_inputs():
    columns = {"wide": [0, 1, 2, 3, 4], "deep": [2, 3, 4, 5, 6, 7]}
    outputs = {"main": torchann.Output(), "aux": torchann.Output()}
    return torchann.NetTask(TwoInputs(), outputs=outputs, inputs=columns), torch.randn(33, 8), None


def ensemble(kind: type[Task], **sizes):
    members = [
        {"hidden_sizes": [6, 4], "activation": "softsign", "columns": [3, 0], "weight": 0.25},
        {"hidden_sizes": [5], "activation": "gelu", "dropout": 0.5, "weight": 0.75},
    ]
    return kind(in_features=4, members=members, weight_init="normal", **sizes), torch.randn(33, 4), None


def pipeline():
    random = np.random.default_rng(0)
    x, y = random.normal(1e6, 10, (60, 3)), random.choice(["ash", "elm", "oak"], 60)
    net = MLPClassifier(hidden_layer_sizes=(4,), max_iter=3, tol=10, n_iter_no_change=1, random_state=0)
    return make_pipeline(StandardScaler(), net).fit(x, y), torch.from_numpy(x[:33]), None


MODELS: dict[str, Callable] = {
    "housing": housing,
    "table": table,
    "embeddings": lambda: table(max_one_hot=1),
    "species": lambda: table(target="city"),
    "images": images,
    "binary": binary,
    "labels": labels,
    "perceptron": perceptron,
    "wide_deep": wide_deep,
    "named_inputs": named_inputs,
    "columns_of_inputs": columns_of_inputs,
    "mean_of_values": lambda: ensemble(torchann.RegressionMLP, out_features=2),
    "mean_of_classes": lambda: ensemble(torchann.ClassificationMLP, num_classes=3),
    "mean_of_two_classes": lambda: ensemble(torchann.ClassificationMLP, num_classes=2),
    "pipeline": pipeline,
}
"""Each makes a model, rows to predict, and the rows that an export needs to be given, if it does."""


def run_onnx(path: Path, rows) -> dict[str, np.ndarray]:
    onnxruntime = __import__("onnxruntime")
    session = onnxruntime.InferenceSession(path)
    parts = rows if isinstance(rows, dict) else {"features": rows}
    names = [output.name for output in session.get_outputs()]
    found = session.run(names, {name: part.numpy() for name, part in parts.items()})
    return dict(zip(names, found, strict=True))


def run_program(path: Path, rows) -> dict[str, np.ndarray]:
    found = torch.export.load(path).module()(rows)
    return {name: part.numpy(force=True) for name, part in found.items()}


def first(rows, count: int):
    return {name: part[:count] for name, part in rows.items()} if isinstance(rows, dict) else rows[:count]
