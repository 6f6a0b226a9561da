"""How a command tells what went wrong: in one line, unless a traceback is asked for."""

import os
import sys

from torchann.nets.names import printable


def report_error(command: str, error: Exception) -> int:
    """Prints an error; returns the exit status, 1.

    Args:
        command: the subcommand.
        error: what went wrong.

    Raises:
        Exception: the error itself, if ``TORCHANN_TRACEBACK`` is set.
    """
    if os.environ.get("TORCHANN_TRACEBACK"):
        raise error
    if str(error).startswith("Does not validate against any of the Union") and isinstance(error.__cause__, Exception):
        error = error.__cause__  # what a class said of its arguments; the rest lists the types that it might have been
    message = str(error).split("\nException raised from")[0] or type(error).__name__  # without torch's C++ trace
    if isinstance(error, OSError) and error.strerror and error.filename is None:
        message = error.strerror  # without its number
    print(f"torchann {command}: error: {printable(message)}\n(TORCHANN_TRACEBACK=1 shows where)", file=sys.stderr)
    return 1
