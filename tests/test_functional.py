import numpy as np
import pytest
import torch
from sklearn.linear_model import SGDClassifier

from torchann.functional import perceptron_loss


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
