"""``torchann info MODEL``: what a model file is, what it expects and how it scored."""

import argparse

from torchann.commands.error_report import report_error
from torchann.publishing.model_info import info
from torchann.training.quiet import quieten_framework


def run(options: argparse.Namespace) -> int:
    """Prints it; returns the exit status."""
    quieten_framework()
    try:
        if options.markdown:
            from torchann.publishing.model_cards import model_card  # which imports what writes ONNX files

            print(model_card(options.model), end="")
        else:
            print(info(options.model))
    except (ValueError, OSError, RuntimeError) as error:
        return report_error("info", error)
    return 0
