"""The table of published against measured figures."""

from collections.abc import Sequence

from tabulate import tabulate

from torchann.chapter.experiment import Measurement, Published
from torchann.chapter.reproduce import Result
from torchann.files.run import versions

HEADERS = ["experiment", "figure", "published", "measured", "range", "band", "in band", "seconds"]


def table(results: Sequence[Result], style: str) -> str:
    """A row per published figure in a style of ``tabulate``: the seeds' median and range, seconds per seed."""
    rows = [_row(result, published) for result in results for published in result.experiment.published]
    return tabulate(rows, HEADERS, style, disable_numparse=True)


def _text(measurement: Measurement) -> str:
    if isinstance(measurement, str):
        return measurement
    if 0 < abs(measurement) < 5e-4:
        return f"{measurement:.1e}"
    return f"{measurement:.4f}" if abs(measurement) < 10 else f"{measurement:.5g}"


def _row(result: Result, published: Published) -> list[str]:
    band = "equal" if published.band is None else "{:g} to {:g}".format(*published.band)
    row = [result.experiment.name, published.measurement, _text(published.value)]
    if not result.outcomes:
        return [*row, "not run", "", band, "", ""]
    numbers = [measurement for measurement in result.measurements(published) if isinstance(measurement, float)]
    spread = f"{_text(min(numbers))} to {_text(max(numbers))}" if len(numbers) > 1 else ""
    seconds = sorted(result.seconds)[len(result.seconds) // 2]
    in_band = "yes" if result.in_band(published) else "NO"
    return [*row, _text(result.median(published)), spread, band, in_band, f"{seconds:.1f}"]


def markdown(results: Sequence[Result]) -> str:
    """The table and the pictures as a Markdown page, with the versions that made them."""
    lines = ["# Published and measured figures", ""]
    lines += [table(results, "github"), ""]
    seeds = max(len(result.outcomes) for result in results)
    lines += [f"Median and range over {seeds} seeds." if seeds > 1 else "One seed.", ""]
    for result in results:
        experiment = result.experiment
        lines += [f"## {experiment.title}", "", f"Section {experiment.section}; published: {experiment.source}.", ""]
        if not result.outcomes:
            lines += [f"Not run: {result.why_not}", ""]
            continue
        lines += [f"![{experiment.title}]({experiment.name}.png)", ""]
        if result.outcomes[0].text:
            lines += ["```text", result.outcomes[0].text, "```", ""]
    lines += ["Made with " + ", ".join(f"{name} {value}" for name, value in versions().items()) + "."]
    return "\n".join(lines) + "\n"
