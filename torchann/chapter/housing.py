"""Section 10.2.3: the regression MLP on California housing."""

from torchann.chapter.experiment import Experiment, Published, Training, measured
from torchann.data import CaliforniaHousingDataModule
from torchann.tasks.regression import RegressionMLP

EXPERIMENTS = (
    Experiment(
        name="housing_mlp",
        section="10.2.3",
        title="Regression MLP 8-30-1 on California housing",
        published=(Published("test MSE", 0.4212, (0.38, 0.46)),),
        source="2nd edition",
        run=Training(
            lambda setting: (RegressionMLP([30], lr=1e-3), CaliforniaHousingDataModule(32, setting.seed)),
            max_epochs=20,
            measure=measured(test_loss="test MSE"),
        ),
    ),
)
