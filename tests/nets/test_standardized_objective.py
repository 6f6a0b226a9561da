"""Regression heads that speak in the targets' unit while the net speaks in standard deviations."""

import pytest
import torch

from torchann.nets.heads import regression_objective
from torchann.nets.standardized_objective import standardized_objective

Z = torch.tensor([[0.0, 1.0], [-1.0, 2.0]])
Y = torch.tensor([[10.0, 400.0], [14.0, 100.0]])


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_loss_and_error_are_those_of_standardised_targets(loss):
    plain = regression_objective(2, loss)
    objective = standardized_objective(plain, [10.0, 200.0], [2.0, 100.0])
    scaled = torch.tensor([[0.0, 2.0], [2.0, -1.0]])  # (10 - 10) / 2, (400 - 200) / 100 and so on
    assert torch.equal(objective.losses(Z, Y), plain.losses(Z, scaled))
    assert torch.equal(objective.error(Z, Y), plain.error(Z, scaled))
    assert objective.activation(Z).tolist() == [[10.0, 300.0], [8.0, 400.0]]


def test_head_computes_in_the_dtype_of_its_inputs():
    objective = standardized_objective(regression_objective(2), [0.1, 0.2], [3.0, 7.0])
    for dtype in (torch.float32, torch.float64):
        assert objective.activation(Z.to(dtype)).dtype == objective.losses(Z.to(dtype), Y.to(dtype)).dtype == dtype


def test_targets_of_another_shape_are_refused_before_they_broadcast():
    objective = standardized_objective(regression_objective(2), [0.0, 0.0], [1.0, 1.0])
    for function in (objective.losses, objective.error):
        with pytest.raises(ValueError, match=r"predictions \(2, 2\) and targets \(2,\) must have the same shape"):
            function(Z, Y[:, 0])


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ([0.0], [1.0]),
        ([0.0, 0.0], [1.0]),
        ([0.0, 0.0], [1.0, 0.0]),
        ([0.0, torch.nan], [1.0, 1.0]),
        ([0.0, "1"], [1.0, 1]),
    ],
)
def test_numbers_that_do_not_fit_the_outputs_are_refused(mean, std):
    with pytest.raises(ValueError, match="target_mean is .* and target_std .*; give 2 finite numbers each"):
        standardized_objective(regression_objective(2), mean, std)
