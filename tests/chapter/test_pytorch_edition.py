"""The PyTorch edition's splits, starts and stopping rule against torch and scikit-learn; its replayed mini-batches."""

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from torchann.chapter import pytorch_edition
from torchann.chapter.experiment import Outcome, Setting, seeded
from torchann.chapter.pytorch_edition import (
    EXPERIMENTS,
    PATIENCE,
    TOLERANCE,
    HousingPoolDataModule,
    RandomSplitFashionMNIST,
    rmse_by_batch,
    start_as_scikit_learn,
)
from torchann.data import FashionMNISTDataModule
from torchann.data.california_housing import load_california_housing
from torchann.tasks.regression import RegressionMLP

BY_NAME = {experiment.name: experiment for experiment in EXPERIMENTS}


@pytest.mark.parametrize("name", ["housing_mlp_replayed", "mlp_regressor_early_stopping"])
def test_what_no_seed_changes_gives_the_digits_that_the_notebook_prints(name):
    (published,) = BY_NAME[name].published
    assert seeded(BY_NAME[name], Setting(name)).measurements == {published.measurement: published.value}


def test_mean_of_batch_rmses_is_not_the_rmse_of_the_rows():
    # 32 rows off by 1 and 4 rows off by 3: (1 + 3) / 2, where the rows have sqrt((32 + 36) / 36) = 1.374.
    off = torch.cat([torch.full((32,), 1.0), torch.full((4,), 3.0)])
    assert rmse_by_batch(off, torch.zeros(36)) == 2.0
    assert off.square().mean().sqrt().item() == pytest.approx(1.374, abs=5e-4)


def test_mini_batch_training_is_measured_in_three_ways(tmp_path):
    outcome = seeded(BY_NAME["housing_mlp_mini_batches"], Setting("mini", seed=44, runs=str(tmp_path)))
    measurements = outcome.measurements
    assert measurements["validation RMSE"] ** 2 == pytest.approx(measurements["validation MSE"], rel=1e-5)
    assert measurements["mean of batch RMSEs"] < measurements["validation RMSE"]  # Jensen's inequality
    assert len(outcome.history) == 20


def test_validation_images_are_those_that_random_split_draws(synthetic_fashion_mnist):
    data = RandomSplitFashionMNIST(Setting("", data_dir=str(synthetic_fashion_mnist)), batch_size=32, num_val=1_500)
    stored = FashionMNISTDataModule(synthetic_fashion_mnist)
    for module in (data, stored):
        module.setup()
    y = torch.cat([stored.splits.val.y, stored.splits.train.y])
    torch.manual_seed(42)
    train, val = torch.utils.data.random_split(range(6_000), [4_500, 1_500])
    assert torch.equal(data.splits.train.y, y[list(train)]) and torch.equal(data.splits.val.y, y[list(val)])
    assert torch.equal(data.splits.test.x, stored.splits.test.x)
    assert torch.equal(data.prepare(stored.splits.test.x), stored.prepare(stored.splits.test.x))


def test_pixels_scaled_one_by_one_are_those_of_min_max_scaler(synthetic_fashion_mnist):
    setting = Setting("", data_dir=str(synthetic_fashion_mnist))
    data = RandomSplitFashionMNIST(setting, batch_size=200, num_val=1_500, by_pixel=True)
    data.setup()
    pool = torch.cat([data.splits.train.x, data.splits.val.x]).flatten(1)
    assert pool.amin(0).max() == 0  # every pixel is black somewhere, as in the real images
    scaler = MinMaxScaler().fit(pool.numpy())
    expected = scaler.transform(data.splits.test.x.flatten(1).numpy())
    np.testing.assert_allclose(data.prepare(data.splits.test.x).flatten(1).numpy(), expected, rtol=1e-6)


def test_housing_pool_is_scaled_as_in_a_pipeline_and_a_tenth_of_it_validates():
    data = HousingPoolDataModule(200, seed=3)
    data.setup()
    pool, test, y_pool, y_test = train_test_split(*load_california_housing(), random_state=42)
    scaler = StandardScaler().fit(pool)
    assert [len(split.y) for split in data.splits] == [13_932, 1_548, 5_160]
    train, val, judged = data.prepared()
    torch.testing.assert_close(judged.x.double(), torch.from_numpy(scaler.transform(test)), rtol=0, atol=2e-5)
    x, y = (torch.cat(tables) for tables in zip(train, val, strict=True))
    torch.testing.assert_close(x.mean(0), torch.zeros(8), rtol=0, atol=1e-5)
    assert y.double().sum().item() == pytest.approx(y_pool.sum(), rel=1e-6)  # no row is lost or counted twice
    assert torch.equal(data.splits.test.y, torch.from_numpy(y_test).float())


def test_start_fills_the_interval_that_scikit_learn_draws_from():
    torch.manual_seed(0)
    task = RegressionMLP([50, 50, 50], in_features=8, out_features=1)
    start_as_scikit_learn(task)
    theirs = MLPRegressor(hidden_layer_sizes=[50, 50, 50], random_state=0, learning_rate_init=1e-12)
    theirs.partial_fit(np.zeros((1, 8)), [0.0])  # draws the start and moves it by 1e-12
    for layer, weight, bias in zip(task.net.linears(), theirs.coefs_, theirs.intercepts_, strict=True):
        bound = (6 / (layer.in_features + layer.out_features)) ** 0.5
        for mine, its in ((layer.weight, weight), (layer.bias, bias)):
            assert max(mine.abs().max().item(), np.abs(its).max()) <= bound
            if mine.numel() >= 50:
                assert min(mine.abs().max().item(), np.abs(its).max()) > 0.9 * bound


def test_training_stops_when_more_than_ten_epochs_in_a_row_were_no_better(tmp_path):
    task = RegressionMLP([], 8, 1, lr=1e-12)
    stop, setting = EarlyStopping("val_loss", TOLERANCE, PATIENCE), Setting("demo", runs=str(tmp_path))
    history, _ = pytorch_edition._stop_early(setting, task, HousingPoolDataModule(20_000, 42), stop, 200)
    assert len(history) == 1 + 11


def test_weights_of_the_best_epoch_are_tested(tmp_path):
    task = RegressionMLP([], 8, 1, lr=0.8)  # descent needs less than 1 / 2.01, the largest eigenvalue of x.T @ x / rows
    stop, setting = EarlyStopping("val_loss", TOLERANCE, PATIENCE), Setting("demo", runs=str(tmp_path))
    history, tested = pytorch_edition._stop_early(setting, task, HousingPoolDataModule(20_000, 42), stop, 200)
    losses = [row["val_loss"] for row in history]
    assert losses[-1] > 100 * min(losses) and tested["test_loss"] < 3 * min(losses)


def test_nets_are_those_of_scikit_learns_defaults(monkeypatch):
    made = {}

    def record(setting, task, data, stop, max_epochs):
        made[type(task).__name__] = dict(task.hparams), data.batch_size, stop
        return [], {"test_rmse": 0.5, "test_accuracy": 0.9}

    monkeypatch.setattr(pytorch_edition, "_stop_early", record)
    assert BY_NAME["housing_early_stopping_pytorch"].run(Setting("")) == Outcome({"test RMSE": 0.5}, [])
    assert BY_NAME["fashion_mnist_early_stopping"].run(Setting("")) == Outcome({"test accuracy": 0.9}, [])
    theirs = MLPRegressor()  # whose batch_size "auto" is 200, or all rows if there are fewer
    for name, sizes, halved in (("RegressionMLP", [50, 50, 50], 2), ("ClassificationMLP", [200, 100], 1)):
        h, batch_size, stop = made[name]
        assert (h["hidden_sizes"], h["optimizer"], h["lr"]) == (sizes, theirs.solver, theirs.learning_rate_init)
        assert batch_size == 200 and h["weight_decay"] == halved * theirs.alpha / batch_size
        assert (abs(stop.min_delta), stop.patience) == (theirs.tol, theirs.n_iter_no_change + 1)


def test_axis_of_losses_that_span_decades_is_logarithmic():
    history = [{"epoch": e, "train_loss": 0.5, "val_loss": 0.5 * 10**e} for e in range(3)]
    (panel,) = BY_NAME["housing_mlp_mini_batches"].draw([Outcome({}, history)], "Decades").axes
    assert panel.get_yscale() == "log"
