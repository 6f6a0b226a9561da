from itertools import chain

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import torchann.estimators.portfolio.search as search_module
from torchann.estimators import MLPRegressor
from torchann.estimators.portfolio.blend import blend
from torchann.estimators.portfolio.recipes import RECIPES, Recipe
from torchann.estimators.portfolio.rows import Rows, parts_of
from torchann.estimators.portfolio.search import Search
from torchann.estimators.portfolio.waves import wavy_columns

QUICK = Recipe("quick", (8,), "relu", 0.01, 0.01)
STOPS = Recipe("stops", (8,), "relu", 0.01, 0.0, early=True)


@pytest.fixture
def rows():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(90, 3)).astype(np.float32)
    return Rows(x, x @ np.float32([[1.0], [-2.0], [0.0]]))


@pytest.fixture
def classes():
    generator = np.random.default_rng(1)
    y = np.arange(90) % 3
    return Rows((np.eye(3)[y] + 0.3 * generator.normal(size=(90, 3))).astype(np.float32), y, 3)


def test_each_row_is_in_one_part_with_each_class_in_its_share():
    y = np.repeat([0, 1], [40, 20])
    parts = parts_of(y, 2, 4, seed=0)
    assert sorted(chain(*parts)) == list(range(60))
    assert [np.bincount(y[part]).tolist() for part in parts] == [[10, 5]] * 4


def test_classes_without_rows_enough_are_refused():
    with pytest.raises(ValueError, match=r"the classes have \[3, 3\] rows to train on; 4 parts need"):
        parts_of(np.repeat([0, 1], 3), 2, 4, seed=0)
    with pytest.raises(ValueError, match=r"the classes have \[0, 9\] rows"):
        parts_of(np.ones(9, int), 2, 4, seed=0)


def test_class_with_few_rows_is_in_every_training():
    y = np.repeat([0, 1, 2], [40, 20, 2])
    assert sorted(chain(*parts_of(y, 3, 4, seed=0))) == list(range(60))


def test_parts_over_time_are_blocks():
    assert [part.tolist() for part in parts_of(np.zeros((6, 1)), 0, 3, 0, ordered=True)] == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("count", [1, 7])
def test_parts_that_cannot_be_are_refused(count):
    with pytest.raises(ValueError, match=f"{count} parts of 6 rows; give at least 2, and at most as many as there are"):
        parts_of(np.zeros((6, 1)), 0, count, 0)


def test_a_part_is_predicted_by_the_net_that_has_not_seen_it(rows):
    search = Search(rows, {"first two": [0, 1]}, parts=3, seed=5, recipes=[QUICK])
    search.run()
    out = search.parts[1]
    kept = np.setdiff1d(np.arange(90), out)
    alone = MLPRegressor(
        hidden_layer_sizes=(8,), solver="adamw", alpha=0.01, learning_rate_init=0.01, learning_rate="one_cycle",
        batch_size=8, max_iter=100, n_iter_no_change=100, tol=0, random_state=6,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning):
        alone.fit(rows.x[kept][:, :2], rows.y[kept, 0])
    np.testing.assert_array_equal(search.trials[0].predictions[1][:, 0], alone.predict(rows.x[out][:, :2]))


def test_best_recipe_has_a_net_for_each_part_and_the_others_none(rows, monkeypatch):
    monkeypatch.setattr(search_module, "SMALL", 0)  # as of a table with many rows
    search = Search(rows, {"all": [0, 1, 2], "useless": [2]}, parts=3, recipes=[QUICK])
    search.run()
    assert [(trial.name, len(trial.nets), trial.weight) for trial in search.trials] == [
        ("quick, all", 3, 1.0),
        ("quick, useless", 1, 0.0),
    ]
    assert [weight for _, _, weight in search.members()] == [1 / 3] * 3


def test_all_nets_of_the_best_count_though_another_was_lucky_with_its_only_part(rows, monkeypatch):
    monkeypatch.setattr(search_module, "SMALL", 0)
    easy = parts_of(rows.y, 0, 3, 42)[0]
    noise = np.random.default_rng(1).normal(scale=3, size=rows.y.shape).astype(np.float32)
    noise[easy] = 0  # what all recipes are tried on is easier than the rest
    search = Search(rows._replace(y=rows.y + noise), {"all": [0, 1, 2], "same": [2, 1, 0]}, parts=3, recipes=[QUICK])
    search.run()
    assert search.trials[0].weight == 0
    assert len(search.members()) == 3


def test_with_time_recipes_are_weighted(classes):
    search = Search(classes, {"all": [0, 1, 2], "two": [0, 1]}, parts=3, seconds=60, recipes=[QUICK, STOPS])
    search.run()
    alone = min(search.loss_of(trial) for trial in search.trials)
    assert all(len(trial.nets) == 3 for trial in search.trials)
    assert sum(weight for _, _, weight in search.members()) == pytest.approx(1)
    assert search.rows.loss(*search.predictions()) <= alone


def test_threads_do_not_change_what_is_found(classes, monkeypatch):
    losses = []
    for threads in (1, 3):
        monkeypatch.setattr(search_module, "cpu_count", lambda threads=threads: threads)
        search = Search(classes, {"all": [0, 1, 2]}, parts=3, recipes=[QUICK, STOPS])
        search.run()
        losses.append([(trial.name, search.loss_of(trial)) for trial in search.trials])
    assert losses[0] == losses[1]


def test_time_that_is_over_leaves_the_first_net(rows):
    search = Search(rows, {"all": [0, 1, 2]}, parts=2, seconds=1e-9, recipes=[QUICK, *RECIPES[:2]])
    search.run()
    assert {trial.name for trial, _, _ in search.members()} == {"quick, all"}


@pytest.mark.parametrize("after", [0, 2])
def test_ctrl_c_leaves_what_there_is(rows, monkeypatch, after):
    def interrupted(futures):
        for number, future in enumerate(list(futures)):
            if number == after:
                raise KeyboardInterrupt
            yield future

    monkeypatch.setattr(search_module, "as_completed", interrupted)
    search = Search(rows, {"all": [0, 1, 2]}, parts=2, recipes=[QUICK, STOPS])
    if not after:
        with pytest.raises(KeyboardInterrupt):
            search.run()
        return
    search.run()
    assert search.interrupted
    assert len(search.members()) == 2


def test_weights_are_those_of_the_best_mean():
    true = np.array([1.0, 2.0, 3.0])
    predictions = [true + 1, true - 1, true + 100]
    np.testing.assert_array_equal(blend(predictions, lambda mean: float(np.abs(mean - true).sum())), [0.5, 0.5, 0])


def test_predictions_that_are_no_numbers_get_no_weight():
    rows = Rows(np.zeros((2, 1), np.float32), np.ones((2, 1)))
    told = [np.full((2, 1), np.nan), np.zeros((2, 1))]
    assert blend(told, lambda mean: rows.loss(mean, np.arange(2))).tolist() == [0, 1]


def test_column_that_swings_is_found():
    generator = np.random.default_rng(0)
    x = generator.uniform(-1.7, 1.7, size=(2500, 2)).astype(np.float32)
    assert wavy_columns(Rows(x, np.sin(12 * x[:, :1]) + x[:, 1:]), count=2, octaves=4) == [0]
