"""Nets that do not fit their task: probabilities for logits, outputs of another shape, batches too small."""

import pytest
import torch
from torch import nn

from tests.tasks.doors import CLASSES, LABELS, NAN, TWO, VALUES, X, fit, quiet_trainer, tensor_loader
from torchann import RegressionMLP
from torchann.tasks.net_task import NetTask
from torchann.tasks.outputs import Output


def test_batches_of_one_row_and_batch_normalisation_do_not_go_together():
    for rows in (1, 33):  # the second batch of 33 rows has one
        with pytest.raises(
            ValueError, match="a training batch has 1 row and batch normalisation needs 2; give a batch_size"
        ):
            fit(RegressionMLP([4], 3, 1, norm="batch"), (X[:rows], VALUES[:rows]))
    fit(RegressionMLP([4], 3, 1, norm="layer"), (X[:1], VALUES[:1]))


class Functional(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.layer, self.function = nn.Linear(3, 3), function

    def forward(self, x):
        return self.function(self.layer(x))


@pytest.mark.parametrize("options", [{}, {"gradient_clip_val": 1e9}], ids=["by itself", "by Lightning"])
@pytest.mark.parametrize(
    ("net", "output", "y", "told"),
    [
        (nn.Sequential(nn.Linear(3, 3), nn.Softmax(1)), Output("multiclass", 3), CLASSES, "softmax"),
        (nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()), Output("binary"), TWO, "sigmoid"),
        (nn.Sequential(nn.Linear(3, 3), nn.Sigmoid()), Output("multilabel", 3), LABELS, "sigmoid"),
        (Functional(lambda z: z.softmax(1)), Output("multiclass", 3), CLASSES, "softmax"),
    ],
    ids=["softmax", "sigmoid", "labels", "function"],
)
def test_net_that_ends_in_probabilities_is_refused(net, output, y, told, options):
    with pytest.raises(ValueError, match=f"gives probabilities, of a {told}, where logits are meant; leave out"):
        quiet_trainer(**options).fit(NetTask(net, {"out": output}), tensor_loader(X, y))


def test_regression_may_end_in_a_sigmoid():
    fit(NetTask(nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()), {"out": Output()}), (X, VALUES))


@pytest.mark.parametrize(
    ("units", "output", "y", "told"),
    [
        (
            5,
            Output("multiclass", 3),
            CLASSES,
            r"outputs are \(32, 5\) and the task's \(batch, 3\); give .* out_features=3",
        ),
        (
            3,
            Output("multiclass", 5),
            CLASSES,
            r"outputs are \(32, 3\) and the task's \(batch, 5\); give .* out_features=5",
        ),
        (2, Output("binary"), TWO, r"outputs are \(32, 2\) and the task's \(batch, 1\)"),
        (2, Output(), VALUES, r"outputs are \(32, 2\) and the task's \(batch, 1\)"),
    ],
)
def test_net_whose_outputs_are_not_the_task_s_is_refused(units, output, y, told):
    with pytest.raises(ValueError, match=told):
        fit(NetTask(nn.Linear(3, units), {"out": output}), (X, y))


@pytest.mark.parametrize(("output", "y"), [(Output(), VALUES), (Output("binary"), TWO)], ids=["regression", "binary"])
def test_net_whose_outputs_are_flat_is_refused_with_the_way_out(output, y):
    net = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0))
    with pytest.raises(ValueError, match=r"outputs are \(32,\) and the task's \(batch, 1\); leave .*: unsqueeze\(1\)"):
        fit(NetTask(net, {"out": output}), (X, y))


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"size": 0}, "size is 0; give the values per row, classes or labels, at least 1"),
        ({"weight": -1.0}, "weight is -1.0; give a finite number, 0 or more"),
        ({"weight": NAN}, "weight is nan; give a finite number, 0 or more"),
    ],
)
def test_output_of_senseless_numbers_is_refused(knobs, told):
    with pytest.raises(ValueError, match=told):
        Output(**knobs)


@pytest.mark.parametrize("columns", [[2], [-1], [], [0, 5]])
@pytest.mark.parametrize("task", ["regression", "binary"])
def test_target_columns_that_are_not_there_are_refused(columns, task):
    output = Output(task, columns=columns)
    for y in (torch.zeros(70, 2), torch.zeros(70)):
        with pytest.raises(ValueError, match=r"columns is \[.*\] and the targets are \(70,.*; name columns there are"):
            fit(NetTask(nn.Linear(3, 1), {"out": output}), (X, y))
