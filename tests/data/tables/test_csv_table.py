"""CSV as spreadsheets and databases write it, and files that are none."""

import bz2
import gzip
import lzma
import time

import numpy as np
import pyarrow as pa
import pytest

from tests.data.tables.test_column_values import categories, numbers
from torchann.data.errors import DataFileError
from torchann.data.tables.column_kinds import find_kind
from torchann.data.tables.csv_table import CsvTable, stem
from torchann.data.tabular import TabularDataModule

LINES = ["age,city,height", "31,Paris,1.75", ",Rome,1.6", "44,New York,n/a"]
COLUMNS = {"age": [31, None, 44], "city": ["Paris", "Rome", "New York"], "height": [1.75, 1.6, None]}


def written(path, lines, encoding="utf-8", end="\n", packed=False):
    content = end.join([*lines, ""]).encode(encoding)
    path.write_bytes(packed(content) if packed else content)
    return path


def read(*paths, **options):
    """Numbers of the columns that hold some, texts of the others."""
    table = CsvTable(paths, **options)
    cells = table.read(table.columns)
    found = {name: find_kind(name, column, "" if name != "n" else "number") for name, column in cells.items()}
    return {
        name: numbers(cells[name], "number", kind.form) if kind.kind == "number" else categories(cells[name])
        for name, kind in found.items()
    }


def zstd(content):
    return pa.compress(content, "zstd", asbytes=True)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_and_line_ends_are_found(tmp_path, delimiter, end):
    lines = [line.replace(",", delimiter) for line in LINES]
    assert read(written(tmp_path / "a.csv", lines, end=end)) == COLUMNS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
@pytest.mark.parametrize("packed", [None, gzip.compress, bz2.compress, lzma.compress, zstd])
def test_encodings_and_packings_are_read(tmp_path, encoding, packed):
    lines = [line.replace("Paris", "Orléans") for line in LINES]
    path = written(tmp_path / "a.csv", lines, encoding=encoding, packed=packed)
    said = {} if encoding in ("utf-8", "utf-8-sig", "utf-16") else {"encoding": encoding}
    assert read(path, **said) == {**COLUMNS, "city": ["Orléans", "Rome", "New York"]}


def test_tsv_may_have_commas(tmp_path):
    path = written(tmp_path / "a.tsv.gz", ["name\tn", "a, b, c\t1"], packed=gzip.compress)
    assert read(path) == {"name": ["a, b, c"], "n": [1]}


ABOVE = {
    "a line for Excel": (["sep=;", "a;b", "1;x", "2;y"], {"a": [1, 2], "b": ["x", "y"]}),
    "comments": (["# written by hand", "#", "a,b", "1,x", "2,y"], {"a": [1, 2], "b": ["x", "y"]}),
    "a comment with a comma": (["# 2020, by me", "a,b", "1,x", "2,y"], {"a": [1, 2], "b": ["x", "y"]}),
    "a title": (["Rents of 2020", "", "a,b", "1,x", "2,y"], {"a": [1, 2], "b": ["x", "y"]}),
    "a title right above": (
        ["Rents of 2020", "a,b,c", "1,x,z", "2,y,z"],
        {"a": [1, 2], "b": ["x", "y"], "c": ["z"] * 2},
    ),
    "a title with a semicolon": (
        ["Rents; 2020", "", "a,b,c", "1,x,1", "2,y,3"],
        {"a": [1, 2], "b": ["x", "y"], "c": [1, 3]},
    ),
    "names that begin with #": (["#rooms,price", "1,x", "2,y"], {"#rooms": [1, 2], "price": ["x", "y"]}),
    "one such name": (["#rooms", "3", "4"], {"#rooms": [3, 4]}),
    "spaces at the end": (["a,b", "1,x", "2,y", "   "], {"a": [1, 2], "b": ["x", "y"]}),
    "one column": (["n", "1", "2"], {"n": [1, 2]}),
    "a quoted name of two lines": (['"a\nb",c', "1,x", "2,y"], {"a\nb": [1, 2], "c": ["x", "y"]}),
}


@pytest.mark.parametrize(("lines", "expected"), ABOVE.values(), ids=ABOVE)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_above_the_names_are_passed_over(tmp_path, lines, expected, end):
    assert read(written(tmp_path / "a.csv", lines, end=end)) == expected


def test_row_of_one_value_above_two_is_no_title(tmp_path):
    with pytest.raises(DataFileError, match="has 2 values in line 2; expected 1, as in the first line"):
        read(written(tmp_path / "a.csv", ["name", "Doe, John", "Roe, Jane"]))


def test_quotes_hold_delimiters_quotes_and_ends_of_lines(tmp_path):
    path = written(tmp_path / "a.csv", ['n,"a, b"', '1,"x ""y""\nz, w"', "2,u"])
    assert read(path) == {"n": [1, 2], "a, b": ['x "y"\nz, w', "u"]}


HABITS = {
    "decimal commas": (["a;b", "3,5;x", "-1,25e2;", "7;1,5"], {"a": [3.5, -125, 7], "b": ["x", None, "1,5"]}, None),
    "thousands by commas in a table with points": (
        ["a\tb", "1.5\t837", "2.5\t1,022", "3.5\t1,059"],
        {"a": [1.5, 2.5, 3.5], "b": [837, 1022, 1059]},
        None,
    ),
    "thousands by points in a table with commas": (
        ["a;b", "5,5;1.005", "6,5;998", "7,5;1.010"],
        {"a": [5.5, 6.5, 7.5], "b": [1005, 998, 1010]},
        None,
    ),
    "bars": (["a|b", "1.5|837", "2.5|1,022"], {"a": [1.5, 2.5], "b": [837, 1022]}, None),
    "quoted thousands": (["a,b", '"1,234",x', '"12,345",y'], {"a": [1234, 12345], "b": ["x", "y"]}, None),
    "said to be decimals": (["a,b", '"1,234",x', '"12,345",y'], {"a": [1.234, 12.345], "b": ["x", "y"]}, ","),
    "said to be thousands": (["a;b", "1,234;x", "2,345;y"], {"a": [1234, 2345], "b": ["x", "y"]}, "."),
    "a column of its own habit": (
        ["a,b", '0.5,"1.200 €"', '0.25,"1.050,50 €"'],
        {"a": [0.5, 0.25], "b": [1200, 1050.5]},
        None,
    ),
}


@pytest.mark.parametrize(("lines", "expected", "decimal"), HABITS.values(), ids=HABITS)
def test_numbers_are_read_by_the_habits_of_the_file(tmp_path, lines, expected, decimal):
    assert read(written(tmp_path / "a.csv", lines), decimal=f"!{decimal}" if decimal else "") == expected


def test_blank_lines_and_spaces_are_passed_over_and_columns_without_names_are_numbered(tmp_path):
    assert read(written(tmp_path / "a.csv", ["", " a ,,b", "", " 1 , x,", "2,y ,"])) == {
        "a": [1, 2],
        "column 2": ["x", "y"],
        "b": [None, None],
    }


def test_texts_are_kept_to_the_letter(tmp_path):
    path = written(tmp_path / "a.csv", ["zip", "01234", " 75001", "NA", '""', "1.0"])
    assert CsvTable([path]).read(["zip"])["zip"].array.to_pylist() == ["01234", " 75001", "NA", "", "1.0"]


def test_column_that_becomes_texts_further_down_is_one_of_texts(tmp_path, monkeypatch):
    monkeypatch.setattr("torchann.data.tables.csv_table.BLOCK_BYTES", 16)
    path = written(tmp_path / "a.csv", ["a,b", "1.0,5", "2,2", "3,3", "x,4"])
    table = CsvTable([path])
    assert len(list(table.chunks(["b"]))) > 1
    assert read(path) == {"a": ["1.0", "2", "3", "x"], "b": [5, 2, 3, 4]}  # as they are written, not 1


def test_several_files_are_one_table_whatever_the_order_of_their_columns(tmp_path):
    first, second = written(tmp_path / "1.csv", ["a,b", "1,x"]), written(tmp_path / "2.csv", ["b,a", "y,2"])
    assert read(first, second) == {"a": [1, 2], "b": ["x", "y"]}


def test_encoding_can_be_given(tmp_path):
    path = written(tmp_path / "a.csv", ["city,n", "Orléans,1"], encoding="latin-1")
    assert read(path, encoding="latin-1")["city"] == ["Orléans"]
    with pytest.raises(ValueError, match="unknown encoding: latin-x; give an encoding of Python"):
        read(path, encoding="latin-x")


HEADER = "age,city,height"
WRONG = {
    "empty": ("", "is empty; expected a line of names and a line per row"),
    "blank": ("\n\n", "is empty; expected a line of names"),
    "names alone": (HEADER + "\n", "has names and no rows; expected a line per row"),
    "name twice": (
        "a,b,a\n1,2,3\n",
        "has the column 'a' twice, as number 1 and 3; expected a name of its own for each",
    ),
    "row too short": (HEADER + "\n1,2,3\n1,2\n", "has 2 values in line 3; expected 3, as in the first line; put texts"),
    "row too long below a title": ("T\n\n" + HEADER + "\n1,2,3,4\n1,2,3\n", "has 4 values in line 4; expected 3"),
    "row too long": (HEADER + '\n"a\nb",2,3\n1,2,3,4\n', "has 4 values in line 4; expected 3"),
    "one value": (HEADER + "\n1\n", "has 1 value in line 2; expected 3"),
    "open quote in the last column": ('a,b\n1,x\n2,"y\n3,z\n4,z\n', "has a quote in line 3 that is not closed"),
    "open quote": (HEADER + '\n1,"2,3\n1,2,3\n', "has 2 values in line 2 to 3, within which a quote may not be closed"),
    "no text": ("a,b\n1,\0\n", "is no text; expected CSV, Parquet, NPY or NPZ"),
    "latin-1": ("a\nOrl\udce9ans\n", "has the byte 0xe9, which is no utf-8; expected text in UTF-8; give its encoding"),
}


@pytest.mark.parametrize(("content", "told"), WRONG.values(), ids=WRONG)
def test_file_that_is_no_table_is_refused_with_the_place(tmp_path, content, told):
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataFileError, match=f"a.csv {told}"):
        read(path)


def test_file_of_other_columns_is_refused(tmp_path):
    paths = [written(tmp_path / "1.csv", ["a,b", "1,x"]), written(tmp_path / "2.csv", ["a,c", "1,x"])]
    with pytest.raises(DataFileError, match="2.csv has the columns a, c; expected those of .*1.csv; look at 'b'"):
        read(*paths)


@pytest.mark.parametrize("damage", [lambda c: c[:-12], lambda c: c[:30] + b"\xff\xff" + c[32:]], ids=["cut", "bytes"])
def test_damaged_gzip_file_is_refused(tmp_path, damage):
    path = written(tmp_path / "a.csv.gz", [*LINES, *(f"{n},x,{n * n}" for n in range(100))], packed=gzip.compress)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataFileError, match="is a damaged packed file .*; expected a whole one; pack it again"):
        read(path)


def test_memory_is_guessed_from_the_size_of_the_file(tmp_path):
    lines = ["a,b", *(f"{n},{n}" for n in range(1000))]
    plain, packed = written(tmp_path / "a.csv", lines), written(tmp_path / "b.csv.gz", lines, packed=gzip.compress)
    assert CsvTable([plain]).memory_size() == 4 * plain.stat().st_size
    assert CsvTable([packed]).memory_size() == 20 * packed.stat().st_size


def test_numbers_are_those_that_numpy_reads(tmp_path):
    x = np.random.default_rng(0).normal(size=(100, 2))
    np.savetxt(tmp_path / "a.csv", x, delimiter=",", header="a,b", comments="", fmt="%.17g")
    found = CsvTable([tmp_path / "a.csv"]).read(["a", "b"])
    np.testing.assert_array_equal(np.stack([found[name].read("number").values for name in "ab"], 1), x)


def test_stem_of_a_file_has_no_endings(tmp_path):
    assert [stem(tmp_path / name) for name in ("a.csv", "a.b.csv.gz", "a.csv.zst", "a")] == ["a", "a.b", "a", "a"]


def test_header_of_many_columns_is_read_in_little_time(tmp_path):
    names = [f"column number {place}" for place in range(20_000)]  # 400,000 letters in a line
    (tmp_path / "wide.csv").write_text(",".join(names) + "\n" + 3 * (",".join(["1"] * len(names)) + "\n"))
    begun = time.process_time()
    table = CsvTable([tmp_path / "wide.csv"])
    found = table.read(table.columns)
    assert list(found) == names and len(found[names[-1]]) == 3
    assert time.process_time() - begun < 6  # a search among all of them for each takes 15 s


@pytest.mark.parametrize("start", ["", "a,b\n", "a,b\n1,2\n"])
def test_line_that_never_ends_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch, start):
    monkeypatch.setattr("torchann.data.tables.csv_table.LONGEST_LINE", 2**17)
    monkeypatch.setattr("torchann.data.tables.csv_table.BLOCK_BYTES", 2**17)
    with gzip.open(tmp_path / "long.csv.gz", "wt") as file:
        file.write(start + "1,2,3,4," * 2**17)
    told = "long.csv.gz cannot be split into values .a line of more than 131,072 characters"
    with pytest.raises(DataFileError, match=told):
        TabularDataModule(tmp_path / "long.csv.gz", "b").setup()
