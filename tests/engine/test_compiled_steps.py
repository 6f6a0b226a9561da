"""Compiled steps for torch's nets and optimisers against autograd, in float64."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn, optim
from torch.optim.lr_scheduler import OneCycleLR

from torchann.engine.compiled.learner import CompiledLearner
from torchann.engine.compiled.net import Layer
from torchann.engine.compiled_steps import CompiledSteps, why_not_compiled
from torchann.engine.learner import AutogradStep, TorchSteps, why_not_explicit
from torchann.engine.rows.loader import Block
from torchann.nets.embedded_mlp import EmbeddedMLP
from torchann.nets.heads import Objective, classification_objective, regression_objective
from torchann.nets.mlp import ACTIVATIONS, MLP
from torchann.nets.standardized_objective import standardized_objective
from torchann.nets.wide_deep import WideDeep

ROWS = 23
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, 0.05, weight_decay=0.01),
    "momentum": lambda p: optim.SGD(p, 0.02, 0.9, nesterov=True),
    "adam": lambda p: optim.Adam(p, 0.01, (0.8, 0.99), 1e-7, weight_decay=0.01),
    "adamw": lambda p: optim.AdamW(p, 0.01),
    "nadam": lambda p: optim.NAdam(p, 0.01, decoupled_weight_decay=True, weight_decay=0.01),
    "rmsprop": lambda p: optim.RMSprop(p, 0.01, alpha=0.9),
    "rmsprop, momentum": lambda p: optim.RMSprop(p, 0.01, momentum=0.5),
    "adagrad": lambda p: optim.Adagrad(p, 0.05, lr_decay=0.1, initial_accumulator_value=0.1),
}
MULTICLASS = classification_objective("multiclass", 3)
ENDS = {
    "mse": regression_objective(2),
    "huber": regression_objective(1, "huber"),
    "bounded": regression_objective(2, "mse", "bounded", (-3, 4)),
    "tanh": regression_objective(1, "mae", "bounded", (-3, 4), "tanh"),
    "positive": regression_objective(2, "mse", "positive"),
    "standardized": standardized_objective(regression_objective(2), [200.0, -3.0], [50.0, 80.0]),
    "binary": classification_objective("binary", 2),
    "multilabel": classification_objective("multilabel", 3),
    "multiclass": MULTICLASS,
}


def targets(name, end):
    if name == "multiclass":
        return torch.randint(3, (ROWS,))
    if name in ("binary", "multilabel"):
        return torch.randint(2, (ROWS,) if name == "binary" else (ROWS, 3))
    return torch.randn(ROWS, end.out_features).double() * (100 if name == "standardized" else 1)


@st.composite
def cases(draw):
    columns = st.one_of(st.none(), st.lists(st.integers(0, 3), min_size=1, max_size=4))
    kind, end = draw(st.sampled_from(["mlp", "embedded", "wide", "aux"])), draw(st.sampled_from(sorted(ENDS)))
    out, activation = ENDS[end].out_features, draw(st.sampled_from(sorted(ACTIVATIONS)))
    deep = kind in ("wide", "aux")
    hidden = draw(st.lists(st.integers(1, 6), min_size=int(deep), max_size=3))
    torch.manual_seed(0)
    x = torch.randn(ROWS, 4).double()
    if kind == "mlp":
        net = MLP(4, hidden, out, activation)
    elif kind == "embedded":
        net = EmbeddedMLP(4, [[6, 3], [2, 1]], hidden, out, activation)
        x[:, 2], x[:, 3] = torch.randint(6, (ROWS,)), torch.randint(2, (ROWS,))
    else:
        net = WideDeep(4, hidden, out, draw(columns), draw(columns), kind == "aux", activation, None)
    y = targets(end, ENDS[end])
    names = ["main", "aux"] if kind == "aux" and end != "multiclass" else [""]
    if kind == "aux" and names == [""]:
        net = WideDeep(4, hidden, out, None, None, False, activation, None)
    share = draw(st.floats(0, 1))
    ends = {name: (ENDS[end], {"": 1.0, "main": 1 - share, "aux": share}[name]) for name in names}
    weight = torch.rand(ROWS).double() if draw(st.booleans()) else None
    return net.double(), x, y, ends, weight, draw(st.sampled_from(sorted(OPTIMIZERS))), draw(st.integers(1, 25))


def by_autograd(net, optimizer, ends, weighted, schedules=()):
    def losses(x, y):
        found = net(x)
        outputs = found if "" in ends else dict(zip(ends, found, strict=True))
        rows = 0.0
        for name, (end, share) in ends.items():
            part = outputs if name == "" else outputs[name]
            rows = rows + share * end.losses(part, y["y"] if name == "" else y[name])
        return outputs, rows if y["weight"] is None else rows * y["weight"]

    class Step(AutogradStep):
        def __call__(self, x, y):
            return super().__call__(x, {**y, "weight": y["weight"] if weighted else None})

    return TorchSteps(Step(losses, optimizer), schedules)


class Both:
    """A net that is trained by compiled steps, and its twin by autograd."""

    def __init__(self, net, ends, optimizer, weight=None, schedule=None):
        self.net, self.twin, self.ends = net, copy.deepcopy(net), ends
        self.ours, self.theirs = OPTIMIZERS[optimizer](net.parameters()), OPTIMIZERS[optimizer](self.twin.parameters())
        schedules = ([], []) if schedule is None else ([schedule(self.ours)], [schedule(self.theirs)])
        self.weight = torch.ones(ROWS).double() if weight is None else weight
        self.compiled = CompiledSteps(net, self.ours, _keyed(ends), lambda y: y["weight"], schedules[0])
        self.autograd = by_autograd(self.twin, self.theirs, ends, weight is not None, schedules[1])

    def take(self, x, y, batch_size, limit=None, tolerance=1e-10):
        named = {"y": y, "main": y, "aux": y, "weight": self.weight}
        block = Block(x, named, batch_size)
        with torch.no_grad():
            ours, theirs = self.compiled.take(block, limit), self.autograd.take(block, limit)
        for name in self.ends:
            mine, its = (ours["y"], theirs) if name == "" else (ours[name], theirs[name])
            torch.testing.assert_close(mine, its, rtol=10 * tolerance, atol=10 * tolerance)

    def compare(self, tolerance=1e-10):
        mine, its = self.ours.state_dict(), self.theirs.state_dict()
        assert mine["param_groups"] == its["param_groups"]
        close = {"rtol": tolerance, "atol": tolerance}
        for number, state in its["state"].items():
            assert set(mine["state"][number]) == {name for name, value in state.items() if value is not None}
            for name, value in mine["state"][number].items():
                torch.testing.assert_close(value, state[name], check_dtype=False, **close)
        for a, b in zip(self.net.parameters(), self.twin.parameters(), strict=True):
            torch.testing.assert_close(a, b, **close)


def _keyed(ends):
    return {name or "y": end for name, end in ends.items()}


# torch keeps the product of NAdam's momenta in float32.
def tolerance_of(optimizer):
    return 1e-6 if optimizer == "nadam" else 1e-10


@settings(deadline=None, max_examples=120)
@given(cases())
def test_steps_are_those_of_autograd_whatever_the_net_and_torchs_optimizer_can_go_on(case):
    net, x, y, ends, weight, optimizer, batch_size = case
    assert why_not_compiled(net, OPTIMIZERS[optimizer](net.parameters()), ends) is None
    both = Both(net, ends, optimizer, weight)
    for _ in range(2):
        both.take(x, y, batch_size, tolerance=tolerance_of(optimizer))
    both.compare(tolerance_of(optimizer))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_compiled_steps_go_on_from_the_state_of_torchs_optimizer(optimizer):
    torch.manual_seed(0)
    x, y = torch.randn(ROWS, 4).double(), torch.randn(ROWS, 2).double()
    net, ends = MLP(4, [5], 2, "tanh").double(), {"": (ENDS["mse"], 1.0)}
    begun = OPTIMIZERS[optimizer](net.parameters())
    by_autograd(net, begun, ends, False).take(Block(x, {"y": y, "weight": y}, 4))
    both = Both(net, ends, optimizer)
    for other in (both.ours, both.theirs):
        other.load_state_dict(copy.deepcopy(begun.state_dict()))  # as Lightning restores it, and as a callback may
    both.take(x, y, 4, tolerance=tolerance_of(optimizer))
    both.compare(tolerance_of(optimizer))


@pytest.mark.parametrize("cycle_momentum", [False, True])
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_schedules_move_after_each_step_and_a_limit_holds_within_a_block(optimizer, cycle_momentum):
    torch.manual_seed(0)
    x, y = torch.randn(ROWS, 4).double(), torch.randn(ROWS, 2).double()
    net, ends = MLP(4, [5], 2, "tanh").double(), {"": (ENDS["mse"], 1.0)}
    both = Both(net, ends, optimizer, schedule=lambda o: OneCycleLR(o, 0.1, 10, cycle_momentum=cycle_momentum))
    both.take(x, y, 4)
    both.take(x, y, 4, limit=3)
    both.compare()


def test_weights_that_a_callback_puts_elsewhere_are_trained():
    torch.manual_seed(0)
    x, y = torch.randn(ROWS, 4).double(), torch.randn(ROWS, 2).double()
    both = Both(MLP(4, [5], 2).double(), {"": (ENDS["mse"], 1.0)}, "adam")
    both.take(x, y, 4)
    for net in (both.net, both.twin):
        net[1].weight.data = net[1].weight.data * 0.5
    both.take(x, y, 4)
    both.compare()


def of_end(net, **options):
    return CompiledSteps(
        net, optim.SGD(net.parameters(), 0.1, **options), {"": (regression_objective(1), 1.0)}, lambda _: None
    )


@pytest.mark.parametrize(
    ("net", "x", "y", "wrong"),
    [
        (MLP(4, [], 1), torch.zeros(3, 5), torch.zeros(3, 1), "inputs have 5 numbers per row; .* in_features=4"),
        (MLP(4, [], 1), torch.zeros(3, 4), torch.zeros(3, 2), r"targets are \(3, 2\); give 3 rows with 1 numbers each"),
        (EmbeddedMLP(2, [[6, 3]], [], 1), torch.tensor([[0.0, 6.0]]), torch.zeros(1, 1), "from 6 to 6; .* 0 to 5"),
        (EmbeddedMLP(2, [[6, 3]], [], 1), torch.tensor([[0.0, -1.0]]), torch.zeros(1, 1), "from -1 to -1; .* 0 to 5"),
    ],
)  # fmt: skip
def test_rows_that_the_net_cannot_take_are_refused(net, x, y, wrong):
    with pytest.raises(ValueError, match=wrong):
        of_end(net).take(Block(x, y, 2))


def changed(change, net=None):
    net = net or MLP(4, [4], 4)
    change(net)
    return net


def share_weights(net):
    net[3].weight = net[1].weight


CUSTOM = Objective(4, lambda z, y: z, lambda z, y: z, lambda z: z)
SGD = optim.SGD


@pytest.mark.parametrize(
    ("net", "make", "options", "reason"),
    [
        (nn.Linear(4, 4), SGD, {}, "the net is a Linear"),
        (MLP(4, [4], 4, norm="layer"), SGD, {}, "the net has normalisation"),
        (changed(lambda net: net[1].weight.requires_grad_(False)), SGD, {}, "some weights are frozen"),
        (changed(share_weights), SGD, {}, "some weights are shared"),
        (changed(lambda net: net.register_forward_hook(print)), SGD, {}, "the net has hooks"),
        (changed(lambda net: nn.utils.parametrizations.weight_norm(net[1])), SGD, {}, "a layer is parametrized"),
        (MLP(4, [4], 4).bfloat16(), SGD, {}, "the weights are torch.bfloat16"),
        (MLP(4, [4], 4).to("meta"), SGD, {}, "the device is meta"),
        (MLP(4, [4], 4), optim.Adamax, {}, "the optimiser is a Adamax"),
        (MLP(4, [4], 4), optim.Adam, {"amsgrad": True}, "the optimiser has amsgrad=True"),
        (MLP(4, [4], 4), optim.RMSprop, {"centered": True}, "the optimiser has centered=True"),
        (MLP(4, [4], 4), SGD, {"maximize": True}, "the optimiser has maximize=True"),
        (MLP(4, [4], 4), SGD, {"momentum": 0.9, "dampening": 0.1}, "the optimiser has dampening=0.1"),
    ],
)
def test_what_keeps_a_net_from_compiled_steps_is_said(net, make, options, reason):
    ends = {"": (regression_objective(4), 1.0)}
    assert why_not_compiled(net, make(net.parameters(), lr=0.1, **options), ends) == reason


def test_optimizer_with_hooks_is_said():
    net = MLP(4, [4], 4)
    optimizer = SGD(net.parameters(), lr=0.1)
    optimizer.register_step_pre_hook(print)
    assert why_not_compiled(net, optimizer, {"": (regression_objective(4), 1.0)}) == "the optimiser has hooks"


def test_optimizers_that_move_parts_objectives_of_ones_own_and_several_processes_are_said():
    net, ends = MLP(4, [4], 4), {"": (regression_objective(4), 1.0)}
    part = SGD(net[1].parameters(), lr=0.1)
    assert why_not_compiled(net, part, ends) == "the optimiser does not move all weights"
    part.add_param_group({"params": net[3].parameters()})
    assert why_not_compiled(net, part, ends) == "the optimiser has several groups of weights"
    whole = SGD(net.parameters(), lr=0.1)
    assert why_not_compiled(net, whole, {"": (CUSTOM, 1.0)}) == "the loss is one of your own"
    assert why_not_compiled(net, whole, ends, processes=2) == "several processes train together"


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (MLP(4, [4], 4), None),
        (MLP(4, [4], 4, dropout=0.1), "the net has dropout"),
        (WideDeep(4), "the net is a WideDeep"),
        (EmbeddedMLP(2, [[6, 3]], [], 1), "the net is a EmbeddedMLP"),
    ],
)
def test_what_keeps_a_net_from_backpropagation_written_out_is_said(net, reason):
    assert why_not_explicit(net) == reason


def dropped(seed=0):
    torch.manual_seed(seed)
    net = MLP(4, [6, 5], 1, "tanh", dropout=0.3).double()
    return net, of_end(net, momentum=0.9), torch.randn(ROWS, 4).double(), torch.randn(ROWS, 1).double()


def drops_of(steps, number, rows):
    """The factors of a hidden layer's values, ``(rows, units)``."""
    net, layer = steps.learner.net, Layer(*steps.learner.net.layers[number].tolist())
    drops = torch.from_numpy(steps.learner.batch.drops)[layer.z : layer.z + layer.units * net.room]
    return drops.view(layer.units, net.room)[:, :rows].T


def test_step_with_dropout_is_autograds_with_the_same_units_switched_off():
    net, steps, x, y = dropped()
    twin = copy.deepcopy(net)
    outputs = steps.take(Block(x, y, ROWS))
    masks = [drops_of(steps, layer, ROWS) for layer in range(2)]
    assert {round(value, 12) for mask in masks for value in mask.flatten().tolist()} == {0.0, round(1 / 0.7, 12)}
    first, second, third = twin.linears()
    wanted = third(torch.tanh(second(torch.tanh(first(x)) * masks[0])) * masks[1])
    ((wanted - y) ** 2).mean().backward()
    torch.testing.assert_close(outputs, wanted.detach(), rtol=1e-10, atol=1e-10)
    for ours, theirs in zip(net.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours.detach(), theirs.detach() - 0.1 * theirs.grad, rtol=1e-10, atol=1e-10)


def test_dropout_switches_off_the_share_that_was_asked_for():
    _, steps, _, _ = dropped()
    steps.take(Block(torch.zeros(2000, 4).double(), torch.zeros(2000, 1).double(), 2000))
    drops = drops_of(steps, 0, 2000)
    assert drops.numel() == 12_000
    assert float((drops == 0).double().mean()) == pytest.approx(0.3, abs=4 * (0.21 / 12_000) ** 0.5)


@pytest.mark.parametrize("seed", [0, 1])
def test_dropout_depends_on_the_seed_and_not_on_how_steps_come_in_blocks_or_resume(seed):
    net, steps, x, y = dropped(seed)
    steps.take(Block(x, y, 4))
    weights = net[1].weight.detach().clone()
    net, steps, x, y = dropped(seed)
    steps.take(Block(x[:8], y[:8], 4))
    state, kept = steps.state(), copy.deepcopy(steps.optimizer.state_dict())
    torch.rand(3)
    optimizer = optim.SGD(net.parameters(), 0.1, momentum=0.9)
    optimizer.load_state_dict(kept)
    steps = CompiledSteps(net, optimizer, steps.ends, lambda _: None)
    steps.load_state(state)
    steps.take(Block(x[8:], y[8:], 4))
    assert torch.equal(net[1].weight, weights)
    assert not torch.equal(weights, dropped(1 - seed)[0][1].weight)


def test_second_thread_is_asked_for_by_the_size_of_the_batches_that_come(monkeypatch):
    asked, take = [], CompiledLearner._take
    monkeypatch.setattr("torchann.engine.compiled.learner.free_cores", lambda: 2)
    monkeypatch.setattr(CompiledLearner, "_take", lambda self, given, n: asked.append(n) or take(self, given, n))
    net = MLP(784, [300], 1)  # 2 * 32 * 784 * 300 operations in a layer: 15 million
    optimizer, ends = optim.SGD(net.parameters(), lr=0.1), {"": (regression_objective(1), 1.0)}
    steps = CompiledSteps(net, optimizer, ends, lambda y: None)
    steps.take(Block(torch.zeros(128, 784), torch.zeros(128, 1), batch_size=32))
    assert asked[:2] == [1, 2]  # of four steps
