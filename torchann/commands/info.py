"""``torchann info MODEL``: what a model file is, what it expects and how it scored."""

import argparse

from torchann.commands.errors import told
from torchann.model_info import info
from torchann.runs import quieten_framework


def run(options: argparse.Namespace) -> int:
    """Prints it; returns the exit status."""
    quieten_framework()
    try:
        print(info(options.model))
    except (ValueError, OSError, RuntimeError) as error:
        return told("info", error)
    return 0
