"""Chapter 10 of *Hands-On Machine Learning*, "Introduction to Artificial Neural Networks", on PyTorch and Lightning.

Names are imported when they are first used: ``import torchann`` costs nothing that a program does not need.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchann.dashboard.tensorboard_report import TensorBoardReport as TensorBoardReport
    from torchann.data import CaliforniaHousingDataModule as CaliforniaHousingDataModule
    from torchann.data import FashionMNISTDataModule as FashionMNISTDataModule
    from torchann.data import IrisDataModule as IrisDataModule
    from torchann.data import TabularDataModule as TabularDataModule
    from torchann.files.history import History as History
    from torchann.nets.mlp import MLP as MLP
    from torchann.publishing.export import export as export
    from torchann.publishing.model_cards import model_card as model_card
    from torchann.publishing.model_file import load as load
    from torchann.publishing.model_file import save as save
    from torchann.publishing.model_info import info as info
    from torchann.publishing.table_predictions import predict as predict
    from torchann.tasks.classification import ClassificationMLP as ClassificationMLP
    from torchann.tasks.net_task import NetTask as NetTask
    from torchann.tasks.outputs import Output as Output
    from torchann.tasks.perceptron import Perceptron as Perceptron
    from torchann.tasks.regression import RegressionMLP as RegressionMLP
    from torchann.tasks.wide_and_deep import WideAndDeep as WideAndDeep
    from torchann.training.early_stopping import EarlyStopping as EarlyStopping
    from torchann.training.terminate_on_nan import TerminateOnNaN as TerminateOnNaN
    from torchann.training.trainer import Trainer as Trainer

_HOME = {
    "CaliforniaHousingDataModule": "torchann.data",
    "ClassificationMLP": "torchann.tasks.classification",
    "EarlyStopping": "torchann.training.early_stopping",
    "FashionMNISTDataModule": "torchann.data",
    "History": "torchann.files.history",
    "IrisDataModule": "torchann.data",
    "MLP": "torchann.nets.mlp",
    "NetTask": "torchann.tasks.net_task",
    "Output": "torchann.tasks.outputs",
    "Perceptron": "torchann.tasks.perceptron",
    "RegressionMLP": "torchann.tasks.regression",
    "TabularDataModule": "torchann.data",
    "TensorBoardReport": "torchann.dashboard.tensorboard_report",
    "TerminateOnNaN": "torchann.training.terminate_on_nan",
    "Trainer": "torchann.training.trainer",
    "WideAndDeep": "torchann.tasks.wide_and_deep",
    "export": "torchann.publishing.export",
    "info": "torchann.publishing.model_info",
    "load": "torchann.publishing.model_file",
    "model_card": "torchann.publishing.model_cards",
    "predict": "torchann.publishing.table_predictions",
    "save": "torchann.publishing.model_file",
}
__all__ = [
    "MLP",
    "CaliforniaHousingDataModule",
    "ClassificationMLP",
    "EarlyStopping",
    "FashionMNISTDataModule",
    "History",
    "IrisDataModule",
    "NetTask",
    "Output",
    "Perceptron",
    "RegressionMLP",
    "TabularDataModule",
    "TensorBoardReport",
    "TerminateOnNaN",
    "Trainer",
    "WideAndDeep",
    "export",
    "info",
    "load",
    "model_card",
    "predict",
    "save",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'torchann' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
