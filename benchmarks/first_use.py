"""What the compiled engine costs before its first step: compiled once per machine, loaded in later processes."""

import subprocess
import sys
import tempfile

from tabulate import tabulate

SECONDS = """
import sys, time
started = time.perf_counter()
import numpy as np
import scipy.linalg, numba
libraries = time.perf_counter()
from torchann.engine.compiled import jit
jit.cache_folder = lambda: sys.argv[1]
from torchann.engine.compiled.warm import warm
ours = time.perf_counter()
for dtype in sys.argv[2:]:
    warm(np.dtype(dtype).type)
print(libraries - started, ours - libraries, time.perf_counter() - ours)
"""


def seconds(folder: str, *dtypes: str) -> list[str]:
    """Return the seconds of imports of others, of ours, and of the first step, in a new process."""
    run = subprocess.run([sys.executable, "-c", SECONDS, folder, *dtypes], capture_output=True, text=True, check=True)
    return [f"{float(part):.2f}" for part in run.stdout.split()]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [["float32, nothing compiled yet", *seconds(folder, "float32")]]
        rows.append(["float64, float32 is there", *seconds(folder, "float64")])
        rows.append(["float32, both are there", *seconds(folder, "float32")])
    headers = ["process", "import of NumPy, SciPy and Numba, s", "of the engine, s", "first step and outputs, s"]
    print(tabulate(rows, headers, "github", disable_numparse=True))


if __name__ == "__main__":
    main()
