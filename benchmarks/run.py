"""Measures this project beside its peers in one run, alternating, and writes benchmarks/RESULTS.md.

make bench                                   everything, in an environment of its own
python benchmarks/run.py --tasks housing     one task
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from cost import BATCH, FEATURES, cost_table
from dashboard import report_table
from estimators import estimator_table
from peers import PEERS, TASKS
from tabulate import tabulate
from tuning import tuning_tables

HERE = Path(__file__).parent
AIMS = {  # of torchann's epoch, as a ratio to the peer's
    ("fashion", "plain PyTorch"): 0.55,
    ("fashion", "scikit-learn"): 0.45,
    ("fashion", "skorch"): 0.45,
    ("fashion", "Keras, torch"): 0.18,
    ("fashion", "Keras, TensorFlow"): 0.18,
    ("fashion", "Lightning, DataLoader"): 0.12,
    ("housing", "plain PyTorch"): 0.25,
    ("housing", "scikit-learn"): 0.45,
    ("housing", "Keras, torch"): 0.06,
    ("housing", "Keras, TensorFlow"): 0.06,
}
EPOCHS_PER_TURN = {"fashion": 1, "housing": 9, "housing-deep": 9}
PACKAGES = ("torchann", "torch", "lightning", "scikit-learn", "skorch", "keras", "tensorflow-cpu", "numpy")


EXPLANATION = """\
Seconds per training epoch, median and range over the rounds of one run. In each round every peer has a turn, one after
the other: an epoch to warm the caches that the peers before it have filled, then those that count, by their median. The
ratio is the median of the rounds' ratios. torchann, Lightning and Keras validate after each epoch,
torchann also keeps checkpoints, history and TensorBoard events; plain PyTorch, scikit-learn and skorch only train."""


class Peer:
    """A peer's process; it sleeps unless it is asked for an epoch."""

    def __init__(self, name: str, task: str) -> None:
        command = [sys.executable, str(HERE / "peers.py"), name, task]
        pipe, self.errors = subprocess.PIPE, tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self.errors, text=True)
        self.ready = self.read()["ready"]

    def read(self) -> dict[str, float]:
        """The next answer."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("@"):
                return dict(json.loads(line[1:]))
        self.errors.seek(0)
        raise RuntimeError(f"{self.process.args} ended without an answer: {self.errors.read()[-2000:]}")

    def ask(self, word: str) -> dict[str, float]:
        """Sends a line and waits for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.read()


def sgemm_gflops() -> float:
    """The best rate of float32 matrix products on this machine, GFLOP/s."""
    a, best = torch.rand(1536, 1536), 0.0
    for _ in range(12):
        started = time.perf_counter()
        torch.mm(a, a)
        best = max(best, 2 * 1536**3 / (time.perf_counter() - started) / 1e9)
    return best


def measure(task: str, names: list[str], rounds: int) -> tuple[str, list[str]]:
    """One task, all peers: a table and sentences about it."""
    peers = {name: Peer(name, task) for name in names}
    first = {name: peer.ready + peer.ask("epoch")["seconds"] for name, peer in peers.items()}
    epochs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    rates = []
    for _ in range(rounds):
        rates.append(sgemm_gflops())
        for name, peer in peers.items():
            turn = [peer.ask("epoch") for _ in range(1 + EPOCHS_PER_TURN[task])][1:]
            epochs[name].append({key: statistics.median(epoch[key] for epoch in turn) for key in turn[0]})
    ends = {name: peer.ask("stop") for name, peer in peers.items()}
    median = {name: statistics.median(e["seconds"] for e in epochs[name]) for name in names}
    rows_per_epoch = 55_000 if task == "fashion" else 11_610
    rows = []
    for name in names:
        ratio = statistics.median(
            mine["seconds"] / its["seconds"] for mine, its in zip(epochs["torchann"], epochs[name], strict=True)
        )
        aim = AIMS.get((task, name))
        told = "" if aim is None else f"{aim} {'met' if ratio <= aim else 'MISSED'}"
        spread = sorted(e["seconds"] for e in epochs[name])
        row = [name, f"{median[name]:.3f}", f"{spread[0]:.3f} to {spread[-1]:.3f}", f"{ratio:.2f}", told]
        row += [f"{first[name]:.1f}", f"{rows_per_epoch / ends[name]['predict'] / 1e6:.2f}"]
        rows.append([*row, f"{ends[name]['megabytes']:.0f}"])
    headers = ["peer", "s / epoch", "range", "torchann / peer", "aim"]
    headers += ["start to end of epoch 1, s", "predicts, M rows / s", "MB"]
    notes = []
    if task == "fashion":
        flop = 55_000 * 2 * (2 * 784 * 300 + 3 * (300 * 100 + 100 * 10))
        training = statistics.median(e["training"] for e in epochs["torchann"])
        floor = flop / statistics.median(rates) / 1e9
        notes.append(
            f"Floor: {flop / 1e9:.0f} GFLOP of products at {statistics.median(rates):.0f} GFLOP/s, {floor:.2f} s; the "
            f"training part of torchann's epoch takes {training:.2f} s, {floor / training:.0%} of the floor's rate."
        )
    return tabulate(rows, headers, "github", disable_numparse=True), notes


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-cost", action="store_true", help="leave out how cost grows with rows, width and depth")
    parser.add_argument("--no-tuning", action="store_true", help="leave out many networks and searches")
    options = parser.parse_args()
    names = list(dict.fromkeys(["torchann", *options.peers]))
    lines = ["# Measured beside the peers", ""]
    lines += [EXPLANATION, ""]
    for task in options.tasks:
        table, notes = measure(task, names, options.rounds)
        _, hidden, lr = TASKS[task]
        lines += [f"## {task}: hidden layers {hidden}, SGD {lr}, batch 32", "", table, "", *notes, ""]
        print("\n".join(lines[-6:]), flush=True)
    if not options.no_cost:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # TensorBoard would import it
        lines += [f"## Cost of an epoch, {FEATURES} features, SGD, batch {BATCH}", "", cost_table(), ""]
        lines += ["## Cost of TensorBoard's report, by the seconds in its hooks", "", report_table(), ""]
    lines += ["## Estimators beside scikit-learn's, median of alternating fits", "", estimator_table(), ""]
    if not options.no_tuning:
        lines += tuning_tables()
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} not installed")
    machine = f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, {platform.platform()}"
    lines += [f"Python {platform.python_version()}, {', '.join(versions)}; {machine}."]
    (HERE / "RESULTS.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
