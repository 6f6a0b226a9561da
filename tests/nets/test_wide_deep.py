"""Wide & Deep nets: parameters of the book, which columns go where, and the sum of the two paths by hand."""

import pytest
import torch

from torchann.nets.wide_deep import WideDeep


def parameters(net):
    return sum(parameter.numel() for parameter in net.parameters())


def test_wide_deep_has_the_parameters_of_the_book():
    # 8 * 30 + 30, 30 * 30 + 30, (8 + 30) + 1
    assert parameters(WideDeep(8, [30, 30], 1)) == 270 + 930 + 39 == 1239


def test_auxiliary_output_reads_the_last_hidden_layer_alone():
    net = WideDeep(8, [30, 30], 1, aux=True)
    assert net.aux.in_features == 30 and parameters(net) == 1239 + 31
    x = torch.randn(4, 8)
    main, aux = net(x)
    torch.testing.assert_close(aux, net.aux(net.deep(x)))
    assert main.shape == aux.shape == (4, 1)


def test_paths_take_their_columns():
    # columns 0-4 wide and 2-7 deep: 0 and 1 reach the output only by the wide path, 5 to 7 only by the deep one
    net = WideDeep(8, [30, 30], 1, wide_features=[0, 1, 2, 3, 4], deep_features=[2, 3, 4, 5, 6, 7])
    x = torch.randn(3, 8, requires_grad=True)
    with torch.no_grad():
        net.main.weight[:, :5] = 0  # no wide path
    net(x).sum().backward()
    assert torch.equal(x.grad[:, :2], torch.zeros(3, 2)) and (x.grad[:, 2:].abs().sum(0) > 0).all()


def test_output_is_the_weighted_sum_of_both_paths():
    # deep: relu(1*2) = 2; main: 3*1 (wide) + 5*2 (deep) + 0.5 = 13.5
    net = WideDeep(2, [1], 1, wide_features=[0], deep_features=[1])
    with torch.no_grad():
        net.deep[0].weight.fill_(1.0)
        net.main.weight.copy_(torch.tensor([[3.0, 5.0]]))
        net.main.bias.fill_(0.5)
    assert net(torch.tensor([[1.0, 2.0]])).item() == 13.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_sizes": []}, r"hidden_sizes is \[\]; give the deep path layers"),
        ({"hidden_sizes": [3, 0]}, r"hidden_sizes is \[3, 0\]"),
        ({"wide_features": [0, 8]}, r"wide_features is \[0, 8\]; name columns from 0 to 7"),
        ({"deep_features": []}, r"deep_features is \[\]; name columns from 0 to 7, at least one"),
    ],
)
def test_paths_without_columns_or_layers_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        WideDeep(8, **options)


def test_inputs_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"inputs of shape \(2, 7\); this net was made for \(batch, 8\)"):
        WideDeep(8)(torch.zeros(2, 7))


def test_no_weight_init_leaves_what_torch_drew():
    torch.manual_seed(0)
    net = WideDeep(8, [5], weight_init=None)
    torch.manual_seed(0)
    layer = torch.nn.Linear(8, 5)
    assert torch.equal(net.deep[0].weight, layer.weight) and torch.equal(net.deep[0].bias, layer.bias)
