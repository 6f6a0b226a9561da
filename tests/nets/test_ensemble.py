"""Several MLPs as one net: the mean of what they predict, whatever they predict."""

from math import log

import pytest
import torch
from torch import nn

from torchann.nets.ensemble import EnsembleMLP, listed_members

MEMBERS = [
    {"hidden_sizes": [5, 4], "activation": "softsign", "columns": [3, 0], "weight": 0.25},
    {"hidden_sizes": [6], "activation": "tanh", "columns": None, "weight": 0.75, "dropout": 0.5},
]
BEHIND = {"values": lambda z: z, "softmax": lambda z: z.softmax(1), "sigmoid": torch.sigmoid}


@pytest.mark.parametrize(("mean_of", "out_features"), [("values", 2), ("softmax", 3), ("sigmoid", 1), ("sigmoid", 4)])
def test_prediction_is_the_weighted_mean_of_the_members_on_their_columns(mean_of, out_features):
    net = EnsembleMLP(4, MEMBERS, out_features, mean_of, weight_init="normal", bias_init="ones").eval()
    x, behind = torch.randn(50, 4), BEHIND[mean_of]
    found = behind(net(x).double())
    first, second = (member.double() for member in net.members)
    x = x.double()
    torch.testing.assert_close(
        found, 0.25 * behind(first(x[:, [3, 0]])) + 0.75 * behind(second(x)), rtol=1e-5, atol=1e-5
    )
    assert (first.layer_sizes, second.layer_sizes) == ([2, 5, 4, out_features], [4, 6, out_features])
    assert (type(first[2]), type(second[2])) == (nn.Softsign, nn.Tanh)


@pytest.mark.parametrize(("mean_of", "out_features"), [("values", 2), ("softmax", 3), ("sigmoid", 1)])
def test_one_member_of_weight_1_is_the_mlp(mean_of, out_features):
    net = EnsembleMLP(4, [{"hidden_sizes": [5], "weight": 1}], out_features, mean_of)
    x, behind = torch.randn(50, 4), BEHIND[mean_of]
    torch.testing.assert_close(behind(net(x)), behind(net.members[0](x)), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("mean_of", "logits", "wanted"),
    [
        # softmax of (z, 0) is 1 / (1 + exp(-z)), which is 1 - 3.7e-44 at 100: the mean is that of both members
        ("softmax", [[100.0, 0.0], [100.0, 0.0]], [0.0, -100.0]),
        ("softmax", [[100.0, 0.0], [-100.0, 0.0]], [-log(2), -log(2)]),
        ("sigmoid", [[100.0], [100.0]], [100.0]),
        ("sigmoid", [[-100.0], [-100.0]], [-100.0]),
        ("sigmoid", [[100.0], [-100.0]], [0.0]),
        ("sigmoid", [[100.0], [0.0]], [log(3)]),  # a mean of 1 and 1 / 2 is 3 / 4, its logit log(3)
    ],
)
def test_probabilities_near_0_and_1_stay_apart_and_have_gradients(mean_of, logits, wanted):
    members = [{"hidden_sizes": [], "weight": 0.5}] * 2
    net = EnsembleMLP(1, members, len(wanted), mean_of, weight_init="zeros")
    for member, bias in zip(net.members, logits, strict=True):
        member[-1].bias.data = torch.tensor(bias)
    found = net(torch.zeros(1, 1))
    torch.testing.assert_close(found, torch.tensor([wanted]), rtol=1e-6, atol=1e-6)
    found.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in net.parameters())


def test_state_is_the_members_weights_alone():
    net = EnsembleMLP(4, MEMBERS, 1)
    assert {name.split(".")[0] for name in net.state_dict()} == {"members"}
    assert net.columns_0.tolist() == [3, 0] and net.columns_1 is None


ONE = {"hidden_sizes": [3], "weight": 1.0}
WRONG = [
    (3, "members is 3; give a list of 1 to 1,000 dicts"),
    ("ab", "members is 'ab'; give a list"),
    ([], r"members is \[\] of 0; give a list of 1"),
    ([ONE] * 1001, r"members is .* of 1,001; give a list of 1 to 1,000 dicts"),
    ([3], r"members\[0\] is 3; give a dict with hidden_sizes and weight"),
    ([{"hidden_sizes": [3]}], r"members\[0\] is .*; give a dict with hidden_sizes and weight"),
    ([ONE | {"width": 3}], r"members\[0\] is .*'width'.* activation, columns, dropout"),
    ([ONE | {"hidden_sizes": 3}], r"members\[0\]: hidden_sizes is 3; give a list"),
    ([ONE | {"hidden_sizes": [0]}], r"members\[0\]: hidden_sizes is \[0\]; give a list"),
    ([ONE | {"activation": "rely"}], r"members\[0\]: there is no activation 'rely'"),
    ([ONE | {"dropout": 1}], r"members\[0\]: dropout is 1; give a number"),
    ([ONE | {"weight": float("nan")}], r"members\[0\]: weight is nan; give a number above 0, at most 1"),
    ([ONE | {"weight": -1}, ONE | {"weight": 2}], r"members\[0\]: weight is -1; give a number above 0"),
    ([ONE | {"weight": 10**400}], r"members\[0\]: weight is 10*; give a number above 0, at most 1"),
    ([ONE | {"weight": True}], r"members\[0\]: weight is True; give"),
    ([ONE | {"weight": "1"}], r"members\[0\]: weight is '1'; give"),
    ([ONE, ONE], r"the weights of the members, \[1.0, 1.0\], add up to 2; give numbers above 0 that add up to 1"),
    ([ONE | {"columns": []}], r"members\[0\]: columns is \[\]; give different numbers"),
    ([ONE | {"columns": [1, 1]}], r"members\[0\]: columns is \[1, 1\]; give different numbers"),
    ([ONE | {"columns": [1.0]}], r"members\[0\]: columns is \[1.0\]; give different numbers"),
    ([ONE | {"columns": 1}], r"members\[0\]: columns is 1; give different numbers"),
    ([ONE | {"columns": [4]}], r"members\[0\].columns is \[4\]; name columns from 0 to 3, at least one"),
    ([ONE | {"columns": [-1]}], r"members\[0\].columns is \[-1\]; name columns from 0 to 3, at least one"),
]


@pytest.mark.parametrize(("members", "told"), WRONG)
def test_members_that_are_none_are_refused(members, told):
    with pytest.raises(ValueError, match=told):
        EnsembleMLP(4, members, 1)


def test_numbers_of_numpy_become_plain_ones():
    numpy = pytest.importorskip("numpy")
    member = {"hidden_sizes": (numpy.int64(3),), "columns": [numpy.int64(2)], "weight": numpy.float64(1)}
    (found,) = listed_members([member])
    assert [type(part) for part in (found["hidden_sizes"][0], found["columns"][0], found["weight"])] == [
        int,
        int,
        float,
    ]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: EnsembleMLP(4, [ONE], 1, "median"), "mean_of is 'median'; choose one of values, softmax, sigmoid"),
        (lambda: EnsembleMLP(4, [ONE], 1)(torch.zeros(2, 5)), r"shape \(2, 5\); this net was made for \(batch, 4\)"),
    ],
)
def test_other_inputs_and_means_are_refused(call, told):
    with pytest.raises(ValueError, match=told):
        call()
