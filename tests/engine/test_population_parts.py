"""What a population is made of: padding, buckets, steps worked by hand, what is refused."""

import math
import sys
from itertools import chain, pairwise

import numpy as np
import pytest
import torch

from torchann.engine.population import Member, RandomStateOrder, SeededOrder, Settings, SharedRows
from torchann.engine.population.batched_backprop import CHAINS, FUNCTIONS, SILENT
from torchann.engine.population.padded_group import PaddedGroup
from torchann.engine.population.plan import CPU, GPU, plan, seconds_left
from torchann.engine.population.rounds import quick_arithmetic, train_for
from torchann.engine.population.solvers import steps_per_decay
from torchann.engine.rows.shuffling import shuffled_order
from torchann.nets.functional import ACTIVATIONS
from torchann.nets.many_objectives import OBJECTIVES

NAMES = {"logistic": "sigmoid"}


def weights(*sizes, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(units, inputs + 1, generator=generator, dtype=dtype) - 0.5 for inputs, units in pairwise(sizes)]


def member(*sizes, rows=20, validation=0, seed=0, **settings):
    order = SeededOrder(np.arange(rows), seed=0)
    held_out = np.arange(rows, rows + validation)
    return Member(Settings(**{"batch_size": 8} | settings), weights(*sizes, seed=seed), order, held_out)


@pytest.fixture
def table():
    """30 rows of three numbers, and a target."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(30, 3, generator=generator, dtype=torch.float64)
    return SharedRows.of(x, x[:, 0] * x[:, 1])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_activations_and_their_chains_are_those_of_the_nets(name):
    z = torch.linspace(-9, 9, 36, dtype=torch.float64)
    other = ACTIVATIONS[NAMES.get(name, name)]
    a = torch.empty_like(z)
    FUNCTIONS[name](z, a)
    torch.testing.assert_close(a, other.function(z))
    error = torch.ones_like(z)
    torch.testing.assert_close(CHAINS[name](error, z, a), other.derivative(z, a))


def test_a_silent_unit_is_exactly_zero_in_both_dtypes():
    for dtype in (torch.float32, torch.float64):
        assert FUNCTIONS["logistic"](torch.tensor(SILENT, dtype=dtype), torch.empty((), dtype=dtype)) == 0


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_padding_is_never_touched(activation, solver, table):
    options = {"activation": activation, "solver": solver, "alpha": 0.1, "learning_rate_init": 0.05}
    members = [member(3, 2, 5, 1, **options), member(3, 4, 1, 1, validation=0, **options)]
    bucket = PaddedGroup(members, table)
    before = [layer.clone() for layer in bucket.weights.layers]
    with torch.inference_mode():
        for _ in range(3):
            bucket.epoch()
    for number, own in enumerate(members):
        for layer, old, inputs, units in zip(bucket.weights.layers, before, own.sizes, own.sizes[1:], strict=False):
            real = torch.zeros_like(layer[number], dtype=torch.bool)
            real[:units, :inputs] = real[:units, -1] = True
            assert torch.equal(layer[number][~real], old[number][~real])
            assert not torch.equal(layer[number][real], old[number][real])
            assert set(layer[number][~real].tolist()) <= {0.0, SILENT}


def test_networks_do_not_depend_on_those_beside_them(table):
    alike = [member(3, units, 1, seed=units, alpha=0.1, solver="sgd") for units in (2, 7, 7, 9)]
    apart = [member(3, units, 1, seed=units, alpha=0.1, solver="sgd") for units in (2, 7, 7, 9)]
    for own in (*alike, *apart):
        own.go_on(3)
    train_for(alike, table)
    for own in apart:
        train_for([own], table)
    for one, other in zip(alike, apart, strict=True):
        for together, alone in zip(one.weights, other.weights, strict=True):
            torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)
        assert one.loss_curve == pytest.approx(other.loss_curve, rel=1e-12)


def test_momentum_of_each_network_is_its_own(table):
    for ahead in (True, False):
        options = {"solver": "sgd", "nesterovs_momentum": ahead, "max_iter": 3, "alpha": 0.1}
        rates = (0.0, 0.5, 0.9)
        both = [[member(3, 4, 1, momentum=rate, **options) for rate in rates] for _ in range(2)]
        train_for(both[0], table)
        for one, other in zip(*both, strict=True):
            train_for([other], table)
            torch.testing.assert_close(one.weights, other.weights, rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(one.moments[0], other.moments[0], rtol=1e-12, atol=1e-12)


def test_weights_can_be_trained_further_by_autograd(table):
    own = member(3, 4, 1, validation=3, max_iter=2)
    train_for([own], table)
    for layer in own.weights + own.best_weights + own.moments[0]:
        assert not layer.is_inference() and layer.clone().requires_grad_().square().sum().backward() is None


def one_step(solver, steps=1, **settings):
    """A weight 2 and a bias 1 after steps with the only row x = 3, y = 1."""
    data = SharedRows.of(torch.tensor([[3.0]]), torch.tensor([1.0]))
    start = [torch.tensor([[2.0, 1.0]])]
    own = Member(Settings(solver=solver, max_iter=steps, **settings), start, SeededOrder(np.array([0]), 0))
    train_for([own], data)
    return own


def test_gradient_descent_takes_the_step_worked_by_hand():
    # output 2 * 3 + 1 = 7, error 6; gradients 6 * 3 + 0.5 * 2 = 19 with the penalty's share, and 6: biases have none
    own = one_step("sgd", learning_rate_init=0.01, momentum=0, alpha=0.5)
    torch.testing.assert_close(own.weights[0], torch.tensor([[2 - 0.19, 1 - 0.06]]))
    assert own.loss_curve == pytest.approx([6**2 / 2 + 0.5 * 2**2 / 2])


def test_momentum_takes_the_steps_worked_by_hand():
    options = {"learning_rate_init": 0.01, "momentum": 0.5, "alpha": 0.0}
    plain = one_step("sgd", 2, nesterovs_momentum=False, **options)
    # first step: v = -(0.18, 0.06); the output then is 1.82 * 3 + 0.94 = 6.4, the error 5.4
    # second: v = 0.5 * v - 0.01 * (16.2, 5.4) = -(0.252, 0.084)
    torch.testing.assert_close(plain.weights[0], torch.tensor([[1.82 - 0.252, 0.94 - 0.084]]))
    torch.testing.assert_close(plain.moments[0][0], torch.tensor([[-0.252, -0.084]]))
    ahead = one_step("sgd", 1, **options)  # half of v = -(0.18, 0.06) and the gradient once more
    torch.testing.assert_close(ahead.weights[0], torch.tensor([[2 - 0.09 - 0.18, 1 - 0.03 - 0.06]]))


def test_adam_takes_the_step_worked_by_hand():
    own = one_step("adam", learning_rate_init=0.1, alpha=0.0, epsilon=1.0)
    # gradients 18 and 6; m = 0.1 g, v = 0.001 g^2; rate 0.1 * sqrt(0.001) / 0.1; epsilon is added to sqrt(v) as it is
    moved = [math.sqrt(0.001) * 0.1 * g / (math.sqrt(0.001) * g + 1) for g in (18, 6)]
    torch.testing.assert_close(own.weights[0], torch.tensor([[2 - moved[0], 1 - moved[1]]]))
    torch.testing.assert_close(own.moments[1][0], torch.tensor([[0.001 * 18**2, 0.001 * 6**2]]))


def test_a_penalty_too_small_for_a_step_is_not_lost():
    rows, rate, alpha, epochs = 196, 1e-4, 0.004, 60  # 24 batches of 8 rows and one of 4
    data = SharedRows.of(torch.zeros(rows, 3), torch.zeros(rows))  # nothing to learn: weights only shrink
    options = {"learning_rate_init": rate, "alpha": alpha, "max_iter": epochs, "n_iter_no_change": math.inf}
    own = member(3, 4, 1, rows=rows, solver="sgd", momentum=0, **options)
    for layer in own.weights:
        layer[:, -1] = 0  # without biases no output, and no error
    own.weights = start = [layer.float() for layer in own.weights]
    taken = rate * alpha / 8
    assert taken < torch.finfo(torch.float32).eps and steps_per_decay([own], torch.float32) == 19
    train_for([own], data)
    for before, after in zip(start, own.weights, strict=True):
        shrunk = (before - after)[:, :-1] / before[:, :-1]
        expected = torch.full_like(shrunk, epochs * (24 * taken + 2 * taken))
        torch.testing.assert_close(shrunk, expected, rtol=0.08, atol=0)  # 7.5 of the last bits at a time, rounded
        assert not after[:, -1].any()


def test_untrained_losses_are_those_of_guessing():
    flat = torch.zeros(1, 1, 2), torch.zeros(1, 2, 5)  # weights and values: logits of zero
    for name, outputs in (("log_loss", 10), ("binary_log_loss", 1)):
        y = torch.zeros(1, outputs, 5)
        y[:, 0] = 1
        kept = torch.empty_like(y)
        OBJECTIVES[name].error(flat[0].expand(1, outputs, 2), flat[1], y, kept)
        loss = OBJECTIVES[name].losses(kept, y).sum(1)
        torch.testing.assert_close(loss, torch.full((1, 5), math.log(max(2, outputs))))


def test_rows_of_an_epoch_are_each_there_once_and_in_the_order_of_the_tasks():
    rows = np.array([5, 6, 9, 11])
    order = SeededOrder(rows, seed=3)
    epochs = [order.next_epoch().tolist() for _ in range(2)]
    assert epochs == [rows[shuffled_order(4, 3, epoch).numpy()].tolist() for epoch in range(2)]
    shuffled = RandomStateOrder(rows, np.random.RandomState(0))
    assert sorted(shuffled.next_epoch().tolist()) == rows.tolist()
    assert RandomStateOrder(rows, np.random.RandomState(0), shuffle=False).next_epoch().tolist() == rows.tolist()


def test_plan_keeps_apart_what_cannot_be_trained_in_the_same_products():
    alike = [member(3, units, 1) for units in (4, 5)]
    others = [
        member(3, 4, 4, 1),
        member(2, 4, 1),
        member(3, 4, 2),
        member(3, 4, 1, activation="tanh"),
        member(3, 4, 1, loss="binary_log_loss"),
        member(3, 4, 1, solver="sgd"),
        member(3, 4, 1, solver="sgd", nesterovs_momentum=False),
        member(3, 4, 1, beta_1=0.8),
        member(3, 4, 1, batch_size=5),
        member(3, 4, 1, rows=25),
        member(3, 4, 1, validation=2),
    ]
    buckets = plan([*alike, *others], item_size=8)
    assert sorted(map(len, buckets)) == [1] * len(others) + [2]


def test_plan_puts_each_network_into_one_bucket_and_no_bucket_is_too_large():
    members = [member(3, units, units, 1) for units in (1, 60, 2, 61, 3, 62, 63, 90) for _ in range(3)]
    for limit in (20_000, 200_000):
        buckets = plan(members, item_size=8, machine=CPU._replace(bucket_bytes=limit))
        assert sorted(map(id, chain(*buckets))) == sorted(map(id, members))
        for bucket in buckets:
            most = max(own.sizes[1] for own in bucket)
            padded = 2 * 8 * len(bucket) * (4 * most + (most + 1) * most + most + 1)
            assert padded <= limit or len(bucket) == 1
    assert [seconds_left(bucket) for bucket in buckets] == sorted(map(seconds_left, buckets), reverse=True)
    small = next(bucket for bucket in buckets if bucket[0].sizes[1] < 4)
    assert {own.sizes[1] for own in small} == {1, 2, 3}  # not padded to 60
    assert len(plan(members, item_size=8, machine=GPU)) < len(plan(members, item_size=8, machine=CPU))


def test_arithmetic_is_the_callers_again_afterwards():
    torch.set_num_threads(2)
    try:
        with quick_arithmetic():
            assert torch.get_num_threads() == 1 and sys.float_info.min / 2 == 0
        assert torch.get_num_threads() == 2 and sys.float_info.min / 2 > 0
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"activation": "gelu"}, "activation is 'gelu'; give one of 'identity', 'logistic', 'tanh', 'relu'"),
        ({"solver": "lbfgs"}, "solver is 'lbfgs'; give one of 'sgd', 'adam'"),
        ({"loss": "poisson"}, "loss is 'poisson'; give one of 'squared_error', 'log_loss', 'binary_log_loss'"),
        ({"learning_rate": "cosine"}, "learning_rate is 'cosine'; give one of 'constant', 'invscaling', 'adaptive'"),
        ({"batch_size": 0}, "batch_size is 0 and learning_rate_init 0.001; give 1 row or more"),
        ({"learning_rate_init": -1.0}, "learning_rate_init -1.0; .* a finite rate above 0"),
    ],
)
def test_settings_refuse_what_there_is_not(settings, told):
    with pytest.raises(ValueError, match=told):
        Settings(**settings)


def test_member_refuses_layers_that_do_not_follow_on_each_other():
    order = SeededOrder(np.arange(3), seed=0)
    with pytest.raises(ValueError, match=r"the layers are \[\(4, 3\), \(1, 4\)\]; give \(units, inputs \+ 1\)"):
        Member(Settings(), [torch.zeros(4, 3), torch.zeros(1, 4)], order)
    with pytest.raises(ValueError, match="there is no training row; give at least one"):
        Member(Settings(), weights(2, 1), SeededOrder(np.arange(0), seed=0))


def test_table_refuses_shapes_that_do_not_go_together():
    with pytest.raises(ValueError, match=r"x \(3, 2\) and y \(2,\) do not fit together; give \(rows, in_features\)"):
        SharedRows.of(torch.zeros(3, 2), torch.zeros(2))
