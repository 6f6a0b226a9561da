"""The learner of torch takes the compiled learner's steps, and with normalisation those of autograd."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from torchann.engine.compiled.activations import KINDS as ACTIVATIONS
from torchann.engine.compiled.learner import CompiledLearner
from torchann.engine.compiled.net import lay_out
from torchann.engine.compiled.objectives import sklearn_objective
from torchann.engine.compiled.solvers import make_solver
from torchann.engine.torch_learner import TorchLearner
from torchann.estimators import MLPClassifier
from torchann.nets.mlp import MLP

SIZES = [4, 5, 3, 2]
ADAM = {"momentum": 0.9, "epsilon": 1e-8}
SOLVERS = {
    "sgd": ("sgd", {}),
    "momentum": ("momentum", {"momentum": 0.9, "rate_inside": True}),
    "nesterov": ("momentum", {"momentum": 0.9, "nesterov": True, "rate_inside": True}),
    "adam": ("adam", ADAM | {"epsilon_outside": True}),
    "adamw": ("adam", ADAM | {"decoupled": True}),
    "nadam": ("nadam", ADAM | {"drift": 4e-3}),
    "rmsprop": ("rmsprop", {"beta": 0.99, "epsilon": 1e-8}),
    "adagrad": ("adagrad", {"epsilon": 1e-8}),
}
ENDS = [
    ("identity", "squared_error"),
    ("identity", "absolute_error"),
    ("identity", "huber"),
    ("exp", "poisson"),
    ("logistic", "log_loss"),
    ("softmax", "log_loss"),
]
SHAPES = [*pairwise(SIZES), *((size,) for size in SIZES[1:])]
LENGTHS = [int(np.prod(shape)) for shape in SHAPES]
WEIGHTS = sum(LENGTHS[:3])


def rows(weighted):
    drawn = np.random.default_rng(0)
    x, y = drawn.normal(size=(37, 4)), np.eye(2)[drawn.integers(2, size=37)]
    return x, y, np.where(np.arange(37) < 8, 0.0, drawn.uniform(0.5, 2, 37)) if weighted else None


def both(solver, ends=ENDS[0], activation="tanh"):
    start = np.random.default_rng(1).normal(size=sum(LENGTHS))
    places = [0, *np.cumsum(LENGTHS)]
    net, batch = lay_out(SIZES, places[:3], places[3:6], ACTIVATIONS.index(activation), 8, np.float64)
    made = CompiledLearner(start.copy(), net, batch, sklearn_objective(*ends, 2), solver)
    return made, TorchLearner(start.copy(), SIZES, activation, *ends, solver)


def same(solver, weighted=False, **options):
    x, y, weight = rows(weighted)
    compiled, ours = both(solver, **options)
    for order in (np.arange(37), np.arange(37)[::-1].copy()):  # by 8 rows: the first batch may not count
        taken = [learner.steps(x, y, np.full(5, 0.01), 8, weight=weight, order=order) for learner in (compiled, ours)]
        np.testing.assert_allclose(taken[1], taken[0], rtol=1e-10)
    np.testing.assert_allclose(ours.vector, compiled.vector, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.outputs(x, values=True), compiled.outputs(x, values=True), rtol=1e-9)
    return compiled, ours


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_solver_takes_the_compiled_steps_and_keeps_the_same(name, weighted):
    kind, options = SOLVERS[name]
    compiled, ours = same(make_solver(kind, WEIGHTS, per_row=True, decay=0.1, **options), weighted)
    one, other = compiled.state(), ours.state()
    assert one["t"] == other["t"] and one["product"] == pytest.approx(other["product"], rel=1e-12)
    for mine, its in zip(other["moments"], one["moments"], strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("ends", ENDS, ids="-".join)
def test_loss_and_its_derivative_are_the_compiled_ones(ends):
    same(make_solver("sgd", WEIGHTS), ends=ends)


@pytest.mark.parametrize("name", ["momentum", "nadam"])
def test_state_goes_on_where_it_was_taken(name):
    kind, options = SOLVERS[name]
    x, y, _ = rows(False)
    whole, second = (both(make_solver(kind, WEIGHTS, **options))[1] for _ in range(2))
    whole.steps(x, y, np.full(5, 0.01), 8)
    second._vector.copy_(torch.tensor(whole.vector))
    second.load_state(whole.state())
    for learner in (whole, second):
        learner.steps(x, y, np.full(5, 0.01), 8)
    np.testing.assert_array_equal(whole.vector, second.vector)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_step_with_normalisation_is_that_of_autograd(activation, norm):
    torch.manual_seed(0)
    net = MLP(4, [5, 3], 2, activation, norm=norm).double()
    normed = [layer for layer in net if hasattr(layer, "eps")]
    parts = [layer.weight.t() for layer in net.linears()] + [layer.bias for layer in net.linears()]
    parts += [getattr(layer, name) for name in ("weight", "bias") for layer in normed]
    start = torch.cat([part.detach().flatten() for part in parts]).numpy()
    ours = TorchLearner(start, SIZES, activation, *ENDS[0], make_solver("sgd", WEIGHTS), norm=norm)
    x, y, _ = rows(False)
    ours.steps(x, y, np.full(1, 0.1), 37)
    (((net(torch.tensor(x)) - torch.tensor(y)) ** 2).sum(1).mean() / 2).backward()
    torch.optim.SGD(net.parameters(), 0.1).step()
    wanted = torch.cat([part.detach().flatten() for part in parts]).numpy()
    np.testing.assert_allclose(ours.vector, wanted, rtol=1e-9, atol=1e-12)
    for mine, its in zip(ours.norms, normed, strict=True):
        for name, part in mine.items():
            np.testing.assert_allclose(part, its.state_dict()[name], rtol=1e-9, atol=1e-12)
    with torch.no_grad():
        np.testing.assert_allclose(ours.outputs(x), net.eval()(torch.tensor(x)), rtol=1e-9)


def test_rate_that_moves_is_within_the_velocity():
    x, y = np.zeros((2, 1)), np.full((2, 1), -1.0)
    ours = TorchLearner(
        np.zeros(2), [1, 1], "relu", *ENDS[0], make_solver("momentum", 1, momentum=0.5, rate_inside=True)
    )
    ours.steps(x, y, np.array([1.0, 0.5]), 1)  # velocity -1, then the target is met: -0.5; in torch's way -0.25
    assert ours.vector[1] == pytest.approx(-1.5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("norm", [None, "batch"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fit_and_predictions_on_a_gpu_are_those_of_the_cpu(norm):
    x, y, weight = rows(True)
    options = {"norm": norm, "max_iter": 5, "random_state": 0, "hidden_layer_sizes": (6, 4), "early_stopping": True}
    one, other = (
        MLPClassifier(device=device, **options).fit(x, y.argmax(1), weight, X_val=x, y_val=y.argmax(1))
        for device in ("cpu", "cuda")
    )
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(other.predict_proba(x), one.predict_proba(x), rtol=1e-6)
