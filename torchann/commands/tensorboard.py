"""``torchann tensorboard``: the dashboard on the runs."""

import argparse
import signal
import sys

from torchann.dashboard.server import NoRunsError, start_tensorboard


def run(options: argparse.Namespace) -> int:
    """Serves until Ctrl-C; returns the exit status."""
    try:
        address = start_tensorboard(options.runs, options.host, options.port)
    except (NoRunsError, OSError) as error:
        print(f"torchann tensorboard: error: {error}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        print(f"TensorBoard shows {options.runs} at {address} (Ctrl-C ends it)", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        return 0
    return 0
