"""Small tables as banks, clinics, shops and spreadsheets write them, with what each of their columns holds."""

from pathlib import Path

import pytest

import torchann
from torchann.data.tables.column_kinds import find_kind
from torchann.data.tables.open_table import open_table

FOLDER = Path(__file__).parent
KINDS = {  # kind, or kind and the form of its texts
    "american.csv": {"hired": "date", "salary": "number .$", "grade": "category"},
    "bank_export.csv": {"Date": "date mm/dd/yyyy", "Details": "category", "Amount": "number .", "Balance": "number .$"},
    "british_dates.csv": {"joined": "date dd/mm/yyyy", "left": "date dd/mm/yyyy", "fee": "number .£"},
    "clinic.csv": {
        "patient_id": "ignore",
        "sex": "category",
        "smoker": "boolean",
        "weight": "number .kg",
        "score": "number",
    },
    "excel_bom.csv": {"city": "category", "rent": "number", "sold": "boolean"},
    "excel_german.csv": {"Ort": "category", "Miete": "number ,", "Fläche": "number ,", "Bezug": "date"},
    "french.csv": {"région": "category", "loyer": "number ,€", "surface": "number ,"},
    "gaps.csv": {"full": "number", "half": "category", "none": "ignore", "same": "number"},
    "iso_countries.csv": {"code": "category", "people": "number", "income": "category"},
    "log.csv.bz2": {"at": "date hh:mm", "level": "category", "ms": "number .ms"},
    "mixed_units.csv": {"dose": "category", "size": "category", "version": "category"},
    "months.csv": {"month": "date", "sales": "number .", "share": "number .%"},
    "pipes.csv": {"a": "number", "b": "number .", "c": "category"},
    "sensor.tsv.gz": {"stamp": "date", "value": "number", "flag": "number"},
    "shop_orders.csv": {
        "Order ID": "ignore",
        "ordered at": "date",
        "items": "number",
        "price: net": "number .€",
        "paid": "boolean",
    },
    "survey.csv": {"respondent": "number", "agree": "category", "comment": "ignore", "age": "number"},
    "swiss.csv": {"Kanton": "category", "Preis": "number .CHF", "Anteil": "number"},
    "two_lines.csv": {"name\n(first)": "category", "note": "category", "n": "number"},
    "unicode_tabs.txt": {"naïve": "category", "price": "number", "when": "date"},
    "weather_station.csv": {
        "# station": "category",
        "time": "date",
        "temp": "number",
        "rain": "number .mm",
        "wind": "category",
    },
    "zip_codes.csv": {"zip": "category", "floor": "category", "rent": "number"},
}
SAID = {"excel_german.csv": {"encoding": "cp1252"}}
TARGETS = {  # and their lowest and highest value
    "american.csv": ("salary", 30_000, 200_000),
    "bank_export.csv": ("Amount", -90, 900),
    "british_dates.csv": ("fee", 5, 99),
    "excel_german.csv": ("Miete", 400, 2400),
    "french.csv": ("loyer", 1000, 9999),
    "months.csv": ("sales", 900, 3000),
    "swiss.csv": ("Preis", 1000, 9_000_000),
    "weather_station.csv": ("temp", -5, 30),
    "shop_orders.csv": ("price: net", 1, 200),
    "pipes.csv": ("b", 800, 4000),
}


@pytest.mark.parametrize("name", KINDS)
def test_columns_of_a_table_are_what_people_read(name):
    said, (target, low, high) = SAID.get(name, {}), TARGETS.get(name, ("", 0, 0))
    table = open_table(FOLDER / name, **said)
    cells = table.read(table.columns)
    found = {column: find_kind(column, cells[column]) for column in table.columns}
    assert {column: f"{kind.kind} {kind.form}".strip() for column, kind in found.items()} == KINDS[name]
    assert {len(column) for column in cells.values()} == {90 if name == "survey.csv" else 40}
    if target:
        data = torchann.TabularDataModule(FOLDER / name, target, missing_values=[-999], **said)
        data.setup()
        values = [value for split in data.splits for value in split.y.tolist()]
        assert low <= min(values) < (low + high) / 2 < max(values) <= high


def test_every_table_has_its_kinds():
    assert {path.name for path in FOLDER.iterdir() if path.suffix not in (".py", "")} == set(KINDS)
