"""A table of a million rows read: seconds and peak memory beside pandas, polars and pyarrow, each in a process.

python benchmarks/tables.py                     a CSV file of 1,000,000 x 20 and a Parquet file of about 300 MB
python benchmarks/tables.py --checkout FOLDER   also with the torchann of another checkout
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from tabulate import tabulate

CSV_ROWS, PARQUET_ROWS, ROUNDS = 1_000_000, 2_000_000, 3
READERS = {
    "torchann, columns": "t = open_table(path); t.read([c for c in t.columns if c not in t.unusable])",
    "torchann, ready to train": "torchann.TabularDataModule(path, 'y', max_memory='100GB').setup()",
    "pandas": "pandas.read_parquet(path) if parquet else pandas.read_csv(path)",
    "polars": "polars.read_parquet(path) if parquet else polars.read_csv(path)",
    "polars, texts": "polars.read_parquet(path) if parquet else polars.read_csv(path, infer_schema=False)",
    "pyarrow": "pq.read_table(path) if parquet else csv.read_csv(path)",
}
IMPORTS = {
    "torchann": "import torchann; from torchann.data.tables.open_table import open_table; torchann.TabularDataModule",
    "pandas": "import pandas",
    "polars": "import polars",
    "pyarrow": "import pyarrow.csv as csv, pyarrow.parquet as pq",
}
CHILD = """
import json, sys, time
from pathlib import Path
path, parquet = sys.argv[1], sys.argv[1].endswith("parquet")
{imports}
Path("/proc/self/clear_refs").write_text("5")  # begins the peak anew
def size(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1000
before, begun, computed = size("VmRSS"), time.perf_counter(), time.process_time()
{reader}
print(json.dumps([time.perf_counter() - begun, time.process_time() - computed, size("VmHWM") - before]))
"""


def write_tables(folder: Path) -> list[Path]:
    """Write numbers, whole numbers, texts, dates and gaps as CSV and as Parquet."""
    draw = np.random.default_rng(0)
    paths = []
    for rows, path in ((CSV_ROWS, folder / "table.csv"), (PARQUET_ROWS, folder / "table.parquet")):
        x = draw.normal(size=(rows, 16)).round(6)
        days = np.datetime64("2020-01-01") + draw.integers(0, 2000, rows)
        table = {f"x{place}": x[:, place] for place in range(16)}
        table |= {"city": draw.choice(["Oslo", "Paris", "Rome"], rows), "day": days, "n": draw.integers(0, 2**60, rows)}
        whole = pa.table({**table, "y": x[:, 0] + x[:, 1]})
        pyarrow.csv.write_csv(whole, path) if path.suffix == ".csv" else pq.write_table(whole, path)
        paths.append(path)
    return paths


def measure(path: Path, reader: str, root: str | None) -> list[float]:
    """Return the medians of some rounds: seconds, seconds of all cores, and the peak in MB."""
    imports = IMPORTS[reader.split(",")[0]]
    words = [sys.executable, "-c", CHILD.format(imports=imports, reader=READERS[reader]), str(path)]
    environment = os.environ | ({"PYTHONPATH": root} if root else {})
    options: dict[str, Any] = {"cwd": root, "env": environment, "capture_output": True, "text": True, "check": True}
    runs = [subprocess.run(words, **options) for _ in range(ROUNDS)]
    found: list[float] = np.median([json.loads(run.stdout.splitlines()[-1]) for run in runs], axis=0).tolist()
    return found


def main() -> None:
    """Print a table of figures for each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", help="folder of another checkout of torchann")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for path in write_tables(Path(folder)):
            rows = []
            for reader in READERS:
                others = [options.checkout] if options.checkout and reader.startswith("torchann") else []
                for root in (None, *others):
                    seconds, cores, peak = measure(path, reader, root)
                    name = reader + (" (other checkout)" if root else "")
                    rows.append([name, f"{seconds:.2f}", f"{cores:.2f}", f"{peak:,.0f}"])
            print(f"\n{path.name}, {path.stat().st_size / 1e6:.0f} MB\n")
            print(tabulate(rows, ["reader", "seconds", "of all cores", "peak, MB"], tablefmt="github"))


if __name__ == "__main__":
    main()
