"""The activation functions: identities, slopes by hand, and what is drawn."""

import pytest
import torch

from torchann.chapter import activations
from torchann.chapter.activations import EXPERIMENTS, curves, difference_from_autograd
from torchann.chapter.experiment import Setting, seeded
from torchann.nets.functional import ACTIVATIONS, STEP_FUNCTIONS, Activation

Z = torch.linspace(-25, 25, 2001, dtype=torch.float64)


def test_tanh_is_twice_the_sigmoid_of_twice_the_sum_less_one():
    torch.testing.assert_close(
        ACTIVATIONS["tanh"].function(Z), 2 * ACTIVATIONS["sigmoid"].function(2 * Z) - 1, rtol=0, atol=1e-15
    )


@pytest.mark.parametrize("name", STEP_FUNCTIONS)
def test_steps_are_flat_on_both_sides_so_descent_cannot_move(name):
    a, slope = curves(name, Z)
    quotients = a.diff() / Z.diff()
    assert (quotients[(Z[:-1] > 0) | (Z[1:] < 0)] == 0).all()
    assert (slope == 0).all()
    assert (quotients > 0).any()  # the jump itself


def test_slopes_are_those_worked_by_hand():
    zero = torch.zeros((), dtype=torch.float64)
    assert curves("sigmoid", zero) == (0.5, 0.25)  # s (1 - s)
    assert curves("tanh", zero) == (0, 1)  # 1 - t²
    assert curves("softplus", zero) == (torch.log(zero + 2), 0.5)  # log(1 + exp 0), the sigmoid
    assert curves("silu", zero) == (0, 0.5)  # z s(z): s + z s (1 - s)
    assert curves("softsign", zero + 1) == (0.5, 0.25)  # z / (1 + |z|): 1 / (1 + |z|)²


def test_relu_has_slope_zero_up_to_its_corner_and_one_beyond():
    assert curves("relu", torch.tensor([-2.0, 0.0, 2.0]))[1].tolist() == [0, 0, 1]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_agree_with_autograd_at_corners_too(name):
    corners = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0], dtype=torch.float64)
    assert difference_from_autograd(name, torch.cat([Z, corners])) < 1e-10


def test_wrong_derivative_is_found(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "tanh", Activation(torch.tanh, lambda z, a: 1 - a))
    assert difference_from_autograd("tanh", torch.tensor([-1.0])) == pytest.approx(
        torch.tensor(1.0).tanh().item() ** 2 + torch.tensor(1.0).tanh().item()  # 1 + t against 1 - t²
    )


def test_experiment_meets_its_figures_and_draws_each_function_once():
    (experiment,) = EXPERIMENTS
    outcome = seeded(experiment, Setting(experiment.name))
    assert all(published.met_by(outcome.measurements[published.measurement]) for published in experiment.published)
    titles = [panel.get_title() for panel in experiment.draw([outcome], experiment.title).axes]
    assert titles[:5] == ["heaviside", "sign", "sigmoid", "tanh", "relu"]  # the chapter's
    assert sorted(titles) == sorted([*STEP_FUNCTIONS, *ACTIVATIONS])
    assert all(name in outcome.text for name in titles)


def test_drawing_leaves_a_gap_where_a_step_jumps():
    (experiment,) = EXPERIMENTS
    canvas = experiment.draw([seeded(experiment, Setting(experiment.name))], "")
    step = torch.as_tensor(canvas.axes[0].lines[0].get_ydata())
    assert step.isnan().sum() == 1
    assert activations.Z[step.isnan()] == 0
