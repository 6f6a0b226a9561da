import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from torchann.data import CaliforniaHousingDataModule, DataFileError, load_california_housing
from torchann.data import california_housing as module
from torchann.engine.rows.shuffling import shuffled_order


@pytest.fixture(scope="module")
def housing():
    housing = CaliforniaHousingDataModule()
    housing.setup()
    return housing


def split_rows():
    """Row numbers of the training, validation and test rows: the book's two calls, on numbers in place of rows."""
    pool, test = train_test_split(np.arange(20_640), random_state=42)
    train, val = train_test_split(pool, random_state=42)
    return train, val, test


def test_housing_table_is_that_of_the_recipe_of_scikit_learn():
    text = gzip.decompress(module.TABLE.read_bytes()).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    names = ["medianIncome", "housingMedianAge", "totalRooms", "totalBedrooms", "population", "households", "latitude",
             "longitude"]  # fmt: skip
    data = np.array([[float(row[name]) for name in names] for row in rows])
    data[:, 2] /= data[:, 5]  # the four lines of fetch_california_housing
    data[:, 3] /= data[:, 5]
    data[:, 5] = data[:, 4] / data[:, 5]
    target = np.array([float(row["medianHouseValue"]) for row in rows]) / 100_000.0
    features, value = load_california_housing()
    assert features.shape == (20_640, 8) and features.dtype == value.dtype == np.float64
    np.testing.assert_array_equal(features, data)
    np.testing.assert_array_equal(value, target)


def test_housing_first_row_is_the_one_that_everybody_prints():
    features, target = load_california_housing()
    expected = [8.3252, 41.0, 6.98412698, 1.02380952, 322.0, 2.55555556, 37.88, -122.23]  # scikit-learn's user guide
    np.testing.assert_allclose(features[0], expected, rtol=1e-8)
    assert target[0] == 4.526


def test_housing_says_what_it_is_before_it_is_read():
    housing = CaliforniaHousingDataModule()
    assert (housing.name, housing.in_features, housing.out_features) == ("california-housing", 8, 1)
    assert housing.target_names == ["MedHouseVal"]
    assert housing.feature_names == [
        "MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude",
    ]  # fmt: skip


def test_housing_has_the_splits_of_the_book(housing):
    assert [len(split.y) for split in housing.splits] == [11_610, 3_870, 5_160]
    np.testing.assert_array_equal(housing.splits.test.y[:3], np.float32([0.477, 0.458, 5.00001]))  # the book's y_test


def test_housing_splits_are_disjoint_and_hold_every_row(housing):
    _, target = load_california_housing()
    rows = split_rows()
    assert sorted(np.concatenate(rows)) == list(range(20_640))
    for split, numbers in zip(housing.splits, rows, strict=True):
        np.testing.assert_array_equal(split.y, target[numbers].astype(np.float32))


def test_housing_scaler_meets_the_training_rows_only(housing):
    features, _ = load_california_housing()
    train = features[split_rows()[0]]
    mean = train.sum(axis=0) / 11_610
    std = np.sqrt(((train - mean) ** 2).sum(axis=0) / 11_610)
    assert housing.feature_mean.dtype == housing.feature_std.dtype == torch.float64
    np.testing.assert_allclose(housing.feature_mean, mean, rtol=1e-10)
    np.testing.assert_allclose(housing.feature_std, std, rtol=1e-10)
    assert not np.allclose(housing.feature_mean, features.mean(axis=0), rtol=1e-6)


def test_housing_splits_hold_the_table_in_its_units(housing):
    features, _ = load_california_housing()
    for split, numbers in zip(housing.splits, split_rows(), strict=True):
        np.testing.assert_array_equal(split.x, features[numbers])


def served(loader):
    return torch.cat([x for x, _ in loader])


def test_housing_loaders_serve_the_bits_of_standard_scaler(housing):
    features, _ = load_california_housing()
    train, val, test = split_rows()
    scaler = StandardScaler().fit(features[train])
    order = shuffled_order(len(train), housing.seed, 0)
    loaders = (housing.train_dataloader(), housing.val_dataloader(), housing.test_dataloader())
    for loader, numbers in zip(loaders, (train[order], val, test), strict=True):
        np.testing.assert_array_equal(served(loader), scaler.transform(features[numbers]).astype(np.float32))
    for split, numbers in zip(housing.prepared(), (train, val, test), strict=True):
        np.testing.assert_array_equal(split.x, scaler.transform(features[numbers]).astype(np.float32))


def test_housing_batches_are_float32_rows_of_eight_and_a_value_each(housing):
    x, y = next(iter(housing.train_dataloader()))
    assert x.shape == (32, 8) and y.shape == (32,)
    assert x.dtype == y.dtype == torch.float32


def test_housing_split_does_not_depend_on_the_seed(housing):
    other = CaliforniaHousingDataModule(seed=7)
    other.setup()
    assert torch.equal(other.splits.train.x, housing.splits.train.x)


DAMAGE = {
    "truncated": (lambda packed: packed[:-1000], "is a damaged gzip file"),
    "not gzip": (lambda packed: b"longitude,latitude", "is a damaged gzip file .Not a gzipped file"),
    "garbage": (lambda packed: packed[:10] + b"\xff" * 50, "is a damaged gzip file"),
    "other": (lambda packed: gzip.compress(b"longitude,latitude"), "unpacks to 18 bytes with SHA-256"),
    "longer": (
        lambda packed: gzip.compress(gzip.decompress(packed) + b"0" * 10**6),
        "unpacks to more than 989779 bytes",
    ),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGE.values(), ids=DAMAGE.keys())
def test_housing_refuses_a_damaged_table(damage, message, tmp_path, monkeypatch):
    path = Path(tmp_path / "california_housing.csv.gz")
    path.write_bytes(damage(module.TABLE.read_bytes()))
    monkeypatch.setattr(module, "TABLE", path)
    message = rf"california_housing\.csv\.gz {message}.*expected 989779 bytes with SHA-256 6d4c229b.*reinstall torchann"
    with pytest.raises(DataFileError, match=message):
        load_california_housing()


def test_waves_of_the_coordinates_follow_the_eight_figures(housing):
    waves = CaliforniaHousingDataModule(periodic_coordinates=2)
    waves.setup()
    x, plain = waves.prepared().test.x.double(), housing.prepared().test.x.double()
    assert waves.in_features == x.shape[1] == 8 + 2 * 4
    assert waves.feature_names == housing.feature_names and torch.equal(waves.splits.test.x, housing.splits.test.x)
    assert torch.equal(x[:, :8], plain)
    # the second frequency is twice the first: pi and pi / 2
    for column, expected in ((8, torch.sin(torch.pi / 2 * plain[:, 6])), (15, torch.cos(torch.pi * plain[:, 7]))):
        torch.testing.assert_close(x[:, column], expected, rtol=0, atol=1e-5)


def test_waves_have_the_bits_that_numpy_gives(housing):
    waves = CaliforniaHousingDataModule(periodic_coordinates=4)
    waves.setup()
    z = (load_california_housing()[0][split_rows()[1]] - waves.feature_mean.numpy()) / waves.feature_std.numpy()
    angles = [np.pi / 2 * 2**k * z[:, 6:] for k in range(4)]
    expected = np.concatenate([z, *(wave(angle) for angle in angles for wave in (np.sin, np.cos))], axis=1)
    np.testing.assert_array_equal(served(waves.val_dataloader()), expected.astype(np.float32))


def test_frequencies_below_zero_are_refused():
    with pytest.raises(ValueError, match="periodic_coordinates is -1; give 0 or a number of frequencies"):
        CaliforniaHousingDataModule(periodic_coordinates=-1)
