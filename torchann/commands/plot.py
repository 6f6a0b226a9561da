"""``torchann plot``: the learning curves of a run, or the pictures of the chapter's experiments."""

import argparse
import sys
from pathlib import Path

from torchann.files.history import History
from torchann.files.run import Run
from torchann.nets.names import nearest
from torchann.publishing.model_paths import existing


def run(options: argparse.Namespace) -> int:
    """Draws runs, and runs experiments with one seed and draws them; returns 0 if all were drawn."""
    names = [name for name in options.names if len(Path(name).parts) == 1]
    if names:
        from torchann.chapter.experiments import EXPERIMENTS  # only here, as it imports scikit-learn

        names = [name for name in names if name in EXPERIMENTS or not _exists(name)]
    try:
        runs = [_run(name) for name in options.names if name not in names]
        if names:
            from torchann.commands.reproduce import unknown

            for name in names:
                if nearest(name, EXPERIMENTS) is None:
                    existing(Path(name))  # which suggests a run
            if wrong := unknown(names):
                raise ValueError(wrong)
        histories = {run: History.from_csv(run.history) for run in runs}
    except (ValueError, OSError) as error:
        print(f"torchann plot: error: {error}", file=sys.stderr)
        return 2
    for run, history in histories.items():
        name = "/".join(run.folder.resolve().parts[-2:])
        path = run.folder / "history.png"
        if options.output is not None:
            path = Path(options.output, f"{name.replace('/', '-')}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
        picture = history.plot()
        picture.suptitle(name)
        picture.savefig(path, dpi=120)
        print(path)
    return _draw_experiments(names, options) if names else 0


def _exists(name: str) -> bool:
    return Path(name).is_dir() or Path("runs", name).is_dir()


def _run(name: str) -> Run:
    path = existing(Path(name))
    if not path.exists():
        raise ValueError(f"there is no run {name}; name one such as runs/housing_mlp")
    run = Run.of(path) if path.suffix == ".ckpt" else Run.at(path, lambda run: run.history.is_file())
    if not run.history.is_file():
        raise ValueError(f"{run.folder} holds no {run.history.name}; name the folder of a run")
    return run


def _draw_experiments(names: list[str], options: argparse.Namespace) -> int:
    from torchann.chapter.experiment import Setting
    from torchann.chapter.reproduce import reproduce
    from torchann.commands.reproduce import save_picture

    output, status = Path(options.output or "results"), 0
    output.mkdir(parents=True, exist_ok=True)
    setting = Setting("", runs=options.runs, data_dir=options.data_dir)
    for result in reproduce(names, 1, setting):
        if result.why_not is None:
            print(save_picture(result, output))
        else:
            print(f"{result.experiment.name} was not drawn: {result.why_not}", file=sys.stderr)
            status = 1
    return status
