import numpy as np
import pytest
import torch
from sklearn.linear_model import SGDClassifier

from torchann.engine.perceptron import perceptron_rule_
from torchann.nets.functional import STEP_FUNCTIONS, heaviside, hebb_rule, perceptron_loss, sign

POINTS = torch.tensor([-torch.inf, -2.5, -1e-30, -0.0, 0.0, 1e-30, 3.0, torch.inf])


def test_step_functions_are_numpys():
    np.testing.assert_array_equal(heaviside(POINTS).numpy(), np.heaviside(POINTS.numpy(), 1.0))  # 1 at zero
    np.testing.assert_array_equal(sign(POINTS).numpy(), np.sign(POINTS.numpy()))


def test_step_functions_keep_shape_and_dtype():
    z = torch.zeros(2, 3, dtype=torch.float64)
    assert all(step(z).shape == z.shape and step(z).dtype == z.dtype for step in STEP_FUNCTIONS.values())


def test_hebb_rule_strengthens_what_is_active_together():
    # Rows (1, 2) and (3, 0), both with the neuron on, and (5, 5) with it off: (1, 1) + 0.5 * ((1, 2) + (3, 0)).
    x, y = torch.tensor([[1.0, 2.0], [3.0, 0.0], [5.0, 5.0]]), torch.tensor([1.0, 1.0, 0.0])
    assert hebb_rule(torch.ones(2), x, y, lr=0.5).tolist() == [3.0, 2.0]


def test_perceptron_rule_takes_hebbs_step_after_a_mistake_and_none_otherwise():
    x, weight = torch.tensor([[1.0, 2.0, 1.0]]), torch.tensor([1.0, -2.0, 1.0])  # z = 1 - 4 + 1 = -2
    for target in (torch.tensor([1.0]), torch.tensor([-1.0])):
        w, b = weight[:2].clone(), weight[2:].clone()
        perceptron_rule_(w, b, x[:, :2], target, lr=0.5)
        expected = hebb_rule(weight, x, target, lr=0.5) if target > 0 else weight
        assert torch.equal(torch.cat([w, b]), expected)


def test_perceptron_loss_is_the_distance_on_the_wrong_side():
    # max(0, -t z): right side 0; wrong side |z|; on the line 0.
    losses = perceptron_loss(torch.tensor([2.0, -3.0, 1.5, 0.0]), torch.tensor([1.0, 1.0, -1.0, -1.0]))
    assert losses.tolist() == [0.0, 3.0, 1.5, 0.0]


def test_perceptron_loss_agrees_with_sklearns():
    reference = SGDClassifier.loss_functions["perceptron"]
    loss = reference[0](*reference[1:])
    generator = np.random.default_rng(0)
    z, t = generator.normal(size=20), generator.choice([-1.0, 1.0], size=20)
    expected = [loss.py_loss(score, target) for score, target in zip(z, t, strict=True)]
    ours = perceptron_loss(torch.from_numpy(z), torch.from_numpy(t))
    np.testing.assert_array_equal(
        ours.numpy(), [value.item() if hasattr(value, "item") else value for value in expected]
    )


def test_perceptron_loss_has_the_slope_of_the_update_rule():
    # d loss / d z = -t after a mistake and 0 otherwise: a descent step adds lr t x to the weights.
    logits = torch.tensor([2.0, -3.0, 1.5], requires_grad=True)
    perceptron_loss(logits, torch.tensor([1.0, 1.0, -1.0])).sum().backward()
    assert logits.grad.tolist() == [0.0, -1.0, 1.0]


def test_perceptron_loss_refuses_to_broadcast():
    with pytest.raises(ValueError, match=r"logits \(3, 1\) and target \(3,\) must have the same shape"):
        perceptron_loss(torch.zeros(3, 1), torch.ones(3))


@pytest.mark.parametrize("target", [0.0, 0.5, 2.0, float("nan")])
def test_perceptron_loss_refuses_targets_that_are_no_signs(target):
    with pytest.raises(ValueError, match=rf"a target {target:g}; give -1 or \+1: for classes 0 and 1, 2 \* y - 1"):
        perceptron_loss(torch.zeros(3), torch.tensor([1.0, target, -1.0]))


@pytest.mark.parametrize(
    "shapes", [((2,), (3, 2), (3, 1)), ((2, 1), (3, 2), (3,)), ((1, 2), (3, 2), (3,)), ((2,), (2,), ())]
)
def test_hebb_rule_refuses_to_broadcast(shapes):
    with pytest.raises(ValueError, match=r"weight .*, x .* and y .* do not fit together; give \(features,\)"):
        hebb_rule(*map(torch.zeros, shapes))
