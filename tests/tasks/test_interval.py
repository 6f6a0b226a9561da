"""Conformal intervals: the share of true values that they hold, what they are made of, what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import torchann
from torchann.tasks.interval import COVERAGES, calibration_of, check_calibration, half_widths, interval

GOOD = {"rows": 3, "ranks": [1, 2, 3], "residuals": {"y": [0.0, 1.0, 2.0]}}


@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.995])
@pytest.mark.parametrize("rows", [199, 2000])
def test_share_of_new_rows_is_the_one_stated(rows, coverage):
    # Exchangeable rows: over many draws the mean share is ceil((n + 1)c) / (n + 1), its deviation that of a beta law.
    draw, held = np.random.default_rng(0), []
    for _ in range(300):
        (half,) = half_widths(calibration_of({"y": draw.standard_t(3, rows)}), coverage)
        held.append((np.abs(draw.standard_t(3, 500)) <= half).mean())
    spread = np.sqrt(coverage * (1 - coverage) * (1 / rows + 1 / 500) / 300)
    assert np.mean(held) == pytest.approx(coverage, abs=4 * spread + 1 / rows)


def test_width_is_the_order_statistic_of_split_conformal_prediction():
    residuals = np.random.default_rng(1).normal(size=777)
    calibration = calibration_of({"y": residuals})
    for coverage in COVERAGES:
        rank = int(np.ceil(np.round(778 * coverage, 9)))
        if rank <= 777:
            assert half_widths(calibration, coverage) == [np.sort(np.abs(residuals))[rank - 1]]
    assert half_widths(calibration, 0.9033) == half_widths(calibration, 0.91)  # the next that is kept, never a lower
    check_calibration(calibration)


def test_fit_keeps_them_and_the_report_has_the_share_of_the_test_rows():
    draw = np.random.default_rng(2)
    x, noise = draw.uniform(-1, 1, 6000), draw.normal(0, 0.3, (2, 6000))
    table = {"x": x, "y": 2 * x + noise[0], "z": 10 * (x + noise[1])}
    fresh = draw.uniform(-1, 1, 4000)
    model = torchann.fit(table, ["y", "z"], epochs=3, lr=0.01, logger=False, verbose=0)
    assert model.judged["calibration"]["rows"] == 1200
    ends = model.predict_interval({"x": fresh}, coverage=0.9).numpy()
    net = model.report.metrics["net"]
    for place, (name, true) in enumerate({"y": 2 * fresh, "z": 10 * fresh}.items()):
        true = true + draw.normal(0, 0.3 * (1, 10)[place], 4000)
        held = ((ends[:, place, 0] <= true) & (true <= ends[:, place, 1])).mean()
        noise_of_share = np.sqrt(0.09 * (1 / 4000 + 1 / 1200))
        assert held == pytest.approx(0.9, abs=4 * noise_of_share)
        assert net[f"within_90 {name}"] == pytest.approx(0.9, abs=4 * np.sqrt(0.09 * 2 / 1200))
        assert (ends[:, place, 1] - ends[:, place, 0]) / 2 == pytest.approx(net[f"interval_90 {name}"], rel=1e-3)


@pytest.mark.parametrize(("options", "low", "high"), [({"output": "positive"}, 0, 11), ({"bounds": [2, 5]}, 2, 5)])
def test_interval_stays_within_what_the_output_can_be(options, low, high):
    model = SimpleNamespace(hparams=options, judged={"calibration": calibration_of({"y": np.full(20, 10.0)})})
    assert interval(model, torch.ones(1, 1), 0.9).tolist() == [[[low, high]]]


@pytest.mark.parametrize("residuals", [[], [1.0, np.nan], [1.0, np.inf]])
def test_there_are_none_without_finite_residuals(residuals):
    assert calibration_of({"y": np.array(residuals)}) is None


@pytest.mark.parametrize(
    ("coverage", "message"),
    [
        (90, "coverage is 90; give a share between 0 and 1"),
        (0, "coverage is 0; "),
        (1, "coverage is 1; "),
        (float("nan"), "coverage is nan; "),
        (0.99, "coverage is 0.99 and the residuals of 24 validation rows allow 0.96 at most"),
    ],
)
def test_coverage_that_cannot_be_had_is_refused(coverage, message):
    calibration = calibration_of({"y": np.arange(24.0)})
    assert half_widths(calibration, 0.96) == [23.0]
    with pytest.raises(ValueError, match=message):
        half_widths(calibration, coverage)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (torchann.RegressionMLP([], 1, 1), "this RegressionMLP has no residuals of validation rows .* torchann.fit"),
        (torchann.ClassificationMLP([], 1, 2), "a ClassificationMLP predicts classes, which have no interval"),
    ],
)
def test_model_that_has_none_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        model.predict_interval(torch.zeros(2, 1), 0.9)
    with pytest.raises(ValueError, match=message):
        torchann.predict(model, {"x": [1.0]}, interval=0.9)


WRONG = [None, {}, GOOD | {"more": 1}, GOOD | {"rows": 4}, GOOD | {"rows": True, "ranks": [True]}]
WRONG += [GOOD | {"ranks": ranks} for ranks in ([], [0, 1, 3], [2, 1, 3], [1, 1, 3], "123", [1, 2.0, 3])]
WRONG += [GOOD | {"residuals": {"y": numbers}} for numbers in ([], [0.0, 2.0, 1.0], [-1.0, 0.0, 1.0], [0.0, 1.0, "2"])]
WRONG += [GOOD | {"residuals": {"y": [0.0, 1.0, number]}} for number in (float("nan"), float("inf"))]
WRONG += [GOOD | {"residuals": kept} for kept in ({}, [], {3: [0.0, 1.0, 2.0]})]


@pytest.mark.parametrize("told", WRONG, ids=str)
def test_residuals_of_a_file_that_was_tampered_with_are_refused(told):
    check_calibration(GOOD)
    with pytest.raises(ValueError, match="the residuals are"):
        check_calibration(told)
