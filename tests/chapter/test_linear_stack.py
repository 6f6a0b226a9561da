"""A stack of linear layers against the one layer that it is."""

import pytest
import torch

from torchann.chapter.experiment import Setting, seeded
from torchann.chapter.linear_stack import EXPERIMENTS, collapse, line_of_line
from torchann.nets.mlp import MLP


def test_the_chapters_two_lines_are_one():
    one = collapse(line_of_line())
    assert (one.weight.item(), one.bias.item()) == (10, 1)  # 2 (5x - 1) + 3 = 10x + 1
    assert line_of_line()(torch.tensor([[4.0]])).item() == 41


def test_matrices_are_multiplied_from_the_last_to_the_first():
    net = MLP(2, [2], 1, "identity")
    first, last = net.linears()
    first.weight.data, first.bias.data = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([5.0, 6.0])
    last.weight.data, last.bias.data = torch.tensor([[1.0, -2.0]]), torch.tensor([3.0])
    one = collapse(net)
    assert one.weight.tolist() == [[-5, -6]]  # (1 - 2*3, 2 - 2*4)
    assert one.bias.tolist() == [-4]  # 5 - 2*6 + 3


@pytest.mark.parametrize("hidden_sizes", [[], [7], [40, 30, 20], [1, 5, 1, 5]])
def test_deep_stack_equals_its_one_layer_to_1e_10(hidden_sizes):
    torch.manual_seed(0)
    net = MLP(3, hidden_sizes, 2, "identity", bias_init="normal").double()
    x = torch.randn(100, 3, dtype=torch.float64)
    torch.testing.assert_close(collapse(net)(x), net(x), rtol=0, atol=1e-10)


def test_stack_with_an_activation_is_refused():
    with pytest.raises(ValueError, match="a stack with activation 'tanh' is no linear map; give one with 'identity'"):
        collapse(MLP(3, [4], 2, "tanh"))


def test_single_layer_is_its_own_collapse_whatever_its_activation():
    net = MLP(3, [], 2, "tanh")  # which comes between no layers
    assert torch.equal(collapse(net).weight, net.linears()[0].weight)


def test_experiment_meets_its_figures_and_draws_a_straight_and_a_bent_line():
    (experiment,) = EXPERIMENTS
    outcome = seeded(experiment, Setting(experiment.name))
    assert all(published.met_by(outcome.measurements[published.measurement]) for published in experiment.published)
    (panel,) = experiment.draw([outcome], experiment.title).axes
    bends = [torch.as_tensor(line.get_ydata()).diff(n=2).abs().max().item() for line in panel.lines]
    assert max(bends[:2]) < 1e-12 and bends[2] > 1e-4
