"""The full-batch trainings against the PyTorch edition's digits and scikit-learn's scaling."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from torchann.chapter.experiment import Setting, seeded
from torchann.chapter.linear_regression import EXPERIMENTS, Float32HousingDataModule
from torchann.data.california_housing import load_california_housing


@pytest.fixture(scope="module")
def housing():
    data = Float32HousingDataModule()
    data.setup()
    return data


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_full_batch_training_gives_the_digits_that_the_notebook_prints(experiment, tmp_path):
    measurements = seeded(experiment, Setting(experiment.name, runs=str(tmp_path))).measurements
    for published in experiment.published:
        assert (published.measurement, measurements[published.measurement]) == (published.measurement, published.value)


@pytest.mark.parametrize("experiment", EXPERIMENTS[:2], ids=lambda experiment: experiment.name)
def test_no_epoch_of_linear_regression_beats_the_least_squares_solution(experiment, housing, tmp_path):
    x, y = (table.double().numpy() for table in housing.prepared().train)
    least = np.square(LinearRegression().fit(x, y).predict(x) - y).mean()
    losses = [row["train_loss"] for row in seeded(experiment, Setting("linear", runs=str(tmp_path))).history]
    assert len(losses) == 20 and losses == sorted(losses, reverse=True) and losses[-1] > least > 0.5


def test_float32_rows_are_scikit_learns_with_a_deviation_over_one_row_less(housing):
    features, target = load_california_housing()
    x, x_test, y, y_test = train_test_split(features, target, random_state=42)
    x_train, x_val, y_train, y_val = train_test_split(x, y, random_state=42)
    scaler = StandardScaler().fit(x_train)
    one_row_less = (11_609 / 11_610) ** 0.5  # StandardScaler divides by 11,610, torch.std by 11,609
    tables = zip(housing.prepared(), (x_train, x_val, x_test), (y_train, y_val, y_test), strict=True)
    for split, rows, values in tables:
        expected = torch.from_numpy(scaler.transform(rows) * one_row_less).float()
        torch.testing.assert_close(split.x, expected, rtol=2e-5, atol=2e-5)
        assert torch.equal(split.y, torch.from_numpy(values).float())


def test_float32_mean_and_deviation_lead_back_to_the_units_of_the_table(housing):
    # scikit-learn's first row: an income of 83,252 USD and houses 41 years old; the shuffle puts it elsewhere.
    x = torch.cat([split.x for split in housing.prepared()]).double() * housing.feature_std + housing.feature_mean
    nearest = (x - torch.from_numpy(load_california_housing()[0][0])).abs().sum(1).min()
    assert nearest < 1e-3
