"""CSV by pyarrow against Python's ``csv``: the same chunks, values, codes and errors, whatever the file."""

import csv
import gzip
import io
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import torchann
from torchann.data.tables import csv_by_arrow, csv_table
from torchann.data.tables.column_values import MISSING, NumericColumn
from torchann.data.tables.csv_by_arrow import NotCertain, arrow_numbers, gaps_of, import_pyarrow
from torchann.data.tables.csv_table import CsvTable

pa = pytest.importorskip("pyarrow")
examples = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(csv_by_arrow, "BLOCK_BYTES", 64)
    monkeypatch.setattr(csv_table, "CHUNK_ROWS", 3)


def plain(cells):
    if isinstance(cells, NumericColumn):
        assert cells.values.dtype == np.float64 and cells.values.flags.writeable
        return cells.kind, [repr(value) for value in cells.values.tolist()]
    assert cells.codes.dtype == np.int64
    return cells.codes.tolist(), cells.texts


def read(paths, arrow, texts=frozenset(), columns=None, **options):
    """The chunks, the error if there is one, and how many of the files Python had to read."""
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table, "ARROW_BYTES", 0 if arrow else 2**60)
        by_python = CsvTable._by_python
        patch.setattr(CsvTable, "_by_python", lambda *given: asked.append(given[-1]) or by_python(*given))
        chunks = []
        try:
            table = CsvTable(paths, **options)
            for chunk in table.chunks(columns or table.columns, texts):
                chunks.append({name: plain(cells) for name, cells in chunk.items()})
        except ValueError as error:
            return chunks, (type(error), str(error)), asked
        return chunks, None, asked


def alike(paths, **options):
    """Compares both ways; how many rows pyarrow had read when Python was asked, or None if it was not."""
    fast, slow = read(paths, True, **options), read(paths, False, **options)
    assert fast[1] == slow[1]
    both = None if slow[1] is None else min(len(fast[0]), len(slow[0]))  # where an error comes is not the same
    assert fast[0][:both] == slow[0][:both]
    return fast[2][0] if fast[2] else None


def file(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return [path]


NUMBERS = ["1", "-2.5", "+3", ".5", "5.", "1e5", "-1E-3", "00", "-0", "1e400", "5e-324", "0.1", "9007199254740993"]
WORDS = ["", "nan", "NaN", "-nan", "NA", "n/a", "nUll", "?", "inf", "-Infinity", "nan(1)", "1_000", "0x1", "1,5", "٣"]
TEXTS = ["Rome", ' "x"', 'a"b', "x, y", "x;y", "two\nlines", "two\r\nlines", "é", "\u2028", "\xa0", "true", "1e", "-"]
number = st.sampled_from(NUMBERS) | st.floats(allow_nan=False).map(repr) | st.floats(width=32).map("{:.20g}".format)
spaced = st.builds("{}{}{}".format, st.sampled_from(["", " ", "\t"]), number, st.sampled_from(["", " "]))
anything = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))  # Python 3.10 writes no NUL
column = st.sampled_from([number, spaced, number | st.sampled_from(WORDS), st.sampled_from(WORDS + TEXTS), anything])
OPTIONS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "lineterminator": st.sampled_from(["\n", "\r\n"]),
    }
)


@examples
@given(data=st.data(), options=OPTIONS, mark=st.booleans(), packed=st.booleans())
def test_table_that_python_wrote_is_read_alike(tmp_path, data, options, mark, packed):
    rows = data.draw(st.lists(st.tuples(*data.draw(st.tuples(column, column, column))), min_size=1, max_size=9))
    text = io.StringIO(newline="")
    csv.writer(text, **options).writerows([["a", "b, c", "d"], *rows])
    content = text.getvalue().encode("utf-8-sig" if mark else "utf-8", "replace")
    missing = data.draw(st.sampled_from([MISSING, MISSING | {"-2.5"}, frozenset({"rome"})]))
    paths = file(tmp_path / "a.csv", gzip.compress(content) if packed else content)
    alike(paths, texts={"d"}, delimiter=options["delimiter"], missing=missing)


@settings(examples, max_examples=300)
@given(
    text=st.text(st.sampled_from('ab1",,""\n\n\n\r; .5\ufeffé\0_'), max_size=60), mark=st.sampled_from(["", "\ufeff"])
)
def test_any_text_is_read_alike(tmp_path, text, mark):
    alike(file(tmp_path / "a.csv", mark + "a,b\n1,2\n" + text), delimiter=",")


def test_numbers_are_rounded_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_by_arrow, "BLOCK_BYTES", 2**12)
    patterns = np.random.default_rng(0).integers(0, 2**64, 2000, dtype=np.uint64).view(np.float64)
    lines = [f"{x!r},{x:.25g},{x:.17e}" for x in patterns[np.isfinite(patterns)].tolist()]
    assert alike(file(tmp_path / "a.csv", "\n".join(["a,b,c", *lines]))) is None


ROWS = "".join(f"{n},x{n % 3},{n}.5\n" for n in range(30))
MANY = ROWS * 40  # more than Python decodes at once, for the header
CERTAIN = {
    "plain": ROWS,
    "blank lines": ROWS + "\n\n\r\n" * 40 + "1,2,3",
    "quotes": '"1","x, y ""z""","2"\n"","a\nb",""\n' * 5,
    "quote doubled at the end": '1,"""",2\n"""x",y,"z"""\n' * 5,
    "CRLF": ROWS.replace("\n", "\r\n"),
    "gaps": "NA,x,\n1,,n/a\n" * 9,
    "spaces": " 1 ,\tx , 2\n" * 9,
}
UNCERTAIN = {
    "quote in a value": ROWS + '1,5" pipe,2\n' + ROWS,
    "quote behind a space": ROWS + '1, "x",2\n',
    "text behind quotes": ROWS + '1,"x"y,2\n',
    "open quote": ROWS + '1,"x,2\n' + ROWS,
    "open quote at the end": ROWS + '1,"x,2\n',
    "NUL": ROWS + "1,\0,2\n",
    "carriage return": ROWS + "1,x,2\r3,y,4\n",
    "carriage return in quotes": ROWS + '1,"x\ry",2\n',
    "long row": ROWS + "1," + "x" * 100 + ",2\n",
    "mark": ROWS + "".join(f"\ufeff{n},x,2\n" for n in range(9)),
    "row too short": ROWS + "1,2\n" + ROWS,
    "row too long": ROWS + "1,2,3,4\n" + ROWS,
    "surrogate": MANY + "1,\ud800,2\n",
}


@pytest.mark.parametrize("rows", CERTAIN.values(), ids=CERTAIN)
def test_pyarrow_reads_what_is_certain(tmp_path, rows):
    assert alike(file(tmp_path / "a.csv", "a,b,c\n" + rows), delimiter=",") is None


@pytest.mark.parametrize("rows", UNCERTAIN.values(), ids=UNCERTAIN)
def test_python_goes_on_where_it_may_find_something_else(tmp_path, rows):
    assert alike(file(tmp_path / "a.csv", "a,b,c\n" + rows), delimiter=",") > 0


@pytest.mark.parametrize(
    "damage", [lambda c: c + b"1,\xe9,2\n", lambda c: gzip.compress(c)[:-9]], ids=["bytes", "gzip"]
)
def test_damage_is_told_alike(tmp_path, damage):
    content = damage(("a,b,c\n" + MANY).encode())
    assert alike(file(tmp_path / "a.csv", content), delimiter=",") > 0


@pytest.mark.parametrize("rows", ["", "\n\n", "1\n", '"\n', '"1","2"\n"3","4\n'])
def test_file_without_rows_that_are_certain_is_read_alike(tmp_path, rows):
    assert alike(file(tmp_path / "a.csv", "a,b\n" + rows)) == 0


def test_value_is_at_most_as_long_as_python_takes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_by_arrow, "BLOCK_BYTES", 2**20)
    before = csv.field_size_limit(20)
    try:
        for length in (8, 9, 10, 11, 17, 18, 19, 20, 21, 22, 39, 40, 41):
            for value in (
                "x" * length,
                '"' + "x" * length + '"',
                '"' + ",\n" * (length // 2) + '"',
                '"' + '""' * length + '"',
            ):
                for rows in (f"1,{value}\n2,y\n", f"{value},1\n", f"1,2\n{value},"):
                    alike(file(tmp_path / "a.csv", "a,b\n" + rows), delimiter=",")
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig", "latin-1", "utf-16"])
def test_encoding_that_is_given_is_kept_to(tmp_path, encoding):
    for mark in ("", "\ufeff") if encoding != "latin-1" else ("",):
        content = (mark + "a,b\n" + "é,1\n" * 9).encode(encoding)
        by_arrow = alike(file(tmp_path / "a.csv", content), encoding=encoding) is None
        assert by_arrow == (not mark and encoding not in ("latin-1", "utf-16"))  # two marks, or one that is no mark


def test_files_of_one_table_may_be_read_either_way(tmp_path):
    paths = file(tmp_path / "1.csv", "a,b\n" + "1,x\n" * 9) + file(tmp_path / "2.csv", "b,a\n" + 'y"y,2\n' * 9)
    assert alike(paths) == 0
    assert alike(paths, columns=["b"], texts={"b"}) == 0


def test_blank_lines_before_the_names_are_passed_over(tmp_path):
    assert alike(file(tmp_path / "a.csv", "\n" * 200 + "a,b,c\n" + ROWS), delimiter=",") is None


@pytest.mark.parametrize(
    "text", ["1,5", " -1,5e+3 ", ",5", "5,", "+,5", "1,e3", "1,5,", "1,000,000", "1,5.2", "٣,٥", "1_0,5"]
)
def test_comma_is_a_decimal_point_alike(tmp_path, text):
    alike(file(tmp_path / "a.csv", f"a;b\n{text};1\n2,5;{text}\n"))


def test_text_for_no_value_that_is_a_number_is_one_where_all_are_numbers(tmp_path):
    # Python's csv_table reads -999 as a number as long as all texts of a chunk are numbers
    path = file(tmp_path / "a.csv", "a,b\n-999,1\n 2,2\n3,3\nx,1\n-999,1\n?,1\n-999,1\n1,1\n?,2\n")
    alike(path, missing=MISSING | {"-999"})
    assert gaps_of(MISSING | {"-999"}) is None


def test_what_pyarrow_alone_takes_for_a_number_is_none():
    # pyarrow's own rule, that of C: nan(...) is nan
    assert np.isnan(pa.compute.cast(pa.array(["nan(1)"]), pa.float64())[0].as_py())
    assert arrow_numbers(pa.chunked_array([["1", "nan(1)"]]), False, ["nan"]) is None


def test_small_files_and_those_without_pyarrow_are_for_python(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "1,x\n" * 9)
    with pytest.raises(NotCertain, match="not worth it"):
        next(CsvTable([path])._by_arrow(path, ["a"], frozenset()))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NotCertain, match="there is no pyarrow"):
        import_pyarrow()
    assert alike([path]) == 0


def test_model_is_the_same_with_and_without_pyarrow(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    kinds = random.choice(["Rome", '"Paris, FR"', " Oslo", "", "n/a"], 200)
    lines = [f"{x},{kind},{y}" for kind, (x, y) in zip(kinds, random.normal(size=(200, 2)).tolist(), strict=True)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["x,city,y", *lines, "7,Rome,late,", "?,Rome,3"]).replace("late,", "1"))
    found = []
    for least in (0, 2**60):
        monkeypatch.setattr(csv_table, "ARROW_BYTES", least)
        task, data = torchann.RegressionMLP([4]), torchann.TabularDataModule(path, "y")
        torchann.Trainer(max_epochs=2, logger=False, quiet=True).fit(task, datamodule=data)
        out = tmp_path / f"{least}.csv"
        torchann.predict(task, path, out, keep=["city", "x"])
        found.append([out.read_bytes(), str(data.report), *(part.tolist() for part in task.state_dict().values())])
    assert found[0] == found[1]
