"""Loaders that are empty, or bring no pairs of rows that go together."""

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from tests.tasks.doors import TASKS, VALUES, Data, X, data_loader, fit, quiet_trainer, tensor_loader
from torchann import RegressionMLP
from torchann.engine.rows.loader import TensorLoader


def test_stored_loader_of_numpy_rows_or_odd_sizes_is_refused():
    with pytest.raises(TypeError, match="inputs x are a ndarray; give a tensor, as torch.as_tensor makes one"):
        TensorLoader(X.numpy(), VALUES)
    with pytest.raises(TypeError, match="targets y are a list"):
        TensorLoader(X, VALUES.tolist())
    for size in (0, -1, 1.5, "32", None):
        with pytest.raises(ValueError, match=f"batch_size is {size}; give a whole number of rows, at least 1"):
            TensorLoader(X, VALUES, size)
    with pytest.raises(ValueError, match="steps_per_execution is 1.5; give a whole number, at least 1"):
        TensorLoader(X, VALUES, steps_per_execution=1.5)
    with pytest.raises(ValueError, match="x has 60 rows and y 70; give both the same number, at least one"):
        TensorLoader(X[:60], VALUES)


@pytest.mark.parametrize("name", TASKS)
def test_empty_set_is_refused(name):
    make, y = TASKS[name]
    none = X[:0], y[:0]
    with (
        pytest.warns(UserWarning, match="is zero"),
        pytest.raises(ValueError, match="the training loader is empty; give it at least one row, or leave it out"),
    ):
        fit(make(), none, (X, y), data_loader)
    with (
        pytest.warns(UserWarning, match="is zero"),
        pytest.raises(ValueError, match="the validation loader is empty; give it at least one row, or leave it out"),
    ):
        fit(make(), (X, y), none, data_loader)


@pytest.mark.parametrize(("stage", "what"), [("validate", "validation"), ("test", "test"), ("predict", "prediction")])
def test_empty_set_gives_no_figures(stage, what):
    data = Data(data_loader, (X, VALUES), (X[:0], VALUES[:0]))
    with (
        pytest.warns(UserWarning, match="is zero"),
        pytest.raises(ValueError, match=f"the {what} loader is empty; give it at least one row"),
    ):
        getattr(quiet_trainer(), stage)(RegressionMLP([4], 3, 1), datamodule=data)


def test_batch_that_the_rows_do_not_fill_is_refused_where_it_is_dropped():
    task, dropped = RegressionMLP([4], 3, 1), DataLoader(TensorDataset(X, VALUES), 100, drop_last=True)
    told = "the training loader has 70 rows, fewer than its batch_size=100, and drop_last; give it"
    with pytest.warns(UserWarning, match="is zero"), pytest.raises(ValueError, match=told):
        quiet_trainer().fit(task, dropped)
    quiet_trainer().fit(task, DataLoader(TensorDataset(X, VALUES), 100))


def test_stage_that_was_not_asked_for_may_be_empty():
    task, loader = RegressionMLP([4], 3, 1), tensor_loader(X, VALUES)
    quiet_trainer(limit_val_batches=0).fit(task, loader, loader)
    quiet_trainer().fit(task, loader)


@pytest.mark.parametrize(
    ("batches", "told"),
    [
        ([torch.ones(2, 3)], "a training batch is a Tensor; give pairs"),
        ([(torch.ones(2, 3),)], "a training batch is a (tuple|list) of 1; give pairs"),
        ([(torch.ones(2, 3), torch.ones(2), torch.ones(2))], "a training batch is a (tuple|list) of 3; give pairs"),
        ([{"x": torch.ones(2, 3), "y": torch.ones(2)}], "a training batch is a dict of 2; give pairs"),
    ],
    ids=["inputs alone", "one", "three", "by name"],
)
def test_batch_that_is_no_pair_is_refused(batches, told):
    with pytest.raises(ValueError, match=rf"{told} \(x, y\)"):
        quiet_trainer().fit(RegressionMLP([4], 3, 1), DataLoader(batches, batch_size=None))
