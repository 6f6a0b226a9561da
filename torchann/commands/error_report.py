"""How a command tells what went wrong: in one line, unless a traceback is asked for."""

import os
import re
import sys

from torchann.nets.names import printable

EXPECTED = (ValueError, TypeError, OSError, RuntimeError, ImportError)
"""Errors that say in words what is wrong; the message of another, such as a KeyError, needs its name to be clear."""


def reason(error: BaseException) -> str:
    """Return what a class said of its arguments, without jsonargparse's list of the types that a value might have been.

    Example:
        >>> reason(ValueError("Does not validate against any of the Union subtypes\\nErrors:\\n  - lr is -1"))
        'lr is -1'
    """
    message = str(error)
    if not message.startswith("Does not validate against any of the Union"):
        return message
    found = re.search(r"\n  - (.*)", message)
    said = str(error.__cause__) if isinstance(error.__cause__, Exception) else found[1] if found else message
    choices = re.fullmatch(r"Expected a typing.Literal\[(.*)\]\. Got value: (.*)", said)
    return f"give one of {choices[1].replace(chr(39), '')}" if choices else said


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
    message = reason(error).split("\nException raised from")[0] or type(error).__name__  # without torch's C++ trace
    if message.startswith("Problem with given class_path"):  # a package that is missing, in lines
        message = " ".join(message.split())
    if not isinstance(error, EXPECTED) and type(error).__name__ != "MisconfigurationException":
        message = f"{type(error).__name__}: {message}"
    if isinstance(error, OSError) and error.strerror and error.filename is None:
        message = error.strerror  # without its number
    print(f"torchann {command}: error: {printable(message)}\n(TORCHANN_TRACEBACK=1 shows where)", file=sys.stderr)
    return 1
