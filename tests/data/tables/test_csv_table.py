"""CSV as spreadsheets and databases write it, and files that are none."""

import gzip

import numpy as np
import pytest

from tests.data.tables.test_column_values import values
from torchann.data.errors import DataFileError
from torchann.data.tables.column_values import NumericColumn, TextColumn
from torchann.data.tables.csv_table import CsvTable, stem

LINES = ["age,city,height", "31,Paris,1.75", ",Rome,1.6", "44,New York,n/a"]
COLUMNS = {"age": [31, None, 44], "city": ["Paris", "Rome", "New York"], "height": [1.75, 1.6, None]}


def written(path, lines, encoding="utf-8", end="\n", packed=False):
    content = end.join([*lines, ""]).encode(encoding)
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def read(*paths, columns=None, texts=frozenset(), **options):
    table = CsvTable(paths, **options)
    return {name: values(cells) for name, cells in table.read(columns or table.columns, texts).items()}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_and_line_ends_are_found(tmp_path, delimiter, end):
    lines = [line.replace(",", delimiter) for line in LINES]
    assert read(written(tmp_path / "a.csv", lines, end=end)) == COLUMNS


@pytest.mark.parametrize(
    "options", [{"encoding": "utf-8-sig"}, {"encoding": "utf-16"}, {"packed": True}, {"encoding": "utf-8"}], ids=str
)
def test_mark_of_the_encoding_and_packing_are_found(tmp_path, options):
    assert read(written(tmp_path / "a.csv", LINES, **options)) == COLUMNS


def test_tsv_may_have_commas(tmp_path):
    path = written(tmp_path / "a.tsv.gz", ["name\tn", "a, b, c\t1"], packed=True)
    assert read(path) == {"name": ["a, b, c"], "n": [1]}


def test_quotes_hold_delimiters_quotes_and_ends_of_lines(tmp_path):
    path = written(tmp_path / "a.csv", ['n,"a, b"', '1,"x ""y""\nz, w"', "2,u"])
    assert read(path) == {"n": [1, 2], "a, b": ['x "y"\nz, w', "u"]}


def test_comma_is_a_decimal_point_where_another_sign_delimits(tmp_path):
    assert read(written(tmp_path / "a.csv", ["a;b", "3,5;x", "-1,25e2;", "7;1,5"])) == {
        "a": [3.5, -125, 7],
        "b": ["x", None, "1.5"],
    }


def test_blank_lines_and_spaces_are_passed_over_and_columns_without_names_are_numbered(tmp_path):
    assert read(written(tmp_path / "a.csv", ["", " a ,,b", "", " 1 , x,", "2,y ,"])) == {
        "a": [1, 2],
        "column 2": ["x", "y"],
        "b": [None, None],
    }


def test_postcodes_stay_texts_where_that_is_asked_for(tmp_path):
    path = written(tmp_path / "a.csv", ["zip", "01234", "75001"])
    assert read(path) == {"zip": [1234, 75001]} and read(path, texts={"zip"}) == {"zip": ["01234", "75001"]}


def test_underscores_make_no_number(tmp_path):
    assert read(written(tmp_path / "a.csv", ["a", "1_000"])) == {"a": ["1_000"]}


def test_column_that_becomes_texts_further_down_is_one_of_texts(tmp_path, monkeypatch):
    monkeypatch.setattr("torchann.data.tables.csv_table.CHUNK_ROWS", 2)
    path = written(tmp_path / "a.csv", ["a,b", "1.0,1", "2,2", "3,3", "x,4"])
    table = CsvTable([path])
    assert [len(chunk["b"]) for chunk in table.chunks(["b"])] == [2, 2]
    cells = table.read(["a", "b"])
    assert isinstance(cells["a"], TextColumn) and isinstance(cells["b"], NumericColumn)
    assert values(cells["a"]) == ["1.0", "2", "3", "x"]  # as they are written, not 1


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
    "row too long": (HEADER + '\n"a\nb",2,3\n1,2,3,4\n', "has 4 values in line 4; expected 3"),
    "one value": (HEADER + "\n1\n", "has 1 value in line 2; expected 3"),
    "open quote": (HEADER + '\n1,"2,3\n1,2,3\n', "has 2 values in line 3; expected 3"),
    "no text": ("a,b\n1,\0\n", "is no text; expected CSV, Parquet, NPY or NPZ"),
    "endless value": ("a\n" + "x" * 200_000 + "\n", "cannot be split into values .field larger than field limit"),
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
    path = written(tmp_path / "a.csv.gz", [*LINES, *(f"{n},x,{n * n}" for n in range(100))], packed=True)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataFileError, match="is a damaged gzip file .*; expected a whole one; pack it again"):
        read(path)


def test_memory_is_guessed_from_the_size_of_the_file(tmp_path):
    lines = ["a,b", *(f"{n},{n}" for n in range(1000))]
    plain, packed = written(tmp_path / "a.csv", lines), written(tmp_path / "b.csv.gz", lines, packed=True)
    assert CsvTable([plain]).memory_size() == 4 * plain.stat().st_size
    assert CsvTable([packed]).memory_size() == 20 * packed.stat().st_size


def test_numbers_are_those_that_numpy_reads(tmp_path):
    x = np.random.default_rng(0).normal(size=(100, 2))
    np.savetxt(tmp_path / "a.csv", x, delimiter=",", header="a,b", comments="", fmt="%.17g")
    found = CsvTable([tmp_path / "a.csv"]).read(["a", "b"])
    np.testing.assert_array_equal(np.stack([found["a"].values, found["b"].values], 1), x)


def test_stem_of_a_file_has_no_endings(tmp_path):
    assert [stem(tmp_path / name) for name in ("a.csv", "a.b.csv.gz", "a")] == ["a", "a.b", "a"]
