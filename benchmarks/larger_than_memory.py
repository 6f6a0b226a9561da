"""A Parquet table of five times the memory that its rows may take, read in blocks and read as a whole.

python benchmarks/larger_than_memory.py                   150 MB, a table of 750 MB as float64 numbers
python benchmarks/larger_than_memory.py --max-memory 200  200 MB, a table of 1 GB
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

FEATURES, TIMES = 10, 5
GROUP_ROWS = 50_000
HELD_BACK = 100_000  # rows to validate and to test, as blocks have them where nothing is said
NETS = {  # hidden layers, optimiser, batch size
    "[64, 64], SGD, batch 32": ([64, 64], "sgd", 32),
    "[64, 64], SGD, batch 256": ([64, 64], "sgd", 256),
    "[128, 64], Adam, batch 1024 (the command's own)": ([128, 64], "adam", 1024),
}


def write_table(path: Path, megabytes: int) -> int:
    """Writes a table of so many megabytes of float64 numbers; returns its rows."""
    rows, writer = megabytes * 10**6 // (8 * (FEATURES + 1)), None
    generator = np.random.default_rng(0)
    for start in range(0, rows, GROUP_ROWS):
        x = generator.normal(size=(min(GROUP_ROWS, rows - start), FEATURES))
        y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * generator.normal(size=len(x))
        table = pa.table({**{f"x{place}": x[:, place] for place in range(FEATURES)}, "y": y})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return rows


def megabytes(name: str) -> float:
    """What the system says of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024 / 1e6


def fit(path: str, max_memory: str, net: str, epochs: int) -> dict[str, object]:
    """Fits in this process; seconds of each epoch, and the memory that came on top of that of a fit on a few rows."""
    import torch

    import torchann

    torch.set_num_threads(1)
    few = torchann.TabularDataModule({"x": np.arange(100.0) ** 2, "y": np.arange(100.0)}, "y")
    torchann.Trainer(max_epochs=1, quiet=True, logger=False).fit(torchann.RegressionMLP([4]), datamodule=few)
    Path("/proc/self/clear_refs").write_text("5")  # begins the peak anew
    before = megabytes("VmRSS")
    hidden, optimizer, batch_size = NETS[net]
    sizes = {"val_size": HELD_BACK, "test_size": HELD_BACK}
    data = torchann.TabularDataModule(path, "y", batch_size=batch_size, max_memory=max_memory, **sizes)
    model = torchann.RegressionMLP(hidden, optimizer=optimizer, lr=1e-3)
    trainer = torchann.Trainer(max_epochs=epochs, quiet=True, logger=False)
    started = time.process_time()
    trainer.fit(model, datamodule=data)
    processor = time.process_time() - started
    in_blocks = "in blocks" in data.report.split
    seconds = [row["seconds"] for row in trainer.history][1:]
    loss = trainer.history[-1]["val_loss"]
    found = {"seconds": seconds, "processor": processor, "peak": megabytes("VmHWM") - before}
    return {**found, "in_blocks": in_blocks, "val_loss": loss}


def main() -> None:
    """Alternates between both ways and prints a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--max-memory", type=int, default=150, help="MB that the rows may take")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--fit", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        print(json.dumps(fit(*options.fit, options.epochs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.parquet")
        rows = write_table(path, TIMES * options.max_memory)
        print(f"{rows:,} rows, {FEATURES + 1} columns, {path.stat().st_size / 1e6:,.0f} MB on the disk", flush=True)
        table = []
        for net in NETS:
            found: dict[str, list[dict[str, object]]] = {"1TB": [], f"{options.max_memory}MB": []}
            for _ in range(options.rounds):
                for memory, results in found.items():
                    words = [sys.executable, __file__, "--fit", str(path), memory, net, "--epochs", str(options.epochs)]
                    done = subprocess.run(words, check=True, capture_output=True, text=True)
                    results.append(json.loads(done.stdout.splitlines()[-1]))
            whole, blocks = found.values()
            assert all(result["in_blocks"] for result in blocks) and not any(result["in_blocks"] for result in whole)
            seconds = [[min(result["seconds"]) for result in results] for results in (whole, blocks)]  # type: ignore[call-overload]
            ratios = [b / a for a, b in zip(*seconds, strict=True)]
            processor = [b["processor"] / a["processor"] for a, b in zip(whole, blocks, strict=True)]  # type: ignore[operator]
            peaks = [max(result["peak"] for result in results) for results in (whole, blocks)]  # type: ignore[type-var]
            cells = [f"{statistics.median(times):.2f}" for times in seconds]
            spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            row = [net, *cells, spread, f"{statistics.median(processor):.2f}", *(f"{peak:,.0f}" for peak in peaks)]
            table.append(row)
            print(row, flush=True)
    headers = ["net", "whole, s / epoch", "in blocks", "ratio", "processor time", "memory whole, MB", "in blocks"]
    print(tabulate(table, headers, "github", disable_numparse=True))


if __name__ == "__main__":
    main()
