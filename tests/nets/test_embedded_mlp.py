"""The MLP that learns a vector for each category."""

import pytest
import torch
from torch import nn

from torchann.nets.embedded_mlp import EmbeddedMLP, check_embeddings


def test_vectors_take_the_place_of_the_last_columns():
    net = EmbeddedMLP(3, [[4, 2], [3, 1]], [], 1, weight_init="ones")
    with torch.no_grad():
        net.tables[0].weight[:] = torch.tensor([[1.0, 2], [3, 4], [5, 6], [0, 0]])
        net.tables[1].weight[:] = torch.tensor([[10.0], [20], [0]])
    # 0.5 + (3 + 4) + 20, and 0.5 + 0 + 0 for what was in no training row
    assert net(torch.tensor([[0.5, 1, 1], [0.5, 3, 2]])).tolist() == [[27.5], [0.5]]


def test_vectors_start_evenly_near_zero_and_that_of_the_unknown_at_zero():
    table = EmbeddedMLP(1, [[1001, 10]], [3], 1).tables[0].weight
    assert table[-1].abs().max() == 0 and table.abs().max() <= 0.05  # as Keras' Embedding
    assert abs(table.mean()) < 0.002 and abs(table.std() - 0.05 / 3**0.5) < 0.002  # of an even distribution


def test_torchs_own_start_is_kept_for_vectors_too():
    torch.manual_seed(0)
    assert EmbeddedMLP(1, [[1001, 10]], [3], 1, weight_init=None).tables[0].weight.std() > 0.9


def test_options_are_those_of_the_mlp_and_its_layers_are_in_order():
    net = EmbeddedMLP(3, [[4, 2]], [5, 6], 2, "tanh", dropout=0.1, norm="batch")
    assert [(layer.in_features, layer.out_features) for layer in net.linears()] == [(4, 5), (5, 6), (6, 2)]
    linears = [module for module in net.modules() if isinstance(module, nn.Linear)]
    assert linears == net.linears() and (net.mlp.activation, net.mlp.dropout, net.mlp.norm) == ("tanh", 0.1, "batch")


def test_inputs_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"inputs of shape \(2, 4\); this net was made for \(batch, 3\)"):
        EmbeddedMLP(3, [[4, 2]], [], 1)(torch.zeros(2, 4))


@pytest.mark.parametrize(
    "embeddings", [[], [[4]], [[4, 2, 1]], [[4, 0]], [[0, 4]], [[4, 2.0]], [[True, 2]], 3, "ab", [[4, 2]] * 3, [3, 4]]
)
def test_embeddings_that_are_none_are_refused(embeddings):
    with pytest.raises(
        ValueError, match=r"embeddings are .*; give \[categories, size\] for each of the last of 2 inputs"
    ):
        check_embeddings(embeddings, 2)
