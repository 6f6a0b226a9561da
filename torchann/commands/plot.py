"""``torchann plot``: the learning curves of a run, or the pictures of the chapter's experiments."""

import argparse
import sys
from pathlib import Path

from torchann.chapter.experiment import Setting
from torchann.chapter.experiments import EXPERIMENTS
from torchann.chapter.reproduce import reproduce
from torchann.commands.reproduce import save_picture, unknown
from torchann.files.history import History
from torchann.files.run import Run


def run(options: argparse.Namespace) -> int:
    """Draws run folders, and runs experiments with one seed and draws them; returns 0 if all were drawn."""
    folders = [name for name in options.names if name not in EXPERIMENTS and Path(name).is_dir()]
    names = [name for name in options.names if name not in folders]
    try:
        for name in names:
            if len(Path(name).parts) > 1:
                raise ValueError(f"there is no folder {name}; name that of a run, such as runs/housing_mlp/001")
        if wrong := unknown(names):
            raise ValueError(wrong)
        histories = {folder: _history(folder) for folder in map(Path, folders)}
    except ValueError as error:
        print(f"torchann plot: error: {error}", file=sys.stderr)
        return 2
    for folder, history in histories.items():
        picture = history.plot()
        picture.suptitle("/".join(folder.resolve().parts[-2:]))
        picture.savefig(folder / "history.png", dpi=120)
        print(folder / "history.png")
    return _draw_experiments(names, options) if names else 0


def _history(folder: Path) -> History:
    path = Run(folder).history
    if not path.is_file():
        runs = sorted(found.parent for found in folder.glob(f"*/{path.name}"))
        hint = f"name one of its runs, such as {runs[-1]}" if runs else "name the folder of a run"
        raise ValueError(f"{folder} holds no {path.name}; {hint}")
    return History.from_csv(path)


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
