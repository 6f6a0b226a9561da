"""What a network ends with, drawn: output activations and losses of regression, cross-entropy of classification."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes

from torchann.chapter.experiment import Outcome
from torchann.chapter.picture import picture
from torchann.nets.heads import REGRESSION_LOSSES, REGRESSION_OUTPUTS, classification_objective, regression_objective

GREY, BLUE, SKY, RED, ORANGE = "0.4", "#0072b2", "#56b4e9", "#d55e00", "#e69f00"
BOUNDS = (1.0, 3.0)  # of the bounded outputs


def _draw_values(panel: Axes) -> None:
    z = torch.linspace(-5, 5, 501)[:, None]
    styles = iter([(GREY, ":"), (BLUE, "-"), (SKY, "--"), (RED, "-"), (ORANGE, "--")])
    for output, names in REGRESSION_OUTPUTS.items():
        for name in names:
            objective = regression_objective(1, "mse", output, BOUNDS if output == "bounded" else None, name)
            limits = ", {:g} to {:g}".format(*BOUNDS) if output == "bounded" else ""
            colour, style = next(styles)
            panel.plot(z, objective.activation(z), color=colour, linestyle=style, label=f"{output}{limits}: {name}")
    panel.set(title="Regression: output activations", xlabel="raw output", ylabel="value (unit of the target)")
    panel.legend(loc="lower right")


def _draw_losses(panel: Axes) -> None:
    error = torch.linspace(-3, 3, 301)[:, None]
    for name, (colour, style) in zip(REGRESSION_LOSSES, [(BLUE, "-"), (RED, "--"), (GREY, "-.")], strict=True):
        losses = regression_objective(1, name).losses(error, torch.zeros_like(error))
        panel.plot(error, losses, color=colour, linestyle=style, label=name)
    panel.set(title="Regression: losses", xlabel="error (unit of the target)", ylabel="loss (mse: the unit squared)")
    panel.legend(loc="upper center")


def _draw_cross_entropy(panel: Axes) -> None:
    z, objective = torch.linspace(-5, 5, 501)[:, None], classification_objective("binary", 2)
    for target, colour, style in ((1, BLUE, "-"), (0, RED, "--")):
        losses = objective.losses(z, torch.full((len(z),), target))
        panel.plot(z, losses, color=colour, linestyle=style, label=f"loss of a row of class {target}")
    panel.plot(z, objective.activation(z), color=GREY, linestyle=":", label="probability of class 1")
    panel.set(
        title="Binary classification: cross-entropy", xlabel="logit of class 1", ylabel="loss (nats), probability"
    )
    panel.legend(loc="upper center")


@picture(13, 4.2, 3, grid=True)
def draw_heads(outcomes: Sequence[Outcome], values: Axes, losses: Axes, cross_entropy: Axes) -> None:
    """Draw three panels, each curve computed by the heads themselves."""
    _draw_values(values)
    _draw_losses(losses)
    _draw_cross_entropy(cross_entropy)
