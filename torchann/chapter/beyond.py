"""Beyond the book: plain MLPs that do clearly better than the chapter's, and housing read as anybody's table."""

from typing import Any

from torchann.chapter.experiment import Published, trained
from torchann.data import CaliforniaHousingDataModule, FashionMNISTDataModule, TabularDataModule
from torchann.tasks.classification import ClassificationMLP
from torchann.tasks.regression import RegressionMLP
from torchann.training.early_stopping import EarlyStopping

LONG: dict[str, Any] = {"optimizer": "adamw", "lr_schedule": "one_cycle"}
INFERRED: dict[str, Any] = {"task": "regression", "kinds": {"housingMedianAge": "number"}, "max_one_hot": 50}
PARTS: dict[str, Any] = {"split": "random", "val_size": 0.2, "test_size": 0.2}

EXPERIMENTS = (
    trained(
        "housing_tuned",
        "beyond",
        "California housing by 24-96-72-64-1, 14,121 weights, with waves of the coordinates",
        lambda: RegressionMLP([96, 72, 64], activation="softsign", lr=0.01, weight_decay=0.05, **LONG),
        100,
        {"test_loss": Published("test MSE", 0.25, (0.0, 0.25), by="own")},
        "the aim; the book's best search 0.3029",
        in_chapter=False,
        data=lambda setting: CaliforniaHousingDataModule(128, setting.seed, periodic_coordinates=4),
    ),
    trained(
        "fashion_mnist_tuned",
        "beyond",
        "Fashion-MNIST by 784-512-256-10, 537,354 weights, images mirrored and moved",
        lambda: ClassificationMLP(
            [512, 256], activation="gelu", dropout=0.1, norm="batch", lr=0.003, weight_decay=0.01, **LONG
        ),
        50,
        {"test_accuracy": Published("test accuracy", 0.905, (0.905, 1.0), by="own")},
        "the aim; the book's 0.8864",
        in_chapter=False,
        data=lambda setting: FashionMNISTDataModule(setting.data_dir, 256, setting.seed, flip=True, shift=1),
    ),
    trained(
        "housing_table",
        "beyond",
        "California housing as a table of one's own, 8-128-64-1, Adam, early stopping",
        lambda: RegressionMLP([128, 64], optimizer="adam", lr=1e-3),
        100,
        {"test_rmse": Published("test RMSE, USD", 55_036.0, (0.0, 55_036.0), by="own")},
        "the aim: root of 0.3029, of the book's best search, on another split",
        in_chapter=False,
        data=lambda setting: TabularDataModule(
            "california-housing", "medianHouseValue", batch_size=32, seed=setting.seed, **INFERRED, **PARTS
        ),
        callbacks=lambda: [EarlyStopping(patience=10)],
    ),
)
