"""Chapter 10 of *Hands-On Machine Learning*, "Introduction to Artificial Neural Networks", on PyTorch and Lightning.

Names are imported when they are first used: ``import torchann`` costs nothing that a program does not need.
"""

from typing import TYPE_CHECKING

from torchann.nets.names import lazy_names

if TYPE_CHECKING:
    from torchann.dashboard.tensorboard_report import TensorBoardReport as TensorBoardReport
    from torchann.data import CaliforniaHousingDataModule as CaliforniaHousingDataModule
    from torchann.data import FashionMNISTDataModule as FashionMNISTDataModule
    from torchann.data import IrisDataModule as IrisDataModule
    from torchann.data import TabularDataModule as TabularDataModule
    from torchann.engine.rows.loader import TensorLoader as TensorLoader
    from torchann.files.history import History as History
    from torchann.nets.mlp import MLP as MLP
    from torchann.publishing.export import export as export
    from torchann.publishing.fit_table import fit as fit
    from torchann.publishing.importance import importance as importance
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
    from torchann.training.checkpoints import Checkpoints as Checkpoints
    from torchann.training.early_stopping import EarlyStopping as EarlyStopping
    from torchann.training.terminate_on_nan import TerminateOnNaN as TerminateOnNaN
    from torchann.training.trainer import Trainer as Trainer

__getattr__, __dir__, __all__ = lazy_names(__name__)
