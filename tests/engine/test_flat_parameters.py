"""A packed net's gradient is autograd's of the same net, and its layout scikit-learn's."""

import pytest
import torch

from torchann.engine.flat_parameters import Packed
from torchann.nets.mlp import ACTIVATIONS, MLP

SIZES = [4, 5, 3, 2]


def filled(**options):
    packed = Packed(SIZES, dtype=torch.float64, **{"activation": "tanh"} | options)
    generator = torch.Generator().manual_seed(0)
    packed.vector.copy_(torch.randn(packed.vector.shape, generator=generator, dtype=torch.float64))
    return packed


def net_of(packed, activation="tanh", norm=None):
    net = MLP(SIZES[0], SIZES[1:-1], SIZES[-1], activation, norm=norm).double()
    for layer, weight, bias in zip(net.linears(), packed.weights, packed.biases, strict=True):
        layer.weight.data.copy_(weight.t())
        layer.bias.data.copy_(bias)
    for layer, parts in zip([m for m in net if hasattr(m, "eps")], packed.norms, strict=True):
        layer.weight.data.copy_(parts["weight"])
        layer.bias.data.copy_(parts["bias"])
    return net


def test_vector_has_all_weights_and_then_all_biases():
    packed = Packed(SIZES, "relu")
    packed.vector.copy_(torch.arange(len(packed.vector)))
    assert packed.weights[0].tolist()[0] == [0, 1, 2, 3, 4] and packed.weights[1][0, 0] == 20
    assert packed.biases[0].tolist() == [41, 42, 43, 44, 45] and packed.num_weights == 4 * 5 + 5 * 3 + 3 * 2


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", [None, "layer", "batch"])
def test_gradient_is_that_of_autograd(activation, norm):
    packed = filled(activation=activation, norm=norm)
    x, error = torch.randn(6, 4).double(), torch.randn(6, 2).double()
    packed.passes.fill(packed.passes.forward(x), error)
    net = net_of(packed, activation, norm)
    (net(x) * error).sum().backward()
    wanted = [layer.weight.grad.t() for layer in net.linears()] + [layer.bias.grad for layer in net.linears()]
    normed = [m for m in net if hasattr(m, "eps")]
    wanted += [getattr(layer, name).grad for name in ("weight", "bias") for layer in normed]
    torch.testing.assert_close(packed.gradient, torch.cat([part.flatten() for part in wanted]))


@pytest.mark.parametrize("norm", [None, "layer", "batch"])
def test_outputs_are_those_of_the_net_in_evaluation(norm):
    packed, x = filled(norm=norm), torch.randn(6, 4).double()
    torch.testing.assert_close(packed.passes.outputs(x), net_of(packed, norm=norm).eval()(x))
