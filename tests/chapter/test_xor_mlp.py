"""XOR: the book's hand-set weights against the truth table, and learnt weights."""

import math

import pytest
import torch

from torchann.chapter.experiment import Setting, seeded
from torchann.chapter.xor_mlp import (
    CORNERS,
    EXPERIMENTS,
    HIDDEN_BIAS,
    HIDDEN_WEIGHT,
    LEARNT,
    STEPS,
    XOR,
    learn_xor,
    xor_mlp,
)
from torchann.nets.functional import heaviside


def test_hidden_units_are_and_and_or():
    hidden = heaviside(CORNERS @ HIDDEN_WEIGHT.T + HIDDEN_BIAS)
    assert hidden.T.tolist() == [[0, 0, 0, 1], [0, 1, 1, 1]]


def test_hand_set_weights_with_heaviside_are_xor():
    assert xor_mlp(CORNERS, heaviside).tolist() == [0, 1, 1, 0]


def test_hand_set_weights_with_sigmoid_have_the_order_of_xor_below_one_half():
    def sigmoid(z):
        return 1 / (1 + math.exp(-z))

    # Inputs that sum to s: the AND unit has s - 1.5, the OR unit s - 0.5, the output their difference less 0.5.
    by_hand = [sigmoid(-sigmoid(s - 1.5) + sigmoid(s - 0.5) - 0.5) for s in (0, 1, 1, 2)]
    assert by_hand[0] < by_hand[1] < 0.5
    torch.testing.assert_close(xor_mlp(CORNERS, torch.sigmoid), torch.tensor(by_hand))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("activation", LEARNT)
def test_xor_is_learnt_with_four_hidden_units(activation, seed):
    torch.manual_seed(seed)
    proba = learn_xor(4, activation, LEARNT[activation], STEPS)(CORNERS)
    assert (proba - XOR).abs().max() < 0.1


def test_xor_is_not_learnt_without_steps():
    torch.manual_seed(0)
    assert (learn_xor(4, "tanh", 0.3, 0)(CORNERS) - XOR).abs().max() > 0.4


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_experiment_meets_its_figures_and_draws_both_activations(experiment):
    outcome = seeded(experiment, Setting(experiment.name))
    assert all(published.met_by(outcome.measurements[published.measurement]) for published in experiment.published)
    titles = [panel.get_title() for panel in experiment.draw([outcome], experiment.title).axes]
    assert [title for title in titles if title] == [f"activation: {name}" for name in outcome.shown]


def test_surface_has_the_first_input_across_and_the_second_upwards():
    surface = seeded(EXPERIMENTS[1], Setting("xor_mlp_learnt")).shown["tanh"]
    torch.manual_seed(42)
    for name, lr in LEARNT.items():
        learnt = learn_xor(4, name, lr, STEPS)
    across = learnt(torch.tensor([[1.2, -0.2]]))
    torch.testing.assert_close(torch.from_numpy(surface[0, -1:]), across)
    assert (across - learnt(torch.tensor([[-0.2, 1.2]]))).abs() > 1e-6  # the two would be told apart
