"""`torchann tensorboard` as a process of its own, and patience with what it shows."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

PATIENCE = 15  # seconds that an answer may take on a loaded machine
Read = TypeVar("Read")


def settle(read: Callable[[], Read], good: Callable[[Read], Any] = bool, seconds: float = PATIENCE) -> Read:
    """Reads until two readings in a row agree and are good; returns the last one when that takes too long."""
    deadline = time.monotonic() + seconds
    last = read()
    while time.monotonic() < deadline:
        time.sleep(0.1)
        before, last = last, read()
        if last == before and good(last):
            break
    return last


def answer(address: str, question: object = None) -> Any:
    """What the server answers to a GET, or to a POST of a question as JSON."""
    body = None if question is None else json.dumps(question).encode()
    asked = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    # not through a proxy: the server is on this machine
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=20) as given:
        return json.load(given)


SERVER = """
import sys
from torchann.__main__ import main
from torchann.dashboard import server
server.RELOAD_SECONDS = 0.2
sys.exit(main(sys.argv[1:]))
"""


def start(runs: object, *words: str, folder: Path | None = None) -> "subprocess.Popen[str]":
    """Starts the command in a folder, reading new figures sooner; to be read are its `stdout` and `stderr`."""
    return subprocess.Popen(
        [sys.executable, "-c", SERVER, "tensorboard", str(runs), "--port", "0", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # the tests may run where it is ignored
    )


@contextlib.contextmanager
def served(runs: Path, *words: str, folder: Path | None = None) -> Iterator[str]:
    """The address, without a slash at the end, once the server has read all runs; ends the server by Ctrl-C."""
    process = start(runs, *words, folder=folder)
    try:
        said = process.stdout.readline()
        found = re.search(r" at (http://\S+)/\?smoothing=0\S+ \(Ctrl-C ends it\)$", said)
        assert found, said + process.stderr.read()
        folders = {file.parent for file in (folder or Path()).joinpath(runs).expanduser().rglob("*tfevents*")}

        def read() -> list[Any]:
            return [answer(f"{found[1]}/data/{path}") for path in ("runs", "plugin/timeseries/tags")]

        settle(read, lambda answers: len(answers[0]) >= len(folders))
        yield found[1]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")
    finally:
        process.kill()
        process.communicate()
