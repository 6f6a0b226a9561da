import hashlib

import numpy as np
import pytest
import torch

from torchann.data import CaliforniaHousingDataModule, FashionMNISTDataModule, IrisDataModule
from torchann.data.in_memory import InMemoryDataModule, Split, Splits
from torchann.nets.preprocessing import Preprocessing, Standardize


class TenNumbers(InMemoryDataModule):
    """The numbers 0 to 9: six to train on, two to validate, two to test; counts how often it is read."""

    def __init__(self, batch_size=4, seed=42):
        super().__init__(batch_size, seed)
        self.reads = 0

    def read(self):
        self.reads += 1
        self.preprocessing = Preprocessing(Standardize(torch.tensor([5.0]), torch.tensor([0.5])))
        parts = torch.arange(10).split([6, 2, 2])
        return Splits(*(Split(part[:, None], part) for part in parts))


def served(loader):
    return torch.cat([y for _, y in loader]).tolist()


@pytest.fixture
def numbers():
    module = TenNumbers()
    module.setup()
    return module


def test_data_module_reads_once_for_all_stages(numbers):
    train = numbers.splits.train.x
    for stage in ("fit", "validate", "test", "predict", None):
        numbers.setup(stage)
    assert numbers.reads == 1
    assert numbers.splits.train.x is train


def test_data_module_serves_each_split_through_its_loader(numbers):
    assert sorted(served(numbers.train_dataloader())) == [0, 1, 2, 3, 4, 5]
    assert served(numbers.val_dataloader()) == [6, 7]
    assert served(numbers.test_dataloader()) == served(numbers.predict_dataloader()) == [8, 9]


def test_data_module_prepares_the_inputs_of_a_batch_and_not_those_in_memory(numbers):
    ((x, y),) = numbers.test_dataloader()
    assert x.tolist() == [[6], [8]] and y.tolist() == [8, 9]  # (8 - 5) / 0.5, (9 - 5) / 0.5
    assert numbers.splits.test.x.tolist() == [[8], [9]]
    assert numbers.prepared().test.x.tolist() == [[6], [8]]


def test_fingerprint_is_a_sha256_of_the_raw_training_rows(numbers):
    x = y = np.arange(6, dtype="<i8").tobytes()
    text = b"torch.int64 (6, 1)" + x + b"torch.int64 (6,)" + y
    assert numbers.fingerprint == f"sha256:{hashlib.sha256(text).hexdigest()}"
    assert numbers.data_info == {"name": "TenNumbers", "fingerprint": numbers.fingerprint, "rows": 6}


@pytest.mark.parametrize("change", [lambda x: x.flip(0), lambda x: x + 1, lambda x: x.int(), lambda x: x.view(2, 3)])
def test_fingerprint_tells_other_rows_apart(numbers, change):
    other = TenNumbers()
    other.setup()
    train, val, test = other.splits
    other._splits = Splits(Split(change(train.x), train.y), val, test)
    assert other.fingerprint != numbers.fingerprint


def test_fingerprint_does_not_depend_on_how_rows_are_served():
    modules = [CaliforniaHousingDataModule(), CaliforniaHousingDataModule(64, seed=7, periodic_coordinates=2)]
    for module in modules:
        module.setup()
    assert modules[0].fingerprint == modules[1].fingerprint


def test_data_module_shuffles_the_training_rows_by_its_seed(numbers):
    orders = {}
    for seed in (1, 1, 2):
        module = TenNumbers(seed=seed)
        module.setup()
        orders.setdefault(seed, []).append(served(module.train_dataloader()))
    assert orders[1][0] == orders[1][1] != orders[2][0]


def test_data_module_takes_batches_of_the_size_asked_for(numbers):
    assert [len(y) for _, y in numbers.train_dataloader()] == [4, 2]


def test_data_module_makes_a_fresh_loader_at_each_call(numbers):
    assert numbers.train_dataloader() is not numbers.train_dataloader()


def test_data_module_refuses_a_batch_size_of_0():
    module = TenNumbers(batch_size=0)
    module.setup()
    with pytest.raises(ValueError, match="batch_size is 0"):
        module.train_dataloader()


@pytest.mark.parametrize("module", [IrisDataModule, CaliforniaHousingDataModule, FashionMNISTDataModule])
@pytest.mark.parametrize("loader", ["train_dataloader", "val_dataloader", "test_dataloader", "predict_dataloader"])
def test_data_module_asks_for_setup_before_it_serves(module, loader):
    with pytest.raises(RuntimeError, match=rf"{module.__name__} holds no data yet; call setup\(\) first"):
        getattr(module(), loader)()
