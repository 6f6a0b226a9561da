"""The table of layers: counts against the book and torch, what a run leaves untouched, whatever shape a net has."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from torchann.nets.mlp import MLP
from torchann.nets.summary import summary
from torchann.tasks.regression import RegressionMLP


def counted(net):
    return sum(parameter.numel() for parameter in net.parameters())


def layer_names(table):
    return [row.name for row in table.rows]


class WideAndDeep(nn.Module):
    """The features also go around the hidden layers; each output has its name."""

    def __init__(self):
        super().__init__()
        self.deep = nn.Sequential(nn.Linear(6, 30), nn.ReLU(), nn.Linear(30, 30), nn.ReLU())
        self.main = nn.Linear(35, 1)
        self.aux = nn.Linear(30, 1)

    def forward(self, wide, deep):
        deep = self.deep(deep)
        return {"main": self.main(torch.cat([wide, deep], 1)), "aux": self.aux(deep)}


class Dynamic(nn.Module):
    """Goes through its hidden layer as often as the inputs say, or around it."""

    def __init__(self):
        super().__init__()
        self.hidden, self.other, self.output = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        if (x.abs() > 5).any():
            return self.output(self.other(x))
        for _ in range(int(x[0, 0])):
            x = torch.relu(self.hidden(x))
        return self.output(x)


def test_image_classifier_has_the_counts_and_shapes_of_the_book():
    table = summary(MLP(784, [300, 100], 10), (28, 28))
    dense = [row for row in table.rows if row.type == "Linear"]
    assert [row.parameters for row in dense] == [235_500, 30_100, 1_010]  # 784 * 300 + 300 and so on
    assert [row.shapes for row in dense] == [((None, 300),), ((None, 100),), ((None, 10),)]
    assert table.rows[0].type == "Flatten" and table.rows[0].shapes == ((None, 784),)
    assert (table.parameters, table.trainable) == (266_610, 266_610)


def test_printed_table_has_a_line_for_each_layer_and_the_totals():
    lines = str(summary(MLP(784, [300, 100], 10), (784,))).splitlines()
    assert lines[0].split() == ["Layer", "(type)", "Output", "shape", "Parameters"]
    assert lines[3].split() == ["1", "(Linear)", "(None,", "300)", "235,500"]
    assert lines[-3:] == ["Total parameters: 266,610", "Trainable parameters: 266,610", "Non-trainable parameters: 0"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_rows_of_any_mlp_add_up_to_its_parameters(sizes):
    net = MLP(sizes[0], sizes[1:-1], sizes[-1])
    table = summary(net, (sizes[0],))
    assert sum(row.parameters for row in table.rows) == table.parameters == counted(net)
    assert [row.shapes[0][1] for row in table.rows if row.type == "Linear"] == sizes[1:]


def test_frozen_layer_is_not_trainable():
    net = MLP(8, [30], 1)
    net.linears()[0].requires_grad_(False)  # 8 * 30 + 30 = 270, and 30 + 1 that stay
    table = summary(net, (8,))
    assert (table.parameters, table.trainable) == (301, 31)
    assert str(table).endswith("Trainable parameters: 31\nNon-trainable parameters: 270")


def test_single_layer_is_a_net_without_a_path():
    assert "Linear          (None, 3)" in str(summary(nn.Linear(2, 3), (2,)))


def test_task_is_a_net_too():
    table = summary(RegressionMLP([30], in_features=8, out_features=1), (8,))
    assert table.parameters == 301  # 8 * 30 + 30 + 30 + 1
    assert layer_names(table) == ["net.0", "net.1", "net.2", "net.3"]


class Counting(nn.Module):
    """Changes its buffer and draws from torch's generator whenever it is called."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return x + torch.rand_like(x)


def test_summary_leaves_the_net_and_the_generator_as_they_were():
    net = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 4), nn.Dropout(0.5), Counting())
    net[0].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    flags, generator = [module.training for module in net.modules()], torch.get_rng_state()
    assert flags == [True, False, True, True, True]
    summary(net, (4,))
    assert [module.training for module in net.modules()] == flags
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_net_that_fails_is_left_as_it_was():
    net = MLP(4, [3], 1)
    with pytest.raises(ValueError, match=r"inputs of shape \(2, 5\)"):
        summary(net, (5,))
    assert net.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_layers_run_in_evaluation_mode():
    seen = []
    net = nn.Sequential(nn.Linear(2, 2))
    net[0].register_forward_hook(lambda module, args, result: seen.append((module.training, result.requires_grad)))
    summary(net, (2,))
    assert seen == [(False, False)]


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        (((5,), (6,)), {}),
        ((), {"wide": (5,), "deep": [6]}),
        ((torch.zeros(7, 5),), {"deep": torch.zeros(7, 6)}),
        ((torch.zeros(3, 5), torch.zeros(3, 6)), {}),
    ],
)
def test_several_inputs_are_given_as_the_net_takes_them(inputs, named):
    table = summary(WideAndDeep(), *inputs, **named)
    assert [(step.name, step.shapes) for step in table.steps[:2]] == [("wide", ((None, 5),)), ("deep", ((None, 6),))]
    # 6 * 30 + 30, 30 * 30 + 30, 35 + 1, 30 + 1
    assert {row.name: row.parameters for row in table.rows if row.parameters} == {
        "deep.0": 210,
        "deep.2": 930,
        "main": 36,
        "aux": 31,
    }


def test_dict_of_inputs_is_given_as_a_dict_of_shapes():
    class TakesDict(WideAndDeep):
        def forward(self, x):
            return super().forward(x["wide"], x["deep"])

    table = summary(TakesDict(), {"wide": (5,), "deep": (6,)})
    assert [step.name for step in table.steps if step.type == "input"] == ["wide", "deep"]
    assert table.parameters == 1207


def test_steps_know_what_they_take_their_input_from():
    steps = summary(WideAndDeep(), (5,), (6,)).steps
    number = {step.name: place for place, step in enumerate(steps)}
    assert steps[number["cat"]].type == "function"
    assert steps[number["cat"]].shapes == ((None, 35),)
    assert set(steps[number["cat"]].parents) == {number["wide"], number["deep.3"]}
    assert steps[number["main"]].parents == (number["cat"],)
    assert steps[number["aux"]].parents == (number["deep.3"],)


class Functions(nn.Module):
    def forward(self, x):
        y = torch.sigmoid(x[:, :2]).add_(1)
        return (y.T.T * torch.ones(2)).split(1, 1)


class LayerAndFunctions(Functions):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return super().forward(self.layer(x))


def test_functions_of_forward_are_steps_by_their_names():
    steps = summary(LayerAndFunctions(), (3,)).steps
    names = ["x", "layer", "getitem", "sigmoid", "add", "T", "T", "mul", "split"]
    assert [step.name for step in steps] == names
    assert [step.parents for step in steps] == [(), *((number,) for number in range(len(names) - 1))]
    assert steps[-1].shapes == ((None, 1), (None, 1))


def test_module_without_children_is_one_layer_whatever_it_calls():
    assert [step.type for step in summary(Functions(), (3,)).steps] == ["input", "Functions"]


def test_dynamic_net_shows_the_way_that_the_example_took():
    table = summary(Dynamic(), torch.tensor([[2.0, 0, 0, 0]]))
    assert layer_names(table) == ["hidden", "hidden", "output", "other"]
    assert [row.parameters for row in table.rows] == [20, 0, 5, 20]  # a layer counts once
    assert table.rows[-1].shapes == ()
    assert "not called" in str(table).splitlines()[5]
    assert table.parameters == counted(Dynamic()) == 45
    other = summary(Dynamic(), torch.full((1, 4), 9.0))
    assert layer_names(other) == ["other", "output", "hidden"]


def test_comparison_that_only_chooses_the_way_is_no_step():
    names = [step.name for step in summary(Dynamic(), torch.ones(1, 4)).steps]
    assert names == ["x", "hidden", "relu", "output", "other"]


def test_layer_under_two_names_counts_once():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 3)
            self.second = nn.Sequential(self.first, nn.ReLU())

        def forward(self, x):
            return self.second(self.first(x))

    table = summary(Shared(), (3,))
    assert layer_names(table) == ["first", "first", "second.1"]
    assert [row.parameters for row in table.rows] == [12, 0, 0]


def test_tied_weights_count_once():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert [row.parameters for row in summary(net, (3,)).rows] == [12, 3]
    assert summary(net, (3,)).parameters == counted(net) == 15


def test_parameters_of_the_net_itself_have_a_row():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(x) * self.scale

    table = summary(Scaled(), (3,))
    assert [(row.type, row.parameters) for row in table.rows] == [("Linear", 12), ("Scaled", 3)]
    assert [step.name for step in table.steps] == ["x", "layer", "mul", ""]


def test_layer_that_torch_makes_of_several_is_one_row():
    net = nn.MultiheadAttention(8, 2, batch_first=True)
    table = summary(net, (4, 8), (4, 8), (4, 8))
    assert [row.shapes for row in table.rows] == [((None, 4, 8), (None, 4, 4))]
    assert table.parameters == counted(net)
    assert layer_names(summary(nn.Sequential(weight_norm(nn.Linear(3, 3))), (3,))) == ["0"]


def test_identity_is_a_step_of_its_own():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.same, self.layer = nn.Identity(), nn.Linear(3, 3)

        def forward(self, x):
            return x + self.layer(self.same(x))

    steps = summary(Residual(), (3,)).steps
    assert [step.name for step in steps] == ["x", "same", "layer", "add"]
    assert [step.parents for step in steps] == [(), (0,), (1,), (0, 2)]


def test_result_that_is_taken_twice_is_one_parent():
    class Doubled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            h = self.layer(x)
            return torch.cat([h, h], 1)

    assert summary(Doubled(), (3,)).steps[-1].parents == (1,)


def test_example_has_the_precision_of_the_net():
    assert summary(MLP(3, [2], 1).double(), (3,)).parameters == 11  # 3 * 2 + 2 + 2 + 1; float32 would be refused


def test_indices_are_given_as_a_tensor():
    table = summary(nn.Sequential(nn.Embedding(10, 4), nn.Flatten()), torch.zeros(5, 3, dtype=torch.long))
    assert [row.shapes for row in table.rows] == [((None, 3, 4),), ((None, 12),)]


@pytest.mark.parametrize("given_as", [784, "784", (2.5,), None])
def test_input_that_is_no_shape_is_refused(given_as):
    got = str(given_as).strip("()")
    with pytest.raises(TypeError, match=f"an input given as .*{got}.*; give a shape without the batch"):
        summary(MLP(784, [], 1), given_as)


def test_missing_input_is_refused_by_its_name():
    with pytest.raises(TypeError, match="missing a required argument: 'deep'"):
        summary(WideAndDeep(), (5,))
