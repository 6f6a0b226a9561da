import math

import pytest
import torch
import torch.nn.functional as F

from torchann.nets.heads import classification_head, regression_head
from torchann.nets.mlp import MLP


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
        regression_head(1, name).losses(torch.tensor([[0.5], [0.0]]), torch.tensor([[0.0], [2.0]])).tolist() == expected
    )


@pytest.mark.parametrize(("name", "loss"), [("mse", F.mse_loss), ("mae", F.l1_loss), ("huber", F.huber_loss)])
def test_mean_regression_loss_is_torchs_over_rows_and_outputs(name, loss):
    y_hat, y = torch.randn(2, 5, 3)
    losses = regression_head(3, name).losses(y_hat, y)
    assert losses.shape == (5,)
    torch.testing.assert_close(losses.mean(), loss(y_hat, y))


def test_regression_head_leaves_the_outputs_as_they_are():
    head, y_hat = regression_head(2), torch.randn(4, 2)
    assert head.out_features == 2
    assert torch.equal(head.activation(y_hat), y_hat)


def test_regression_losses_refuse_to_broadcast():
    with pytest.raises(ValueError, match=r"predictions \(3, 1\) and targets \(3,\) must have the same shape"):
        regression_head(1).losses(torch.zeros(3, 1), torch.zeros(3))


def test_unknown_regression_loss_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no regression loss 'rmse'; choose one of mse, mae, huber"):
        regression_head(1, "rmse")


def test_binary_head_is_one_sigmoid_unit_with_binary_cross_entropy():
    head = classification_head("binary", 2)
    assert head.out_features == 1
    logits, y = torch.tensor([[0.0], [math.log(3)], [math.log(3)]]), torch.tensor([1, 1, 0])
    # sigmoid(ln 3) = 3/4: losses -ln 1/2, -ln 3/4, -ln 1/4
    torch.testing.assert_close(head.losses(logits, y), -torch.tensor([1 / 2, 3 / 4, 1 / 4]).log())
    torch.testing.assert_close(head.activation(logits), torch.tensor([0.5, 0.75, 0.75]))


def test_multiclass_head_is_softmax_with_cross_entropy():
    head = classification_head("multiclass", 3)
    assert head.out_features == 3
    logits, y = torch.tensor([[1.0, 2.0, 5.0], [0.0, 0.0, 2.0]]).log(), torch.tensor([1, 2])
    logits = logits.clamp(min=-30)  # ln 0
    # softmax(ln v) = v / sum(v): 2/8 for the first row; the second is all class 2
    torch.testing.assert_close(head.losses(logits, y), -torch.tensor([2 / 8, 1.0]).log(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(head.activation(logits)[0], torch.tensor([1 / 8, 2 / 8, 5 / 8]))
    torch.testing.assert_close(head.activation(logits).sum(1), torch.ones(2))


def test_multilabel_head_is_a_sigmoid_unit_per_label():
    head = classification_head("multilabel", 3)
    logits, y = torch.randn(4, 3), torch.randint(0, 2, (4, 3))
    assert head.out_features == 3
    assert head.losses(logits, y).shape == (4,)
    expected = F.binary_cross_entropy_with_logits(logits, y.float())
    torch.testing.assert_close(head.losses(logits, y).mean(), expected)
    torch.testing.assert_close(head.activation(logits), torch.sigmoid(logits))


@pytest.mark.parametrize("logit", [-1000.0, 1000.0])
def test_losses_of_extreme_logits_stay_finite(logit):
    # A row that is wrong by 1000 costs 1000, where ln(sigmoid) or ln(softmax) would be infinite.
    wrong = torch.tensor([int(logit < 0)])
    assert classification_head("binary", 2).losses(torch.tensor([[logit]]), wrong).item() == 1000
    assert classification_head("multiclass", 2).losses(torch.tensor([[0.0, logit]]), wrong).item() == 1000


def test_untrained_ten_class_net_loses_about_ln_ten():
    torch.manual_seed(0)
    logits = MLP(784, [300, 100], 10)(torch.rand(500, 784) * 0.1)
    losses = classification_head("multiclass", 10).losses(logits, torch.randint(0, 10, (500,)))
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
        classification_head(task, num_classes).losses(torch.zeros(logits), torch.zeros(target))


@pytest.mark.parametrize(("task", "num_classes"), [("binary", 3), ("binary", 1), ("multiclass", 1), ("multilabel", 0)])
def test_number_of_classes_that_a_task_cannot_have_is_refused(task, num_classes):
    with pytest.raises(ValueError, match=f"a {task} task with num_classes={num_classes}"):
        classification_head(task, num_classes)


def test_unknown_task_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no task 'multi'; choose one of binary, multiclass, multilabel"):
        classification_head("multi", 3)
