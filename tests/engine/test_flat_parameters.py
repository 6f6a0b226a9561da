"""A packed net's gradient is autograd's of the same net, and its layout scikit-learn's."""

import pytest
import torch

from torchann.engine.flat_parameters import FlatParameters
from torchann.nets.mlp import ACTIVATIONS, MLP

SIZES = [4, 5, 3, 2]


def filled(**options):
    flat = FlatParameters(SIZES, dtype=torch.float64, **{"activation": "tanh"} | options)
    generator = torch.Generator().manual_seed(0)
    flat.vector.copy_(torch.randn(flat.vector.shape, generator=generator, dtype=torch.float64))
    return flat


def net_of(flat, activation="tanh", norm=None):
    net = MLP(SIZES[0], SIZES[1:-1], SIZES[-1], activation, norm=norm).double()
    for layer, weight, bias in zip(net.linears(), flat.weights, flat.biases, strict=True):
        layer.weight.data.copy_(weight.t())
        layer.bias.data.copy_(bias)
    for layer, parts in zip([m for m in net if hasattr(m, "eps")], flat.norms, strict=True):
        layer.weight.data.copy_(parts["weight"])
        layer.bias.data.copy_(parts["bias"])
    return net


def test_vector_has_all_weights_and_then_all_biases():
    flat = FlatParameters(SIZES, "relu")
    flat.vector.copy_(torch.arange(len(flat.vector)))
    assert flat.weights[0].tolist()[0] == [0, 1, 2, 3, 4] and flat.weights[1][0, 0] == 20
    assert flat.biases[0].tolist() == [41, 42, 43, 44, 45] and flat.num_weights == 4 * 5 + 5 * 3 + 3 * 2


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", [None, "layer", "batch"])
def test_gradient_is_that_of_autograd(activation, norm):
    flat = filled(activation=activation, norm=norm)
    x, error = torch.randn(6, 4).double(), torch.randn(6, 2).double()
    flat.passes.fill(flat.passes.forward(x), error)
    net = net_of(flat, activation, norm)
    (net(x) * error).sum().backward()
    wanted = [layer.weight.grad.t() for layer in net.linears()] + [layer.bias.grad for layer in net.linears()]
    normed = [m for m in net if hasattr(m, "eps")]
    wanted += [getattr(layer, name).grad for name in ("weight", "bias") for layer in normed]
    torch.testing.assert_close(flat.gradient, torch.cat([part.flatten() for part in wanted]))


@pytest.mark.parametrize("norm", [None, "layer", "batch"])
def test_outputs_are_those_of_the_net_in_evaluation(norm):
    flat, x = filled(norm=norm), torch.randn(6, 4).double()
    torch.testing.assert_close(flat.passes.outputs(x), net_of(flat, norm=norm).eval()(x))
