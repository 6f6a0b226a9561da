"""The learning-rate range test: rates, batches, raw losses, and where the loss shoots up."""

import math
from itertools import pairwise

import pytest
import torch

from torchann.chapter import learning_rate_range
from torchann.chapter.experiment import Setting, seeded
from torchann.chapter.learning_rate_range import (
    EXPERIMENTS,
    WINDOW,
    batches,
    growing_rate,
    shoots_up,
    smoothed,
    train,
)
from torchann.data import DataNotFoundError
from torchann.nets.mlp import MLP


def test_rate_starts_at_a_thousandth_and_grows_by_half_a_per_cent():
    rates = [growing_rate(step) for step in range(1719)]
    assert rates[0] == 1e-3
    assert all(after / before == pytest.approx(1.005) for before, after in pairwise(rates))


def test_batches_visit_each_row_once_an_epoch_in_new_orders():
    x, y = torch.arange(70, dtype=torch.uint8)[:, None], torch.arange(70)
    drawn = list(batches(x, y, seed=3, epochs=[0, 1]))
    assert [len(rows) for _, rows in drawn] == 2 * [32, 32, 6]
    first, second = (torch.cat([rows for _, rows in part]) for part in (drawn[:3], drawn[3:]))
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(70))
    assert not torch.equal(first, second)
    assert all(torch.equal(pixels[:, 0], rows / 255) for pixels, rows in drawn)
    assert torch.equal(next(batches(x / 2, y, seed=3))[0][:, 0], drawn[0][1] / 2)  # floats stay as they are


def test_train_takes_each_step_at_its_own_rate_and_returns_the_raw_losses():
    net = MLP(1, [], 2, weight_init="zeros")
    row = (torch.tensor([[1.0]]), torch.tensor([0]))
    losses = train(net, [row, row], [1.0, 3.0])
    # From zero both classes have 1/2: weights and biases move by 1 * (1/2, -1/2), the logits become 1 and -1.
    right = 1 / (1 + math.exp(-2))
    torch.testing.assert_close(losses, torch.tensor([math.log(2), -math.log(right)]))
    expected = 0.5 + 3 * (1 - right)
    torch.testing.assert_close(net.linears()[0].weight, torch.nn.Parameter(torch.tensor([[expected], [-expected]])))


def test_smoothed_loss_is_the_mean_of_the_last_batches():
    losses = torch.arange(120.0)
    assert len(smoothed(losses)) == 120 - WINDOW + 1
    assert smoothed(losses)[0] == sum(range(WINDOW)) / WINDOW
    assert smoothed(losses)[-1] == sum(range(120 - WINDOW, 120)) / WINDOW


def test_loss_shoots_up_where_its_mean_is_three_times_the_lowest_so_far():
    calm, jump = [4.0] * 60 + [2.0] * 60, [102.0]
    # two batches of 102 and 48 of 2 have a mean of (204 + 96) / 50 = 6, three times 2; one alone 4
    assert shoots_up(torch.tensor(calm + 5 * jump)) == 121
    assert shoots_up(torch.tensor(calm + jump + [0.5] * 200 + [80.0])) == 321  # (80 + 24.5) / 50 = 2.09 > 1.5


def test_loss_that_is_no_number_has_shot_up():
    assert shoots_up(torch.tensor([1.0] * 70 + [math.nan] * 3)) == 70
    assert shoots_up(torch.tensor([1.0] * 70 + [math.inf])) == 70


def test_loss_that_never_shoots_up_is_refused():
    with pytest.raises(ValueError, match=r"in 80 steps the smoothed loss, 1\.5 at its lowest, is never 3 times that"):
        shoots_up(torch.full([80], 1.5))


def test_experiment_finds_a_rate_trains_at_half_of_it_and_marks_both(synthetic_fashion_mnist, monkeypatch):
    # The synthetic set has 32 batches an epoch: the rate has to grow faster to get anywhere.
    for name, value in (("FACTOR", 1.5), ("WINDOW", 3), ("EPOCHS", 1)):
        monkeypatch.setattr(learning_rate_range, name, value)
    (experiment,) = EXPERIMENTS
    outcome = seeded(experiment, Setting(experiment.name, data_dir=str(synthetic_fashion_mnist)))
    up, half = (outcome.figures[published.figure] for published in experiment.published)
    losses, accuracies = outcome.shown
    assert len(losses) == 32 and half == up / 2
    assert up == growing_rate(shoots_up(losses)) > 0.01
    assert losses[0].item() == pytest.approx(math.log(10), abs=0.5)  # untrained, ten classes
    assert list(accuracies) == [half, 0.01]
    assert f"test accuracy at {half:.3f}" in outcome.text

    loss, accuracy = experiment.draw([outcome, outcome], experiment.title).axes
    assert loss.get_xscale() == "log"
    upright = [line.get_xdata()[0] for line in loss.lines if len(set(line.get_xdata())) == 1 < len(line.get_xdata())]
    assert upright == pytest.approx([up, half])
    assert len(accuracy.lines) == 2 * 2 + 2  # two rates of two seeds, and the legend's


def test_experiment_without_fashion_mnist_says_so(bare_machine):
    (experiment,) = EXPERIMENTS
    with pytest.raises(DataNotFoundError, match="Fashion-MNIST is not on this machine"):
        experiment.run(Setting(experiment.name))
