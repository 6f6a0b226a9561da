"""Compiled steps against autograd and torch's optimisers, in float64."""

import contextlib
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from torchann.engine.compiled import learner as compiled_learner
from torchann.engine.compiled.activations import KINDS as ACTIVATIONS
from torchann.engine.compiled.learner import CompiledLearner
from torchann.engine.compiled.net import Layer, lay_out
from torchann.engine.compiled.objectives import make_objective
from torchann.engine.compiled.solvers import make_solver
from torchann.engine.compiled.threads import free_cores, other_cores
from torchann.nets.heads import classification_objective, regression_objective
from torchann.nets.mlp import MLP

ROWS, FEATURES = 37, 6
PARTS = Layer._fields.index("parts")
RATE = 0.02
SOLVERS = {
    "sgd": (lambda p, wd: torch.optim.SGD(p, RATE, weight_decay=wd), {}),
    "momentum": (lambda p, wd: torch.optim.SGD(p, RATE, 0.9, weight_decay=wd), {"momentum": 0.9}),
    "nesterov": (
        lambda p, wd: torch.optim.SGD(p, RATE, 0.9, nesterov=True, weight_decay=wd),
        {"momentum": 0.9, "nesterov": True},
    ),
    "adam": (lambda p, wd: torch.optim.Adam(p, RATE, weight_decay=wd), {"momentum": 0.9, "epsilon": 1e-8}),
    "adamw": (
        lambda p, wd: torch.optim.AdamW(p, RATE, weight_decay=wd),
        {"momentum": 0.9, "epsilon": 1e-8, "decoupled": True},
    ),
    "nadam": (
        lambda p, wd: torch.optim.NAdam(p, RATE, weight_decay=wd),
        {"momentum": 0.9, "epsilon": 1e-8, "drift": 4e-3},
    ),
    "rmsprop": (
        lambda p, wd: torch.optim.RMSprop(p, RATE, momentum=0.9, weight_decay=wd),
        {"momentum": 0.9, "beta": 0.99, "epsilon": 1e-8},
    ),
    "adagrad": (
        lambda p, wd: torch.optim.Adagrad(p, RATE, lr_decay=0.1, weight_decay=wd),
        {"epsilon": 1e-10, "drift": 0.1},
    ),
}
KIND_OF = {"nesterov": "momentum", "adamw": "adam"}
OUTPUTS = {
    "mse": (3, lambda: regression_objective(3, "mse"), lambda: make_objective("identity", "mse", 3)),
    "mae": (2, lambda: regression_objective(2, "mae"), lambda: make_objective("identity", "mae", 2)),
    "huber": (1, lambda: regression_objective(1, "huber"), lambda: make_objective("identity", "huber", 1)),
    "softplus": (
        2,
        lambda: regression_objective(2, "mse", "positive"),
        lambda: make_objective("softplus", "mse", 2),
    ),
    "relu": (
        1,
        lambda: regression_objective(1, "mae", "positive", None, "relu"),
        lambda: make_objective("relu", "mae", 1),
    ),
    "sigmoid": (
        2,
        lambda: regression_objective(2, "huber", "bounded", (-1, 2)),
        lambda: make_objective("sigmoid", "huber", 2, low=-1, scale=3),
    ),
    "tanh": (
        1,
        lambda: regression_objective(1, "mse", "bounded", (-1, 2), "tanh"),
        lambda: make_objective("tanh", "mse", 1, low=0.5, scale=1.5),
    ),
    "binary": (
        1,
        lambda: classification_objective("binary", 2),
        lambda: make_objective("sigmoid", "binary cross-entropy"),
    ),
    "multilabel": (
        3,
        lambda: classification_objective("multilabel", 3),
        lambda: make_objective("sigmoid", "binary cross-entropy", 3),
    ),
    "multiclass": (
        4,
        lambda: classification_objective("multiclass", 4),
        lambda: make_objective("softmax", "cross-entropy", 4, class_numbers=True),
    ),
}


def targets(output, generator, rows=ROWS):
    outputs = OUTPUTS[output][0]
    if output == "multiclass":
        return generator.integers(0, outputs, rows)
    if output in ("binary", "multilabel"):
        return generator.integers(0, 2, (rows, outputs) if output == "multilabel" else rows)
    return generator.normal(size=(rows, outputs))


def parameters(net):
    layers = net.linears()
    return [layer.weight for layer in layers] + [layer.bias for layer in layers]


def learner_of(net, output, solver, batch_size, weight_decay=0.0, dtype=np.float64, turned=True, **layout):
    """The compiled learner of a net, on a copy of its parameters."""
    parts = [part.detach().numpy().astype(dtype) for part in parameters(net)]
    parts = parts if turned else [part.T if part.ndim == 2 else part for part in parts]
    vector, sizes = np.concatenate([part.reshape(-1) for part in parts]), [part.size for part in parts]
    places, layers = np.cumsum([0, *sizes]), len(parts) // 2
    widths = [FEATURES, *(part.size for part in parts[layers:])]
    kind = ACTIVATIONS.index(net.activation)
    numbers = {"class_numbers": output == "multiclass"} | layout
    laid_out, batch = lay_out(
        widths, places[:layers], places[layers : 2 * layers], kind, batch_size, dtype, turned=turned, **numbers
    )
    options = SOLVERS[solver][1] | {"decay": weight_decay}
    made = make_solver(KIND_OF.get(solver, solver), len(vector), **options)
    return CompiledLearner(vector, laid_out, batch, OUTPUTS[output][2](), made)


def vector_of(net):
    return np.concatenate([part.detach().numpy().reshape(-1) for part in parameters(net)])


def steps_of(rows, batch_size):
    return np.full(-(-rows // batch_size), RATE)


def compare(
    activation="tanh",
    output="mse",
    solver="sgd",
    hidden=(7, 5),
    weight_decay=0.0,
    weighted=False,
    batch=8,
    count=ROWS,
):
    """Two epochs by compiled steps and by autograd; returns both vectors and both epochs' raw outputs."""
    torch.manual_seed(0)
    generator = np.random.default_rng(1)
    outputs, book, _ = OUTPUTS[output]
    net = MLP(FEATURES, list(hidden), outputs, activation).double()
    learner = learner_of(net, output, solver, batch, weight_decay)
    optimizer = SOLVERS[solver][0](parameters(net), weight_decay)
    x, y = generator.normal(size=(count, FEATURES)), targets(output, generator, count)
    weight, objective = generator.random(count) + 0.2, book()
    seen = np.zeros((count, outputs))
    for _ in range(2):
        order = generator.permutation(count)
        given = {"weight": weight} if weighted else {}
        learner.steps(x, y.astype(float), steps_of(count, batch), batch, order=order, outputs=seen, **given)
        wanted = []
        for rows in torch.split(torch.from_numpy(order), batch):
            optimizer.zero_grad()
            z = net(torch.from_numpy(x)[rows])
            losses = objective.losses(z, torch.from_numpy(y)[rows])
            (losses * torch.from_numpy(weight)[rows] if weighted else losses).mean().backward()
            optimizer.step()
            wanted.append(z.detach().numpy())
    return learner.vector, vector_of(net), seen, np.concatenate(wanted)


def assert_same(vector, wanted, seen, outputs, tolerance=1e-10):
    np.testing.assert_allclose(vector, wanted, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(seen, outputs, rtol=10 * tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_steps_through_each_activation_are_autograds(activation):
    assert_same(*compare(activation))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("output", OUTPUTS)
def test_steps_for_each_objective_are_autograds(output, weighted):
    assert_same(*compare(output=output, weighted=weighted))


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("solver", SOLVERS)
def test_steps_of_each_solver_are_torchs(solver, weight_decay):
    # torch keeps the product of NAdam's momenta in float32.
    assert_same(*compare(solver=solver, weight_decay=weight_decay), tolerance=1e-8 if solver == "nadam" else 1e-10)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(ACTIVATIONS),
    st.sampled_from(sorted(OUTPUTS)),
    st.sampled_from(sorted({*SOLVERS} - {"nadam"})),
    st.lists(st.integers(1, 20), max_size=3),
    st.integers(1, 40),
    st.booleans(),
)
def test_steps_agree_with_autograd_whatever_the_net(activation, output, solver, hidden, batch, weighted):
    # A first step by the sign of a gradient, as of Adam, is another one where +1 and -1 add up to 0 but for rounding.
    by_sign = output in ("mae", "relu") and solver not in ("sgd", "momentum", "nesterov")
    # Steps double a difference: 74 steps of RMSprop on single rows carry autograd's own rounding from 2e-16 to 1e-9.
    count = min(ROWS, 5 * batch)
    assert_same(*compare(activation, output, "sgd" if by_sign else solver, hidden, 0.01, weighted, batch, count))


def trained(net, x, y, epochs=2, batch_size=8, **options):
    learner = learner_of(net, "mse", "adam", batch_size, **options)
    for _ in range(epochs):
        learner.steps(x, y, steps_of(len(x), batch_size), batch_size)
    return learner


@pytest.fixture
def example():
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    net = MLP(FEATURES, [7, 5], 3).double()
    return net, generator.normal(size=(ROWS, FEATURES)), generator.normal(size=(ROWS, 3))


def test_weights_may_lie_either_way(example):
    net, x, y = example
    one, other = trained(net, x, y), trained(net, x, y, turned=False)
    at = 0
    for below, above in pairwise([FEATURES, 7, 5, 3]):
        a, b = (learner.vector[at : at + below * above] for learner in (one, other))
        np.testing.assert_allclose(a.reshape(above, below), b.reshape(below, above).T, rtol=1e-12)
        at += below * above


def planned(*parts):
    for part in parts:  # noqa: UP028 - `yield from` a tuple takes no answers
        yield part


@pytest.mark.parametrize(
    ("blocks", "wanted"),
    [  # seconds of a step in each part of each block: by one thread, by two in a trial, by two in the rest
        (
            [[1.0, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5]],
            [[(16, 1), (32, 2), (64, 2), (80, 2)], [(16, 2), (48, 2), (80, 2)]],
        ),
        (
            [[1.0, 3.0, 1.0], [1.0], [1.0, 3.0, 1.0], [1.0], [1.0], [1.0, 0.5, 0.5]],
            [
                [(16, 1), (32, 2), (80, 1)],
                [(80, 1)],
                [(40, 1), (56, 2), (80, 1)],
                [(80, 1)],
                [(80, 1)],
                [(40, 1), (56, 2), (80, 2)],
            ],
        ),
        ([[1.0, 0.5, 3.0, 1.0], [1.0]], [[(16, 1), (32, 2), (64, 2), (80, 1)], [(80, 1)]]),
    ],
    ids=["quiet", "busy", "busy later"],
)
def test_second_thread_is_used_while_it_pays_and_tried_ever_more_rarely(example, monkeypatch, blocks, wanted):
    learner = learner_of(example[0], "mse", "adam", 8)
    learner._two = True
    monkeypatch.setattr(compiled_learner, "free_cores", lambda: 2)
    monkeypatch.setattr(compiled_learner, "TRIAL", 16)
    for seconds, parts in zip(blocks, wanted, strict=True):
        plan = learner._plan(80, alone=False)
        found = [next(plan)]
        for second in seconds:
            with contextlib.suppress(StopIteration):
                found.append(plan.send(second))
        assert found == parts


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs Linux")
@pytest.mark.parametrize(("running", "of_machine", "wanted"), [(1, 4, 4), (3, 4, 2), (9, 4, -4), (9, 8, 4)])
def test_cores_that_others_want_are_not_free(monkeypatch, running, of_machine, wanted):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setattr(os, "cpu_count", lambda: of_machine)
    files = {"loadavg": f"1.06 0.94 0.50 {running + 1}/150 3170\n", "task": "3170 (python (1)) R 1 1 1\n"}
    monkeypatch.setattr(Path, "read_text", lambda path: files["loadavg" if path.name == "loadavg" else "task"])
    monkeypatch.setattr(Path, "glob", lambda *_: [Path("3170/stat"), Path("3171/stat")])  # both of this process
    assert free_cores() == wanted


def test_two_threads_give_the_bits_of_one(example, monkeypatch):
    net, x, y = example
    vectors = []
    for workers in (1, 2):
        monkeypatch.setattr(CompiledLearner, "_plan", lambda self, steps, alone, n=workers: planned((steps, n)))
        learner = learner_of(net, "mse", "adam", 8)
        learner.net.layers[:3, PARTS] = [2, 2, 1]
        for _ in range(20):
            learner.steps(x, y, steps_of(ROWS, 8), 8)
        vectors.append(learner.vector)
    assert (vectors[0] == vectors[1]).all()


@pytest.mark.skipif(len(other_cores()) < 1, reason="needs two cores and Linux")
def test_second_thread_keeps_off_the_core_of_the_first(example, monkeypatch):
    net, x, y = example
    monkeypatch.setattr(CompiledLearner, "_plan", lambda self, steps, alone: planned((steps, 2)))
    before, learner = os.sched_getaffinity(0), learner_of(net, "mse", "adam", 8)
    learner.net.layers[:3, PARTS] = [2, 2, 1]
    learner.steps(x, y, steps_of(ROWS, 8), 8)
    cores = compiled_learner.second_thread().submit(os.sched_getaffinity, 0).result()
    assert len(cores) == len(before) - 1 and cores < before and os.sched_getaffinity(0) == before


def test_learner_resumes_where_its_state_was_taken(example):
    net, x, y = example
    whole, first = trained(net, x, y, epochs=4), trained(net, x, y)
    other = learner_of(net, "mse", "adam", 8)
    other.vector[:] = first.vector
    other.load_state(first.state())
    for _ in range(2):
        other.steps(x, y, steps_of(ROWS, 8), 8)
    assert (other.vector == whole.vector).all()


def test_nan_in_a_row_is_seen_in_the_outputs_and_the_weights(example):
    net, x, y = example
    x[3, 2] = np.nan
    learner, seen = learner_of(net, "mse", "sgd", 8), np.zeros((ROWS, 3))
    taken = learner.steps(x, y, steps_of(ROWS, 8), 8, outputs=seen)
    assert np.isnan(seen[[3, *range(8, ROWS)]]).all() and np.isnan(learner.vector).any() and np.isnan(taken.loss)


def test_moments_of_dead_units_end_at_zero_and_not_among_the_smallest_numbers(example):
    net, x, y = example
    learner = learner_of(net, "mse", "adam", 8, dtype=np.float32)
    x, y = x.astype(np.float32), np.zeros((ROWS, 3), np.float32)
    for _ in range(3):
        learner.steps(x, y, steps_of(ROWS, 8), 8)
    learner.vector[:] = -np.abs(learner.vector)  # ReLU is silent from here on, but for the output biases
    for _ in range(400):
        learner.steps(np.abs(x), y, steps_of(ROWS, 8), 8)
    tiny = np.finfo(np.float32).tiny
    for moment in learner.moments:
        assert not ((moment != 0) & (np.abs(moment) < tiny)).any()


@pytest.mark.parametrize("output", OUTPUTS)
def test_outputs_and_values_are_the_nets(output):
    torch.manual_seed(0)
    outputs, book, _ = OUTPUTS[output]
    net, x = MLP(FEATURES, [7, 5], outputs, "gelu").double(), torch.randn(ROWS, FEATURES, dtype=torch.float64)
    learner = learner_of(net, output, "sgd", 8)
    with torch.no_grad():
        raw = net(x)
        values = book().activation(raw).reshape(ROWS, -1)
    np.testing.assert_allclose(learner.outputs(x.numpy()), raw, rtol=1e-12)
    np.testing.assert_allclose(learner.outputs(x.numpy(), values=True), values, rtol=1e-12)
