"""``torchann tensorboard``: the dashboard on the runs."""

import argparse
import os
import signal
import sys
import time

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
        while True:  # not signal.pause(), which a signal that another thread takes does not end
            time.sleep(0.2)
    except KeyboardInterrupt:
        sys.stdout.flush()
        os._exit(0)  # the server's threads have nothing to save, and waiting for them has hung on a loaded machine
