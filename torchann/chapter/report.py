"""The table of figures to meet against measured ones."""

from collections.abc import Sequence

from tabulate import tabulate

from torchann.chapter.experiment import Measurement, Published
from torchann.chapter.reproduce import Result
from torchann.files.run import versions

HEADERS = ["figure", "expected", "by", "measured", "range", "band", "in band"]
BY = """`by` says who expects a figure: `book`, an edition printed it; `peer`, scikit-learn gives it; `law`, arithmetic
or a theorem demands it; `own`, a threshold of this package."""


def table(results: Sequence[Result]) -> str:
    """A row per figure to meet: who expects it, the seeds' median and range, seconds per seed."""
    rows = [
        [result.experiment.name, *_row(result, published), _seconds(result)]
        for result in results
        for published in result.experiment.published
    ]
    return tabulate(rows, ["experiment", *HEADERS, "seconds"], "simple", disable_numparse=True)


def _text(measurement: Measurement) -> str:
    if isinstance(measurement, str):
        return measurement
    if 0 < abs(measurement) < 5e-4:
        return f"{measurement:.1e}"
    return f"{measurement:.4f}" if abs(measurement) < 10 else f"{measurement:.5g}"


def _seconds(result: Result) -> str:
    return f"{sorted(result.seconds)[len(result.seconds) // 2]:.1f}" if result.seconds else ""


def _row(result: Result, published: Published) -> list[str]:
    band = "equal" if published.band is None else "{:g} to {:g}".format(*published.band)
    row = [published.measurement, _text(published.value), published.by]
    if not result.outcomes:
        return [*row, "not run", "", band, ""]
    numbers = [measurement for measurement in result.measurements(published) if isinstance(measurement, float)]
    spread = f"{_text(min(numbers))} to {_text(max(numbers))}" if len(numbers) > 1 else ""
    median = result.median(published)
    same = isinstance(median, str) and median == published.value
    return [*row, "the same" if same else _text(median), spread, band, "yes" if result.in_band(published) else "NO"]


def _summary(results: Sequence[Result]) -> str:
    rows = []
    for result in results:
        figures = result.experiment.published
        met = f"{sum(map(result.in_band, figures))} of {len(figures)}" if result.outcomes else "not run"
        rows.append([result.experiment.name, result.experiment.section, met, _seconds(result)])
    return _page_table(rows, ["experiment", "section", "in band", "seconds"])


def _page_table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    # Without padding, which would make lines as long as the longest cells together.
    return "\n".join(f"| {' | '.join(row)} |" for row in [headers, ["---"] * len(headers), *rows])


def markdown(results: Sequence[Result]) -> str:
    """Figures and pictures as a Markdown page, a table for each experiment, with the versions that made them."""
    lines = ["# Expected and measured figures", "", BY, "", _summary(results), ""]
    seeds = max(len(result.outcomes) for result in results)
    lines += [f"Median and range over {seeds} seeds." if seeds > 1 else "One seed.", ""]
    for result in results:
        experiment = result.experiment
        lines += [f"## {experiment.title}", "", f"Section {experiment.section}; expected: {experiment.source}.", ""]
        rows = [_row(result, published) for published in experiment.published]
        lines += [_page_table(rows, HEADERS), ""]
        if not result.outcomes:
            lines += [f"Not run: {result.why_not}", ""]
            continue
        lines += [f"![{experiment.title}]({experiment.name}.png)", ""]
        if result.outcomes[0].text:
            lines += ["```text", result.outcomes[0].text, "```", ""]
    lines += ["Made with " + ", ".join(f"{name} {value}" for name, value in versions().items()) + "."]
    return "\n".join(lines) + "\n"
