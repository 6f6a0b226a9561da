"""Predictions and fits in several threads at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

import torchann


def data():
    rng = np.random.default_rng(0)
    rows = {"x": rng.normal(size=200), "z": rng.normal(size=200), "y": rng.normal(size=200)}
    return torchann.TabularDataModule(rows, "y", batch_size=32)


def fitted(runs, name):
    task = torchann.RegressionMLP([20], dropout=0.5, optimizer="adam")
    torchann.Trainer(runs=runs, name=name, max_epochs=3, quiet=True).fit(task, datamodule=data())
    return torch.cat([part.detach().flatten() for part in task.parameters()])


def test_threads_that_predict_with_a_model_that_was_just_fitted_agree(tmp_path):
    task = torchann.RegressionMLP([20], dropout=0.5)
    torchann.Trainer(runs=tmp_path, max_epochs=1, quiet=True).fit(task, datamodule=data())
    task.train()
    rows = [[float(i), 1.0] for i in range(64)]
    wanted, start = task.predict(rows), threading.Barrier(8)

    def predict(_):
        start.wait()
        return [torch.equal(task.predict(rows), wanted) for _ in range(100)]

    with ThreadPoolExecutor(8) as pool:
        assert all(same for found in pool.map(predict, range(8)) for same in found)
    assert all(part.training for part in task.net.modules())


def test_fits_in_threads_give_their_bits_and_leave_the_callers_generators(tmp_path):
    wanted = fitted(tmp_path, "alone")
    torch.manual_seed(7)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda name: fitted(tmp_path, name), "abc"))
    assert all(torch.equal(each, wanted) for each in found)
    assert torch.equal(torch.get_rng_state(), before[0]) and np.random.get_state()[1].tolist() == before[1]
