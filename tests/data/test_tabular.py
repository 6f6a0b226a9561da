"""TabularDataModule: what it infers, prepares, serves and refuses, from files, frames and arrays."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

import torchann
from tests.data.own_tables import CITIES, homes, write_csv
from torchann.data.errors import DataNotFoundError
from torchann.data.tables.column_statistics import embedding_size

NUMBERS = {"a": np.linspace(0, 1, 60), "b": np.linspace(5, 9, 60) ** 2, "y": np.linspace(-1, 1, 60)}


def ready(*args, **options) -> torchann.TabularDataModule:
    data = torchann.TabularDataModule(*args, **options)
    data.setup()
    return data


@pytest.fixture(scope="module")
def home_data():
    return ready(homes(), "price")


def test_report_tells_each_column_the_target_and_the_split(home_data):
    train, area = home_data.splits.train, str(homes()["area"][0])
    left_out = "left out: another one in each row, a name or number of the row"
    assert str(home_data.report).splitlines() == [
        f"table: regression of 'price', from {train.y.min():.0f} to {train.y.max():.0f}",
        "column    kind           such as       missing  becomes",
        "--------  -------------  ----------  ---------  " + "-" * len(left_out),
        f"area      number         {area:10}  {int(train.x[:, 0].isnan().sum()):9}  standardised; 1 if missing",
        "city      category of 3  Paris               0  one-hot",
        f"sold      date           {homes()['sold'][0]}          0  standardised, time of year, time of week",
        f"garden    boolean        {homes()['garden'][0]:4}                0  standardised",
        f"id        -              0                      {left_out}",
        "country   -              Europe                 left out: always 'Europe'",
        "random split: 72 rows to train on, 24 to validate, 24 to test",
        "with dates, --data.split time --data.split_by sold judges by the latest rows",
    ]


def test_sizes_and_names_are_those_that_a_task_asks_for(home_data):
    assert home_data.feature_names == ["area", "city", "sold", "garden"] and home_data.task == "regression"
    assert (home_data.in_features, home_data.out_features, home_data.target_names) == (3 + 4 + 1 + 3, 1, ["price"])
    assert home_data.embeddings is None and not hasattr(home_data, "num_classes")
    assert home_data.data_info["rows"] == 72 and home_data.fingerprint.startswith("sha256:")


def test_splits_hold_the_rows_as_numbers_and_batches_what_a_net_gets(home_data):
    table, train = homes(), home_data.splits.train
    x, y = next(iter(home_data._training_loader()))
    assert train.x.dtype == torch.float64 and x.dtype == torch.float32
    assert torch.equal(x, home_data.prepare(train.x)[:32]) and torch.equal(y, train.y[:32])
    row = table["price"].index(int(train.y[0]))
    assert (
        CITIES[int(train.x[0, 1])] == table["city"][row] and table["garden"][row] == ["no", "yes"][int(train.x[0, 3])]
    )
    assert np.datetime64("1970-01-01") + int(train.x[0, 2]) == np.datetime64(table["sold"][row])


def test_rows_are_prepared_once_for_all_epochs(home_data):
    first, second = home_data.train_dataloader(), home_data.train_dataloader()
    assert first.x is second.x and first.prepare is None


def test_only_training_rows_are_fitted_on():
    data = ready(NUMBERS, "y")
    scaler = StandardScaler().fit(data.splits.train.x.numpy())
    step = data.preprocessing.table
    np.testing.assert_allclose(step.mean, scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(step.std, scaler.scale_, rtol=1e-12)
    np.testing.assert_allclose(data.target_mean, data.splits.train.y.mean(), rtol=1e-6)


def test_categories_and_gaps_of_other_rows_are_unseen_and_told():
    table = {"c": ["x", "y"] * 30 + ["z", ""], "n": np.arange(62.0) ** 2, "y": np.arange(62.0)}
    data = ready(table, "y", split="time", split_by="n", kinds={"n": "ignore"}, val_size=1, test_size=1)
    assert data.splits.val.x.tolist() == [[-1]] and data.splits.test.x.isnan().tolist() == [[True]]
    assert data.report.notes == [
        "validation rows, column 'c': 1 value is of no category of the training rows ('z' 1); taken as none of them",
        "test rows, column 'c': 1 value is missing, as in no training row; taken as the mean, or as no category",
    ]
    assert data.prepared().val.x.tolist() == [[0, 0]]


@pytest.mark.parametrize(("rows", "size"), [(60, 32), (20_000, 64), (50_000, 256), (400_000, 1024)])
def test_batches_grow_with_the_table(rows, size):
    # about 100 steps per epoch of three fifths of the rows, a power of two from 32 to 1024
    assert ready({"a": np.arange(rows) % 7 + 0.5, "y": np.arange(rows) / 3}, "y").batch_size == size


def test_batch_size_can_be_given():
    assert ready(NUMBERS, "y", batch_size=5).batch_size == 5


def test_classes_keep_their_names_and_their_shares():
    data = ready(homes(200), "city", kinds={"id": "ignore"})
    assert (data.num_classes, data.class_names, data.task) == (3, CITIES, "multiclass")
    shares = [torch.bincount(split.y, minlength=3) / len(split.y) for split in data.splits]
    assert (shares[0] - shares[1]).abs().max() < 0.02 and "stratified split" in data.report.split


def test_kinds_task_and_split_can_be_said():
    table = homes()
    data = ready(table, "garden", "multiclass", {"id": "number", "city": "ignore", "area": "category"}, split="random")
    assert data.feature_names == ["id", "area", "sold", "price"] and data.task == "binary"
    lines = {line.name: line for line in data.report.columns}
    assert lines["city"].summary == "left out as asked" and lines["area"].kind.startswith("category of")
    assert data.report.split.startswith("random split")


def test_kind_of_the_target_says_the_task(tmp_path):
    codes = ["007", "7", "1"] * 40
    with (tmp_path / "codes.csv").open("w") as file:
        file.write("a,code\n" + "".join(f"{row / 7},{code}\n" for row, code in enumerate(codes)))
    data = ready(tmp_path / "codes.csv", "code", kinds={"code": "category"})
    assert (data.task, sorted(data.class_names)) == ("multiclass", ["007", "1", "7"])  # with their zeros
    assert ready(tmp_path / "codes.csv", "code", kinds={"code": "number"}).task == "regression"


def test_many_categories_are_embedded_and_the_net_learns_vectors():
    names = [f"k{place % 60}" for place in range(240)]
    data = ready({"k": names, "n": np.arange(240) % 7, "y": np.arange(240) / 7}, "y", kinds={"k": "category"})
    seen = len(data.preprocessing.table.table[0].categories)
    assert 50 < seen <= 60 and data.embeddings == [[seen + 1, embedding_size(seen)]]
    model = torchann.RegressionMLP([4])
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=data)
    assert list(model.net.tables[0].weight.shape) == data.embeddings[0]
    assert ready({"k": names, "y": np.arange(240) / 7}, "y", max_one_hot=60).embeddings is None


def test_groups_and_times_are_not_learnt_from_unless_that_is_said():
    table = homes()
    table["shop"] = [f"s{row % 12}" for row in range(120)]
    data = ready(table, "price", split="group", split_by="shop")
    assert "shop" not in data.feature_names and "group by 'shop': 72 rows" not in data.report.split
    lines = {line.name: line.summary for line in data.report.columns}
    assert lines["shop"] == "not learnt from: the rows are split by it"
    kept = ready(table, "price", split="group", split_by="shop", kinds={"shop": "category"})
    assert "shop" in kept.feature_names


def test_rows_without_a_target_are_left_out_and_counted():
    data = ready({**NUMBERS, "y": [None if row % 6 == 0 else row / 7 for row in range(60)]}, "y")
    assert sum(len(split.y) for split in data.splits) == 50
    assert data.report.notes == ["10 rows have no target and are left out"]


def test_parts_may_have_files_of_their_own(tmp_path):
    train = write_csv(tmp_path / "train.csv", homes(100))
    val = write_csv(tmp_path / "val.csv", dict(reversed(homes(30, seed=1).items())), ";")
    data = ready(train, "price", val_source=val, test_source=homes(20, seed=2), kinds={"id": "ignore"})
    assert [len(split.y) for split in data.splits] == [100, 30, 20]
    assert data.splits.val.y.tolist() == [float(price) for price in homes(30, seed=1)["price"]]
    one = ready(train, "price", val_source=val, test_size=0.1)
    assert [len(split.y) for split in one.splits] == [90, 30, 10] and "validation rows from a file" in one.report.split


def test_part_without_a_column_is_refused(tmp_path):
    other = {name: column for name, column in homes(30).items() if name != "city"}
    with pytest.raises(ValueError, match="in 'val' there is no column 'city'; give a table that has it"):
        ready(homes(), "price", val_source=write_csv(tmp_path / "val.csv", other))


def test_arrays_and_frames_are_tables_with_targets_beside_them_or_in_them():
    x = np.stack([NUMBERS["a"], NUMBERS["b"]], 1)
    by_value, by_name = ready(x, NUMBERS["y"]), ready(np.column_stack([x, NUMBERS["y"]]), 2)
    assert by_value.feature_names == ["0", "1"] and by_value.target_names == ["target"]
    assert torch.equal(by_value.splits.train.x, by_name.splits.train.x) and by_name.target_names == ["2"]
    for library in ("pandas", "polars"):
        frames = pytest.importorskip(library)
        assert torch.equal(ready(frames.DataFrame(NUMBERS), "y").splits.test.x, by_value.splits.test.x)
    labels = torch.arange(60) % 2
    assert ready(torch.from_numpy(x), labels).class_names == ["0", "1"]


class OnlyArrow:
    """A frame of a library that has nothing but Arrow's stream."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def test_frames_of_every_library_are_one_table():
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    frame = pandas.DataFrame(
        {
            "text": ["x", None, "z"] * 20,
            "day": pandas.to_datetime(["2024-01-01", "2024-02-01", None] * 20),
            "true": pandas.array([True, None, False] * 20, dtype="boolean"),
            "long": [2**53 + row % 7 for row in range(60)],
            "kind": pandas.Categorical(["b", "a", None] * 20),
            "y": np.linspace(-1, 1, 60),
        }
    )
    arrow = pyarrow.Table.from_pandas(frame)
    whole = ready(frame, "y", kinds={"long": "category"})
    for other in (polars.from_pandas(frame), arrow, OnlyArrow(arrow), {name: frame[name] for name in frame}):
        assert ready(other, "y", kinds={"long": "category"}).fingerprint == whole.fingerprint
    assert whole.feature_names == ["text", "day", "true", "long", "kind"] and "category of 7" in str(whole.report)


def test_several_targets_are_values():
    data = ready(NUMBERS, ["y", "b"])
    assert (data.out_features, data.target_names, data.feature_names) == (2, ["y", "b"], ["a"])
    assert data.splits.train.y.shape == (36, 2) and len(data.target_std) == 2


def test_targets_keep_their_scale_where_that_is_asked_for():
    assert not hasattr(ready(NUMBERS, "y", scale_target=False), "target_std")


def test_words_for_no_value_go_with_the_model():
    table = {**NUMBERS, "a": ["unknown" if row % 5 == 0 else str(row * 1.5) for row in range(60)]}
    data = ready(table, "y", missing_values=["Unknown"])
    assert data.preprocessing.table.missing_values == ["Unknown"] and data.report.columns[0].missing > 0


def test_rare_class_makes_the_split_random_and_is_told():
    data = ready({**NUMBERS, "y": ["maybe"] + ["no", "yes"] * 29 + ["no"]}, "y")
    assert data.report.split.startswith("random split")
    assert data.report.notes == ["not stratified, as the class 'maybe' has fewer rows (1) than there are parts"]


def test_fit_is_the_same_each_time_and_resumes_to_the_bit(tmp_path):
    runs = {"runs": str(tmp_path), "quiet": True}

    def model():
        return torchann.RegressionMLP([8], optimizer="adam", lr=0.01)

    whole, half, rest = model(), model(), model()
    torchann.Trainer(name="whole", max_epochs=4, **runs).fit(whole, datamodule=ready(homes(), "price"))
    torchann.Trainer(name="parts", max_epochs=2, **runs).fit(half, datamodule=ready(homes(), "price"))
    torchann.Trainer(name="parts", max_epochs=4, **runs).fit(rest, datamodule=ready(homes(), "price"), ckpt_path="last")
    for one, other in zip(whole.net.parameters(), rest.net.parameters(), strict=True):
        assert torch.equal(one, other)


def test_own_steps_train_tables_with_and_without_embeddings(caplog):
    table = homes(300)
    for max_one_hot in (50, 2):
        model = torchann.RegressionMLP([16], optimizer="adam", lr=0.01)
        trainer = torchann.Trainer(max_epochs=40, logger=False)
        trainer.progress_bar_callback.disable()
        data = ready(table, "price", max_one_hot=max_one_hot)
        trainer.fit(model, datamodule=data)
        assert not caplog.records  # which would say why autograd is needed
        figures = trainer.test(model, datamodule=data, verbose=False)[0]
        assert figures["test_loss"] < 0.3 and figures["test_rmse"] < 0.6 * np.std(table["price"])


def test_task_of_another_kind_is_refused_with_the_reason():
    trainer = torchann.Trainer(max_epochs=1, logger=False, quiet=True)
    with pytest.raises(
        ValueError, match="RegressionMLP needs out_features.*TabularDataModule has none, as its target makes"
    ):
        trainer.fit(torchann.RegressionMLP([3]), datamodule=torchann.TabularDataModule(homes(), "city"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"target": "prices"}, "there is no column 'prices'; did you mean it by 'price'"),
        ({"split": "group"}, "split is 'group' and split_by None; give split=group or split=time, and split_by"),
        ({"split_by": "city"}, "split is None and split_by 'city'"),
        ({"split": "time", "split_by": "day"}, "there is no column 'day'"),
        ({"split": "stratified"}, "a stratified split of a regression of 'price'; give split=random"),
        ({"kinds": {"area": "numbers"}}, "column 'area' is to be 'numbers'; did you mean number. give number, cat"),
        ({"kinds": {"aera": "number"}}, "there is no column 'aera'; did you mean it by 'area'"),
        ({"target": "country"}, "the target 'country' has only 'Europe'; give a column with two classes"),
        ({"target": [1.0]}, r"the columns are of the shapes .*\(1,\)"),
        ({"max_memory": "5 apples"}, "max_memory is '5 apples'; give bytes, or a size such as 200MB"),
        ({"max_memory": 10}, "max_memory is 10; give 150MB or more"),
        ({"source": "nothing.csv"}, "there is no file nothing.csv"),
        ({"source": {"y": [1.0, 2.0]}, "target": "y", "val_size": 0.1}, "1 to validate and 1 to test leave none of 2"),
        ({"source": {"price": list(range(50))}}, "no column to learn from: it has the target alone"),
        ({"source": {"a": [1] * 50, "price": list(range(50))}}, "no column to learn from: 'a' is left out: always 1"),
        (
            {"source": {"a": range(50), "price": [3.5] * 50}, "kinds": {"a": "number"}},
            "the target 'price' is the same in",
        ),
        (
            {"source": {"a": [1.5] * 50, "price": [None] * 50}, "task": "regression"},
            "the target 'price' has no value in",
        ),
    ],
)
def test_table_that_cannot_be_learnt_from_is_refused(options, told):
    with pytest.raises((ValueError, DataNotFoundError), match=told):
        ready(**{"source": homes(), "target": "price"} | options)


def test_targets_beside_a_file_are_refused(tmp_path):
    with pytest.raises(ValueError, match="target holds values and source names a file; give the name of a column"):
        ready(write_csv(tmp_path / "a.csv", homes()), np.arange(120))


def test_there_are_no_test_rows_where_none_were_kept():
    with pytest.raises(
        ValueError, match="there are no test rows, as test_size is 0; give a test_size or a test_source"
    ):
        ready(NUMBERS, "y", test_size=0).test_dataloader()


def test_infinite_numbers_are_refused_in_every_part():
    for row in range(60):
        a = np.linspace(0, 1, 60)
        a[row] = np.inf
        with pytest.raises(ValueError, match="column 'a' has infinite values|(validation|test) rows have inf in row"):
            ready({**NUMBERS, "a": a}, "y")


def test_infinite_value_is_named_by_its_row_in_the_table():
    a, times = (
        np.linspace(0, 1, 60),
        np.roll(np.arange(60.0), 7),
    )  # the last ten times stand in rows 57 to 59 and 0 to 6
    a[5] = np.inf
    with pytest.raises(ValueError, match="test rows have inf in row 5, column 'a'"):
        ready({**NUMBERS, "a": a, "t": times}, "y", split="time", split_by="t", val_size=10, test_size=10)


def test_part_of_its_own_needs_a_target(tmp_path):
    other = {**NUMBERS, "y": [None] * 60}
    with pytest.raises(ValueError, match="'table' has no row with a target; give other validation rows"):
        ready(NUMBERS, "y", val_source=other)


def test_csv_that_is_larger_than_the_memory_is_refused_with_the_way_out(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "a.csv", homes())
    monkeypatch.setattr("torchann.data.tables.table_settings.free_memory", lambda: 1000)
    with pytest.raises(ValueError, match="'a' would take about 0 MB and max_memory is 0 MB; write it as Parquet"):
        ready(path, "price")
    monkeypatch.setattr("torchann.data.tables.table_settings.free_memory", lambda: None)  # a machine that does not say
    assert len(ready(path, "price").splits.train.y) == 72
