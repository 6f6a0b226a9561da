import math
from typing import get_args

import lightning.pytorch as pl
import pytest
import torch
from torch import nn, optim

from tests.tasks.tables import fit, regression_table
from torchann import RegressionMLP
from torchann.engine.optimizers import OptimizerName, ScheduleName, make_optimizer, make_schedule

CLASSES = {
    "sgd": optim.SGD,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "nadam": optim.NAdam,
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
}


def trajectory(make, num_steps: int = 5) -> list[list[float]]:
    """The weights on their way down a bowl that is steeper in one direction."""
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer, way = make([weight]), []
    for _ in range(num_steps):
        optimizer.zero_grad()
        (weight**2 * torch.tensor([1.0, 5.0])).sum().backward()
        optimizer.step()
        way.append(weight.tolist())
    return way


def test_every_optimizer_has_a_name():
    assert set(get_args(OptimizerName)) == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}])
def test_optimizer_steps_as_torchs_class_does(name, options):
    ours = trajectory(lambda parameters: make_optimizer(name, parameters, lr=0.05, **options))
    # What is not given is 0, also where torch's default is not (AdamW decays by 0.01).
    assert ours == trajectory(lambda parameters: CLASSES[name](parameters, lr=0.05, **({"weight_decay": 0} | options)))


@pytest.mark.parametrize(
    ("name", "options"),
    [("sgd", {"momentum": 0.9}), ("sgd", {"momentum": 0.9, "nesterov": True}), ("rmsprop", {"momentum": 0.9})],
)
def test_momentum_steps_as_torchs_does(name, options):
    ours = trajectory(lambda parameters: make_optimizer(name, parameters, lr=0.01, **options))
    assert ours == trajectory(lambda parameters: CLASSES[name](parameters, lr=0.01, **options))
    assert ours != trajectory(lambda parameters: make_optimizer(name, parameters, lr=0.01))


def test_sgd_goes_down_by_the_rate_times_the_slope():
    # slopes 2 w = 2 and 10 w = -20: 1 - 0.1 * 2 = 0.8 and -2 + 0.1 * 20 = 0; then 0.8 - 0.1 * 1.6 = 0.64
    way = trajectory(lambda parameters: make_optimizer("sgd", parameters, lr=0.1), num_steps=2)
    torch.testing.assert_close(torch.tensor(way), torch.tensor([[0.8, 0.0], [0.64, 0.0]]))


def test_momentum_keeps_the_speed():
    # speed 2, then 0.5 * 2 + 1.6 = 2.6: 1 - 0.1 * 2 = 0.8, then 0.8 - 0.1 * 2.6 = 0.54
    way = trajectory(lambda parameters: make_optimizer("sgd", parameters, lr=0.1, momentum=0.5), num_steps=2)
    assert [weight[0] for weight in way] == pytest.approx([0.8, 0.54])


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("adam", {"momentum": 0.9}, "optimizer 'adam' has no option 'momentum'; it takes .*betas"),
        ("adagrad", {"momentum": 0.9}, "optimizer 'adagrad' has no option 'momentum'"),
        ("rmsprop", {"nesterov": True}, "optimizer 'rmsprop' has no option 'nesterov'"),
        ("sdg", {}, "no optimizer 'sdg'; did you mean 'sgd'"),
        ("lion", {}, "no optimizer 'lion'; choose one of sgd, adam, adamw, nadam, adagrad, rmsprop"),
    ],
)
def test_knob_that_an_optimizer_would_ignore_is_refused(name, options, told):
    with pytest.raises(ValueError, match=told):
        make_optimizer(name, [nn.Parameter(torch.zeros(1))], lr=0.1, **options)


class RateRecorder(pl.Callback):
    def __init__(self):
        self.rates: list[float] = []

    def on_train_batch_start(self, trainer, *_):
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


def rates(lr_schedule: ScheduleName, max_epochs: int = 4, lr: float = 1.0, **options) -> list[float]:
    """The rate of each step, two steps per epoch."""
    recorder = RateRecorder()
    data = regression_table(num_rows=64)
    data.y *= 0  # with zero weights the validation loss is 0 and stays there
    model = RegressionMLP([], weight_init="zeros", lr=lr, lr_schedule=lr_schedule, lr_schedule_options=options or None)
    fit(model, data, max_epochs, callbacks=[recorder])
    return recorder.rates


def each_twice(values: list[float]) -> list[float]:
    return [value for value in values for _ in range(2)]


def test_constant_rate_is_that_of_the_optimizer():
    assert rates("constant", lr=0.3) == [0.3] * 8


def test_step_schedule_divides_every_few_epochs():
    assert rates("step", step_size=2) == pytest.approx(each_twice([1, 1, 0.1, 0.1]))  # torch's gamma is 0.1


def test_exponential_schedule_multiplies_every_epoch():
    assert rates("exponential", gamma=0.5) == pytest.approx(each_twice([1, 0.5, 0.25, 0.125]))


def test_cosine_schedule_takes_the_length_of_the_run():
    # (1 + cos(pi e / 4)) / 2 for e = 0, 1, 2, 3
    assert rates("cosine") == pytest.approx(each_twice([1, (2 + math.sqrt(2)) / 4, 0.5, (2 - math.sqrt(2)) / 4]))


def test_cosine_schedule_takes_a_length_that_is_given():
    # (1 + cos(pi e / 2)) / 2
    assert rates("cosine", max_epochs=3, T_max=2) == pytest.approx(each_twice([1, 0.5, 0]))


def test_one_cycle_schedule_moves_after_each_step():
    # 8 steps, half of them up: from 1/25 at step 0 to 1 at step 0.5 * 8 - 1 = 3, then down to 1/25/10,000 at step 7;
    # cosine in between, half way at step 5.
    measured = rates("one_cycle", pct_start=0.5)
    low = 1 / 25 / 1e4
    assert [measured[step] for step in (0, 3, 5, 7)] == pytest.approx([1 / 25, 1, (1 + low) / 2, low])
    # (1/25 + 1) / 2 -+ (1 - 1/25) / 2 * cos(60 degrees)
    assert measured[1:3] == pytest.approx([0.52 - 0.24, 0.52 + 0.24])


def test_one_cycle_schedule_takes_a_length_that_is_given():
    # 4 epochs of 4 steps: the top, at step 0.5 * 16 - 1 = 7, is the last of the 8 steps taken.
    measured = rates("one_cycle", pct_start=0.5, epochs=4, steps_per_epoch=4)
    assert max(measured) == measured[7] == pytest.approx(1)
    assert rates("one_cycle", pct_start=0.5, total_steps=16) == measured


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_one_cycle_schedule_leaves_the_momentum_as_it_was_given(momentum):
    # torch's default would cycle it between 0.85 and 0.95, whatever was given.
    optimizer = make_optimizer("sgd", [nn.Parameter(torch.zeros(1))], lr=0.1, momentum=momentum)
    make_schedule("one_cycle", optimizer, {}, None, num_steps=10)
    assert optimizer.param_groups[0]["momentum"] == momentum
    make_schedule("one_cycle", optimizer, {"cycle_momentum": True}, None, num_steps=10)
    assert optimizer.param_groups[0]["momentum"] == 0.95


def test_plateau_schedule_lowers_the_rate_when_the_validation_loss_stays():
    # The first epoch is the best so far; each later one is one too many.
    assert rates("plateau", patience=0, factor=0.5) == pytest.approx(each_twice([1, 1, 0.5, 0.25]))


def sgd() -> optim.Optimizer:
    return optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("cosin", {}, "lr_schedule 'cosin' with options {}; choose one of constant, step, .*plateau"),
        ("constant", {"gamma": 0.5}, "lr_schedule 'constant' with options {'gamma': 0.5}"),
        ("step", {"step": 2}, "lr_schedule 'step' has no option 'step'; it takes .*step_size"),
        ("step", {}, "lr_schedule 'step' with options {}: .*'step_size'; give it in lr_schedule_options"),
        ("exponential", {}, "lr_schedule 'exponential' with options {}: .*'gamma'"),
        ("cosine", {}, "lr_schedule 'cosine' with options {}: .*'T_max'"),
        ("one_cycle", {}, "total_steps"),
    ],
)
def test_schedule_that_cannot_be_made_is_refused(name, options, told):
    with pytest.raises(ValueError, match=told):
        make_schedule(name, sgd(), options, None, None)


def test_schedule_without_a_bounded_run_is_refused_by_the_task():
    model = RegressionMLP([], lr_schedule="cosine")
    with pytest.raises(ValueError, match="lr_schedule 'cosine'.*'T_max'"):
        fit(model, regression_table(), max_epochs=-1, max_steps=4)


@pytest.mark.parametrize(
    ("knob", "value"), [("lr", float("nan")), ("lr", -1.0), ("weight_decay", float("inf")), ("momentum", -0.5)]
)
def test_knob_that_is_no_finite_number_from_0_is_refused(knob, value):
    with pytest.raises(ValueError, match=f"{knob} is {value}; give a finite number, 0 or more"):
        fit(RegressionMLP([4], **{knob: value}), regression_table())
