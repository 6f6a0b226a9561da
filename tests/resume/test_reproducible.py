"""The seed alone decides a run, and the caller's generators stay what they were."""

import random

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader, TensorDataset

from tests.resume.killed_run import Rows
from torchann import ClassificationMLP, Trainer


class LoadedRows(Rows):
    """The same rows from torch's own loader, which draws its order from the global generator."""

    def __init__(self, workers: int = 0):
        super().__init__(classes=True)
        self.workers = workers

    def train_dataloader(self):
        rows = TensorDataset(self.x, self.y)
        return DataLoader(rows, 8, shuffle=True, num_workers=self.workers)


class Gambler(Callback):
    """Draws from all generators wherever it can."""

    def draw(self, *_):
        torch.rand(3), np.random.rand(), random.random()

    on_train_start = on_validation_batch_end = on_validation_epoch_end = on_train_epoch_end = draw


def weights(data=None, seed=42, epochs=3, ckpt_path=None, **options):
    trainer = Trainer(max_epochs=epochs, seed=seed, **{"logger": False, "quiet": True, **options})
    model = ClassificationMLP([6], dropout=0.4)
    trainer.fit(model, datamodule=data or Rows(classes=True), ckpt_path=ckpt_path)
    return torch.cat([value.flatten() for value in model.net.state_dict().values()])


@pytest.fixture(scope="module")
def usual():
    return weights()


@pytest.mark.parametrize(
    "options",
    [
        {"quiet": False},
        {"enable_progress_bar": False},
        {"logger": None},
        {"check_val_every_n_epoch": 2},
        {"limit_val_batches": 0},
        {"num_sanity_val_steps": 2},
        {"callbacks": Gambler()},
    ],
    ids=["bar", "no bar", "logger", "half the validations", "no validation", "sanity check", "draws"],
)
def test_run_does_not_depend_on_what_happens_beside_training(options, usual, tmp_path):
    torch.rand(7)  # nor on what was drawn before
    assert torch.equal(weights(runs=str(tmp_path), **options), usual)


def test_validation_within_the_epoch_changes_nothing(usual):
    one_by_one = weights(val_check_interval=0.5, callbacks=Gambler())
    assert torch.equal(one_by_one, weights(val_check_interval=0.25))


def test_other_seed_is_another_run(usual):
    assert not torch.equal(weights(seed=43), usual)


def test_seed_below_0_is_refused():
    with pytest.raises(ValueError, match="seed is -1; give a whole number from 0"):
        Trainer(seed=-1)


def test_generators_of_the_caller_are_left_as_they_were():
    torch.manual_seed(1), np.random.seed(2), random.seed(3)
    wanted = torch.rand(2), np.random.rand(), random.random()
    torch.manual_seed(1), np.random.seed(2), random.seed(3)
    weights()
    found = torch.rand(2), np.random.rand(), random.random()
    assert torch.equal(found[0], wanted[0]) and found[1:] == wanted[1:]


def test_generators_are_left_as_they_were_after_an_error():
    torch.manual_seed(1)
    wanted = torch.rand(2)
    torch.manual_seed(1)
    with pytest.raises(ValueError, match="batch_size"):
        weights(Rows(classes=True, batch_size=0))
    assert torch.equal(torch.rand(2), wanted)


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
def test_number_of_workers_changes_nothing():
    assert torch.equal(weights(LoadedRows()), weights(LoadedRows(workers=2)))


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.parametrize("workers", [0, 1])
def test_torch_loader_goes_on_from_the_end_of_an_epoch(tmp_path, workers):
    whole = weights(LoadedRows(workers), epochs=4)
    weights(LoadedRows(workers), epochs=2, logger=None, runs=str(tmp_path))
    assert torch.equal(weights(LoadedRows(workers), epochs=4, logger=None, runs=str(tmp_path), ckpt_path="last"), whole)
