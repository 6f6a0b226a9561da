"""Explicit backpropagation through Wide & Deep nets agrees with autograd, in float64, whatever the shape."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torchann.engine.wide_deep import WideDeepBackprop
from torchann.nets.functional import ACTIVATIONS
from torchann.nets.heads import regression_objective
from torchann.nets.wide_deep import WideDeep


@st.composite
def cases(draw):
    features = draw(st.integers(1, 6))
    columns = st.one_of(st.none(), st.lists(st.integers(0, features - 1), min_size=1, max_size=4))
    shape = {
        "in_features": features,
        "hidden_sizes": draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)),
        "out_features": draw(st.integers(1, 3)),
        "wide_features": draw(columns),
        "deep_features": draw(columns),
        "aux": draw(st.booleans()),
        "activation": draw(st.sampled_from(sorted(ACTIVATIONS))),
        "weight_init": None,
    }
    return shape, draw(st.sampled_from(["mse", "huber"])), draw(st.floats(0, 1)), draw(st.integers(1, 9))


def prepared(shape, loss, aux_weight, rows):
    torch.manual_seed(0)
    net = WideDeep(**shape).double()
    objective, names = regression_objective(shape["out_features"], loss), ["main", "aux"][: 1 + shape["aux"]]
    weights = {"main": 1 - aux_weight, "aux": aux_weight}
    backprop = WideDeepBackprop(net, dict.fromkeys(names, objective.error), weights)
    x = torch.randn(rows, shape["in_features"], dtype=torch.float64)
    y = {name: torch.randn(rows, shape["out_features"], dtype=torch.float64) for name in names}
    outputs = net(x)
    outputs = dict(zip(names, outputs if shape["aux"] else [outputs], strict=True))
    total = sum(weights[name] * objective.losses(outputs[name], y[name]).mean() for name in names)
    gradients = torch.autograd.grad(total, list(net.parameters()), allow_unused=True)
    return net, backprop, x, y, outputs, gradients


@settings(deadline=None, max_examples=150)
@given(cases())
def test_gradients_equal_those_of_autograd(case):
    net, backprop, x, y, outputs, expected = prepared(*case)
    with torch.no_grad():
        given_back = backprop.gradients(backprop.prepare(x), y)
    for name, values in outputs.items():
        torch.testing.assert_close(given_back[name], values, rtol=1e-10, atol=1e-10)
    for parameter, gradient in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-10, atol=1e-10)


@settings(deadline=None, max_examples=50)
@given(cases(), st.floats(0, 0.5))
def test_descent_is_torch_sgd(case, weight_decay):
    net, backprop, x, y, _, expected = prepared(*case)
    before = [parameter.detach().clone() for parameter in net.parameters()]
    with torch.no_grad():
        backprop.descend(backprop.prepare(x), y, 0.1, weight_decay)
    for parameter, old, gradient in zip(net.parameters(), before, expected, strict=True):
        torch.testing.assert_close(parameter.data, old - 0.1 * (gradient + weight_decay * old), rtol=1e-10, atol=1e-10)


def test_paths_are_taken_from_any_dtype():
    net = WideDeep(3, [2], wide_features=[2, 0], deep_features=[1])
    backprop = WideDeepBackprop(net, {"main": torch.sub}, {"main": 1.0})
    paths = backprop.prepare(torch.tensor([[1, 2, 3]]))
    assert paths["wide"].tolist() == [[3.0, 1.0]] and paths["deep"].tolist() == [[2.0]]
    assert paths["deep"].dtype == torch.float32


@pytest.mark.parametrize("aux", [False, True])
def test_number_of_outputs_is_that_of_the_net(aux):
    net = WideDeep(3, [2], aux=aux)
    backprop = WideDeepBackprop(net, {"main": torch.sub, "aux": torch.sub}, {"main": 0.5, "aux": 0.5})
    y = {"main": torch.zeros(1, 1), "aux": torch.zeros(1, 1)}
    with torch.no_grad():
        assert list(backprop.gradients(backprop.prepare(torch.zeros(1, 3)), y)) == ["main", "aux"][: 1 + aux]
