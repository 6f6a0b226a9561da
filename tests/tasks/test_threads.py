"""Threads are chosen by the shapes of the products, and given back."""

import lightning.pytorch as pl
import pytest
import torch

import torchann
from torchann.tasks.threads import Threads


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


class Watch(pl.Callback):
    def on_train_start(self, trainer, module):
        self.seen = torch.get_num_threads()


class Break(pl.Callback):
    def on_train_batch_end(self, *_):
        raise ZeroDivisionError


def fit(*callbacks):
    trainer = torchann.Trainer(max_epochs=1, logger=False, quiet=True, callbacks=list(callbacks))
    trainer.fit(torchann.RegressionMLP([30]), datamodule=torchann.CaliforniaHousingDataModule())


def test_fit_of_a_net_that_is_no_mlp_keeps_the_callers_threads(two_threads):
    watch, net = Watch(), torch.nn.Linear(8, 1)
    task = torchann.NetTask(net, outputs={"price": torchann.Output()})
    trainer = torchann.Trainer(max_epochs=1, logger=False, quiet=True, callbacks=[watch])
    trainer.fit(task, datamodule=torchann.CaliforniaHousingDataModule())
    assert watch.seen == 2


def test_fit_chooses_and_gives_back(two_threads):
    watch = Watch()
    fit(watch)
    assert (watch.seen, torch.get_num_threads()) == (1, 2)


def test_own_choice_stands(two_threads):
    watch = Watch()
    fit(watch, Threads(2))
    assert watch.seen == 2


def test_fit_that_fails_gives_back(two_threads):
    with pytest.raises(ZeroDivisionError):
        fit(Break())
    assert torch.get_num_threads() == 2
