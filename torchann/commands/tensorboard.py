"""``torchann tensorboard``: the dashboard on the runs."""

import argparse
import os
import signal
import socket
import sys
import time

from torchann.dashboard.server import EVERYWHERE, start_tensorboard


def run(options: argparse.Namespace) -> int:
    """Serves until Ctrl-C; returns the exit status."""
    try:
        served = start_tensorboard(options.runs, options.host, options.port)
    except OSError as error:
        print(f"torchann tensorboard: error: {error}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        # Without smoothing in both tabs of scalars: TensorBoard's own 0.6 flatters curves of few epochs.
        address = f"{served.address}?smoothing=0#timeseries&_smoothingWeight=0"
        print(f"TensorBoard shows {served} in {options.runs} at {address} (Ctrl-C ends it)", flush=True)
        if options.host in EVERYWHERE:
            port = served.address.rpartition(":")[2]
            print(f"From other machines: http://{socket.gethostname()}:{port} or this machine's address", flush=True)
        while True:  # not signal.pause(), which a signal that another thread takes does not end
            time.sleep(0.2)
    except KeyboardInterrupt:
        sys.stdout.flush()
        os._exit(0)  # the server's threads have nothing to save, and waiting for them has hung on a loaded machine
