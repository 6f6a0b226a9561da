import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.linear_model import Perceptron

from torchann.engine.perceptron import perceptron_rule_


def reference(weight, bias, x, target, lr):
    logits = []
    for row, t in zip(x, target, strict=True):
        logits.append(row @ weight + bias)
        if t * logits[-1] <= 0:
            weight, bias = weight + lr * t * row, bias + lr * t
    return weight, bias, logits


def random_table(seed: int, num_rows: int = 60, num_features: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(num_rows, num_features, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 2, (num_rows,), generator=generator).double() * 2 - 1


def test_rule_moves_the_weights_after_each_mistake_and_only_then():
    weight, bias = torch.zeros(2), torch.zeros(1)
    x = torch.tensor([[1.0, 2.0], [3.0, 1.0], [0.0, 1.0], [-1.0, 1.0]])
    logits = perceptron_rule_(weight, bias, x, torch.tensor([1.0, -1.0, 1.0, 1.0]))
    # z = 0, on the line:            w = (0, 0) + (1, 2) = (1, 2),    b = 0 + 1 = 1
    # z = 3 + 2 + 1 = 6, t = -1:     w = (1, 2) - (3, 1) = (-2, 1),   b = 1 - 1 = 0
    # z = 0 + 1 + 0 = 1, t = +1:     right, nothing moves
    # z = 2 + 1 + 0 = 3, t = +1:     right, nothing moves
    assert logits.tolist() == [0.0, 6.0, 1.0, 3.0]
    assert weight.tolist() == [-2.0, 1.0]
    assert bias.tolist() == [0.0]


def test_rule_leaves_zero_weights_for_either_class():
    for t in (-1.0, 1.0):
        weight, bias = torch.zeros(1), torch.zeros(1)
        perceptron_rule_(weight, bias, torch.tensor([[3.0]]), torch.tensor([t]))
        assert (weight.item(), bias.item()) == (3 * t, t)


@pytest.mark.parametrize("lr", [1.0, 0.25])
@pytest.mark.parametrize("seed", range(5))
def test_rule_is_the_books_equation_row_by_row(seed, lr):
    x, target = random_table(seed)
    weight, bias = torch.zeros(4, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    logits = perceptron_rule_(weight, bias, x, target, lr)
    expected = reference(np.zeros(4), 0.0, x.numpy(), target.numpy(), lr)
    np.testing.assert_allclose(weight.numpy(), expected[0], rtol=1e-12)
    assert bias.item() == expected[1]
    np.testing.assert_allclose(logits.numpy(), expected[2], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("block", [1, 7, 32])
def test_rows_in_blocks_teach_what_all_rows_at_once_teach(block):
    x, target = random_table(1)
    weights, biases = torch.zeros(2, 4, dtype=torch.float64), torch.zeros(2, 1, dtype=torch.float64)
    at_once = perceptron_rule_(weights[0], biases[0], x, target)
    pieces = zip(x.split(block), target.split(block), strict=True)
    in_blocks = torch.cat([perceptron_rule_(weights[1], biases[1], *piece) for piece in pieces])
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(biases[0], biases[1])
    assert torch.equal(at_once, in_blocks)


def test_learning_rate_scales_zero_weights_and_changes_no_prediction():
    # 0.25 is a power of two: the scaling is exact.
    x, target = random_table(2)
    weights, biases = torch.zeros(2, 4, dtype=torch.float64), torch.zeros(2, 1, dtype=torch.float64)
    whole = perceptron_rule_(weights[0], biases[0], x, target, lr=1.0)
    quarter = perceptron_rule_(weights[1], biases[1], x, target, lr=0.25)
    assert torch.equal(weights[0] / 4, weights[1])
    assert torch.equal(whole.sign(), quarter.sign())


def test_rule_stops_changing_once_all_rows_are_right():
    # Rosenblatt's convergence theorem: x1 > x2 by a margin can be separated.
    x, _ = random_table(3)
    x = x[(x[:, 0] - x[:, 1]).abs() > 0.5]
    target = (x[:, 0] - x[:, 1]).sign()
    weight, bias = torch.zeros(4, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for _ in range(200):
        perceptron_rule_(weight, bias, x, target)
    assert (target * (x @ weight + bias) > 0).all()
    assert (target * perceptron_rule_(weight, bias, x, target) > 0).all()


@pytest.mark.parametrize("lr", [1.0, 0.3])  # a multiple of 0.3 is rounded, before it is added
@pytest.mark.parametrize("separation", [0.5, 3.0])
def test_weights_of_many_rows_are_scikit_learns_bit_for_bit(separation, lr):
    x, y = make_classification(20_000, 20, class_sep=separation, random_state=0)
    weight, bias = torch.zeros(20, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for _ in range(3):
        perceptron_rule_(weight, bias, torch.from_numpy(x), torch.from_numpy(2.0 * y - 1), lr)
    theirs = Perceptron(max_iter=3, tol=None, shuffle=False, eta0=lr).fit(x, y)
    assert weight.tolist() == theirs.coef_[0].tolist()
    assert bias.tolist() == theirs.intercept_.tolist()


def test_ties_are_mistakes():
    # Whole numbers: many rows lie exactly on the line, and every sum is exact.
    generator = np.random.default_rng(0)
    x, t = generator.integers(-2, 3, (3000, 3)).astype(float), generator.choice([-1.0, 1.0], 3000)
    weight, bias = torch.zeros(3, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    scores = perceptron_rule_(weight, bias, torch.from_numpy(x), torch.from_numpy(t))
    w, b, seen = np.zeros(3), 0.0, []
    for row, sign in zip(x, t, strict=True):
        seen.append(row @ w + b)
        if sign * seen[-1] <= 0:
            w, b = w + sign * row, b + sign
    assert seen.count(0.0) > 100
    assert (weight.tolist(), bias.item(), scores.tolist()) == (w.tolist(), b, seen)
