import math

import pytest
import torch
from torch import nn

from torchann.nets.initializers import SCHEMES
from torchann.nets.mlp import ACTIVATIONS, MLP, activation_module

NEEDED = {"constant": {"val": 0.5}, "sparse": {"sparsity": 0.25}}


def num_parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_mlp_has_the_books_number_of_parameters():
    # 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10 = 266,610 (10.2.2); 8 * 30 + 30 + 30 * 1 + 1 = 301 (10.2.3)
    assert num_parameters(MLP(784, [300, 100], 10)) == 266_610
    assert num_parameters(MLP(8, [30], 1)) == 301


def test_mlp_flattens_images_and_returns_a_row_of_outputs_for_each():
    net = MLP(28 * 28, [20], 10)
    images = torch.rand(3, 28, 28)
    assert net(images).shape == (3, 10)
    assert torch.equal(net(images), net(images.reshape(3, 1, 28, 28)))
    assert net(torch.rand(0, 784)).shape == (0, 10)


def test_mlp_is_matrix_products_with_an_activation_after_each_but_the_last():
    net = MLP(3, [5, 4], 2, activation="tanh")
    x = torch.rand(6, 3)
    first, second, last = net.linears()
    hidden = torch.tanh(torch.tanh(x @ first.weight.T + first.bias) @ second.weight.T + second.bias)
    torch.testing.assert_close(net(x), hidden @ last.weight.T + last.bias)


def test_mlp_without_hidden_layers_is_a_linear_model():
    net = MLP(4, [], 2)
    assert num_parameters(net) == 4 * 2 + 2
    x, y = torch.rand(2, 5, 4)
    torch.testing.assert_close(net(x + y), net(x) + net(y))  # additive, as the biases are zero


def test_linear_layers_come_in_order_and_hold_the_weights_that_train():
    net = MLP(7, [6, 5], 4)
    linears = [module for module in net.modules() if isinstance(module, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linears] == [(7, 6), (6, 5), (5, 4)]
    assert linears == net.linears()
    assert [p for layer in linears for p in layer.parameters()] == list(net.parameters())


def test_default_weights_are_glorot_uniform_and_biases_zero():
    for layer in MLP(784, [300, 100], 10).linears():
        # Keras' documentation: uniform within sqrt(6 / (fan_in + fan_out)), whose variance is bound**2 / 3
        bound = math.sqrt(6 / (layer.in_features + layer.out_features))
        assert bound * 0.98 < layer.weight.abs().max() <= bound
        count = layer.weight.numel()
        assert layer.weight.var().item() == pytest.approx(bound**2 / 3, rel=5 / math.sqrt(count))
        assert layer.weight.mean().item() == pytest.approx(0, abs=5 * bound / math.sqrt(3 * count))
        assert not layer.bias.any()


@pytest.mark.parametrize("name", sorted(set(SCHEMES) - {"dirac"}))  # dirac is for convolutions
def test_every_scheme_for_matrices_fills_the_weights(name):
    options = NEEDED.get(name, {})
    torch.manual_seed(1)
    net = MLP(6, [5], 4, weight_init=name, weight_init_options=options)
    torch.manual_seed(1)
    expected = [nn.Linear(6, 5), nn.Linear(5, 4)]
    for layer in expected:
        getattr(nn.init, f"{name}_")(layer.weight, **options)
    assert all(torch.equal(a.weight, b.weight) for a, b in zip(net.linears(), expected, strict=True))


def test_bias_init_fills_the_biases():
    assert all((layer.bias == 1).all() for layer in MLP(3, [4], 2, bias_init="ones").linears())


def test_same_seed_gives_the_same_weights():
    nets = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        nets.append(MLP(3, [4], 2))
    assert torch.equal(nets[0][1].weight, nets[1][1].weight)
    assert not torch.equal(nets[0][1].weight, nets[2][1].weight)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_torchs_function_of_that_name(name):
    x = torch.linspace(-4, 4, 9)
    function = {"identity": lambda x: x, "tanh": torch.tanh, "sigmoid": torch.sigmoid}.get(name)
    function = function or getattr(nn.functional, name)
    torch.testing.assert_close(activation_module(name)(x), function(x))


def test_mistyped_activation_is_refused_with_the_one_that_was_meant():
    with pytest.raises(ValueError, match="no activation 'rellu'; did you mean 'relu'"):
        MLP(3, [4], 2, activation="rellu")


def test_activation_like_no_other_is_refused_with_all_names():
    with pytest.raises(ValueError, match="no activation 'xyz'; choose one of relu, tanh, .*identity"):
        activation_module("xyz")


@pytest.mark.parametrize("sizes", [(0, [3], 1), (2, [3, 0], 1), (2, [], -1)])
def test_size_below_one_is_refused_with_all_sizes(sizes):
    told = str([sizes[0], *sizes[1], sizes[2]]).replace("[", r"\[").replace("]", r"\]")
    with pytest.raises(ValueError, match=f"layer sizes {told}: each must be at least 1"):
        MLP(*sizes)


def test_mlp_refuses_rows_of_another_width():
    with pytest.raises(ValueError, match=r"shape \(2, 3, 3\) have 9 numbers per row.*in_features=8"):
        MLP(8, [3], 1)(torch.zeros(2, 3, 3))


def test_mlp_refuses_inputs_that_are_no_rows():
    with pytest.raises(ValueError, match=r"inputs of shape \(5,\).*in_features=1"):
        MLP(1, [3], 1)(torch.zeros(5))


@pytest.mark.parametrize(("norm", "kind"), [("batch", nn.BatchNorm1d), ("layer", nn.LayerNorm)])
def test_normalisation_and_dropout_come_around_each_hidden_activation(norm, kind):
    net = MLP(4, [3, 2], 1, norm=norm, dropout=0.5)
    hidden = [nn.Linear, kind, nn.ReLU, nn.Dropout]
    assert [type(layer) for layer in net] == [nn.Flatten, *hidden, *hidden, nn.Linear]
    assert num_parameters(net) == num_parameters(MLP(4, [3, 2], 1)) + 2 * (3 + 2)


def test_dropout_is_off_outside_training():
    net, x = MLP(4, [100], 1, dropout=0.5), torch.randn(1, 4)
    assert net(x).item() != net(x).item()
    net.eval()
    assert net(x).item() == net(x).item()


def test_unknown_normalisation_is_refused():
    with pytest.raises(ValueError, match="there is no norm 'bacth'; choose batch or layer"):
        MLP(4, [3], 1, norm="bacth")


def test_slice_of_a_net_is_its_layers_with_their_weights():
    net = MLP(4, [3], 2)
    assert list(net[1:3]) == [net[1], net[2]] and type(net[:-1]) is nn.Sequential
    x = torch.randn(5, 4)
    assert torch.equal(net[-1](net[:-1](x)), net(x))
