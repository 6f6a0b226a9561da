"""The picture of a range test: logarithmic rates, raw losses and their mean, a line for each rate that is advised."""

import math

import pytest

from torchann.pictures.rate_curve import rate_curve

RATES = [1e-3 * 1.1**step for step in range(60)]


def test_raw_losses_their_mean_and_the_marks_are_drawn():
    losses = [1.0 + step % 2 for step in range(60)]
    (panel,) = rate_curve(RATES, losses, 10, {"steepest descent": 0.01, "half of it": 0.1}, "Housing").axes
    raw, mean, *marks = panel.lines
    assert panel.get_xscale() == "log" and list(raw.get_ydata()) == losses
    assert len(mean.get_ydata()) == 51 and mean.get_ydata() == pytest.approx([1.5] * 51)
    assert list(mean.get_xdata()) == RATES[9:]
    assert [mark.get_xdata()[0] for mark in marks] == [0.01, 0.1]
    assert panel.get_legend_handles_labels()[1][-2:] == ["steepest descent: 0.01", "half of it: 0.1"]


def test_losses_that_fall_by_decades_are_drawn_by_decades_and_the_end_is_beyond():
    falling = [10.0 * 0.9**step for step in range(50)] + [1e8 * 10**step for step in range(10)]
    (panel,) = rate_curve(RATES, falling, 5, {}).axes
    assert panel.get_yscale() == "log" and panel.get_ylim()[1] < 50
    (straight,) = rate_curve(RATES, [2.0] * 50 + [1e8] * 10, 5, {}).axes
    assert straight.get_yscale() == "linear" and straight.get_ylim() == (0, pytest.approx(7.8))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_spoils_no_picture(bad):
    (panel,) = rate_curve(RATES, [1.0] * 58 + [bad] * 2, 5, {"shoots up": 0.1}).axes
    assert panel.get_ylim()[1] == pytest.approx(3.9)
    (nothing,) = rate_curve(RATES[:2], [bad] * 2, 1, {}).axes
    assert len(nothing.lines) == 1
