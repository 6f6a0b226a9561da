"""Section 10.1.4, figure 10-8: activation functions beside their derivatives, those of the chapter and later ones."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from tabulate import tabulate
from torch import Tensor

from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.picture import picture
from torchann.nets.functional import ACTIVATIONS, STEP_FUNCTIONS, Activation

STEPS = {name: Activation(step, lambda z, a: torch.zeros_like(a)) for name, step in STEP_FUNCTIONS.items()}
SHOWN = ["sigmoid", "tanh", "relu"]  # the chapter's, after its steps; then the rest
SHOWN += [name for name in ACTIVATIONS if name not in SHOWN]
Z = torch.arange(-1000, 1001, dtype=torch.float64) / 200  # the corners are among them
DERIVATIVES = "largest difference of a derivative from autograd's"
IDENTITY = "largest difference of tanh(z) from 2 sigmoid(2z) - 1"
COLUMNS = 6


def curves(name: str, z: Tensor) -> tuple[Tensor, Tensor]:
    """An activation function and its derivative.

    Args:
        name: ``"heaviside"``, ``"sign"`` or one that :data:`~torchann.nets.functional.ACTIVATIONS` has.
        z: weighted sums, of any shape.

    Returns:
        The function's values and the derivative's, each in the shape of ``z``; where the function has a corner or
        jumps, the derivative is the one gradient descent gets in its place.

    Example:
        >>> curves("relu", torch.tensor([-1.0, 0.0, 2.0]))
        (tensor([0., 0., 2.]), tensor([0., 0., 1.]))
    """
    activation = (STEPS | ACTIVATIONS)[name]
    a = activation.function(z)
    return a, activation.derivative(z, a)


def difference_from_autograd(name: str, z: Tensor) -> float:
    """The largest difference between an activation's derivative and the one that autograd finds.

    Example:
        >>> difference_from_autograd("relu", torch.tensor([-1.0, 0.0, 2.0]))
        0.0
    """
    z = z.clone().requires_grad_()
    (slope,) = torch.autograd.grad(ACTIVATIONS[name].function(z).sum(), z)
    return (curves(name, z.detach())[1] - slope).abs().max().item()


def _run(setting: Setting) -> Outcome:
    shown = {name: curves(name, Z) for name in [*STEPS, *SHOWN]}
    differences = {name: difference_from_autograd(name, Z) for name in ACTIVATIONS}
    rows = []
    for name, (a, slope) in shown.items():
        difference = f"{differences[name]:.1e}" if name in differences else "flat, no gradient"
        rows.append([name, a.min().item(), a.max().item(), slope.min().item(), slope.max().item(), difference])
    headers = ["on [-5, 5]", "lowest", "highest", "slope from", "to", "difference from autograd"]
    text = tabulate(rows, headers, floatfmt=".4f", disable_numparse=[5], stralign="left")
    identity = (torch.tanh(Z) - (2 * torch.sigmoid(2 * Z) - 1)).abs().max().item()
    return Outcome({DERIVATIVES: max(differences.values()), IDENTITY: identity}, text=text, shown=shown)


JUMP = 0.05  # of a derivative between two points of the axis: no steep line either


@picture(12, 6.5, COLUMNS, -(-len([*STEPS, *SHOWN]) // COLUMNS), sharex=True, sharey=True)
def _draw(outcomes: Sequence[Outcome], *panels: Axes) -> None:
    shown: dict[str, tuple[Tensor, Tensor]] = outcomes[0].shown
    figure = panels[0].figure
    for panel, (name, (a, slope)) in zip(panels, shown.items(), strict=True):
        _draw_curves(panel, name, a, slope)
    figure.supxlabel("weighted sum z")
    figure.supylabel("value")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)


def _draw_curves(panel: Axes, name: str, a: Tensor, slope: Tensor) -> None:
    value = a.clone()
    if name in STEPS:
        value[a.diff(prepend=a[:1]) != 0] = torch.nan  # a jump is no steep line
    panel.plot(Z, value, color="tab:blue", linewidth=2, label="function")
    slope = slope.clone()
    slope[slope.diff(prepend=slope[:1]).abs() > JUMP] = torch.nan
    panel.plot(Z, slope, color="tab:orange", linewidth=1.5, linestyle="--", label="derivative")
    panel.set_title(name, fontsize=11)
    panel.set(xlim=(-5, 5), ylim=(-2, 3))
    panel.grid(alpha=0.3)


EXPERIMENTS = (
    Experiment(
        name="activations",
        section="10.1.4",
        title="Activation functions and their derivatives",
        published=(
            Published(DERIVATIVES, 0.0, (0.0, 1e-10), by="law"),
            Published(IDENTITY, 0.0, (0.0, 1e-15), by="law"),
        ),
        source="the chain rule, by autograd in double precision; the chapter's identity",
        run=_run,
        draw=_draw,
        takes_seeds=False,
    ),
)
