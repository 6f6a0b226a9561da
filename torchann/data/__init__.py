"""Finds, verifies, reads and splits the chapter's data and one's own; one ``LightningDataModule`` per data set."""

from torchann.data.california_housing import CaliforniaHousingDataModule, load_california_housing
from torchann.data.errors import DataFileError, DataNotFoundError
from torchann.data.fashion_mnist import FashionMNISTDataModule
from torchann.data.fashion_mnist_files import fetch_fashion_mnist, find_fashion_mnist
from torchann.data.iris import IrisDataModule
from torchann.data.tabular import TabularDataModule

__all__ = [
    "CaliforniaHousingDataModule",
    "DataFileError",
    "DataNotFoundError",
    "FashionMNISTDataModule",
    "IrisDataModule",
    "TabularDataModule",
    "fetch_fashion_mnist",
    "find_fashion_mnist",
    "load_california_housing",
]
