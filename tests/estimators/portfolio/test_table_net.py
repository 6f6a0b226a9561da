import numpy as np
import pandas as pd
import pytest
import torch

import torchann
from torchann.data import TabularDataModule
from torchann.estimators.portfolio import table_net
from torchann.estimators.portfolio.recipes import Recipe
from torchann.estimators.portfolio.table_net import search_table

QUICK = (Recipe("quick", (8,), "relu", 0.01, 0.01), Recipe("other", (4, 4), "gelu", 0.01, 0.01))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    search = table_net.Search
    monkeypatch.setattr(table_net, "Search", lambda *args, **kwargs: search(*args, **kwargs, recipes=QUICK))


@pytest.fixture
def frame():
    generator = np.random.default_rng(0)
    x, city = generator.normal(size=150), np.array(["Oslo", "Rome", "Bern"])[np.arange(150) % 3]
    y = 50 + 10 * x + 5 * (city == "Rome") + generator.normal(size=150)
    return pd.DataFrame({"x": x, "city": city, "y": y, "kind": np.where(x + (city == "Bern") > 0.3, "yes", "no")})


@pytest.mark.parametrize("target", ["y", "kind"])
def test_model_is_the_weighted_mean_of_nets_that_take_the_table(frame, target, tmp_path):
    data = TabularDataModule(frame.drop(columns="kind" if target == "y" else "y"), target)
    found = search_table(data, time_limit=60)
    model, test = found.model, data.splits.test
    prepared = model.preprocessing(test.x)
    regression = target == "y"
    mean = 0.0
    for weight, member, net in zip(model.net.weights, model.hparams["members"], model.net.members, strict=True):
        z = net(prepared[:, member["columns"]])
        mean = mean + weight * (z if regression else torch.sigmoid(z)).detach().double()
    if regression:
        mean = mean * model.hparams["target_std"][0] + model.hparams["target_mean"][0]
    got = model._predict(test.x)["value"] if regression else model.predict_proba(test.x)[:, 1:]
    torch.testing.assert_close(got.double(), mean, rtol=1e-5, atol=1e-5)
    torchann.save(model, tmp_path / "m.safetensors")
    again = torchann.load(tmp_path / "m.safetensors")
    assert torch.equal(again.predict(frame), model.predict(frame))


def test_leaderboard_has_what_was_tried_beside_models_that_are_no_nets(frame):
    board = search_table(TabularDataModule(frame.drop(columns="kind"), "y"), ensemble=3).leaderboard
    names = {line.name for line in board.lines}
    assert {"linear model", "boosted trees", "quick, standard", "quick, quantiles", "other, standard"} <= names
    assert [line.loss for line in board.lines] == sorted(line.loss for line in board.lines)
    linear = next(line for line in board.lines if line.name == "linear model")
    assert linear.loss * frame.y.std() == pytest.approx(1.0, abs=0.25)  # the noise's deviation


def test_table_stays_as_it_is_and_its_waves_are_for_nets_alone(frame, monkeypatch):
    monkeypatch.setattr(table_net, "wavy_columns", lambda *_: [0])
    data = TabularDataModule(frame.drop(columns="kind"), "y")
    waved = search_table(data, ensemble=3)
    assert (len(data.preprocessing.steps), data.in_features) == (1, 4)
    monkeypatch.setattr(table_net, "wavy_columns", lambda *_: [])
    plain = search_table(data, ensemble=3)
    simple = [{line.name: line.loss for line in found.leaderboard.lines} for found in (waved, plain)]
    for name in ("linear model", "boosted trees"):
        assert simple[0][name] == simple[1][name]
    assert waved.data.in_features == plain.data.in_features + 12


def test_intervals_are_by_rows_that_were_not_trained_on(frame):
    found = search_table(TabularDataModule(frame.drop(columns="kind"), "y"), ensemble=3)
    assert found.calibration["rows"] == 120  # all but the test rows


def test_many_categories_become_one_hot(frame):
    frame["code"] = [f"c{number % 60}" for number in range(150)]
    found = search_table(TabularDataModule(frame.drop(columns="kind"), "y", kinds={"code": "category"}), ensemble=2)
    assert found.data.embeddings is None
    assert found.model.net.in_features == 2 + 3 + len(found.data.preprocessing.table.table[2].categories)


@pytest.mark.parametrize(
    ("options", "asked", "told"),
    [
        ({}, {"ensemble": 1}, "ensemble is 1; give a whole number from 2, of nets"),
        ({}, {"time_limit": 0}, "time_limit is 0; give seconds, above 0"),
        ({"split": "group", "split_by": "city"}, {"ensemble": 2}, "the table is split by groups"),
    ],
)
def test_what_cannot_be_is_refused(frame, options, asked, told):
    with pytest.raises(ValueError, match=told):
        search_table(TabularDataModule(frame, "y", **options), **asked)
