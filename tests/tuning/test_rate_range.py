"""What a curve of rates and losses advises: means, where it shoots up, where it falls fastest; table and CSV."""

import math

import pytest
import torch

from torchann.tuning.lr_range.rates import window_for
from torchann.tuning.lr_range.result import RateRange


def of(losses, window=50):
    return RateRange([1e-3 * 1.005**step for step in range(len(losses))], losses, window)


def test_smoothed_loss_is_the_mean_of_the_last_batches():
    smooth = of([float(loss) for loss in range(120)]).smoothed
    assert len(smooth) == 120 - 50 + 1
    assert smooth[0] == sum(range(50)) / 50 and smooth[-1] == sum(range(70, 120)) / 50


def test_loss_shoots_up_where_its_mean_is_three_times_the_lowest_so_far():
    calm, jump = [4.0] * 60 + [2.0] * 60, [102.0]
    # two batches of 102 and 48 of 2 have a mean of (204 + 96) / 50 = 6, three times 2; one alone 4
    assert of(calm + 5 * jump).first_above(3) == 121
    later = of(calm + jump + [0.5] * 200 + [80.0])  # (80 + 24.5) / 50 = 2.09 > 1.5
    assert later.first_above(3) == 321 and later.shoots_up == later.rates[321] and later.half == later.rates[321] / 2


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_loss_that_is_no_number_has_shot_up(bad):
    assert of([1.0] * 70 + [bad] * 3).first_above(3) == 70
    assert of([1.0, 1.0, bad]).first_above(3) == 2  # before there is a mean


def test_loss_that_never_shoots_up_says_so():
    flat = of([1.5] * 80)
    assert flat.shoots_up is None and flat.half is None and flat.steepest is None
    assert flat.advice == "the loss falls nowhere; the loss never shoots up, so let the rate grow further"


def test_window_of_any_growth_spans_what_the_books_fifty_steps_do():
    assert window_for(1.005) == 50
    assert 1.02 ** window_for(1.02) == pytest.approx(1.005**50, rel=0.02)
    assert window_for(3.0) == 5


def test_steepest_descent_of_a_logistic_fall_is_in_its_middle():
    # loss = 1 + 1 / (1 + (rate / 0.02)^2): by log(rate) a logistic curve, steepest at 0.02
    rates = [1e-4 * 1.01**step for step in range(900)]
    falling = [1 + 1 / (1 + (rate / 0.02) ** 2) for rate in rates]
    assert RateRange(rates, falling, 5).steepest == pytest.approx(0.02, rel=0.02)


def test_steepest_descent_is_not_misled_by_single_batches():
    torch.manual_seed(0)
    rates = [1e-4 * 1.01**step for step in range(900)]
    noisy = [
        1 + 1 / (1 + (rate / 0.02) ** 2) + noise for rate, noise in zip(rates, 0.1 * torch.randn(900), strict=True)
    ]
    noisy = [float(loss) for loss in noisy]
    noisy[100] += 30  # as a row does that lies far from all others
    found = RateRange(rates, noisy, 5)
    assert 0.01 < found.steepest < 0.04


def test_table_shows_steps_of_the_whole_range_and_csv_all(tmp_path):
    found = of([4.0 - step / 100 for step in range(200)])
    lines = str(found).splitlines()
    assert lines[0].split() == ["step", "rate", "loss", "mean", "of", "last", "50"]
    assert len(lines) == 2 + 25 + 1 and lines[-1] == found.advice
    assert lines[2].split() == ["1", "0.001", "4"]  # no mean yet
    # the last fifty losses go from 2.01 to 2.5
    assert lines[-2].split() == ["200", f"{found.rates[-1]:.3g}", "2.01", "2.255"]
    text = found.to_csv(tmp_path / "range.csv")
    assert (tmp_path / "range.csv").read_text() == text
    assert text.splitlines()[:2] == ["step,lr,loss", "1,0.001,4.0"] and len(text.splitlines()) == 201
    assert "<table>" in found._repr_html_()


@pytest.mark.parametrize(("rates", "losses"), [([0.1], [1.0]), ([0.1, 0.2], [1.0])])
def test_what_is_no_curve_is_refused(rates, losses):
    with pytest.raises(ValueError, match=rf"{len(rates)} rates and 1 losses; give both as many, at least two"):
        RateRange(rates, losses, 1)
