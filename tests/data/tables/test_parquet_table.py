"""Parquet: typed columns, and damaged files."""

import datetime

import pytest

from tests.data.tables.test_column_values import values
from torchann.data.errors import DataFileError
from torchann.data.tables.parquet_table import ParquetTable

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

DAY = datetime.date(1970, 1, 3)
COLUMNS = {
    "int": (pa.array([1, None, 3], pa.int8()), [1, None, 3]),
    "float": (pa.array([1.5, None, float("nan")], pa.float32()), [1.5, None, None]),
    "bool": (pa.array([True, False, None]), [1, 0, None]),
    "decimal": (pa.array([1, 2, None], pa.int64()).cast(pa.decimal128(21, 2)), [1, 2, None]),
    "text": (pa.array(["x", " y ", "n/a"]), ["x", "y", None]),
    "large": (pa.array(["x", None, "x"], pa.large_string()), ["x", None, "x"]),
    "dictionary": (pa.array(["b", None, "a"]).dictionary_encode(), ["b", None, "a"]),
    "view": (pa.array(["x", None, "y"], pa.string_view()), ["x", None, "y"]),
    "half": (pa.array([1.5, None, 2.0], pa.float32()).cast(pa.float16()), [1.5, None, 2]),
    "date": (pa.array([DAY, None, DAY]), [2, None, 2]),
    "time": (pa.array([43_200_000_000_000, None, 0], pa.timestamp("ns")), [0.5, None, 0]),
    "zone": (pa.array([43_200_000, None, 0], pa.timestamp("ms", "Europe/Rome")), [0.5, None, 0]),
    "none": (pa.nulls(3), [None, None, None]),
    "list": (pa.array([[1], [], None]), "list<.*>"),
    "clock": (pa.array([1, None, 3], pa.time64("us")), [1 / 86.4e9, None, 3 / 86.4e9]),
    "duration": (pa.array([36, None, 0], pa.duration("s")).cast(pa.duration("ns")), [36 / 86400, None, 0]),
    "large whole": (pa.array([2**63 - 1, None, 1]), [2.0**63, None, 1]),
    "bytes": (pa.array([b"x", None, b"y"]), "binary"),
}


def write(path, columns, **options):
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_columns_of_all_types_are_read_or_named_as_unusable(tmp_path):
    table = ParquetTable([write(tmp_path / "a.parquet", {name: array for name, (array, _) in COLUMNS.items()})])
    usable = [name for name in table.columns if name not in table.unusable]
    found = {name: values(cells) for name, cells in table.read(usable).items()}
    assert found == {name: expected for name, (_, expected) in COLUMNS.items() if isinstance(expected, list)}
    assert list(table.unusable) == ["list", "bytes"] and table.unusable["bytes"] == "binary"
    assert (table.num_rows, table.memory_size()) == (3, 3 * len(COLUMNS) * 32)


def test_several_files_are_one_table(tmp_path):
    paths = [
        write(tmp_path / "1.parquet", {"a": [1], "b": ["x"]}),
        write(tmp_path / "2.parquet", {"b": ["y"], "a": [2]}),
    ]
    table = ParquetTable(paths)
    assert {name: values(cells) for name, cells in table.read(["a", "b"]).items()} == {"a": [1, 2], "b": ["x", "y"]}


def test_pool_of_pyarrow_is_left_as_it_was(tmp_path):
    before = pa.default_memory_pool().backend_name
    ParquetTable([write(tmp_path / "a.parquet", {"a": [1]})])
    assert pa.default_memory_pool().backend_name == before


def test_files_that_are_no_table_are_refused(tmp_path):
    first = write(tmp_path / "1.parquet", {"a": [1]})
    other = write(tmp_path / "2.parquet", {"c": [1]})
    empty = write(tmp_path / "3.parquet", {"a": pa.array([], pa.int64())})
    cut = tmp_path / "4.parquet"
    cut.write_bytes(first.read_bytes()[:-10])
    for paths, told in (
        ([first, other], "2.parquet has the columns c; expected those of .*1.parquet, each once; leave the file out"),
        ([empty], "3.parquet has no rows; expected at least one"),
        ([cut], "4.parquet is a damaged Parquet file .*; expected a whole one; write it again"),
    ):
        with pytest.raises(DataFileError, match=told):
            ParquetTable(paths)


def test_damaged_column_is_named_and_its_file(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"good": range(1000), "bad": range(1000)}), path, compression="zstd", use_dictionary=False)
    place = pq.ParquetFile(path).metadata.row_group(0).column(1).data_page_offset
    content = bytearray(path.read_bytes())
    content[place : place + 300] = bytes(300)
    path.write_bytes(content)
    table = ParquetTable([path])
    assert len(table.read(["good"])["good"]) == 1000
    with pytest.raises(DataFileError, match="a.parquet has a damaged column 'bad' .*; expected a whole one; write it"):
        table.read(["good", "bad"])
