"""Explicit backpropagation through embeddings agrees with autograd, and torch's optimisers."""

import copy

import pytest
import torch

from torchann.engine.embedded import EmbeddedBackprop
from torchann.nets.embedded_mlp import EmbeddedMLP


def made(activation="tanh", hidden=(5,)):
    torch.manual_seed(0)
    net = EmbeddedMLP(4, [[6, 3], [2, 1]], list(hidden), 2, activation).double()
    x = torch.cat([torch.randn(16, 2), torch.randint(0, 6, (16, 1)), torch.randint(0, 2, (16, 1))], 1).double()
    return net, x, torch.randn(16, 2).double()


def error(y_hat, y):  # of the mean over a row's two values of the squared error
    return y_hat - y


def loss(net, x, y, weight=None):
    losses = ((net(x) - y) ** 2).mean(1)
    return (losses if weight is None else losses * weight).mean()


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)])
@pytest.mark.parametrize("weight", [None, torch.linspace(0, 2, 16).double()], ids=["equal", "weighted"])
def test_gradients_are_those_of_autograd(hidden, weight):
    net, x, y = made(hidden=hidden)
    wanted = torch.autograd.grad(loss(net, x, y, weight), list(net.parameters()))
    backprop = EmbeddedBackprop(net, error)
    outputs = backprop.gradients(backprop.prepare(x), y, weight)
    torch.testing.assert_close(outputs, net(x).detach())
    for parameter, grad in zip(net.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, grad)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_steps_are_those_of_sgd(decay):
    net, x, y = made()
    other = copy.deepcopy(net)
    sgd, backprop = torch.optim.SGD(other.parameters(), lr=0.1, weight_decay=decay), EmbeddedBackprop(net, error)
    prepared = backprop.prepare(x)
    for _ in range(3):
        outputs = backprop.descend(prepared, y, 0.1, decay)
        torch.testing.assert_close(outputs, other(x).detach())
        sgd.zero_grad()
        loss(other, x, y).backward()
        sgd.step()
    for ours, theirs in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_vectors_of_categories_that_are_not_in_the_batch_stay():
    net, x, y = made()
    x[:, 2] = 3
    before = net.tables[0].weight.detach().clone()
    backprop = EmbeddedBackprop(net, error)
    backprop.descend(backprop.prepare(x), y, 0.1)
    moved = (net.tables[0].weight.detach() != before).any(1)
    assert moved.tolist() == [False, False, False, True, False, False]
