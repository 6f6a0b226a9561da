"""Measures this project beside its peers, in turns, and writes benchmarks/results.json and RESULTS.md.

make bench                                       everything, in an environment of its own
python benchmarks/run.py --quick                 what the aims are about, in some ten minutes
python benchmarks/run.py --only fashion          a part; the results of the others stay
python benchmarks/run.py --only                  nothing: RESULTS.md and docs/speed.md anew from results.json
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from report import write_report
from subjects import SUBJECTS, TABLES, Subject
from worker import DATA, HERE, Worker, neighbour

PACKAGES = ("torchann", "torch", "jax", "tabm", "lightning", "scikit-learn", "skorch", "keras", "tensorflow-cpu")
PACKAGES += ("numpy", "scipy", "numba")


def machine() -> str:
    """Return the versions and the machine in a line."""
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} not installed")
    cores = f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}, {platform.platform()}"
    return f"{date.today()}, Python {platform.python_version()}, {', '.join(versions)}; {cores}"


def measure(subject: Subject, names: list[str], rounds: int, busy_rounds: int) -> dict[str, Any]:
    """Measure a subject: in each round every peer has a turn; then with a neighbour; then predictions and memory."""
    workers: dict[str, Worker] = {}
    for name in names:
        try:
            workers[name] = Worker(subject.script, name, subject.task)
        except RuntimeError as error:
            print(f"{subject.name}: without {name}: {str(error).strip().splitlines()[-1]}", flush=True)
    if names[0] not in workers:
        raise SystemExit(f"{subject.name}: {names[0]} does not run, and all is measured beside it")
    found: dict[str, dict[str, Any]] = {name: {"seconds": [], "busy": []} for name in workers}
    for name, worker in workers.items():
        first = worker.epoch() if subject.warm else {"seconds": 0.0}
        found[name] |= {"ready": worker.ready, "first": worker.ready + first["seconds"]}

    def turns(key: str) -> None:
        for name, worker in workers.items():
            scale, turns_before = subject.scale.get(name, 1.0), found[name][key]
            if name in subject.slow and turns_before:  # once is enough
                turns_before.append(turns_before[-1])
                continue
            if subject.warm:
                turns_before.append(scale * worker.turn(subject.epochs))
            else:
                told = worker.epoch()
                turns_before.append(scale * told["seconds"])
                found[name] |= {"score": told["score"]} if "score" in told else {}

    for _ in range(rounds):
        turns("seconds")
    if busy_rounds:
        with neighbour():
            for _ in range(busy_rounds):
                turns("busy")
    for rows, times in subject.predictions.items():
        seconds: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(max(1, rounds)):
            for name, worker in workers.items():
                seconds[name].append(worker.ask("predict", rows, times)["seconds"])
        for name in workers:
            found[name].setdefault("predict", {})[str(rows)] = seconds[name]
    for name, worker in workers.items():
        found[name] |= worker.ask("end")
        worker.process.wait()
    return {"peers": found}


def table(script: str) -> dict[str, Any]:
    """Run a script that prints a table."""
    done = subprocess.run([sys.executable, str(HERE / script)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{script} ended with {done.returncode}: {done.stderr[-2000:]}")
    return {"text": done.stdout.strip()}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*SUBJECTS, *TABLES]
    parser.add_argument("--only", nargs="*", choices=names, metavar="SUBJECT", help=f"some of: {', '.join(names)}")
    parser.add_argument("--peers", nargs="+", help="these alone, beside torchann")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds; without what takes minutes or has no aim")
    parser.add_argument("--no-busy", action="store_true", help="without a neighbour that computes")
    options = parser.parse_args()
    results_file = HERE / "results.json"
    results = json.loads(results_file.read_text()) if results_file.exists() else {}
    chosen = names if options.only is None else options.only
    rounds, busy = (2, 1) if options.quick else (options.rounds, max(1, options.rounds // 3))
    with tempfile.TemporaryDirectory() as folder:
        os.environ[DATA] = folder
        if any(name in SUBJECTS for name in chosen):
            subprocess.run([sys.executable, str(HERE / "worker.py"), folder], check=True)
        for name in chosen:
            started = time.perf_counter()
            if name in TABLES:
                if options.quick and not TABLES[name].quick:
                    continue
                results[name] = table(TABLES[name].script)
            else:
                subject = SUBJECTS[name]
                if options.quick and not subject.quick:
                    continue
                peers = [peer for peer in subject.peers if not (options.quick and peer in subject.slow)]
                if options.peers:
                    peers = [peer for peer in peers if peer == peers[0] or peer in options.peers]
                few = rounds if subject.warm else (rounds + 1) // 2
                results[name] = measure(subject, peers, few, 0 if options.no_busy or not subject.busy else busy)
            results[name]["machine"] = machine()
            results_file.write_text(json.dumps(results, indent=1) + "\n")
            write_report(results)
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    write_report(results)


if __name__ == "__main__":
    main()
