"""``torchann info MODEL``: what a model file is, what it expects and how it scored."""

import argparse

from torchann.commands.error_report import report_error
from torchann.publishing.model_cards import model_card
from torchann.publishing.model_info import info
from torchann.training.trainer import quieten_framework


def run(options: argparse.Namespace) -> int:
    """Prints it; returns the exit status."""
    quieten_framework()
    try:
        print(
            model_card(options.model) if options.markdown else info(options.model), end="" if options.markdown else "\n"
        )
    except (ValueError, OSError, RuntimeError) as error:
        return report_error("info", error)
    return 0
