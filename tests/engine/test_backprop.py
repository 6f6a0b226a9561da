"""Explicit backpropagation against autograd, torch.optim and a step worked by hand."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torchann.engine.backprop import Backprop
from torchann.nets.functional import ACTIVATIONS
from torchann.nets.heads import classification_objective, regression_objective
from torchann.nets.mlp import ACTIVATIONS as MODULES
from torchann.nets.mlp import MLP

HEADS = {
    "mse": lambda n: regression_objective(n, "mse"),
    "mae": lambda n: regression_objective(n, "mae"),
    "huber": lambda n: regression_objective(n, "huber"),
    "binary": lambda n: classification_objective("binary", 2),
    "multiclass": lambda n: classification_objective("multiclass", n + 1),
    "multilabel": lambda n: classification_objective("multilabel", n),
}


def targets(name, outputs, rows, dtype):
    if name == "multiclass":
        return torch.randint(0, outputs, (rows,))
    if name in ("binary", "multilabel"):
        return torch.randint(0, 2, (rows,) if name == "binary" else (rows, outputs))
    return torch.randn(rows, outputs, dtype=dtype)


def test_activations_are_those_of_the_modules():
    assert list(ACTIVATIONS) == list(MODULES)
    z = torch.linspace(-25, 25, 1001, dtype=torch.float64)
    for name, activation in ACTIVATIONS.items():
        torch.testing.assert_close(activation.function(z), MODULES[name]()(z), rtol=0, atol=0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_agree_with_autograd(name):
    z = torch.linspace(-25, 25, 4002, dtype=torch.float64).requires_grad_()  # 4002: not at the corners
    a = ACTIVATIONS[name].function(z)
    (slope,) = torch.autograd.grad(a.sum(), z)
    torch.testing.assert_close(ACTIVATIONS[name].derivative(z, a).detach(), slope, rtol=0, atol=1e-13)


@settings(max_examples=150, deadline=None)
@given(
    hidden_sizes=st.lists(st.integers(1, 9), max_size=3),
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 12)),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    loss=st.sampled_from(sorted(HEADS)),
    weighted=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_gradients_agree_with_autograd_to_1e_10(hidden_sizes, sizes, activation, loss, weighted, seed):
    torch.manual_seed(seed)
    in_features, outputs, rows = sizes
    objective = HEADS[loss](outputs)
    net = MLP(in_features, hidden_sizes, objective.out_features, activation, bias_init="normal").double()
    x = 2 * torch.randn(rows, in_features, dtype=torch.float64)
    y = targets(loss, objective.out_features, rows, torch.float64)
    weight = torch.rand(rows, dtype=torch.float64) if weighted else None
    losses = objective.losses(net(x), y)
    (losses if weight is None else losses * weight).mean().backward()
    expected = [parameter.grad.clone() for parameter in net.parameters()]
    outputs = Backprop(net, objective.error).gradients(x, y, weight)
    torch.testing.assert_close(outputs, net(x).detach(), rtol=0, atol=1e-10)
    for parameter, gradient in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=0, atol=1e-10)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_descent_agrees_with_sgd_step_for_step(activation, weight_decay):
    torch.manual_seed(0)
    objective = classification_objective("multiclass", 3)
    net = MLP(4, [8, 5], 3, activation)
    twin = copy.deepcopy(net)
    sgd = torch.optim.SGD(twin.parameters(), lr=0.2, weight_decay=weight_decay)
    backprop = Backprop(net, objective.error)
    for _ in range(20):
        x, y = torch.randn(16, 4), torch.randint(0, 3, (16,))
        sgd.zero_grad()
        objective.losses(twin(x), y).mean().backward()
        sgd.step()
        backprop.descend(x, y, lr=0.2, weight_decay=weight_decay)
        for mine, its in zip(net.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(mine, its, rtol=1e-5, atol=1e-6)


def test_descent_is_the_chapters_six_steps_by_hand():
    # One row (1, 2); hidden unit z = 1*1 + 1*2 + 0 = 3, relu 3; output 2*3 + 1 = 7; target 5, squared error 4.
    net = MLP(2, [1], 1, weight_init="ones")
    hidden, output = net.linears()
    output.weight.data[:], output.bias.data[:] = 2, 1
    objective = regression_objective(1)
    before = Backprop(net, objective.error).descend(torch.tensor([[1.0, 2.0]]), torch.tensor([[5.0]]), lr=0.01)
    assert before.item() == 7
    # Output error 2 * (7 - 5) = 4: its weight moves by -0.01 * 4 * 3 = -0.12, its bias by -0.04. The hidden unit
    # contributed 4 * 2 = 8 (the weight before the step): its weights move by -0.08 and -0.16, its bias by -0.08.
    torch.testing.assert_close(output.weight.data, torch.tensor([[1.88]]))
    torch.testing.assert_close(output.bias.data, torch.tensor([0.96]))
    torch.testing.assert_close(hidden.weight.data, torch.tensor([[0.92, 0.84]]))
    torch.testing.assert_close(hidden.bias.data, torch.tensor([-0.08]))


def test_row_weight_counts_a_row_as_often_as_it_says():
    torch.manual_seed(0)
    objective, net = regression_objective(1), MLP(3, [4], 1, "tanh")
    x, y = torch.randn(2, 3), torch.randn(2, 1)
    backprop = Backprop(net, objective.error)
    backprop.gradients(x[[0, 0, 0, 1]], y[[0, 0, 0, 1]])  # mean over 4 rows
    repeated = [parameter.grad.clone() for parameter in net.parameters()]
    backprop.gradients(x, y, torch.tensor([3.0, 1.0]))  # weighted mean over 2
    for parameter, gradient in zip(net.parameters(), repeated, strict=True):
        torch.testing.assert_close(parameter.grad / 2, gradient)
