"""What a table is, its content says; what is none is refused with what it is."""

import os
import re
import unicodedata

import numpy as np
import pyarrow.parquet
import pytest

import torchann
from tests.data.own_tables import write_csv
from tests.data.tables.test_column_values import numbers, values
from torchann.data.errors import DataFileError, DataNotFoundError
from torchann.data.tables.csv_table import CsvTable
from torchann.data.tables.open_table import FOREIGN, open_table
from torchann.data.tables.table import ArrayTable


def read(source, **options):
    table = open_table(source, **options)
    return {name: values(cells) for name, cells in table.read(table.columns).items()}


def test_shipped_table_is_found_by_its_name():
    table = open_table("california-housing")
    assert isinstance(table, CsvTable) and len(table.columns) == 9
    assert numbers(table.read(["medianHouseValue"])["medianHouseValue"])[:2] == [452600, 358500]


def test_arrays_frames_and_mappings_are_tables():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert read(x) == {"0": [1, 3], "1": [2, 4]}
    assert read({"a": [1, None], "b": ["x", "y"]}) == {"a": [1, None], "b": ["x", "y"]}
    named = np.array([(1, "x"), (2, "y")], dtype=[("n", "i4"), ("s", "U1")])
    assert read(named) == {"n": [1, 2], "s": ["x", "y"]}


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_data_frames_of_several_libraries_are_tables(library):
    frames = pytest.importorskip(library)
    frame = getattr(frames, "DataFrame", getattr(frames, "table", None))
    assert read(frame({"n": [1.5, None], "s": ["x", None]})) == {"n": [1.5, None], "s": ["x", None]}


def test_data_frame_with_a_column_twice_is_refused():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="the data frame has a column twice in a, a; rename one"):
        open_table(pandas.DataFrame([[1, 2]], columns=["a", "a"]))


def test_npy_and_npz_files_are_tables(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, 2], [3, 4]], dtype=np.int16))
    np.savez(tmp_path / "t.npz", x=np.eye(2), y=np.array(["a", "b"]))
    assert read(tmp_path / "x.npy") == {"0": [1, 3], "1": [2, 4]}
    assert read(str(tmp_path / "t.npz")) == {"x0": [1, 0], "x1": [0, 1], "y": ["a", "b"]}


def test_pattern_stands_for_the_files_that_fit_it_in_their_order(tmp_path):
    for number in (2, 1):
        (tmp_path / f"part-{number}.csv").write_text(f"a\n{number}\n")
    assert read(str(tmp_path / "part-*.csv")) == {"a": ["1", "2"]}
    assert read([tmp_path / "part-2.csv", tmp_path / "part-1.csv"]) == {"a": ["2", "1"]}
    with pytest.raises(DataNotFoundError, match=r"no file is named like .*no-\*.csv; give a pattern that fits some"):
        open_table(str(tmp_path / "no-*.csv"))


def test_file_with_a_star_in_its_name_is_that_file(tmp_path):
    (tmp_path / "a[1].csv").write_text("a\n1\n")
    assert read(tmp_path / "a[1].csv") == {"a": ["1"]}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("homs.csv", "there is no file .*homs.csv; did you mean '.*homes.csv'"),
        ("xyz.csv", "there is no file .*xyz.csv; look at the path"),
        ("no/homes.csv", "there is no file .*no/homes.csv, nor a folder .*no; look at the path"),
    ],
)
def test_file_that_is_not_there_is_refused_with_the_one_that_was_meant(tmp_path, name, told):
    (tmp_path / "homes.csv").write_text("a\n1\n")
    with pytest.raises(DataNotFoundError, match=told):
        open_table(tmp_path / name)


def test_folder_is_refused_with_a_pattern_for_its_files(tmp_path):
    with pytest.raises(DataFileError, match=r"is a folder; expected a file; give its files, such as '.*/\*.parquet'"):
        open_table(tmp_path)


def test_file_that_may_not_be_read_is_refused_with_the_reason(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    with pytest.raises(DataFileError, match=r"a.csv cannot be read .Permission denied.; expected a file that you may"):
        open_table(path)


@pytest.mark.parametrize("mark", FOREIGN)
def test_file_of_another_kind_is_refused_with_what_it_is(tmp_path, mark):
    path = tmp_path / "a.csv"
    path.write_bytes(mark + bytes(20))
    found, remedy = FOREIGN[mark]
    told = f"a.csv {found}; expected CSV, Parquet, NPY or NPZ; {remedy}"
    with pytest.raises(DataFileError, match=re.escape(told)):
        open_table(path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.parquet", b"a,b\n1,2\n", "is no PARQUET file, whatever its ending says"),
        ("a.npy", b"", "is empty; expected CSV, Parquet, NPY or NPZ; write it again"),
        ("a.npy", b"\x93NUMPY\x01\x00", "cannot be opened .*; expected arrays of numbers or texts"),
        ("a.npz", b"PK\x03\x04" + bytes(30), "cannot be opened"),
    ],
)
def test_damaged_file_is_refused(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataFileError, match=told):
        open_table(tmp_path / name)


def test_arrays_of_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]]), allow_pickle=True)
    with pytest.raises(DataFileError, match="cannot be opened .Array can.t be memory-mapped: Python objects"):
        open_table(tmp_path / "a.npy")


def test_files_of_several_kinds_and_several_arrays_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    for name in ("x.npy", "y.npy"):
        np.save(tmp_path / name, np.eye(2))
    with pytest.raises(DataFileError, match="x.npy is NPY; expected CSV, as .*a.csv; give files of one kind"):
        open_table([tmp_path / "a.csv", tmp_path / "x.npy"])
    with pytest.raises(DataFileError, match="y.npy is NPY; expected one file of it; join the arrays"):
        open_table([tmp_path / "x.npy", tmp_path / "y.npy"])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (np.zeros(3), r"an array of shape \(3,\) is no table; give \(rows, columns\)"),
        ({"a": [1, 2], "b": [1]}, r"the columns are of the shapes .*\(2,\).*\(1,\).*; give each a value per row"),
        ({"a": 3}, r"the columns are of the shapes \{'a': \(\)\}"),
        ({}, "the columns are of the shapes {}"),
        ({"a": []}, "the table has no rows; give at least one"),
    ],
)
def test_arrays_that_are_no_table_are_refused(source, told):
    with pytest.raises(ValueError, match=told):
        open_table(source)


def test_table_takes_a_column_more_and_none_twice():
    table = ArrayTable("t", {"a": [1, 2]})
    assert values(table.with_column("target", np.array([3, 4])).read(["target"])["target"]) == [3, 4]
    with pytest.raises(ValueError, match="the table has a column 'a'; give its name in place of the values"):
        table.with_column("a", np.array([3, 4]))


def test_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataFileError, match="pipe.csv is a pipe or a device; expected a file; write what it gives to"):
        open_table(tmp_path / "pipe.csv")


@pytest.mark.parametrize("cell", [np.ones((2, 2)), [1, 2], {"k": 1}, {3}])
def test_cells_that_are_arrays_are_of_no_use_whatever_stands_beside_them(cell):
    table = open_table({"a": np.array([1.0, 2.0, 3.0]), "b": pd_object(["x", cell, None])})
    assert list(table.unusable) == ["b"] and table.unusable["b"].startswith(("list<", "struct<"))


def pd_object(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.mark.parametrize("suffix", ["csv", "parquet", "dict", "frame"])
def test_names_are_the_same_in_either_form_of_unicode(tmp_path, suffix):
    composed, apart = (unicodedata.normalize(form, "Höhe") for form in ("NFC", "NFD"))
    assert composed != apart
    columns = {apart: [row * row for row in range(60)], "y": [row / 7 for row in range(60)]}
    source = columns
    if suffix == "csv":
        source = write_csv(tmp_path / "a.csv", columns)
    elif suffix == "parquet":
        source = tmp_path / "a.parquet"
        pyarrow.parquet.write_table(pyarrow.table(columns), source)
    elif suffix == "frame":
        source = pyarrow.table(columns)
    for typed in (composed, apart):
        data = torchann.TabularDataModule(source, "y", kinds={typed: "category"}, max_categories=10)
        data.setup()
        assert data.report.columns[0].kind == "category of 10"
        assert torchann.TabularDataModule(source, typed).settings.open().columns == [composed, "y"]
    data = torchann.TabularDataModule(source, "y")
    model = torchann.RegressionMLP([])
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=data)
    found = [torchann.predict(model, {name: [1, 4]}, keep=[composed]) for name in (composed, apart)]
    assert all((found[0][name] == found[1][name]).all() for name in ("y", composed))
    with pytest.raises(ValueError, match="twice"):
        open_table(pyarrow.table([[1], [2]], names=[composed, apart]))


def test_file_called_as_the_home_folder_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "~", {"a": [1, 2]})
    assert open_table("./~").columns == ["a"]


def test_array_that_a_header_says_to_be_larger_than_the_file_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 2), }".ljust(117) + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(DataFileError, match="a.npy cannot be opened .*; expected arrays of numbers or texts"):
        open_table(tmp_path / "a.npy")


def test_packed_arrays_that_would_fill_the_memory_are_refused(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((1000, 1000)))
    monkeypatch.setattr("torchann.data.tables.open_table.free_memory", lambda: 10**7)
    with pytest.raises(
        DataFileError, match="a.npz would unpack to 8 MB; expected 5 MB at most; write the table as Par"
    ):
        open_table(tmp_path / "a.npz")
    monkeypatch.setattr("torchann.data.tables.open_table.free_memory", lambda: 10**8)
    assert len(open_table(tmp_path / "a.npz").columns) == 1000
