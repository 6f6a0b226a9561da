"""``torchann reproduce``: the chapter's published figures beside the ones measured here."""

import argparse
import difflib
import sys
from pathlib import Path

from tabulate import tabulate

from torchann.chapter.experiments import EXPERIMENTS
from torchann.chapter.report import markdown, table
from torchann.chapter.reproduce import reproduce


def run(options: argparse.Namespace) -> int:
    """Runs the experiments and reports them; returns 0 if all ran and are in their bands."""
    if options.list:
        print(tabulate([[e.name, e.section, e.title] for e in EXPERIMENTS.values()], ["name", "section", "experiment"]))
        return 0
    names = options.only or list(EXPERIMENTS)
    for name in names:
        if name not in EXPERIMENTS:
            near = difflib.get_close_matches(name, EXPERIMENTS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(EXPERIMENTS)}"
            print(f"torchann reproduce: error: there is no experiment {name!r}; {hint}", file=sys.stderr)
            return 2
    if options.seeds < 1:
        print(f"torchann reproduce: error: --seeds is {options.seeds}; give 1 or more", file=sys.stderr)
        return 2
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    results = [
        reproduce(EXPERIMENTS[name], options.seeds, options.runs, output, options.data_dir, options.quiet)
        for name in dict.fromkeys(names)
    ]
    print("\n" + table(results, "simple"))
    (output / "chapter.md").write_text(markdown(results))
    print(f"\ntable and learning curves in {output}")
    for result in results:
        if result.why_not is not None:
            print(f"\n{result.experiment.name} was not run: {result.why_not}", file=sys.stderr)
    return 0 if all(result.in_band for result in results) else 1
