"""Linear regression and a small MLP by gradient descent on all rows at once, to the published digits."""

from collections.abc import Callable, Iterable

import torch
from sklearn.model_selection import train_test_split
from torch import Tensor

from torchann.chapter.experiment import Experiment, Measurement, Outcome, Published, Setting
from torchann.data import CaliforniaHousingDataModule
from torchann.data.california_housing import load_california_housing
from torchann.data.in_memory import Split, Splits
from torchann.nets.preprocessing import Preprocessing, Standardize
from torchann.pictures.learning_curves import History
from torchann.tasks.regression import RegressionMLP

EPOCHS = 20
ALL_ROWS = 11_610  # that are trained on
FIRST, SIXTEENTH, LAST = "training MSE of epochs 1 to 4", "training MSE of epoch 16", "training MSE of epoch 20"
PREDICTIONS = "first three test rows, 100,000 USD"
SOURCE = "PyTorch edition, torch.manual_seed(42)"


class Float32HousingDataModule(CaliforniaHousingDataModule):
    """California housing as the PyTorch edition scales it: in float32, with a deviation over one row less."""

    feature_mean: Tensor
    feature_std: Tensor

    def read(self) -> Splits:
        """The book's three splits, float32; the first gives the mean and the standard deviation."""
        features, target = (torch.from_numpy(table).float() for table in load_california_housing())
        pool, test = train_test_split(range(len(features)), random_state=42)
        train, val = train_test_split(pool, random_state=42)
        mean, std = features[train].mean(0), features[train].std(0)
        self.feature_mean, self.feature_std = mean.double(), std.double()
        self.preprocessing: Preprocessing = Preprocessing(Standardize(mean, std))
        return Splits(*(Split(features[rows], target[rows]) for rows in (train, val, test)))


def _numbers(values: Iterable[float], digits: int) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)


def _figures(history: History, digits: int, y_hat: Tensor) -> dict[str, Measurement]:
    losses = [row["train_loss"] for row in history]
    epochs = {FIRST: _numbers(losses[:4], digits), SIXTEENTH: f"{losses[15]:.5f}", LAST: f"{losses[19]:.4f}"}
    return {**epochs, PREDICTIONS: _numbers(y_hat.tolist(), 4)}


def _by_autograd(setting: Setting) -> Outcome:
    data = Float32HousingDataModule()
    data.setup()
    train, val, test = data.prepared()
    w, b = torch.randn(data.in_features, requires_grad=True), torch.tensor(0.0, requires_grad=True)
    history = []
    for epoch in range(EPOCHS):
        loss = (train.x @ w + b - train.y).square().mean()
        slopes = torch.autograd.grad(loss, (w, b))
        with torch.no_grad():
            for parameter, slope in zip((w, b), slopes, strict=True):
                parameter -= 0.4 * slope
            val_loss = (val.x @ w + b - val.y).square().mean()
        history.append({"epoch": epoch, "train_loss": loss.item(), "val_loss": val_loss.item()})
    return Outcome(_figures(history, 3, test.x[:3] @ w + b), history)


def _by_task(hidden_sizes: list[int], lr: float) -> Callable[[Setting], Outcome]:
    def run(setting: Setting) -> Outcome:
        task = RegressionMLP(hidden_sizes, in_features=8, out_features=1, weight_init=None, lr=lr)
        data = Float32HousingDataModule(batch_size=ALL_ROWS)
        history = setting.fit(task, data, EPOCHS).history
        return Outcome(_figures(history, 5, task.predict(data.splits.test.x[:3])[:, 0]), history)

    return run


def _experiment(name: str, title: str, run: Callable[[Setting], Outcome], published: dict[str, str]) -> Experiment:
    digits = tuple(Published(measurement, value) for measurement, value in published.items())
    return Experiment(name, "10.2.3", f"{title}, all rows at once", digits, SOURCE, run, takes_seeds=False)


EXPERIMENTS = (
    _experiment(
        "linear_regression_autograd",
        "Linear regression by autograd",
        _by_autograd,
        {FIRST: "16.158, 4.879, 2.255, 1.331", LAST: "0.5684", PREDICTIONS: "0.8916, 1.6480, 2.6577"},
    ),
    _experiment(
        "linear_regression_full_batch",
        "Linear regression from nn.Linear's start",
        _by_task([], 0.4),
        {FIRST: "4.33785, 0.78029, 0.62538, 0.60604", LAST: "0.5374", PREDICTIONS: "0.8061, 1.7116, 2.6973"},
    ),
    _experiment(
        "housing_mlp_full_batch",
        "Regression MLP 8-50-40-1",
        _by_task([50, 40], 0.1),
        {FIRST: "5.04548, 2.05231, 1.00399, 0.85701", SIXTEENTH: "0.59011", LAST: "0.5654"},
    ),
)
