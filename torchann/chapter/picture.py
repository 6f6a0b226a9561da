"""The frame that pictures of experiments share: a titled figure with panels."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from matplotlib.figure import Figure

from torchann.chapter.experiment import Outcome
from torchann.pictures.style import Styled


def picture(
    width: float, height: float, columns: int = 1, rows: int = 1, grid: bool = False, **options: Any
) -> Callable[[Callable[..., None]], Callable[[Sequence[Outcome], str], Figure]]:
    """Make a function that draws outcomes on the panels it is given one that returns a titled figure.

    Args:
        width: inches.
        height: inches.
        columns: panels beside each other.
        rows: panels below each other.
        grid: draw a faint grid on all panels.
        options: other arguments of matplotlib's ``subplots``.
    """

    def decorate(draw: Callable[..., None]) -> Callable[[Sequence[Outcome], str], Figure]:
        @Styled()
        @wraps(draw)
        def drawn(outcomes: Sequence[Outcome], title: str) -> Figure:
            figure = Figure(figsize=(width, height), layout="constrained")
            figure.suptitle(title)
            panels = figure.subplots(rows, columns, squeeze=False, **options).flat
            draw(outcomes, *panels)
            for panel in figure.axes if grid else ():
                panel.grid()
            return figure

        return drawn

    return decorate
