"""Section 10.1.4: a wide enough layer with activations comes as close to a continuous function as one likes."""

import math
from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from torch import Tensor

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.picture import picture
from torchann.engine.backprop import Backprop
from torchann.nets.heads import regression_objective
from torchann.nets.mlp import MLP

WIDTHS = (1, 2, 4, 8, 16, 32)
ERROR = f"largest error with {WIDTHS[-1]} neurons"
GIVEN_ERROR = 0.01
INTERVAL = (-2 * math.pi, 2 * math.pi)
ROWS, STEPS = 100, 400


def fit_curve(x: Tensor, y: Tensor, width: int, steps: int) -> MLP:
    """Fit one hidden layer of tanh neurons to values ``(rows, 1)`` by at most so many steps of L-BFGS on all rows."""
    net, head = MLP(1, [width], 1, "tanh", "normal", {"std": 0.5}, "normal").double(), regression_objective(1)
    backprop = Backprop(net, head.error)
    optimizer = torch.optim.LBFGS(
        net.parameters(), max_iter=steps, tolerance_change=0, history_size=20, line_search_fn="strong_wolfe"
    )
    optimizer.step(lambda: head.losses(backprop.gradients(x, y), y).mean())  # type: ignore[no-untyped-call]
    return net


def _run(setting: Setting) -> Outcome:
    x = torch.linspace(*INTERVAL, ROWS, dtype=torch.float64)[:, None]
    between = torch.linspace(*INTERVAL, 20 * ROWS + 1, dtype=torch.float64)[:, None]
    fits, errors = {}, {}
    for width in WIDTHS:
        with torch.no_grad():
            fits[width] = fit_curve(x, x.sin(), width, STEPS)(between)[:, 0]
        errors[width] = (fits[width] - between[:, 0].sin()).abs().max().item()
    text = "\n".join(f"{width:4} neurons: largest error {error:.5f}" for width, error in errors.items())
    return Outcome({ERROR: errors[WIDTHS[-1]]}, text=text, shown=(between[:, 0], fits, errors))


@picture(10.5, 4, 2, grid=True)
def _draw(outcomes: Sequence[Outcome], curves: Axes, errors: Axes) -> None:
    x, fits, _ = outcomes[0].shown
    curves.plot(x, x.sin(), color="0.75", linewidth=5, label="sin x")
    for width, colour, style in zip((1, 2, 32), ("tab:orange", "tab:blue", "black"), (":", "--", "-"), strict=True):
        curves.plot(x, fits[width], color=colour, linestyle=style, label=f"{width} neuron{'s'[: width - 1]}")
    curves.set(xlabel="x", ylabel="y")
    curves.legend(fontsize=8)
    for outcome in outcomes:
        errors.plot(WIDTHS, outcome.shown[2].values(), color="tab:blue", marker="o", alpha=0.8)
    errors.axhline(GIVEN_ERROR, color="tab:orange", linestyle="--", label=f"given error {GIVEN_ERROR:g}")
    errors.set(xlabel="hidden neurons", ylabel="largest error on the interval", xscale="log", yscale="log")
    errors.set_xticks(WIDTHS, [str(width) for width in WIDTHS], minor=False)
    errors.legend()


EXPERIMENTS = (
    Experiment(
        name="approximation",
        section="10.1.4",
        title="sin x by one hidden layer of tanh neurons",
        published=(Published(ERROR, 0.0, (0.0, GIVEN_ERROR), by="own"),),
        source="the universal approximation theorem (Cybenko 1989), for a given error of 0.01",
        run=_run,
        draw=_draw,
    ),
)
