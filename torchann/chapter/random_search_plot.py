"""The candidates of the book's random search, drawn: what they were, and how they did."""

from collections.abc import Sequence
from math import exp, log
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from torchann.chapter.experiment import Outcome
from torchann.chapter.picture import picture

if TYPE_CHECKING:
    from torchann.chapter.random_search import Candidate, Trial

LIMITS = (0.28, 0.65)
ALIKE = 0.09  # of the logarithms of rates, whose markers would lie on one another
LOOKS = (("tab:purple", "s"), ("tab:orange", "^"), ("tab:green", "D"), ("tab:blue", "o"))  # by hidden layers


def short(loss: float) -> str:
    """A loss in a few characters, also one that has exploded."""
    return f"{loss:.4f}" if loss < 10 else f"{loss:.1e}"


@picture(11, 4.6, 2, grid=True)
def draw_trials(outcomes: Sequence[Outcome], by_rate: Axes, ranked: Axes) -> None:
    """Draw two panels: error against learning rate, and the candidates in order."""
    trials: Sequence[Trial] = outcomes[0].shown
    for layers, (colour, marker) in enumerate(LOOKS):
        by_rate.plot([], [], marker, color=colour, label="linear" if layers == 0 else f"{layers} hidden")
    for rank, trial in enumerate(trials):
        layers, neurons, rate = trial.candidate
        alike = [other.candidate[2] for other in trials[:rank] if abs(log(other.candidate[2] / rate)) < ALIKE]
        rate *= exp(ALIKE * ((len(alike) + 1) // 2) * (-1) ** len(alike))  # beside those of about the same rate
        colour, marker = LOOKS[layers]
        shown = min(trial.score, LIMITS[1] - 0.012)
        by_rate.plot(rate, shown, marker, color=colour, markersize=5 + neurons / 10, alpha=0.8)
        ranked.plot(shown, rank, marker, color=colour, markersize=8)
        ranked.plot(trial.best_score, rank, "o", color="black", fillstyle="none", markersize=8)
        if shown == trial.score:
            by_rate.plot(3 * [rate], trial.last, "_-", color=colour, linewidth=0.8, zorder=1)
            ranked.plot(trial.last, 3 * [rank], "|-", color=colour, linewidth=0.8, zorder=1)
        else:
            off = f"in truth {short(trial.score)}"
            for panel, place, below in ((by_rate, (rate, shown), -20), (ranked, (shown, rank), 9)):
                panel.annotate(off, place, (8, below), textcoords="offset points", ha="right")
    _describe(by_rate, ranked, [trial.candidate for trial in trials])


def _describe(by_rate: Axes, ranked: Axes, candidates: Sequence["Candidate"]) -> None:
    error = "mean squared error, (100,000 USD)²"
    by_rate.set(xlabel="learning rate (about the same ones side by side)", ylabel=error, xscale="log", ylim=LIMITS)
    by_rate.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    by_rate.xaxis.set_major_formatter("{x:g}")
    by_rate.xaxis.set_minor_formatter(NullFormatter())
    by_rate.legend(title="larger: more neurons", loc="upper left")
    ranked.plot([], [], "|-", color="0.4", label="folds and their mean")
    ranked.plot([], [], "o", color="black", fillstyle="none", label="mean, best restored")
    shapes = [f"{layers} × {neurons}" if layers else "linear" for layers, neurons, _ in candidates]
    names = [f"{shape}, {one.learning_rate:.4f}" for shape, one in zip(shapes, candidates, strict=True)]
    ranked.set_yticks(range(len(names)), names)
    ranked.set(xlabel=error, ylabel="hidden layers × neurons, rate", xlim=LIMITS)
    ranked.invert_yaxis()
    ranked.legend(loc="upper right")
