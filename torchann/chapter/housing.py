"""Section 10.2.3: the regression MLP on California housing."""

from torchann.chapter.experiment import Experiment, Published, Training, measured
from torchann.tasks.regression import RegressionMLP

EXPERIMENTS = (
    Experiment(
        name="housing_mlp",
        section="10.2.3",
        title="Regression MLP 8-30-1 on California housing",
        published=(Published("validation MSE", 0.3969, (0.35, 0.45)), Published("test MSE", 0.4212, (0.38, 0.46))),
        source="2nd edition",
        run=Training(
            lambda: RegressionMLP([30], lr=1e-3), 20, measured(val_loss="validation MSE", test_loss="test MSE")
        ),
    ),
)
