"""The table of published against measured figures."""

from collections.abc import Sequence

from tabulate import tabulate

from torchann.chapter.experiments import Figure
from torchann.chapter.reproduce import Result
from torchann.runs import versions

HEADERS = ["experiment", "figure", "published", "measured", "range", "band", "in band", "seconds"]


def table(results: Sequence[Result], style: str) -> str:
    """A row per experiment: the published figure, the median over the seeds and their range, seconds per seed.

    Args:
        results: the experiments, run or not.
        style: a format of ``tabulate``.
    """
    return tabulate([_row(result) for result in results], HEADERS, style, disable_numparse=True)


def _text(figure: Figure) -> str:
    return f"{figure:.4f}" if isinstance(figure, float) else figure


def _row(result: Result) -> list[str]:
    experiment = result.experiment
    band = "equal" if experiment.band is None else "{:g} to {:g}".format(*experiment.band)
    row = [experiment.name, experiment.figure, _text(experiment.published)]
    if not result.figures:
        return [*row, "not run", "", band, "", ""]
    numbers = [figure for figure in result.figures if isinstance(figure, float)]
    spread = f"{min(numbers):.4f} to {max(numbers):.4f}" if len(numbers) > 1 else ""
    seconds = sorted(result.seconds)[len(result.seconds) // 2]
    return [*row, _text(result.median), spread, band, "yes" if result.in_band else "NO", f"{seconds:.1f}"]


def markdown(results: Sequence[Result]) -> str:
    """The table and the learning curves as a Markdown page, with the versions that made them.

    Args:
        results: the experiments, run or not.
    """
    lines = ["# Published and measured figures", ""]
    lines += [table(results, "github"), ""]
    seeds = max(len(result.figures) for result in results)
    lines += [f"Median and range over {seeds} seeds." if seeds > 1 else "One seed.", ""]
    for result in results:
        experiment = result.experiment
        lines += [f"## {experiment.title}", "", f"Section {experiment.section}; published: {experiment.source}.", ""]
        lines += [f"![learning curves]({experiment.name}.png)" if result.figures else f"Not run: {result.why_not}", ""]
    lines += ["Made with " + ", ".join(f"{name} {value}" for name, value in versions().items()) + "."]
    return "\n".join(lines) + "\n"
