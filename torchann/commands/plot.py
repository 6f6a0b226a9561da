"""``torchann plot``: the learning curves of a run, or the pictures of the chapter's experiments."""

import argparse
import sys
from pathlib import Path

from torchann.chapter.experiment import Setting
from torchann.chapter.experiments import EXPERIMENTS
from torchann.chapter.reproduce import reproduce
from torchann.commands.reproduce import save_picture, unknown
from torchann.history import History


def run(options: argparse.Namespace) -> int:
    """Draws run folders, and runs experiments with one seed and draws them; returns 0 if all were drawn."""
    folders = [name for name in options.names if name not in EXPERIMENTS and Path(name).is_dir()]
    names = [name for name in options.names if name not in folders]
    if wrong := unknown(names) or _no_run(folders):
        print(f"torchann plot: error: {wrong}", file=sys.stderr)
        return 2
    for folder in map(Path, folders):
        picture = History.from_csv(folder / "history.csv").plot()
        picture.suptitle("/".join(folder.resolve().parts[-2:]))
        picture.savefig(folder / "history.png", dpi=120)
        print(folder / "history.png")
    return _draw_experiments(names, options) if names else 0


def _no_run(folders: list[str]) -> str | None:
    for folder in folders:
        if not Path(folder, "history.csv").is_file():
            runs = sorted(path.parent.name for path in Path(folder).glob("*/history.csv"))
            hint = f"name one of its runs, such as {Path(folder, runs[-1])}" if runs else "name the folder of a run"
            return f"{folder} holds no history.csv; {hint}"
    return None


def _draw_experiments(names: list[str], options: argparse.Namespace) -> int:
    output, status = Path(options.output), 0
    output.mkdir(parents=True, exist_ok=True)
    setting = Setting("", runs=options.runs, data_dir=options.data_dir)
    for result in reproduce(names, 1, setting):
        if result.why_not is None:
            print(save_picture(result, output))
        else:
            print(f"{result.experiment.name} was not drawn: {result.why_not}", file=sys.stderr)
            status = 1
    return status
