"""Columns that are kept beside predictions stand there exactly as they stand in the table, whatever goes in and out."""

import csv
import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import torchann

N = 12
COLUMNS = {
    "long": [2**53 + 1 + row for row in range(N)],
    "longest": pa.array([2**64 - 1 - row for row in range(N)], pa.uint64()),
    "gaps": [7, None] * 6,
    "late gap": [*range(N - 1), None],
    "day": [datetime.date(2024, 1, 1) + datetime.timedelta(days=row) for row in range(N)],
    "moment": [datetime.datetime(2024, 1, 1, 12, 30, row) for row in range(N)],
    "nanoseconds": pa.array([10**18 + row for row in range(N)], pa.timestamp("ns", "Europe/Rome")),
    "text": ["NA", "null", "?", " a ", "b,c", '"q"', "", "007", "1.0", "é", "x\ny", "1e5"],
    "true": [True, None] * 6,
    "money": [Decimal("1.10")] * N,
    "float": [0.1, None] * 6,
    "small": pa.array([0.1] * N, pa.float32()),
    "span": [datetime.timedelta(hours=row) for row in range(N)],
    "clock": [datetime.time(row) for row in range(N)],
    "kind": pa.array(["a", "b"] * 6).dictionary_encode(),
    "class": ["x"] * N,
    "predicted class": ["z"] * N,
}


@pytest.fixture(scope="module")
def model():
    table = {"a": [row**2 for row in range(60)], "y": ["u", "v"] * 30}
    task = torchann.ClassificationMLP([4])
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(task, torchann.TabularDataModule(table, "y"))
    return task


def table():
    return pa.table({"a": [row**2 for row in range(N)], **COLUMNS})


def test_parquet_keeps_types_and_values(model, tmp_path):
    pq.write_table(table(), tmp_path / "in.parquet", row_group_size=5)
    assert torchann.predict(model, tmp_path / "in.parquet", tmp_path / "out.parquet", keep=list(COLUMNS)) == N
    found, wanted = pq.read_table(tmp_path / "out.parquet"), table()
    assert found.column_names[len(COLUMNS) :] == ["predicted predicted class", "proba u", "proba v"]
    for name in COLUMNS:
        kind = wanted[name].type
        assert found[name].type == (pa.string() if pa.types.is_dictionary(kind) else kind)
        assert found[name].to_pylist() == wanted[name].to_pylist()


def test_csv_and_npy_have_the_texts_of_the_values(model, tmp_path):
    pq.write_table(table(), tmp_path / "in.parquet", row_group_size=5)
    torchann.predict(model, tmp_path / "in.parquet", tmp_path / "out.csv", keep=list(COLUMNS))
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = {
        "long": "9007199254740994",
        "longest": "18446744073709551614",
        "gaps": "",
        "late gap": "1",
        "day": "2024-01-02",
        "moment": "2024-01-01 12:30:01",
        "text": "null",
        "true": "",
        "money": "1.10",
        "float": "",
        "small": "0.1",
        "span": "1:00:00",
        "clock": "01:00:00",
        "kind": "b",
        "class": "x",
        "predicted class": "z",
    }
    assert {name: rows[1][name] for name in expected} == expected
    assert [row["text"] for row in rows] == COLUMNS["text"]
    torchann.predict(model, tmp_path / "in.parquet", tmp_path / "out.npy", keep=list(COLUMNS))
    array = np.load(tmp_path / "out.npy", allow_pickle=False)
    assert array["long"].tolist() == COLUMNS["long"] and array["gaps"].tolist() == ["7", ""] * 6
    assert array["text"].tolist() == COLUMNS["text"] and array["day"].tolist() == COLUMNS["day"]


@pytest.mark.parametrize("library", ["pyarrow", "pandas", "polars"])
def test_frames_keep_values(model, library):
    frame = table()
    if library != "pyarrow":
        frames = pytest.importorskip(library)
        frame = frames.from_arrow(frame) if library == "polars" else frame.to_pandas()
    found = torchann.predict(model, frame, keep=list(COLUMNS))
    for name in ("long", "text", "day", "money", "clock", "class", "predicted class"):
        assert found[name].tolist() == table()[name].to_pylist()
    assert found["longest"].tolist()[0] == 2**64 - 1 and found["kind"].tolist() == ["a", "b"] * 6


def test_texts_of_a_csv_file_become_numbers_where_they_are_the_same_to_the_letter(model, tmp_path, monkeypatch):
    monkeypatch.setattr("torchann.data.tables.csv_table.BLOCK_BYTES", 64)
    columns = {
        "id": range(N),
        "code": [*range(N - 1), "007"],
        "gap": ["", *range(1, N)],
        "x": [row / 4 for row in range(N)],
    }
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["a", *columns], *zip(range(N), *columns.values(), strict=True)])
    found = torchann.predict(model, tmp_path / "in.csv", keep=list(columns))
    assert found["id"].tolist() == list(range(N)) and found["gap"].tolist() == [None, *range(1, N)]
    assert found["code"].tolist() == [*map(str, range(N - 1)), "007"] and found["x"].tolist() == columns["x"]
    torchann.predict(model, tmp_path / "in.csv", tmp_path / "out.parquet", keep=list(columns))
    types = pq.read_schema(tmp_path / "out.parquet")
    assert [str(types.field(name).type) for name in columns] == ["int64", "string", "int64", "double"]


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
VALUES = {
    "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
    "float": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "text": TEXTS | st.sampled_from(["NA", "007", "1e5", "1,234", "-999", 'a "b"', "c,d;e\tf|g"]),
    "day": st.none() | st.dates(datetime.date(1900, 1, 1)),
    "true": st.none() | st.booleans(),
}
FRAMES = st.integers(1, 20).flatmap(
    lambda rows: st.fixed_dictionaries({n: st.lists(v, min_size=rows, max_size=rows) for n, v in VALUES.items()})
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(FRAMES, st.sampled_from([",", ";", "\t", "|"]))
def test_whatever_is_written_is_kept(model, tmp_path, columns, delimiter):
    rows = len(columns["text"])
    whole = pa.table({"a": list(range(rows)), **columns})
    pq.write_table(whole, tmp_path / "in.parquet")
    torchann.predict(model, tmp_path / "in.parquet", tmp_path / "out.parquet", keep=list(columns))
    assert pq.read_table(tmp_path / "out.parquet").select(list(columns)).to_pydict() == columns
    written = {name: ["" if value is None else str(value) for value in values] for name, values in columns.items()}
    with (tmp_path / "in.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, delimiter=delimiter)
        lines.writerows([["a", *written], *zip(range(rows), *written.values(), strict=True)])
    torchann.predict(model, tmp_path / "in.csv", tmp_path / "out.csv", keep=list(columns), delimiter=delimiter)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert {name: [row[name] for row in found] for name in written} == written


def test_texts_that_spreadsheets_would_run_are_guarded_where_that_is_asked_for(model, tmp_path):
    texts = ["=1+1", "+A1", "-cmd", "@x", " =y", "\t=z", "-1.5", "+3", "a=b", "", "-", "1e-5"]
    wanted = ["'=1+1", "'+A1", "'-cmd", "'@x", "' =y", "'\t=z", "-1.5", "+3", "a=b", "", "'-", "1e-5"]
    rows, out = {"a": [row**2 for row in range(N)], "=n": texts}, tmp_path / "out.csv"
    for guard, name, values in ((False, "=n", texts), (True, "'=n", wanted)):
        torchann.predict(model, rows, out, keep=["=n"], guard_formulas=guard)
        with out.open(newline="") as file:
            assert [row[0] for row in csv.reader(file)] == [name, *values]


def test_command_takes_the_decimal_sign_and_guards_formulas(model, tmp_path, monkeypatch):
    from torchann.__main__ import main

    monkeypatch.chdir(tmp_path)
    torchann.save(model, "m.safetensors")
    (tmp_path / "in.csv").write_text("a;note\n1,234;=1\n")
    found = []
    for more in (["--decimal", "."], ["--decimal", ","]):
        assert main(["predict", "m.safetensors", "in.csv", "--quiet", "--keep", "note", "--guard-formulas", *more]) == 0
        found.append((tmp_path / "predictions.csv").read_text().splitlines()[1].split(","))
    assert found[0][0] == found[1][0] == "'=1" and found[0][2:] != found[1][2:]
