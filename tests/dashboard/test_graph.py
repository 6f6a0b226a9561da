"""The graph of a net: its nodes, what they take, their shapes."""

import pytest
import torch
from torch import nn

from torchann import MLP, ClassificationMLP, NetTask, Output, Perceptron, WideAndDeep
from torchann.chapter.two_inputs import TwoInputs
from torchann.dashboard.graph import graph_of, steps_of
from torchann.nets.steps import forward_steps


def nodes(task, x):
    return {node.name: list(node.input) for node in graph_of(steps_of(task.eval(), x)).node}


def shapes(node):
    return [[size.size for size in shape.dim] for shape in node.attr["_output_shapes"].list.shape]


def test_graph_of_an_mlp_is_a_chain_of_its_layers():
    model = ClassificationMLP([300, 100], in_features=784, num_classes=10)
    assert nodes(model, torch.zeros(2, 28, 28)) == {
        "x": [],
        "0_Flatten": ["x"],
        "1_Linear": ["0_Flatten"],
        "2_ReLU": ["1_Linear"],
        "3_Linear": ["2_ReLU"],
        "4_ReLU": ["3_Linear"],
        "5_Linear": ["4_ReLU"],
    }


def test_node_has_the_shape_of_its_output_and_the_number_of_its_parameters():
    graph = graph_of(forward_steps(MLP(784, [300], 10), [torch.zeros(2, 28, 28)], {}))
    linear = next(node for node in graph.node if node.name == "1_Linear")
    assert (linear.op, shapes(linear), linear.attr["parameters"].i) == ("Linear", [[-1, 300]], 784 * 300 + 300)


def test_graph_of_wide_and_deep_has_two_paths_that_meet():
    found = nodes(WideAndDeep(in_features=8, out_features=1, aux_weight=0.1), torch.zeros(2, 8))
    assert found["deep/0_Linear"] == ["index_select-2"] and found["index_select"] == found["index_select-2"] == ["x"]
    assert found["cat"] == ["index_select", "deep/3_ReLU"]
    assert found["main_Linear"] == ["cat"] and found["aux_Linear"] == ["deep/3_ReLU"]


def test_graph_of_several_nets_has_a_path_for_each_and_their_mean():
    members = [{"hidden_sizes": [3], "columns": [0], "weight": 0.25}, {"hidden_sizes": [], "weight": 0.75}]
    found = nodes(ClassificationMLP(in_features=2, num_classes=3, members=members), torch.zeros(2, 2))
    assert found["members/0/0_Flatten"] == ["index_select"] and found["members/1/0_Flatten"] == ["x"]
    assert found["stack"] == ["add", "add-2"] and found["logsumexp"] == ["stack"]


def test_graph_of_a_net_with_two_inputs_begins_at_both():
    net = TwoInputs(wide_features=5, deep_features=6)
    inputs = {"wide": [0, 1, 2, 3, 4], "deep": [2, 3, 4, 5, 6, 7]}
    task = NetTask(net, {"main": Output(), "aux": Output()}, inputs=inputs)
    found = nodes(task, torch.zeros(2, 8))
    assert found["wide"] == [] and found["deep"] == []
    assert sum("wide" in given for given in found.values()) == 1


def test_graph_of_a_net_that_takes_tensors_by_name():
    net = TwoInputs(wide_features=5, deep_features=6)
    task = NetTask(net, {"main": Output(), "aux": Output()})
    found = nodes(task, {"wide": torch.zeros(2, 5), "deep": torch.zeros(2, 6)})
    assert found["wide"] == [] and found["deep"] == []


def test_layer_that_is_called_twice_is_two_nodes():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(self.layer(x))

    assert nodes(Twice(), torch.zeros(2, 3)) == {"x": [], "layer_Linear": ["x"], "layer_Linear-2": ["layer_Linear"]}


def test_names_that_a_number_would_make_the_same_stay_apart():
    class Sum(nn.Module):
        def forward(self, **inputs):
            return inputs["x"] + inputs["x-2"]

    graph = graph_of(forward_steps(Sum(), [], {"x-2": torch.zeros(2, 1), "x": torch.zeros(2, 1)}))
    assert [node.name for node in graph.node] == ["x-2", "x", "Sum"]


def test_graph_of_a_compiled_net_is_that_of_the_net():
    model = ClassificationMLP([5], in_features=4, num_classes=3)
    before = nodes(model, torch.zeros(2, 4))
    model.net = torch.compile(model.net, backend="eager")
    assert nodes(model, torch.zeros(2, 4)) == before


def test_graph_of_a_perceptron_is_its_unit():
    assert nodes(Perceptron(in_features=2), torch.zeros(2, 2)) == {"input": [], "Linear": ["input"]}


@pytest.mark.parametrize("training", [True, False])
def test_looking_at_a_net_leaves_no_hook_and_no_flag(training):
    model = ClassificationMLP([5], in_features=4, num_classes=3, dropout=0.5).train(training)
    steps_of(model, torch.zeros(2, 4))
    assert not model.net._forward_pre_hooks and model.net[3].training is training
