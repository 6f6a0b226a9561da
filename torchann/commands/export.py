"""``torchann export MODEL -o FILE``: a model as a file that predicts without this package, and its card beside it."""

import argparse
import sys
from pathlib import Path

from torchann.commands.error_report import report_error
from torchann.commands.predict import say_which
from torchann.files.atomic import write_atomically
from torchann.nets.names import printable
from torchann.publishing.export import ENDINGS, export
from torchann.publishing.model_cards import model_card
from torchann.publishing.model_paths import find_model
from torchann.training.quiet import quieten_framework


def run(options: argparse.Namespace) -> int:
    """Exports; writes the card unless there is one; says what was written. Returns the exit status."""
    quieten_framework()
    try:
        ending = next((end for end, name in ENDINGS.items() if name == options.format), ".onnx")
        path = Path(options.output or f"model{ending}")
        model = find_model(options.model)
        done = export(model, path, options.format)
        card = path.with_suffix(".md")
        if card.exists():
            print(f"torchann export: {card} is there and was left as it is", file=sys.stderr)
        else:
            write_atomically(card, model_card(model, done).encode())
    except (ValueError, OSError, RuntimeError) as error:
        return report_error("export", error)
    if not options.quiet:
        say_which(options.model, model)
        print(printable(str(done)))
    return 0
