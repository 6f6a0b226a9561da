"""``torchann plot``: the pictures of the chapter's experiments."""

import argparse
import sys
from pathlib import Path

from torchann.chapter.experiment import Setting
from torchann.chapter.reproduce import reproduce
from torchann.commands.reproduce import save_picture, unknown


def run(options: argparse.Namespace) -> int:
    """Runs experiments with one seed and draws them; returns 0 if all were drawn."""
    if wrong := unknown(options.names):
        print(f"torchann plot: error: {wrong}", file=sys.stderr)
        return 2
    output, status = Path(options.output), 0
    output.mkdir(parents=True, exist_ok=True)
    setting = Setting("", runs=options.runs, data_dir=options.data_dir)
    for result in reproduce(options.names, 1, setting):
        if result.why_not is None:
            print(save_picture(result, output))
        else:
            print(f"{result.experiment.name} was not drawn: {result.why_not}", file=sys.stderr)
            status = 1
    return status
