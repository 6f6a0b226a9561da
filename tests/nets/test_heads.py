import math
import pickle

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from torchann.engine.backprop import Backprop
from torchann.nets.heads import REGRESSION_LOSSES, REGRESSION_OUTPUTS, classification_objective, regression_objective
from torchann.nets.mlp import MLP

OUTPUTS = [(output, name) for output, names in REGRESSION_OUTPUTS.items() for name in names]


def head_of(output, name, loss="mse", bounds=(-1.5, 4.0), out_features=1):
    return regression_objective(out_features, loss, output, bounds if output == "bounded" else None, name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # errors 0.5 and -2: squares 0.25, 4; Huber e**2 / 2 = 0.125 and |e| - 1/2 = 1.5
        ("mse", [0.25, 4.0]),
        ("mae", [0.5, 2.0]),
        ("huber", [0.125, 1.5]),
    ],
)
def test_regression_losses_of_errors_half_and_two(name, expected):
    assert (
        regression_objective(1, name).losses(torch.tensor([[0.5], [0.0]]), torch.tensor([[0.0], [2.0]])).tolist()
        == expected
    )


@pytest.mark.parametrize(("name", "loss"), [("mse", F.mse_loss), ("mae", F.l1_loss), ("huber", F.huber_loss)])
def test_mean_regression_loss_is_torchs_over_rows_and_outputs(name, loss):
    y_hat, y = torch.randn(2, 5, 3)
    losses = regression_objective(3, name).losses(y_hat, y)
    assert losses.shape == (5,)
    torch.testing.assert_close(losses.mean(), loss(y_hat, y))


def test_regression_head_leaves_the_outputs_as_they_are():
    objective, y_hat = regression_objective(2), torch.randn(4, 2)
    assert objective.out_features == 2
    assert torch.equal(objective.activation(y_hat), y_hat)


def test_regression_losses_refuse_to_broadcast():
    with pytest.raises(ValueError, match=r"predictions \(3, 1\) and targets \(3,\) must have the same shape"):
        regression_objective(1).losses(torch.zeros(3, 1), torch.zeros(3))


def test_unknown_regression_loss_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no regression loss 'rmse'; choose one of mse, mae, huber"):
        regression_objective(1, "rmse")


@settings(max_examples=200, deadline=None)
@given(
    end=st.sampled_from(OUTPUTS),
    loss=st.sampled_from(sorted(REGRESSION_LOSSES)),
    sizes=st.tuples(st.integers(1, 8), st.integers(1, 4)),
    bounds=st.tuples(st.floats(-10, 10), st.floats(0.1, 10)),
    spread=st.sampled_from([0.1, 1.0, 30.0]),
    seed=st.integers(0, 2**31),
)
def test_error_by_the_raw_outputs_agrees_with_autograd_to_1e_10(end, loss, sizes, bounds, spread, seed):
    torch.manual_seed(seed)
    low, width = bounds
    objective = head_of(*end, loss, (low, low + width), sizes[1])
    outputs = (spread * torch.randn(sizes, dtype=torch.float64)).requires_grad_()
    y = low + width * torch.rand(sizes, dtype=torch.float64)
    (expected,) = torch.autograd.grad(objective.losses(outputs, y).sum(), outputs)
    torch.testing.assert_close(objective.error(outputs.detach(), y), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("output", "name"), OUTPUTS)
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_explicit_backpropagation_goes_through_the_output_activation(output, name, loss):
    torch.manual_seed(0)
    objective = head_of(output, name, loss, out_features=2)
    net = MLP(3, [5], 2, "tanh").double()
    x, y = torch.randn(7, 3, dtype=torch.float64), torch.rand(7, 2, dtype=torch.float64)
    objective.losses(net(x), y).mean().backward()
    expected = [parameter.grad.clone() for parameter in net.parameters()]
    Backprop(net, objective.error).gradients(x, y)
    for parameter, gradient in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("output", "name", "raw", "value"),
    [
        ("positive", "softplus", 0.0, math.log(2)),  # ln(1 + e**0)
        ("positive", "softplus", math.log(3), math.log(4)),  # ln(1 + 3)
        ("positive", "relu", -2.0, 0.0),
        ("positive", "relu", 2.0, 2.0),
        # between 2 and 6: sigmoid(ln 3) = 3/4 of the way; tanh(ln 3 / 2) = (3 - 1) / (3 + 1), half of the upper half
        ("bounded", "sigmoid", 0.0, 4.0),
        ("bounded", "sigmoid", math.log(3), 5.0),
        ("bounded", "tanh", 0.0, 4.0),
        ("bounded", "tanh", math.log(3) / 2, 5.0),
    ],
)
def test_output_activation_gives_the_value(output, name, raw, value):
    y_hat = head_of(output, name, bounds=(2, 6)).activation(torch.tensor([[raw]], dtype=torch.float64))
    assert y_hat.item() == pytest.approx(value, rel=1e-12)


def test_bounded_loss_and_error_by_hand():
    # Raw ln 3 is the value 2 + 4 * 3/4 = 5, the target 4: the squared error is 1. Its derivative by the value is 2,
    # times 4 for the width, times 3/4 * 1/4 for the sigmoid: 1.5.
    objective = regression_objective(1, "mse", output="bounded", bounds=[2, 6])
    raw, y = torch.tensor([[math.log(3)]]), torch.tensor([[4.0]])
    torch.testing.assert_close(objective.losses(raw, y), torch.tensor([1.0]))
    torch.testing.assert_close(objective.error(raw, y), torch.tensor([[1.5]]))


def test_first_activation_of_an_output_is_the_default():
    z = torch.linspace(-3, 3, 7)[:, None]
    assert torch.equal(regression_objective(1, output="positive").activation(z), F.softplus(z))
    assert torch.equal(regression_objective(1, output="bounded", bounds=(0, 1)).activation(z), torch.sigmoid(z))


@pytest.mark.parametrize("name", REGRESSION_OUTPUTS["bounded"])
@given(
    bounds=st.tuples(st.floats(-1e3, 1e3), st.floats(1e-2, 1e3)),
    raw=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9),
)
def test_bounded_values_stay_in_their_bounds_and_rise(name, bounds, raw):
    low, high = bounds[0], bounds[0] + bounds[1]
    z = torch.tensor(sorted(raw), dtype=torch.float64)[:, None]
    y_hat = head_of("bounded", name, bounds=(low, high)).activation(z)[:, 0]
    rounding = 1e-15 * (abs(low) + abs(high))
    assert low - rounding <= y_hat[0] <= y_hat[-1] <= high + rounding
    assert (y_hat.diff() >= -rounding).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_positive_values_are_never_negative(raw):
    for name in REGRESSION_OUTPUTS["positive"]:
        assert (head_of("positive", name).activation(torch.tensor(raw)[:, None]) >= 0).all()


@pytest.mark.parametrize(("output", "name"), OUTPUTS)
def test_regression_losses_of_every_output_refuse_to_broadcast(output, name):
    with pytest.raises(ValueError, match=r"predictions \(3, 1\) and targets \(3,\) must have the same shape"):
        head_of(output, name).losses(torch.zeros(3, 1), torch.zeros(3))


def test_unknown_regression_output_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no regression output 'postive'; choose one of unbounded, positive, bounded"):
        regression_objective(1, output="postive")


def test_activation_that_does_not_fit_the_output_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match="output that is positive has no activation 'tanh'; choose softplus or relu"):
        regression_objective(1, output="positive", output_activation="tanh")


@pytest.mark.parametrize(("output", "bounds"), [("bounded", None), ("positive", [0, 1]), ("unbounded", [0, 1])])
def test_bounds_without_a_bounded_output_and_the_reverse_are_refused(output, bounds):
    got = str(bounds).replace("[", r"\[").replace("]", r"\]")
    with pytest.raises(ValueError, match=f"output='{output}' with bounds={got}"):
        regression_objective(1, output=output, bounds=bounds)


@pytest.mark.parametrize("bounds", [[1, 1], [2, 1], [0], [0, 1, 2], [0, math.inf], [math.nan, 1]])
def test_bounds_that_are_not_a_low_below_a_high_are_refused(bounds):
    got = str(bounds).replace("[", r"\[").replace("]", r"\]")
    with pytest.raises(ValueError, match=f"bounds={got}; give two finite numbers"):
        regression_objective(1, output="bounded", bounds=bounds)


@pytest.mark.parametrize(("output", "name"), OUTPUTS)
def test_regression_head_can_be_pickled(output, name):
    objective = head_of(output, name)
    copy, z, y = pickle.loads(pickle.dumps(objective)), torch.randn(4, 1), torch.rand(4, 1)
    assert torch.equal(copy.losses(z, y), objective.losses(z, y))
    assert torch.equal(copy.error(z, y), objective.error(z, y))


def test_binary_head_is_one_sigmoid_unit_with_binary_cross_entropy():
    objective = classification_objective("binary", 2)
    assert objective.out_features == 1
    logits, y = torch.tensor([[0.0], [math.log(3)], [math.log(3)]]), torch.tensor([1, 1, 0])
    # sigmoid(ln 3) = 3/4: losses -ln 1/2, -ln 3/4, -ln 1/4
    torch.testing.assert_close(objective.losses(logits, y), -torch.tensor([1 / 2, 3 / 4, 1 / 4]).log())
    torch.testing.assert_close(objective.activation(logits), torch.tensor([0.5, 0.75, 0.75]))


def test_multiclass_head_is_softmax_with_cross_entropy():
    objective = classification_objective("multiclass", 3)
    assert objective.out_features == 3
    logits, y = torch.tensor([[1.0, 2.0, 5.0], [0.0, 0.0, 2.0]]).log(), torch.tensor([1, 2])
    logits = logits.clamp(min=-30)  # ln 0
    # softmax(ln v) = v / sum(v): 2/8 for the first row; the second is all class 2
    torch.testing.assert_close(objective.losses(logits, y), -torch.tensor([2 / 8, 1.0]).log(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(objective.activation(logits)[0], torch.tensor([1 / 8, 2 / 8, 5 / 8]))
    torch.testing.assert_close(objective.activation(logits).sum(1), torch.ones(2))


def test_multilabel_head_is_a_sigmoid_unit_per_label():
    objective = classification_objective("multilabel", 3)
    logits, y = torch.randn(4, 3), torch.randint(0, 2, (4, 3))
    assert objective.out_features == 3
    assert objective.losses(logits, y).shape == (4,)
    expected = F.binary_cross_entropy_with_logits(logits, y.float())
    torch.testing.assert_close(objective.losses(logits, y).mean(), expected)
    torch.testing.assert_close(objective.activation(logits), torch.sigmoid(logits))


@pytest.mark.parametrize(("task", "num_classes"), [("binary", 2), ("multiclass", 5), ("multilabel", 3)])
def test_loss_is_that_of_the_probabilities_so_they_are_made_once(task, num_classes):
    objective = classification_objective(task, num_classes)
    torch.manual_seed(0)
    logits = 3 * torch.randn(20, objective.out_features, dtype=torch.float64)
    proba = objective.activation(logits)
    if task == "multiclass":
        y = torch.randint(0, num_classes, (20,))
        expected = F.nll_loss(proba.log(), y, reduction="none")
    else:
        y = torch.randint(0, 2, proba.shape)
        expected = F.binary_cross_entropy(proba, y.double(), reduction="none").reshape(20, -1).mean(1)
    torch.testing.assert_close(objective.losses(logits, y), expected)


def test_sure_and_right_classifier_loses_nothing():
    # With softmax taken twice the right one of ten classes would have e / (e + 9), a loss of 1.461, at the very best.
    objective, logits, y = classification_objective("multiclass", 10), 100 * torch.eye(10), torch.arange(10)
    assert objective.losses(logits, y).max().item() == pytest.approx(0, abs=1e-6)
    assert F.cross_entropy(objective.activation(logits), y).item() == pytest.approx(math.log(1 + 9 / math.e))


@pytest.mark.parametrize("logit", [-1000.0, 1000.0])
def test_losses_of_extreme_logits_stay_finite(logit):
    # A row that is wrong by 1000 costs 1000, where ln(sigmoid) or ln(softmax) would be infinite.
    wrong = torch.tensor([int(logit < 0)])
    assert classification_objective("binary", 2).losses(torch.tensor([[logit]]), wrong).item() == 1000
    assert classification_objective("multiclass", 2).losses(torch.tensor([[0.0, logit]]), wrong).item() == 1000


def test_untrained_ten_class_net_loses_about_ln_ten():
    torch.manual_seed(0)
    logits = MLP(784, [300, 100], 10)(torch.rand(500, 784) * 0.1)
    losses = classification_objective("multiclass", 10).losses(logits, torch.randint(0, 10, (500,)))
    assert losses.mean().item() == pytest.approx(math.log(10), abs=0.1)


@pytest.mark.parametrize(
    ("task", "num_classes", "logits", "target", "wanted"),
    [
        ("binary", 2, (3, 1), (3, 1), r"\(3,\)"),
        ("multiclass", 4, (3, 4), (3, 4), r"\(3,\)"),
        ("multilabel", 4, (3, 4), (3,), r"\(3, 4\)"),
    ],
)
def test_targets_of_another_shape_are_refused(task, num_classes, logits, target, wanted):
    got = str(target).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ValueError, match=f"targets {got} do not fit logits .*; give {wanted}"):
        classification_objective(task, num_classes).losses(torch.zeros(logits), torch.zeros(target))


@pytest.mark.parametrize(("task", "num_classes"), [("binary", 3), ("binary", 1), ("multiclass", 1), ("multilabel", 0)])
def test_number_of_classes_that_a_task_cannot_have_is_refused(task, num_classes):
    with pytest.raises(ValueError, match=f"a {task} task with num_classes={num_classes}"):
        classification_objective(task, num_classes)


def test_unknown_task_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no task 'multi'; choose one of binary, multiclass, multilabel"):
        classification_objective("multi", 3)
