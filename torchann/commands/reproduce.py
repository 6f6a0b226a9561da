"""``torchann reproduce``: the chapter's published figures beside the ones measured here."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from torchann.chapter.experiment import Setting
from torchann.chapter.experiments import EXPERIMENTS
from torchann.chapter.report import BY, markdown, table
from torchann.chapter.reproduce import Result, reproduce
from torchann.nets.names import did_you_mean


def unknown(names: Sequence[str]) -> str | None:
    """What is wrong with names of experiments, and which was probably meant; None if there are all."""
    for name in names:
        if name not in EXPERIMENTS:
            hint = did_you_mean(name, EXPERIMENTS, "`torchann reproduce --list` names them")
            return f"there is no experiment {name!r}; {hint}"
    return None


def save_picture(result: Result, output: Path) -> Path:
    """Draws a result's picture as PNG and returns where it is."""
    path = output / f"{result.experiment.name}.png"
    result.experiment.draw(result.outcomes, result.experiment.title).savefig(path, dpi=120)
    return path


def run(options: argparse.Namespace) -> int:
    """Runs the experiments and reports them; returns 0 if all ran and are in their bands."""
    if options.list:
        print(tabulate([[e.name, e.section, e.title] for e in EXPERIMENTS.values()], ["name", "section", "experiment"]))
        return 0
    names = list(
        dict.fromkeys(options.only or [name for name, experiment in EXPERIMENTS.items() if experiment.in_chapter])
    )
    if wrong := unknown(names):
        print(f"torchann reproduce: error: {wrong}", file=sys.stderr)
        return 2
    for option, value in (("--seeds", options.seeds), ("--jobs", options.jobs)):
        if value < 1:
            print(f"torchann reproduce: error: {option} is {value}; give 1 or more", file=sys.stderr)
            return 2
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    setting = Setting("", runs=options.runs, data_dir=options.data_dir, quiet=options.quiet)
    results: list[Result] = []
    try:
        for result in reproduce(names, options.seeds, setting, options.jobs):
            if result.outcomes:
                save_picture(result, output)
                if result.outcomes[0].text and not options.quiet:
                    print(f"\n{result.outcomes[0].text}\n")
            results.append(result)
            results.sort(key=lambda result: names.index(result.experiment.name))
            (output / "chapter.md").write_text(markdown(results))
    finally:  # also what Ctrl-C left
        if results:
            print("\n" + table(results))
            print("\n" + BY.replace("`", ""))
            print(f"\ntable and pictures in {output}")
    for result in results:
        if result.why_not is not None:
            print(f"\n{result.experiment.name} was not run: {result.why_not}", file=sys.stderr)
    return 0 if all(result.met for result in results) else 1
