"""Permutation importance: what a shuffled column costs, through both doors, and what is refused."""

import csv

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import torchann
from tests.data.own_tables import homes, write_csv
from torchann.publishing.importance import importance

QUIET = {"logger": False, "verbose": 0}


def sums(rows=3000):
    """A sum of 3a, 2b and 1c, and a text that says which of three levels d is at; `noise` says nothing."""
    draw = np.random.default_rng(0)
    table = {name: draw.normal(size=rows) for name in ("noise", "c", "b", "a")}
    level = draw.integers(0, 3, rows)
    table |= {"d": np.array(["low", "mid", "top"])[level]}
    y = 3 * table["a"] + 2 * table["b"] + table["c"] + 2 * level + draw.normal(0, 0.05, rows)
    return table | {"y": y, "z": 5 * table["c"]}


def lines_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture(scope="module")
def model():
    return torchann.fit(sums(), ["y", "z"], hidden_sizes=[], lr=0.05, epochs=30, **QUIET)


def test_drop_of_r2_is_twice_a_columns_share_of_the_variance(model):
    # A shuffled column of a sum that is known errs by w(x' - x), whose mean square is 2 w² var(x).
    table = sums()
    found = importance(model, table, "y", repeats=20)
    level = np.unique(table["d"], return_inverse=True)[1]
    parts = {"a": 3 * table["a"], "b": 2 * table["b"], "c": table["c"], "d": 2.0 * level, "noise": np.zeros(1)}
    assert found.metric == "R2" and found.rows == 3000 and found.score > 0.999
    assert list(found.drops) == ["a", "b", "d", "c", "noise"] and len(found.drops["a"]) == 20
    for name, mean, spread in found.rows_of_columns:
        assert mean == pytest.approx(2 * parts[name].var() / table["y"].var(), abs=0.01)
        assert 0 <= spread < 0.05


def test_target_is_measured_alone_or_with_the_others(model):
    of_z, of_both = importance(model, sums(), "z", repeats=2), importance(model, sums(), repeats=2)
    assert next(iter(of_z.drops)) == "c" and of_z.drops["c"][0] == pytest.approx(2, abs=0.1)
    assert np.mean(of_z.drops["a"]) == pytest.approx(0, abs=0.01)
    assert np.mean(of_both.drops["a"]) > 0.5


def test_test_rows_of_a_data_module_are_measured_on(model):
    data = model.trainer.datamodule
    found = importance(model, data, "y", repeats=3)
    y, y_hat = data.splits.test.y[:, 0].double(), model.predict(data.splits.test.x)[:, 0].double()
    assert found.rows == len(y) == 600
    assert 1 - found.score == pytest.approx(float(((y - y_hat) ** 2).sum() / ((y - y.mean()) ** 2).sum()), rel=1e-4)


def test_accuracy_of_classes_on_rows_that_have_one():
    draw = np.random.default_rng(1)
    table = {"x": draw.normal(size=800), "noise": draw.normal(size=800)}
    table["class"] = [None if row < 5 else "up" if x > 0 else "down" for row, x in enumerate(table["x"])]
    model = torchann.fit(table, "class", hidden_sizes=[], lr=0.1, epochs=20, **QUIET)
    found = importance(model, table)
    assert (found.metric, found.rows, list(found.drops)) == ("accuracy", 795, ["x", "noise"])
    assert found.score > 0.95 and np.mean(found.drops["x"]) == pytest.approx(found.score - 0.5, abs=0.05)
    assert max(map(abs, found.drops["noise"])) < 0.05


def test_of_many_rows_some_are_drawn_and_the_seed_decides(model, monkeypatch):
    monkeypatch.setattr("torchann.publishing.importance.MOST_ROWS", 500)
    first, again, other = (importance(model, sums(), repeats=2, seed=seed) for seed in (3, 3, 4))
    assert first.rows == 500 and first == again != other


def test_command_prints_and_leaves_table_picture_and_image_in_the_run(command, tmp_path):
    write_csv(tmp_path / "homes.csv", homes())
    assert command("fit", "homes.csv", "--target", "price", "--epochs", 2, "--quiet").status == 0
    outcome = command("importance", "runs/homes", "homes.csv", "--repeats", 3)
    run = tmp_path / "runs/homes/001"
    assert outcome.status == 0 and "R2 is " in outcome.out and " on 120 rows" in outcome.out
    lines = lines_of(run / "importance.csv")
    assert {line["column"] for line in lines} == {"area", "city", "sold", "garden"}
    drops = [float(line["drop"]) for line in lines]
    assert drops == sorted(drops, reverse=True) and (run / "importance.png").stat().st_size > 1000
    assert EventAccumulator(str(run)).Reload().Tags()["images"].count("importance") == 1
    torchann.save(torchann.publishing.model_paths.model_from("runs/homes"), "m.safetensors")
    words = ("importance", "m.safetensors", "homes.csv", "--repeats", 3, "--output", "i.csv", "--picture", "i.png")
    assert command(*words).status == 0 and lines_of(tmp_path / "i.csv") == lines
    assert (tmp_path / "i.png").is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "x"}, r"there is no target 'x'; give one of \['y', 'z'\]"),
        ({"repeats": 0}, "repeats is 0; give 1 or more"),
        ({"data": {"a": [1.0, 2.0]}}, "there is no column"),
        ({"data": sums(3) | {"y": [1.0] * 3}}, "the table has 3 rows with a target, all of one value"),
        ({"data": sums(1)}, "the table has 1 rows"),
        ({"data": torchann.TabularDataModule(sums(90), ["y", "z"])}, "prepares rows in another way than the model"),
        ({"model": torchann.RegressionMLP([], 1, 1)}, "this RegressionMLP does not know the columns of a table"),
    ],
)
def test_what_cannot_be_measured_is_refused(model, change, message):
    with pytest.raises(ValueError, match=message):
        importance(**{"model": model, "data": sums(50)} | change)


def test_picture_has_a_bar_for_each_column_and_a_mark_for_each_shuffle(model):
    found = importance(model, sums(200), "y", repeats=4)
    (panel,) = found.plot().axes
    assert [label.get_text() for label in panel.get_yticklabels()] == list(found.drops)
    assert [bar.get_width() for bar in panel.patches] == [mean for _, mean, _ in found.rows_of_columns]
    assert [list(line.get_xdata()) for line in panel.lines[:-1]] == list(found.drops.values())
