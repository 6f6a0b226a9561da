"""Beyond the book: California housing read as anybody's table, with the net that such a table gets by default."""

from lightning.pytorch import LightningDataModule

from torchann.chapter.experiment import Experiment, Published, Setting, Training, measured
from torchann.data import TabularDataModule
from torchann.tasks.regression import RegressionMLP
from torchann.training.early_stopping import EarlyStopping


def _data(setting: Setting) -> LightningDataModule:
    return TabularDataModule(
        "california-housing",
        "medianHouseValue",
        task="regression",
        kinds={"housingMedianAge": "number"},
        val_size=0.2,
        test_size=0.2,
        split="random",
        batch_size=32,
        seed=setting.seed,
        max_one_hot=50,
    )


EXPERIMENTS = (
    Experiment(
        name="housing_table",
        section="beyond",
        title="California housing as a table of one's own, 8-128-64-1, Adam, early stopping",
        published=(Published("test RMSE, USD", 55_036.0, (0.0, 55_036.0)),),
        source="the aim: root of 0.3029, of the book's best search, on another split",
        run=Training(
            lambda: RegressionMLP([128, 64], optimizer="adam", lr=1e-3),
            100,
            measured(test_rmse="test RMSE, USD"),
            _data,
            lambda: [EarlyStopping(patience=10)],
        ),
        in_chapter=False,
    ),
)
