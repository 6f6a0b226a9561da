"""Parquet tables in blocks: the same columns as when read whole, disjoint parts, bounded memory, exact resume."""

import json
import subprocess
import sys
from itertools import chain

import lightning.pytorch as pl
import numpy as np
import pytest
import torch

import torchann
from tests.data.own_tables import homes
from torchann.data.tables.row_splits import Splitter
from torchann.data.tables.table import Unit
from torchann.data.tables.table_splitter import MOST_ROWS
from torchann.publishing.judging import judge
from torchann.training.checkpoints import Checkpoints

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(autouse=True)
def small_memory(monkeypatch):
    """Tables of a few hundred rows are larger than memory, and a block has some dozens of rows."""
    monkeypatch.setattr(
        "torchann.data.tables.table_settings.bytes_of", lambda size: 3000 if size == "small" else 10**12
    )
    monkeypatch.setattr("torchann.data.tabular.READING", 0)


def write(path, table, group=50):
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(table), path, row_group_size=group)
    return path


def ready(path, target="price", max_memory="small", **options):
    data = torchann.TabularDataModule(path, target, max_memory=max_memory, **options)
    data.setup()
    return data


def rows_of(loader):
    parts = [(x, y) for x, y in loader]
    return torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "homes.parquet", homes(400))


def test_parts_are_disjoint_complete_and_of_the_sizes_asked_for(tmp_path):
    table = {"a": np.arange(400) * 0.5, "y": np.arange(400) * 1.5}
    data = ready(write(tmp_path / "a.parquet", table), "y", val_size=0.21, test_size=70)
    loaders = [data.train_dataloader(), data.val_dataloader(), data.test_dataloader()]
    found = [(rows_of(loader)[1] / 1.5).round().tolist() for loader in loaders]
    assert [len(rows) for rows in found] == [400 - 84 - 70, 84, 70]
    assert sorted(chain(*found)) == list(range(400))
    assert found[1] == sorted(found[1]) and found[0] != sorted(found[0])
    # of each row group of 50 its share
    assert {sum(50 * group <= row < 50 * (group + 1) for row in found[1]) for group in range(8)} <= {10, 11}


def test_columns_are_prepared_by_the_training_rows_as_when_read_whole(path):
    data = ready(path, val_size=100, test_size=100)
    x, y = rows_of(data.train_dataloader())
    scaled = [0, 1, 4]  # area, day sold and garden come first, then the day's waves; area has gaps
    assert data.feature_names == ["area", "city", "sold", "garden"] and data.in_features == x.shape[1] == 11
    torch.testing.assert_close(x[:, :3].mean(0), torch.zeros(3), atol=1e-6, rtol=0)
    present = x[:, 7] == 0
    torch.testing.assert_close(x[present, 0].std(correction=0), torch.tensor(1.0), atol=1e-5, rtol=0)
    assert (x[~present, 0] == 0).all() and x[:, 8:].sum(1).eq(1).all() and scaled
    np.testing.assert_allclose([data.target_mean[0], data.target_std[0]], [y.mean(), y.std(correction=0)], rtol=1e-5)
    assert "read in blocks" in data.report.split


def test_report_says_what_it_says_of_the_whole(path):
    blocks, whole = ready(path), ready(path, max_memory="large")
    told = [[(line.name, line.kind, line.summary) for line in data.report.columns] for data in (blocks, whole)]
    assert told[0] == told[1]
    assert blocks.report.split == "random split: 240 rows to train on, 80 to validate, 80 to test, read in blocks"


def test_rows_are_in_no_splits(path):
    data = ready(path)
    with pytest.raises(
        RuntimeError, match="the table 'homes' is read in blocks, and not in memory; give a larger max_m"
    ):
        _ = data.splits
    assert data.data_info["rows"] == 240 and data.fingerprint.startswith("sha256:")
    data.setup()  # a second time, for another stage


def test_fingerprint_is_of_the_training_rows_by_name(path, tmp_path):
    turned = write(tmp_path / "turned.parquet", dict(reversed(homes(400).items())))
    found = {ready(one).fingerprint for one in (path, turned)}
    assert len(found) == 1 and ready(path, val_size=9).fingerprint not in found
    for name in ("area", "city", "sold", "price"):  # numbers, texts, dates, targets
        swapped = homes(400)
        swapped[name] = swapped[name][::-1]
        found.add(ready(write(tmp_path / "other.parquet", swapped)).fingerprint)
    assert len(found) == 5


def test_classes_are_those_of_all_rows(tmp_path):
    table = {"a": np.arange(400) * 0.5, "y": ["no", "yes"] * 199 + ["maybe"] * 2}
    data = ready(write(tmp_path / "a.parquet", table), "y")
    assert data.class_names == ["maybe", "no", "yes"] and data.task == "multiclass"
    assert data.report.target.startswith("multiclass classification of 'y': maybe ")
    assert data.train_dataloader().stream.counts == [30] * 8


def test_table_that_is_sorted_by_its_target_has_all_classes(tmp_path):
    table = {"row": range(400), "a": np.arange(400) * 0.5, "y": ["no"] * 200 + ["yes"] * 200}
    data = ready(write(tmp_path / "a.parquet", table), "y")
    assert data.class_names == ["no", "yes"] and data.feature_names == ["a"]  # without the number of the row


def test_rows_without_target_are_left_out_of_all_parts(tmp_path):
    table = {"a": np.arange(400) * 0.5, "y": [None if row % 8 == 0 else row / 7 for row in range(400)]}
    data = ready(write(tmp_path / "a.parquet", table), "y")
    assert data.report.notes == ["50 rows have no target and are left out"]
    loaders = (data.train_dataloader(), data.val_dataloader(), data.test_dataloader())
    assert sum(len(rows_of(loader)[1]) for loader in loaders) == 350


def test_groups_stay_together_and_have_about_the_sizes_asked_for(tmp_path):
    groups = [f"g{row % 200}" for row in range(2000)]
    table = {"g": groups, "y": np.arange(2000) * 0.5}
    table["a"] = np.arange(2000) % 200  # the group as a number
    data = ready(write(tmp_path / "a.parquet", table), "y", split="group", split_by="g", val_size=0.2, test_size=0.3)
    found = [set(rows_of(data._loader_of(part))[0][:, 0].tolist()) for part in ("train", "val", "test")]
    assert not found[0] & found[1] and not found[0] & found[2] and not found[1] & found[2]
    assert sum(map(len, found)) == 200 and abs(len(found[1]) - 40) < 20 and abs(len(found[2]) - 60) < 25


def test_by_time_the_last_rows_are_judged_by(tmp_path):
    table = {"t": np.arange(400)[::-1] % 300, "a": np.arange(400) * 0.5, "y": np.arange(400)[::-1] % 300 + 0.5}
    data = ready(write(tmp_path / "a.parquet", table), "y", split="time", split_by="t", val_size=40, test_size=40)
    train, val, test = (rows_of(data._loader_of(part))[1] for part in ("train", "val", "test"))
    assert train.max() < val.min() and val.max() < test.min() and len(val) >= 40 and len(test) >= 40


def test_parts_may_have_files_of_their_own(path, tmp_path):
    val = write(tmp_path / "val.parquet", homes(90, seed=1))
    data = ready(path, val_source=val, test_size=50)
    x, y = rows_of(data.val_dataloader())
    assert y.tolist() == [float(price) for price in homes(90, seed=1)["price"]] and x.shape == (90, 11)
    assert "350 rows to train on, 90 to validate, 50 to test" in data.report.split
    with pytest.raises(
        ValueError, match="'table' is no Parquet file, and the training rows are; give files of one kind"
    ):
        ready(path, val_source=homes(90))


def test_without_sizes_few_rows_of_a_large_table_are_held_back(path, monkeypatch):
    assert MOST_ROWS == 100_000
    monkeypatch.setattr("torchann.data.tables.table_splitter.MOST_ROWS", 30)
    assert "340 rows to train on, 30 to validate, 30 to test" in ready(path).report.split


def test_blocks_do_not_depend_on_the_memory_that_happens_to_be_free(path, monkeypatch):
    monkeypatch.setattr("torchann.data.tables.table_settings.BLOCKS", 2000)
    rows = set()
    for free in (5000, 6000, 7000):
        monkeypatch.setattr("torchann.data.tables.table_settings.free_memory", lambda free=free: free)
        rows.add(ready(path, max_memory=None, batch_size=2).train_dataloader().block_rows)
    assert len(rows) == 1


def test_validation_rows_stay_in_memory_where_they_fit(path, monkeypatch):
    few, many = ready(path, val_size=10), ready(path, val_size=200)
    assert few.val_dataloader().x is few.val_dataloader().x
    assert type(many.val_dataloader()).__name__ == "StreamLoader"
    torch.testing.assert_close(rows_of(many.val_dataloader())[1], rows_of(many.val_dataloader())[1])


def test_labels_of_a_unit_do_not_depend_on_what_was_read_before():
    labels = Splitter(1000, (200, 100), seed=3)
    unit = Unit(0, 4, 400, 100)
    first = labels.of_unit(unit)
    labels.of_unit(Unit(0, 0, 0, 100))
    assert (labels.of_unit(unit) == first).all() and np.bincount(first).tolist() == [70, 20, 10]
    assert (Splitter(1000, (200, 100), seed=4).of_unit(unit) != first).any()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"split": "stratified"},
            "a stratified split of a table that is read in blocks; give split=random, group or time",
        ),
        ({"split": "group", "split_by": "hole"}, "1 rows have no 'hole' to split by; fill the gaps"),
        (
            {"split": "time", "split_by": "city"},
            "a row has '.*', which is none; to split by time give numbers or dates",
        ),
        ({"split": "time", "split_by": "hole"}, "a row has no time; to split by time give numbers or dates"),
        ({"target": "text", "task": "multiclass"}, "the target 'text' has 1,400 classes; give a column with fewer"),
        ({"target": "list"}, "the target 'list' holds list<.*>; give a column of numbers or texts"),
    ],
)
def test_table_that_cannot_be_learnt_from_is_refused(tmp_path, monkeypatch, options, told):
    monkeypatch.setattr("torchann.data.tables.table.CHUNK_ROWS", 100)
    monkeypatch.setattr("torchann.data.tables.parquet_table.CHUNK_ROWS", 100)
    monkeypatch.setattr("torchann.data.tables.read_table.SEEN_GROUPS", 1)  # what follows is found by the pass over all
    table = homes(1500) | {"hole": [None, *range(1499)], "list": [[1]] * 1500}
    table["text"] = ["a", "b"] * 50 + [f"t{row}" for row in range(1398)] + ["a", "b"]
    with pytest.raises(ValueError, match=told):
        ready(write(tmp_path / "a.parquet", table), **options)


def fit(data, name, runs, epochs, stop=None, **more):
    model = torchann.RegressionMLP([8], optimizer="adam", lr=0.01, steps_per_execution=2)
    stops = [] if stop is None else [Stop(stop)]
    trainer = torchann.Trainer(
        name=name, runs=runs, max_epochs=epochs, quiet=True, callbacks=[*stops, Checkpoints(every_n_steps=2)]
    )
    trainer.fit(model, datamodule=data, **more)
    return model


class Stop(pl.Callback):
    """Breaks a fit off within its second epoch."""

    def __init__(self, batch):
        self.batch = batch

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if trainer.current_epoch == 1 and batch_idx == self.batch:
            raise InterruptedError


def test_fit_that_was_broken_off_within_an_epoch_goes_on_to_the_bit(path, tmp_path):
    runs = str(tmp_path / "runs")
    whole = fit(ready(path, batch_size=16, val_size=10), "whole", runs, 3)
    with pytest.raises(InterruptedError):
        fit(ready(path, batch_size=16, val_size=10), "cut", runs, 3, stop=4)
    turned = write(tmp_path / "turned" / path.name, dict(reversed(homes(400).items())))
    again = fit(ready(turned, batch_size=16, val_size=10), "cut", runs, 3, ckpt_path="last")
    for one, other in zip(whole.net.parameters(), again.net.parameters(), strict=True):
        assert torch.equal(one, other)


MEMORY = """
import json, resource, sys
from pathlib import Path
import torch, torchann
torch.set_num_threads(1)

def size(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024

few = torchann.TabularDataModule({"x": [n * n for n in range(50)], "y": [n / 7 for n in range(50)]}, "y")
torchann.Trainer(max_epochs=1, quiet=True, logger=False).fit(torchann.RegressionMLP([4]), datamodule=few)
Path("/proc/self/clear_refs").write_text("5")  # begins the peak anew
before = size("VmRSS")
resource.setrlimit(resource.RLIMIT_DATA, (size("VmData") + int(sys.argv[2]) + 2**28, resource.RLIM_INFINITY))
data = torchann.TabularDataModule(sys.argv[1], "y", batch_size=4096, max_memory=int(sys.argv[2]))
model = torchann.RegressionMLP([16], lr=1e-2)
trainer = torchann.Trainer(max_epochs=1, quiet=True, logger=False)
trainer.fit(model, datamodule=data)
rows = sum(data.train_dataloader().stream.counts)
print(json.dumps({"peak": size("VmHWM") - before, "rows": rows, "loss": trainer.history[-1]["val_loss"]}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_table_of_five_times_the_memory_trains_within_it(tmp_path):
    allowed, columns, rows = 150_000_000, 12, 2_200_000
    path, generator = tmp_path / "large.parquet", np.random.default_rng(0)
    with pq.ParquetWriter(
        path, pa.schema([(f"x{n}", pa.float32()) for n in range(columns - 1)] + [("y", pa.float32())])
    ) as w:
        for _ in range(rows // 50_000):
            x = generator.random((columns - 1, 50_000), dtype=np.float32)
            w.write_table(pa.table([*x, x[0] + x[1]], schema=w.schema))
    assert rows * columns * 32 > 5 * allowed  # what reading it as a whole would take, as raw and as prepared rows
    words = [sys.executable, "-c", MEMORY, str(path), str(allowed)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["rows"] == rows - 200_000 and found["loss"] < 0.1
    assert found["peak"] < allowed


def judged(model, path, target):
    data = torchann.TabularDataModule(path, target, max_memory="small")
    return torchann.Trainer(logger=False, quiet=True).test(model, datamodule=data, verbose=False)[0]


@pytest.mark.parametrize("target", ["price", "city"])
def test_model_is_judged_by_its_own_preparation_and_by_name(path, tmp_path, target):
    model = (torchann.RegressionMLP if target == "price" else torchann.ClassificationMLP)([4])
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=ready(path, target))
    torchann.save(model, tmp_path / "m.safetensors")
    again, before = torchann.load(tmp_path / "m.safetensors"), judged(model, path, target)
    assert judged(again, path, target) == before
    turned = write(tmp_path / "turned.parquet", dict(reversed(homes(400).items())))
    assert judged(again, turned, target) == before  # without a warning: the rows are the same
    changed = pytest.warns(UserWarning, match="the table 'more' or its split has changed since the model was trained")
    with changed:
        judged(again, write(tmp_path / "more.parquet", homes(410)), target)
    renamed = {"Area" if name == "area" else name: column for name, column in homes(400).items()}
    with pytest.raises(ValueError, match="there is no column 'area'; did you mean it by 'Area'"):
        judged(again, write(tmp_path / "renamed.parquet", renamed), target)
    other = homes(400) | {"city": ["Ys" if city == "Rome" else city for city in homes(400)["city"]]}
    if target == "city":
        changed = pytest.warns(UserWarning, match="'other' or its split has changed")
        with changed, pytest.raises(ValueError, match="has the class 'Ys', and training rows have"):
            judged(again, write(tmp_path / "other.parquet", other), target)


def test_targets_far_from_zero_keep_their_digits_in_blocks(tmp_path):
    x = np.random.default_rng(0).normal(size=400)
    data = ready(write(tmp_path / "a.parquet", {"x": x, "y": 2 * x + 1e8}), "y")
    y = rows_of(data.train_dataloader())[1]
    assert y.dtype == torch.float64 and float(y.std()) == pytest.approx(2, rel=0.2)


def test_fit_in_blocks_is_judged_by_all_test_rows(path):
    data, model = ready(path), torchann.RegressionMLP([4])
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=data)
    found = judge(model, data)
    assert (found.part, found.rows, found.linear_rows) == ("test", 80, 240) and found.metrics["linear"]["r2"] > 0.5
    tested = torchann.Trainer(logger=False, quiet=True).test(model, datamodule=data, verbose=False)[0]
    assert found.metrics["net"]["rmse"] == pytest.approx(tested["test_rmse"], rel=1e-5)
