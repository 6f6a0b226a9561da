"""Solvers on one vector against hand-worked steps, scikit-learn's and torch's optimisers."""

import numpy as np
import pytest
import torch
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer
from torch import optim

from torchann.engine.schedules import Schedule
from torchann.engine.solvers import SGD, Adam, TorchSolver

OPTIMISERS = {
    "adamw": lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "nadam": lambda p: optim.NAdam(p, lr=0.01),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.01),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9),
}


def gradients(steps=7):
    return torch.randn(steps, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def way(solver, steps, start=None):
    vector = torch.arange(5.0).double() if start is None else start
    solver.start(vector)
    for gradient in steps:
        solver.step(vector, gradient)
    return vector


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SGD(0.1), lambda p: SGDOptimizer(p, 0.1, momentum=0, nesterov=False)),
        (SGD(0.1, 0.9), lambda p: SGDOptimizer(p, 0.1, momentum=0.9, nesterov=False)),
        (SGD(0.1, 0.9, True), lambda p: SGDOptimizer(p, 0.1, momentum=0.9, nesterov=True)),
        (Adam(0.1, 0.7, 0.8, 1e-2), lambda p: AdamOptimizer(p, 0.1, 0.7, 0.8, 1e-2)),
    ],
    ids=["plain", "momentum", "nesterov", "adam"],
)
def test_solver_moves_as_scikit_learns(ours, theirs):
    params = [np.arange(5.0)]
    optimizer = theirs(params)
    for gradient in gradients():
        optimizer.update_params(params, [gradient.numpy()])
    np.testing.assert_allclose(way(ours, gradients()), params[0], rtol=1e-12)


def test_rate_that_moves_is_within_the_velocity():
    sgd, w = SGD(1.0, momentum=0.5), torch.zeros(1)
    sgd.start(w)
    sgd.step(w, torch.ones(1))  # velocity -1
    sgd.learning_rate = 0.1
    sgd.step(w, torch.ones(1))  # velocity -0.5 - 0.1; in torch's way it would be 0.1 * 1.5
    assert w.item() == pytest.approx(-1.6)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_torch_solver_moves_as_torchs_optimiser(name):
    parameter = torch.nn.Parameter(torch.arange(5.0).double())
    optimizer = OPTIMISERS[name]([parameter])
    for gradient in gradients():
        parameter.grad = gradient
        optimizer.step()
    options = {"alpha": 0.9} if name == "rmsprop" else None
    solver = TorchSolver(name, 0.01, 0.1 if name == "adamw" else 0.0, options)
    torch.testing.assert_close(way(solver, gradients()), parameter.detach())


@pytest.mark.parametrize(
    "make",
    [
        lambda: SGD(0.1),
        lambda: SGD(0.1, 0.9, True),
        lambda: Adam(0.1),
        *(lambda n=n: TorchSolver(n, 0.1) for n in OPTIMISERS),
    ],
    ids=["plain", "momentum", "adam", *OPTIMISERS],
)
def test_state_goes_on_where_it_was_taken(make):
    whole, first, second = make(), make(), make()
    steps = gradients()
    middle = way(first, steps[:4])
    second.load_state(first.state())
    torch.testing.assert_close(way(second, steps[4:], middle), way(whole, steps), rtol=0, atol=0)


def test_solver_that_starts_anew_keeps_what_it_knows():
    one, two = Adam(0.1), Adam(0.1)
    steps, vector = gradients(), torch.arange(5.0).double()
    for gradient in steps:
        two.start(vector)
        two.step(vector, gradient)
    torch.testing.assert_close(vector, way(one, steps), rtol=0, atol=0)


def test_unknown_solver_is_refused():
    with pytest.raises(ValueError, match="there is no optimizer 'adamx'"):
        TorchSolver("adamx", 0.1)


def test_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="lr_schedule 'cosin'"):
        Schedule("cosin", SGD(0.1), {}, 3, 30)


def test_one_cycle_ends_at_its_lowest_rate():
    sgd = SGD(0.1)
    schedule = Schedule("one_cycle", sgd, {}, num_epochs=1, num_steps=10)
    for _ in range(10):
        schedule.step()
    assert sgd.learning_rate == pytest.approx(0.1 / 25 / 1e4)  # torch's div_factor and final_div_factor
