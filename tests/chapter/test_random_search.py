"""The book's random search: its candidates, early stopping, folds, ranks and picture."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.model_selection import ParameterSampler

from torchann.chapter import random_search
from torchann.chapter.experiment import Setting, seeded
from torchann.chapter.random_search import (
    EXPERIMENTS,
    MAX_EPOCHS,
    PATIENCE,
    Candidate,
    Fitted,
    Trial,
    cross_validate,
    draw_candidates,
    fit,
    mse,
    score,
)
from torchann.data.in_memory import Split
from torchann.nets.mlp import MLP


@pytest.fixture
def slope():
    """Rows of y = x."""
    x = torch.linspace(-1, 1, 32)[:, None]
    return Split(x, x[:, 0])


def fit_one(candidate, train, val, seed=0):
    ((fitted,),) = fit([candidate], [np.arange(len(train.x))], train, val, seed)
    return fitted


def test_candidates_of_seed_42_are_those_of_the_books_notebook():
    random_state = np.random.RandomState(42)  # the notebook seeds NumPy's global one
    rates = loguniform(3e-4, 3e-2).rvs(1000, random_state=random_state).tolist()
    space = {"n_hidden": [0, 1, 2, 3], "n_neurons": np.arange(1, 100).tolist(), "learning_rate": rates}
    drawn = draw_candidates(10, seed=42)
    for candidate, expected in zip(drawn, ParameterSampler(space, 10, random_state=random_state), strict=True):
        assert candidate._asdict() == pytest.approx(expected, rel=1e-12)
    # what the notebook prints as best_params_
    assert (3, 74, pytest.approx(0.005803602934201024, rel=1e-12)) in drawn


def test_candidates_stay_in_the_searched_space_and_rates_are_uniform_by_factor():
    drawn = draw_candidates(4000, seed=1)
    layers, neurons, rates = zip(*drawn, strict=True)
    assert set(layers) == {0, 1, 2, 3} and set(neurons) == set(range(1, 100))
    assert min(rates) >= 3e-4 and max(rates) <= 3e-2
    # 3e-3 is as many times 3e-4 as 3e-2 is of it; a thousand rates were drawn, 0.08 is five standard deviations
    assert np.mean(np.less(rates, 3e-3)) == pytest.approx(0.5, abs=0.08)


def test_fit_takes_the_step_worked_by_hand(slope, monkeypatch):
    monkeypatch.setattr(random_search, "MAX_EPOCHS", 1)
    torch.manual_seed(3)
    weight = MLP(1, [], 1).linears()[0].weight.item()
    torch.manual_seed(3)
    net = fit_one(Candidate(0, 1, 0.1), Split(torch.tensor([[2.0]]), torch.tensor([3.0])), slope).last
    error = 2 * (2 * weight - 3)  # of the squared error, by the output; the bias starts at 0
    assert net.linears()[0].weight.item() == pytest.approx(weight - 0.1 * error * 2, rel=1e-5)
    assert net.linears()[0].bias.item() == pytest.approx(-0.1 * error, rel=1e-5)


def test_fit_stops_after_ten_epochs_without_a_lower_validation_error(slope):
    still = fit_one(Candidate(1, 3, 1e-30), slope, slope)
    assert still.epochs == 1 + PATIENCE  # nothing is ever learnt: the first epoch is the best
    assert fit_one(Candidate(0, 1, 1e-3), slope, slope).epochs == MAX_EPOCHS  # each epoch learns a little


def test_fit_keeps_the_best_weights_beside_the_last(slope, monkeypatch):
    against = Split(slope.x, -slope.y)  # the better the one is learnt, the worse the other
    torch.manual_seed(0)
    fitted = fit_one(Candidate(0, 1, 0.1), slope, against)
    assert fitted.epochs < MAX_EPOCHS and mse(fitted.best, against) < mse(fitted.last, against)
    monkeypatch.setattr(random_search, "MAX_EPOCHS", fitted.epochs - PATIENCE)
    torch.manual_seed(0)
    shorter = fit_one(Candidate(0, 1, 0.1), slope, against).last
    assert torch.equal(fitted.best.linears()[0].weight, shorter.linears()[0].weight)


def test_fit_that_diverges_stops_at_once_and_ranks_last(slope):
    many = Split(slope.x.repeat(40, 1), slope.y.repeat(40))
    fitted = fit_one(Candidate(0, 1, 1e3), many, slope)
    assert fitted.epochs == 1
    losses = [0.3, mse(fitted.last, slope), 0.3]
    assert not math.isfinite(losses[1]) and score(losses) == math.inf
    assert Trial(Candidate(0, 1, 1e3), losses, [0.3], [1]).score == math.inf


def test_fit_trains_all_candidates_as_it_trains_each(slope, monkeypatch):
    monkeypatch.setattr(random_search, "MAX_EPOCHS", 5)
    candidates, parts = [Candidate(1, 3, 0.1), Candidate(0, 1, 0.05)], [np.arange(20), np.arange(7, 32)]
    torch.manual_seed(0)
    together = fit(candidates, parts, slope, slope, seed=0)
    torch.manual_seed(0)
    for nets, candidate in zip(together, candidates, strict=True):
        for net, part in zip(nets, parts, strict=True):
            ((alone,),) = fit([candidate], [part], slope, slope, seed=0)
            assert mse(net.last, slope) == pytest.approx(mse(alone.last, slope), rel=1e-5)
            assert mse(net.best, slope) == pytest.approx(mse(alone.best, slope), rel=1e-5)


def test_each_third_is_held_out_once_in_stored_order(monkeypatch):
    seen = []

    def remember(candidates, parts, train, val, seed):
        seen.extend(train.y[part].tolist() for part in parts)
        last, best = MLP(1, [], 1, weight_init="zeros"), MLP(1, [], 1, weight_init="zeros", bias_init="ones")
        return [len(parts) * [Fitted(last, best, seed)] for _ in candidates]

    monkeypatch.setattr(random_search, "fit", remember)
    rows = Split(torch.zeros(6, 1), torch.arange(6.0))
    (trial,) = cross_validate([Candidate(0, 1, 0.1)], rows, rows, seed=7)
    assert seen == [[2, 3, 4, 5], [0, 1, 4, 5], [0, 1, 2, 3]]
    assert trial.last == [0.5, 6.5, 20.5]  # the last net says 0: (0 + 1) / 2, (4 + 9) / 2, (16 + 25) / 2
    assert trial.best == [0.5, 2.5, 12.5]  # the best net says 1: (1 + 0) / 2, (1 + 4) / 2, (9 + 16) / 2
    assert trial.score == pytest.approx(27.5 / 3) and trial.epochs == [7, 7, 7]


def test_experiment_ranks_its_candidates_and_refits_the_first(monkeypatch):
    monkeypatch.setattr(random_search, "MAX_EPOCHS", 2)
    (experiment,) = EXPERIMENTS
    outcome = seeded(experiment, Setting(experiment.name))
    assert [published.measurement for published in experiment.published] == list(outcome.measurements)
    scores = [trial.score for trial in outcome.shown]
    assert len(scores) == 10 and scores == sorted(scores)
    assert outcome.measurements[experiment.published[0].measurement] == scores[0] < 1
    assert {trial.candidate for trial in outcome.shown} == set(draw_candidates(10, seed=42))
    assert f"test MSE {outcome.measurements[experiment.published[1].measurement]:.4f}" in outcome.text

    outcome.shown[-1].last[0] = math.nan  # what has diverged is drawn at the edge
    by_rate, ranked = experiment.draw([outcome], experiment.title).axes
    assert by_rate.get_xscale() == "log"
    first = outcome.shown[0].candidate
    assert ranked.get_yticklabels()[0].get_text().endswith(f"× {first.n_neurons}, {first.learning_rate:.4f}")
    assert [text.get_text() for text in ranked.texts][-1] == "in truth inf"
