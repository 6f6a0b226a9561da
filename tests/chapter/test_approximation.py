"""One hidden layer against the function it was fitted to."""

import math

import pytest
import torch

from torchann.chapter.approximation import EXPERIMENTS, GIVEN_ERROR, WIDTHS, fit_curve
from torchann.chapter.experiment import Setting, seeded


def largest_error(width, steps=400):
    torch.manual_seed(0)
    x = torch.linspace(-2 * math.pi, 2 * math.pi, 100, dtype=torch.float64)[:, None]
    return (fit_curve(x, x.sin(), width, steps)(x) - x.sin()).abs().max().item()


def test_one_neuron_is_monotone_and_cannot_follow_a_sine():
    # It must rise or fall all the way, the sine does both by 2: somewhere it is 1 off.
    assert largest_error(1) > 0.99


def test_more_steps_come_closer():
    assert largest_error(16, steps=200) < largest_error(16, steps=20) / 3


def test_same_seed_gives_the_same_weights():
    x = torch.linspace(-1, 1, 20, dtype=torch.float64)[:, None]
    nets = []
    for _ in range(2):
        torch.manual_seed(7)
        nets.append(fit_curve(x, x**2, 4, 20))
    assert all(torch.equal(a, b) for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True))


def test_experiment_meets_the_given_error_and_draws_error_against_width():
    (experiment,) = EXPERIMENTS
    outcome = seeded(experiment, Setting(experiment.name))
    assert all(published.met_by(outcome.measurements[published.measurement]) for published in experiment.published)
    _, errors = experiment.draw([outcome], experiment.title).axes
    assert list(errors.lines[0].get_xdata()) == list(WIDTHS)
    drawn = list(errors.lines[0].get_ydata())
    assert drawn[0] > 0.9 and drawn[-1] <= GIVEN_ERROR
    between, fits, measured = outcome.shown  # measured between the rows that it was fitted to
    for width, error in measured.items():
        assert error == pytest.approx((fits[width] - between.sin()).abs().max().item())
