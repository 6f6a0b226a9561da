"""The exercise: the book's rates and steps, the median of three seeds, training at half of it, the picture."""

import math

import pytest

from torchann.chapter import learning_rate_range
from torchann.chapter.experiment import Setting, seeded
from torchann.chapter.learning_rate_range import EXPERIMENTS, accuracies, book_range
from torchann.data import DataNotFoundError, FashionMNISTDataModule

(EXPERIMENT,) = EXPERIMENTS


@pytest.fixture
def fashion(synthetic_fashion_mnist):
    data = FashionMNISTDataModule(synthetic_fashion_mnist)
    data.setup()
    return data


def test_rates_are_the_books_over_one_epoch(fashion):
    found = book_range(fashion, 42)
    assert found.rates[0] == 1e-3 and found.rates[-1] == pytest.approx(1e-3 * 1.005**31)
    assert len(found) == 32 and found.window == 32  # the synthetic set has 32 batches an epoch, the real one 1,719
    assert found.losses[0] == pytest.approx(math.log(10), abs=0.5)  # untrained, ten classes


def test_accuracies_rise_while_the_test_images_are_learnt(fashion):
    curve = accuracies(fashion, 42, 0.003, epochs=3)
    assert len(curve) == 3 and 0.1 < curve[0] < curve[2]


def test_experiment_takes_the_median_of_its_seeds_trains_at_half_of_it_and_marks_both(
    synthetic_fashion_mnist, monkeypatch
):
    # With 32 batches an epoch the rate has to grow faster to get anywhere.
    for name, value in (("FACTOR", 1.5), ("EPOCHS", 1), ("SEEDS", 3)):
        monkeypatch.setattr(learning_rate_range, name, value)
    outcome = seeded(EXPERIMENT, Setting(EXPERIMENT.name, data_dir=str(synthetic_fashion_mnist)))
    up, half = (outcome.measurements[published.measurement] for published in EXPERIMENT.published)
    found, curves = outcome.shown
    assert half == up / 2 and sorted(one.shoots_up for one in found)[1] == up > 0.01
    assert list(curves) == [half, 0.01] and all(len(curve) == 1 for curve in curves.values())
    assert "with seeds 42 to 44" in outcome.text and f"test accuracy at {half:.3f}" in outcome.text

    loss, accuracy = EXPERIMENT.draw([outcome], EXPERIMENT.title).axes
    assert loss.get_xscale() == "log"
    upright = [line.get_xdata()[0] for line in loss.lines if len(set(line.get_xdata())) == 1 < len(line.get_xdata())]
    assert upright == pytest.approx([up, half])
    assert len(accuracy.lines) == 2


def test_loss_that_never_shoots_up_is_refused(synthetic_fashion_mnist, monkeypatch):
    monkeypatch.setattr(learning_rate_range, "FACTOR", 1.01)
    monkeypatch.setattr(learning_rate_range, "SEEDS", 3)
    with pytest.raises(ValueError, match=r"the loss never shoots up.*\(of 0 in 3 seeds\)"):
        EXPERIMENT.run(Setting(EXPERIMENT.name, data_dir=str(synthetic_fashion_mnist)))


def test_experiment_without_fashion_mnist_says_so(bare_machine):
    with pytest.raises(DataNotFoundError, match="Fashion-MNIST is not on this machine"):
        EXPERIMENT.run(Setting(EXPERIMENT.name))
