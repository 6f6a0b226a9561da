"""Bad inputs at each door: what was there, what was wanted and what to do, before a net learns from it."""

import pytest
import torch
from torch import nn

from tests.tasks.doors import (
    INF,
    LOADERS,
    NAN,
    TASKS,
    VALUES,
    Data,
    X,
    batch_by_batch,
    data_loader,
    fit,
    quiet_trainer,
    tensor_loader,
    weights,
    with_value,
)
from torchann import RegressionMLP
from torchann.engine.rows.loader import TensorLoader
from torchann.tasks.data_check import DataCheck
from torchann.tasks.net_task import NetTask
from torchann.tasks.outputs import Output


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("name", TASKS)
def test_good_rows_are_trained_on(name, loader):
    make, y = TASKS[name]
    figures = fit(make(), (X, y), loader=loader).callback_metrics
    assert figures["train_loss"].isfinite() and figures["val_loss"].isfinite()


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("name", TASKS)
def test_input_that_is_not_finite_is_refused_before_it_is_learnt_from(name, value, loader):
    make, y = TASKS[name]
    task = make()
    before = weights(task)
    told = rf"training inputs have {value:g} in row 5, column 'width'; drop such rows \(1 in all\) or fill the gaps"
    with pytest.raises(ValueError, match=told):
        fit(task, (with_value(X, value, 5, 1), y), loader=loader)
    assert torch.equal(weights(task), before)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("name", TASKS)
def test_validation_input_that_is_not_finite_is_refused(name, loader):
    make, y = TASKS[name]
    with pytest.raises(ValueError, match=r"validation inputs have nan in row \d+, column 'height'"):
        fit(make(), (X, y), (with_value(X, NAN, 50, 2), y), loader)


@pytest.mark.parametrize("stage", ["validate", "test", "predict"])
@pytest.mark.parametrize("loader", LOADERS)
def test_rows_that_are_not_finite_never_become_a_figure(stage, loader):
    task, data = RegressionMLP([4], 3, 1), Data(loader, (X, VALUES), (with_value(X, NAN, 50, 2), VALUES))
    what = {"validate": "validation", "test": "test", "predict": "prediction"}[stage]
    with pytest.raises(ValueError, match=rf"{what} inputs have nan in row \d+, column 'height'"):
        getattr(quiet_trainer(), stage)(task, datamodule=data)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("part", ["training", "validation"])
def test_target_that_is_not_finite_is_refused(name, part, loader):
    make, y = TASKS[name]
    bad = X, with_value(y, NAN, 7)
    with pytest.raises(ValueError, match=rf"{part} targets have nan in row 7[;,]"):
        fit(make(), bad if part == "training" else (X, y), bad if part == "validation" else (X, y), loader)


def test_fault_in_a_later_block_is_found_before_the_first_step():
    task = RegressionMLP([4], 3, 1)
    before = weights(task)
    loader = TensorLoader(torch.randn(5000, 3), with_value(torch.zeros(5000), INF, 4999), 8)
    with pytest.raises(ValueError, match="training targets have inf in row 4999;"):
        quiet_trainer().fit(task, loader)
    assert torch.equal(weights(task), before)


def test_inputs_are_looked_at_as_the_loader_prepares_them():
    filled = TensorLoader(with_value(X, NAN, 5, 1), VALUES, 32, prepare=torch.nan_to_num)
    quiet_trainer().fit(RegressionMLP([4], 3, 1), filled)
    roots = TensorLoader(with_value(X.abs(), -1.0, 5, 1), VALUES, 32, prepare=torch.sqrt)
    with pytest.raises(ValueError, match="training inputs have nan in row 5, column 1;"):
        quiet_trainer().fit(RegressionMLP([4], 3, 1), roots)


def test_row_is_named_also_where_many_are_prepared_in_parts(monkeypatch):
    monkeypatch.setattr("torchann.tasks.data_check.VALUES_AT_ONCE", 30)  # 10 rows
    loader = TensorLoader(with_value(X, NAN, 57, 1), VALUES, 32, prepare=torch.neg)
    with pytest.raises(ValueError, match="training inputs have nan in row 57, column 1;"):
        quiet_trainer().fit(RegressionMLP([4], 3, 1), loader)


def test_batches_that_a_hook_changes_are_looked_at_afterwards():
    class Filled(Data):
        def on_after_batch_transfer(self, batch, dataloader_idx):
            return torch.nan_to_num(batch[0]), batch[1]

    rows = with_value(X, NAN, 5, 1), VALUES
    quiet_trainer().fit(RegressionMLP([4], 3, 1), datamodule=Filled(data_loader, rows, rows))


def test_number_that_is_too_large_for_the_net_is_refused():
    with pytest.raises(
        ValueError, match=r"training inputs have 1e\+39 in row 2, column 'length', more than torch.float32"
    ):
        fit(RegressionMLP([4], 3, 1), (X.double().index_fill(0, torch.tensor([2]), 1e39), VALUES))


WIDTHS = {
    "too many columns": (
        torch.ones(70, 4),
        r"\(\d+, 4\) have 4 numbers per row and in_features is 3; give \(rows, 3\)",
    ),
    "too few columns": (torch.ones(70, 2), r"\(\d+, 2\) have 2 numbers per row and in_features is 3"),
    "one column": (torch.ones(70), r"\(\d+,\) have 1 number per row and in_features is 3; .* are x and y swapped\?"),
}


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("case", WIDTHS)
@pytest.mark.parametrize("name", [name for name in TASKS if "own" not in name])
def test_rows_of_another_width_are_refused(name, case, loader):
    (make, y), (x, told) = TASKS[name], WIDTHS[case]
    with pytest.raises(ValueError, match=f"training inputs {told}"):
        fit(make(), (x, y), loader=loader)
    with pytest.raises(ValueError, match=f"validation inputs {told}"):
        fit(make(), (X, y), (x, y), loader)


@pytest.mark.parametrize("name", ["own net", "own classifier"])
def test_own_net_says_which_inputs_it_does_not_take(name):
    make, y = TASKS[name]
    with pytest.raises(
        ValueError, match=r"Sequential does not take inputs \(32, 4\): mat1 and mat2 .*; give rows of the width"
    ):
        fit(make(), (torch.ones(70, 4), y))


def test_own_net_with_inputs_by_name_says_which_it_does_not_take():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(1, 1), nn.Linear(2, 1)

        def forward(self, a, b):
            return self.a(a) + self.b(b)

    task = NetTask(Two(), {"out": Output()})
    with pytest.raises(ValueError, match=r"Two does not take inputs a \(32, 1\), b \(32, 3\): mat1 and mat2"):
        quiet_trainer().fit(task, TensorLoader({"a": X[:, :1], "b": X}, VALUES, 32))
    with pytest.raises(ValueError, match="training inputs 'b' have nan in row 5, column 1;"):
        quiet_trainer().fit(task, TensorLoader({"a": X[:, :1], "b": with_value(X, NAN, 5, 1)}, VALUES, 32))
    with pytest.raises(ValueError, match="training targets 'out' have inf in row 7;"):
        quiet_trainer().fit(task, TensorLoader({"a": X[:, :1], "b": X}, {"out": with_value(VALUES, INF, 7)}, 32))
    named = NetTask(Two(), {"out": Output()}, inputs={"a": [0], "b": [2, 3]})
    with pytest.raises(ValueError, match=r"inputs names the columns .* and there are \(32, 3\); give all of them"):
        quiet_trainer().fit(named, TensorLoader(X, VALUES, 32))


@pytest.mark.parametrize("name", TASKS)
def test_inputs_and_targets_that_are_not_real_are_refused(name):
    make, y = TASKS[name]
    with pytest.raises(TypeError, match="are torch.complex64; give real numbers"):
        fit(make(), (X.to(torch.complex64), y), loader=data_loader)
    with pytest.raises(TypeError, match="training targets are torch.complex64; give real numbers"):
        fit(make(), (X, y.to(torch.complex64)), loader=data_loader)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
@pytest.mark.parametrize("name", [name for name in TASKS if name != "perceptron"])
def test_inputs_that_are_no_floats_are_refused(name, dtype):
    make, y = TASKS[name]
    with pytest.raises(TypeError, match=f"inputs are {dtype}; scale them to floats as in training"):
        fit(make(), (X.to(dtype), y))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", TASKS)
def test_floats_of_any_size_are_taken(name, dtype):
    make, y = TASKS[name]
    assert fit(make(), (X.to(dtype), y)).callback_metrics["val_loss"].isfinite()


def test_constant_column_is_trained_on():
    constant = X.clone()
    constant[:, 1] = 7.0
    for name, (make, y) in TASKS.items():
        assert fit(make(), (constant, y)).callback_metrics["val_loss"].isfinite(), name


def test_rows_are_looked_at_once_and_batches_in_the_first_epoch(monkeypatch):
    looks = []
    monkeypatch.setattr(
        "torchann.tasks.data_check.check_finite", lambda part, what, *rest: looks.append((what, len(part)))
    )
    for loader, wanted in ((tensor_loader, [70]), (batch_by_batch, [32, 32, 6])):
        looks.clear()
        quiet_trainer(max_epochs=3).fit(RegressionMLP([4], 3, 1), loader(X, VALUES), loader(X, VALUES))
        for what in ("training inputs", "training targets", "validation inputs", "validation targets"):
            assert [rows for told, rows in looks if told == what] == wanted


def test_second_fit_looks_again():
    trainer, task, rows = quiet_trainer(), RegressionMLP([4], 3, 1), X.clone()
    loader = tensor_loader(rows, VALUES)
    trainer.fit(task, loader)
    rows[5, 1] = NAN
    trainer.fit_loop.max_epochs = 2
    with pytest.raises(ValueError, match="training inputs have nan in row 5, column 1;"):
        trainer.fit(task, loader)
    assert sum(isinstance(callback, DataCheck) for callback in trainer.callbacks) == 1
