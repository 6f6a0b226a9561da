"""Values as people write them, from a file or a frame to what a net gets: what is missing, exact, a number, a date."""

import csv
import datetime

import numpy as np
import pytest

import torchann

ROWS = 120
DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(days=7 * row % 700) for row in range(ROWS)]


def ready(table, target="y", **options):
    data = torchann.TabularDataModule(table, target, split_seed=0, **options)
    data.setup()
    return data


def by_row(data, column=0):
    """A column's values as numbers by the rows' targets, which count the rows."""
    parts = [(split.y.double().tolist(), split.x[:, column].tolist()) for split in data.splits]
    found = {round(y * 3): value for ys, values in parts for y, value in zip(ys, values, strict=True)}
    return [None if found[row] != found[row] else found[row] for row in sorted(found)]


def with_targets(values):
    return {"a": values, "y": [row / 3 for row in range(len(values))]}


def write(path, table, delimiter=","):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


def in_all_forms(table, tmp_path):
    """The table as a mapping, frames, CSV, TSV and Parquet."""
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    parquet = tmp_path / "t.parquet"
    polars.DataFrame(table, strict=False).write_parquet(parquet)
    forms = [table, pandas.DataFrame(table), polars.DataFrame(table, strict=False), parquet]
    return [*forms, write(tmp_path / "t.csv", table), write(tmp_path / "t.tsv", table, "\t")]


@pytest.mark.parametrize("extra", [[], ["NA"]], ids=["alone", "beside a gap"])
@pytest.mark.parametrize("sentinel", [["-999"], [-999], [-999.0]], ids=str)
def test_sentinel_is_missing_whatever_the_other_rows_are(tmp_path, extra, sentinel):
    values = ["-999" if row % 10 == 3 else str(20 + row % 7) for row in range(ROWS)] + extra
    data = ready(write(tmp_path / "s.csv", with_targets(values)), missing_values=sentinel)
    assert by_row(data) == [None if row % 10 == 3 else 20 + row % 7 for row in range(ROWS)] + [None] * len(extra)


@pytest.mark.parametrize("kind", [int, float, str])
def test_sentinel_is_missing_in_every_source_and_in_targets(tmp_path, kind):
    values = [kind(-999) if row % 10 == 3 else kind(20 + row % 7) for row in range(ROWS)]
    for form in in_all_forms(with_targets(values), tmp_path):
        assert by_row(ready(form, missing_values=[-999])) == [
            None if row % 10 == 3 else 20 + row % 7 for row in range(ROWS)
        ]
    table = {
        "a": [row / 3 for row in range(ROWS)],
        "y": [value if row % 10 == 3 else kind(row * row) for row, value in enumerate(values)],
    }
    for form in in_all_forms(table, tmp_path):
        data = ready(form, missing_values=[-999])
        assert "12 rows have no target" in data.report.notes[0] and min(split.y.min() for split in data.splits) == 0


def test_sentinel_goes_with_the_model():
    values = [-999 if row % 10 == 3 else 20 + row % 7 for row in range(ROWS)]
    data, model = ready(with_targets(values), missing_values=[-999]), torchann.RegressionMLP([4])
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=data)
    forms = [{"a": [gap]} for gap in (None, -999, -999.0, "-999", "-999.00", np.nan)]
    assert len({model.predict(form).item() for form in forms}) == 1
    assert len({torchann.predict(model, form)["y"].item() for form in forms}) == 1


MISSING = {
    "a date": ([datetime.date(1900, 1, 1), *DAYS[1:]], "1900-01-01"),
    "a date of text": (["1900-01-01", *map(str, DAYS[1:])], "1900-01-01"),
    "a date of another form": (["01/01/1900", *(f"{day:%d/%m/%Y}" for day in DAYS[1:])], "1900-01-01"),
    "a number with a comma": (["-999,0", *(f"{row},5" for row in range(1, ROWS))], -999),
    "money": (["-$999", *(f"${row}" for row in range(1, ROWS))], -999),
    "infinity": ([np.inf, *range(1, ROWS)], "Infinity"),
    "a truth value": (["yes", *["no", "maybe"] * 60][:ROWS], "yes"),
}


@pytest.mark.parametrize(("values", "sentinel"), MISSING.values(), ids=MISSING)
def test_values_of_every_kind_may_be_missing(values, sentinel):
    found = by_row(ready(with_targets(values), missing_values=[sentinel]))
    assert found[0] is None and None not in found[1:]


def test_usual_words_are_values_where_they_are_replaced(tmp_path):
    table = {"a": ["NA", "DE", "?", "null"] * 30, "y": ["None", "Low", "High"] * 40}
    for form in in_all_forms(table, tmp_path):
        data = ready(form, default_missing=False)
        assert data.class_names == ["High", "Low", "None"]
        assert data.preprocessing.table.table[0].categories == ["?", "DE", "NA", "null"]
        assert not data.preprocessing.table.default_missing and not data.report.notes


EXACT = {
    "beyond float64": [2**53 + row % 4 for row in range(ROWS)],
    "the largest": [2**64 - 1 - row % 4 for row in range(ROWS)],
    "codes": [["888E050011", "101E010031", "1E5", "100000"][row % 4] for row in range(ROWS)],
    "zeros in front": [["007", "7", "07", "1.0"][row % 4] for row in range(ROWS)],
}


@pytest.mark.parametrize("values", EXACT.values(), ids=EXACT)
def test_values_that_are_equal_only_as_floats_are_apart(tmp_path, values):
    distinct = {str(value) for value in values}
    for form in in_all_forms({**with_targets(values), "b": [row * row for row in range(ROWS)]}, tmp_path):
        assert set(ready(form, kinds={"a": "category"}).preprocessing.table.table[0].categories) == distinct
        assert set(ready(form, "a", task="multiclass").class_names) == distinct


def test_spellings_of_a_truth_value_are_one_class_and_letters_of_two_are_categories():
    y = ["True", "FALSE", "true", "False"] * 30
    assert ready({"a": [row**2 for row in range(ROWS)], "y": y}).class_names == ["False", "True"]
    assert ready(with_targets(["T", "F", "N", "Y"] * 30)).report.columns[0].kind == "category of 4"
    for words in (["true", "FALSE"], ["Yes", "no"], ["T", "f"], ["y", "N"]):
        assert ready(with_targets(words * 60)).report.columns[0].kind == "boolean"


PRICES = [500 + 37 * row for row in range(ROWS)]
FORMATS = {
    "currency": ([f"${price:,}" for price in PRICES], PRICES, "number $"),
    "currency behind": ([f"{price:,} €".replace(",", ".") for price in PRICES], PRICES, "number €"),
    "currency by its code": ([f"USD {price}" for price in PRICES], PRICES, "number USD"),
    "prices of fuel": (
        [f"{row % 3 + 1},{row % 900 + 100} €" for row in range(ROWS)],
        [1000 * (row % 3 + 1) + row % 900 + 100 for row in range(ROWS)],  # said with both readings
        "number €",
    ),
    "percent": ([f"{row % 90}%" for row in range(ROWS)], [row % 90 for row in range(ROWS)], "number %"),
    "percent apart": (
        [f"{row % 9 + 0.5} %" for row in range(ROWS)],
        [row % 9 + 0.5 for row in range(ROWS)],
        "number %",
    ),
    "unit": ([f"{row % 90 + 1} kg" for row in range(ROWS)], [row % 90 + 1 for row in range(ROWS)], "number kg"),
    "square unit": ([f"{row % 90 + 1}m²" for row in range(ROWS)], [row % 90 + 1 for row in range(ROWS)], "number m²"),
    "thousands": ([f"{price:,}" for price in PRICES], PRICES, "number"),
    "thousands and decimals": ([f"{price:,}.25" for price in PRICES], [price + 0.25 for price in PRICES], "number"),
    "European": (
        [f"{price:,}".replace(",", ".") + ",25" for price in PRICES],
        [price + 0.25 for price in PRICES],
        "number",
    ),
    "spaces": ([f"{price:,}".replace(",", " ") for price in PRICES], PRICES, "number"),
    "apostrophes": ([f"{price:,}".replace(",", "'") for price in PRICES], PRICES, "number"),
    "parentheses": (
        [f"({price})" if row % 3 else str(price) for row, price in enumerate(PRICES)],
        [-price if row % 3 else price for row, price in enumerate(PRICES)],
        "number",
    ),
    "minus before the currency": ([f"-${price:,}" for price in PRICES], [-price for price in PRICES], "number $"),
    "day first": ([f"{day:%d/%m/%Y}" for day in DAYS], DAYS, "date dd/mm/yyyy"),
    "month first": ([f"{day:%m/%d/%Y}" for day in DAYS], DAYS, "date mm/dd/yyyy"),
    "points": ([f"{day.day}.{day.month}.{day.year}" for day in DAYS], DAYS, "date"),
    "short years": ([f"{day:%d/%m/%y}" for day in DAYS], DAYS, "date dd/mm/yyyy"),
    "slashes, year first": ([f"{day:%Y/%m/%d}" for day in DAYS], DAYS, "date"),
    "names of months": ([f"{day:%d %b %Y}" for day in DAYS], DAYS, "date"),
    "American names": ([f"{day:%B %d, %Y}" for day in DAYS], DAYS, "date"),
    "months": ([f"{day:%Y-%m}" for day in DAYS], [day.replace(day=1) for day in DAYS], "date"),
    "moments": ([f"{day} 12:00" for day in DAYS], [day.toordinal() - 719163 + 0.5 for day in DAYS], "date"),
    "moments of a zone": (
        [f"{day}T12:00:00Z" for day in DAYS],
        [day.toordinal() - 719163 + 0.5 for day in DAYS],
        "date",
    ),
    "times of day": (
        [f"{row % 24}:30" for row in range(ROWS)],
        [(row % 24 + 0.5) / 24 for row in range(ROWS)],
        "date hh:mm",
    ),
    "twelve hours": (
        [f"{row % 12 or 12}:30 pm" for row in range(ROWS)],
        [(row % 12 + 12.5) / 24 for row in range(ROWS)],
        "date hh:mm",
    ),
    "a bad date": (["0000-00-00", *map(str, DAYS[1:])], [None, *DAYS[1:]], "date"),
    "a bad number": (["soon", *map(str, PRICES[1:])], [None, *PRICES[1:]], "number"),
}


@pytest.mark.parametrize(("texts", "expected", "kind"), FORMATS.values(), ids=FORMATS)
def test_formatted_columns_are_read(tmp_path, texts, expected, kind):
    expected = [value.toordinal() - 719163 if isinstance(value, datetime.date) else value for value in expected]
    for form in (with_targets(texts), write(tmp_path / "t.csv", with_targets(texts))):
        data = ready(form)
        line = data.report.columns[0]
        assert (line.kind, line.example) == (kind, next(text for text in texts if text))
        assert by_row(data) == pytest.approx(expected)
        again = ready(form, kinds={"a": kind.split()[0]})
        assert by_row(again) == pytest.approx(expected)


@pytest.mark.parametrize(("texts", "expected", "kind"), FORMATS.values(), ids=FORMATS)
def test_formatted_columns_are_targets_and_inputs_of_predictions(texts, expected, kind):
    whole = [value for value in texts if value not in ("0000-00-00", "soon")]
    assert (
        ready({"b": [row**2 for row in range(len(whole))], "a": whole}, "a", missing_values=["soon"]).task
        == "regression"
    )
    model = torchann.RegressionMLP([4])
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=ready(with_targets(texts)))
    column = model.preprocessing.table.table[0]
    again = type(column)(**column.describe())  # as a model file has it
    assert again.describe() == column.describe() and again.kind == kind.split()[0]
    one = [model.predict({"a": [text]}).item() for text in whole[:8]]
    assert model.predict({"a": whole[:8]})[:, 0].tolist() == pytest.approx(one)  # not by the other rows


@pytest.mark.parametrize(
    "texts", [["5 kg", "300 g"] * 60, ["Q1", "Q2", "Q3"] * 40, ["1.2.3", "1.2.4"] * 60, ["10-20", "20-30"] * 60]
)
def test_what_is_no_number_of_one_unit_is_a_category(texts):
    assert ready(with_targets(texts)).report.columns[0].kind == f"category of {len(set(texts))}"


def test_dates_that_can_be_read_both_ways_are_asked_for():
    texts = [f"{row % 12 + 1:02}/{row * 5 % 12 + 1:02}/2020" for row in range(ROWS)]
    asked = "'02/06/2020' is 2020-06-02 as dd/mm/yyyy and 2020-02-06 as mm/dd/yyyy; say which with kinds="
    with pytest.raises(ValueError, match=f"column 'a' has dates that can be read both ways: {asked}"):
        ready(with_targets(texts))
    day = {"dd/mm/yyyy": 18415, "mm/dd/yyyy": 18298}  # 2 June, 6 February
    for word, order in {"dd/mm/yyyy": "dd/mm/yyyy", "Day first": "dd/mm/yyyy", "mm/dd/yyyy": "mm/dd/yyyy"}.items():
        assert by_row(ready(with_targets(texts), kinds={"a": word}))[1] == day[order]


def test_addresses_say_nothing_of_decimal_signs(tmp_path):
    table = {"ip": [f"192.168.100.{100 + row}" for row in range(ROWS)], "b": ["x;y"] * ROWS}
    data = ready(
        write(
            tmp_path / "t.csv", {**with_targets([f"{row % 9 + 1}.{row % 900 + 100}" for row in range(ROWS)]), **table}
        )
    )
    assert by_row(data)[:2] == [1.1, 2.101]


def test_number_that_can_be_read_both_ways_is_told_with_both_readings(tmp_path):
    texts = [f"{row % 9 + 1},{row % 900 + 100}" for row in range(ROWS)]
    path = write(tmp_path / "t.csv", {"a": texts, "y": [3 * row for row in range(ROWS)]})
    data = ready(path)
    assert data.report.columns[0].summary.endswith("'1,100' is read as 1100; give decimal=',' if it is 1.1")
    assert by_row(data)[:2] == [1100, 2101]
    said = ready(path, decimal=",")
    assert by_row(said)[:2] == [1.1, 2.101] and "read as" not in said.report.columns[0].summary
    with pytest.raises(ValueError, match=r"decimal is ';'; give '.' or ','"):
        ready(path, decimal=";")


def test_kind_that_no_value_has_is_refused_with_one_of_them():
    with pytest.raises(
        ValueError, match="column 'a' is to be a date, and none of its values is one, such as 'x'; give an"
    ):
        ready(with_targets(["x", "z"] * 60), kinds={"a": "date"})
    with pytest.raises(ValueError, match="column 'a' is to be a boolean, and none of its values is one, such as 'x'"):
        ready(with_targets(["x", "z"] * 60), kinds={"a": "boolean"})
    told = ready(with_targets(["yes", "no", "perhaps"] * 40), kinds={"a": "boolean"}).report.columns[0].summary
    assert told.endswith("40 values are no booleans ('perhaps'), taken as missing")


def test_durations_and_times_of_parquet_are_learnt_from(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    spans = pa.array([datetime.timedelta(hours=row * row) for row in range(ROWS)], pa.duration("ns"))
    clock = [datetime.time(row % 24) for row in range(ROWS)]
    pq.write_table(pa.table({"a": spans, "c": clock, "y": [row / 3 for row in range(ROWS)]}), tmp_path / "t.parquet")
    data = ready(tmp_path / "t.parquet")
    assert by_row(data)[:2] == [0, 1 / 24] and by_row(data, 1)[:2] == [0, 1 / 24]
    assert [line.kind for line in data.report.columns] == ["number", "date hh:mm"]


def test_targets_are_names_or_values():
    table = {"a": [row**2 for row in range(ROWS)], "x": [row / 7 for row in range(ROWS)]}
    assert ready(table, ["u", "v", "w"] * 40).class_names == ["u", "v", "w"]
    assert ready(table, ["a", "x"] * 60).class_names == ["a", "x"]  # as many as rows
    assert ready({**table, "z": table["x"]}, ["x", "z"]).target_names == ["x", "z"]
    array = np.random.default_rng(0).normal(size=(ROWS, 4))
    assert ready(array, np.int64(3)).target_names == ready(array, 3).target_names == ["3"]
    with pytest.raises(ValueError, match="there is no column 'b'"):
        ready(table, ["a", "b"])


def test_lone_column_that_counts_the_rows_is_advised_as_what_it_is():
    with pytest.raises(ValueError, match="give one, or kinds={'day': 'number'}"):
        ready({"day": range(50), "y": [row**2 / 3 for row in range(50)]})


def test_intervals_and_periods_of_pandas_are_texts_and_dates():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"y": [row / 3 for row in range(ROWS)], "bin": pandas.cut(range(ROWS), 4)})
    frame["month"] = pandas.period_range("2020-01", periods=ROWS, freq="M")
    assert [line.kind for line in ready(frame).report.columns] == ["category of 4", "date"]


def test_cells_that_are_arrays_are_left_out_and_named():
    for cells in ([[1, 2]] * 60, [np.zeros(2)] * 60, [{"k": 1}] * 60):
        data = ready({"a": [row**2 for row in range(60)], "b": cells, "y": [row / 3 for row in range(60)]})
        assert "not one value per row" in data.report.columns[1].summary


@pytest.mark.parametrize("said", [".", ","])
def test_sign_that_was_said_goes_with_the_model(tmp_path, said):
    texts = [f"{row % 9 + 1},{row % 900 + 100}" for row in range(ROWS)]
    path = write(tmp_path / "t.csv", with_targets(texts))  # whose targets have points
    model, data = torchann.RegressionMLP([4]), ready(path, decimal=said)
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=data)
    number = float(texts[0].replace(",", "." if said == "," else ""))
    assert by_row(data)[0] == number
    expected = model.predict({"a": [number]}).item()
    for table in (path, write(tmp_path / "u.csv", {"a": texts, "b": texts}, ";"), {"a": texts}):
        assert torchann.predict(model, table)["y"][0] == pytest.approx(expected)


def test_habit_of_a_column_goes_with_the_model_beside_others_of_another(tmp_path):
    table = {"b": [row / 4 for row in range(ROWS)], **with_targets(["1.200 €", "1.050,50 €", "7 €"] * 40)}
    path, model = write(tmp_path / "t.csv", table), torchann.RegressionMLP([4])
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=ready(path))
    expected = model.predict({"a": [1200, 1050.5, 7], "b": table["b"][:3]})[:, 0].tolist()
    assert torchann.predict(model, path)["y"][:3].tolist() == pytest.approx(expected)


def test_habit_of_a_file_is_its_own_at_predict(tmp_path):
    numbers = [row + 0.5 if row % 2 else 1.005 + row % 9 for row in range(ROWS)]
    model = torchann.RegressionMLP([4])
    comma = write(tmp_path / "t.csv", with_targets([f"{value:.3f}".replace(".", ",") for value in numbers]), ";")
    torchann.Trainer(max_epochs=1, logger=False, quiet=True).fit(model, datamodule=ready(comma, decimal=","))
    expected = model.predict({"a": numbers[:9]})[:, 0].tolist()
    assert torchann.predict(model, comma)["y"][:9].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("written", ["Mon, {} Jan 2024", "Wednesday {}.01.2024", "sat {} Jan 2024 10:05"])
def test_dates_may_have_their_weekday_before_them(written):
    data = ready(with_targets([written.format(1 + row % 28) for row in range(ROWS)]))
    first = datetime.date(2024, 1, 1) - datetime.date(1970, 1, 1)
    assert [int(days) - first.days for days in by_row(data)] == [row % 28 for row in range(ROWS)]


def test_target_that_could_be_read_both_ways_is_told():
    table = {"a": [row**2 for row in range(ROWS)], "y": [f"${row + 1},500" for row in range(ROWS)]}
    assert ready(table).report.notes == ["the target 'y': '$1,500' is read as 1500; give decimal=',' if it is 1.5"]
    assert ready(table, decimal=",").report.notes == [] and ready(table, decimal=",").splits.train.y.max() < 200
