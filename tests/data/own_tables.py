"""Tables of one's own, as a CSV or Parquet file would have them."""

import csv
from pathlib import Path

import numpy as np

CITIES = ["Oslo", "Paris", "Rome"]
PRICE = {"Oslo": 5.0, "Paris": 6.0, "Rome": 3.0}


def homes(rows: int = 120, seed: int = 0) -> dict[str, list]:
    """Homes with an id, a gap in every tenth area, a date, a yes or no, a constant and a price."""
    random = np.random.default_rng(seed)
    area = random.integers(30, 200, rows)
    city = random.choice(CITIES, rows)
    garden = random.choice(["no", "yes"], rows)
    day = np.datetime64("2024-01-01") + random.integers(0, 900, rows)
    price = [1000 * (a * PRICE[c] + 40 * (g == "yes")) for a, c, g in zip(area.tolist(), city, garden, strict=True)]
    return {
        "id": list(range(rows)),
        "area": [None if place % 10 == 3 else value for place, value in enumerate(area.tolist())],
        "city": city.tolist(),
        "sold": day.astype(str).tolist(),
        "garden": garden.tolist(),
        "country": ["Europe"] * rows,
        "price": price,
    }


def write_csv(path: Path, table: dict[str, list], delimiter: str = ",") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path
