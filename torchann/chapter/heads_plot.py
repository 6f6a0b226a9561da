"""What a network ends with, drawn: output activations and losses of regression, cross-entropy of classification."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from torchann.nets.heads import REGRESSION_LOSSES, REGRESSION_OUTPUTS, classification_objective, regression_objective

GREY, BLUE, SKY, RED, ORANGE = "0.4", "#0072b2", "#56b4e9", "#d55e00", "#e69f00"


def draw_heads(bounds: tuple[float, float], title: str) -> Figure:
    """Three panels, each curve computed by the heads themselves.

    Args:
        bounds: lowest and highest value of the bounded outputs.
        title: above the picture.
    """
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    figure.suptitle(title)
    panels = figure.subplots(1, 3)
    _draw_values(panels[0], bounds)
    _draw_losses(panels[1])
    _draw_cross_entropy(panels[2])
    for panel, place in zip(panels, ("lower right", "upper center", "upper center"), strict=True):
        panel.grid(alpha=0.3)
        panel.legend(loc=place)
    return figure


def _draw_values(panel: Axes, bounds: tuple[float, float]) -> None:
    z = torch.linspace(-5, 5, 501)[:, None]
    styles = iter([(GREY, ":"), (BLUE, "-"), (SKY, "--"), (RED, "-"), (ORANGE, "--")])
    for output, names in REGRESSION_OUTPUTS.items():
        for name in names:
            objective = regression_objective(1, "mse", output, bounds if output == "bounded" else None, name)
            limits = ", {:g} to {:g}".format(*bounds) if output == "bounded" else ""
            colour, style = next(styles)
            panel.plot(z, objective.activation(z), color=colour, linestyle=style, label=f"{output}{limits}: {name}")
    panel.set(title="Regression: output activations", xlabel="raw output", ylabel="value (unit of the target)")


def _draw_losses(panel: Axes) -> None:
    error = torch.linspace(-3, 3, 301)[:, None]
    for name, (colour, style) in zip(REGRESSION_LOSSES, [(BLUE, "-"), (RED, "--"), (GREY, "-.")], strict=True):
        losses = regression_objective(1, name).losses(error, torch.zeros_like(error))
        panel.plot(error, losses, color=colour, linestyle=style, label=name)
    panel.set(title="Regression: losses", xlabel="error (unit of the target)", ylabel="loss (mse: the unit squared)")


def _draw_cross_entropy(panel: Axes) -> None:
    z, objective = torch.linspace(-5, 5, 501)[:, None], classification_objective("binary", 2)
    for target, colour, style in ((1, BLUE, "-"), (0, RED, "--")):
        losses = objective.losses(z, torch.full((len(z),), target))
        panel.plot(z, losses, color=colour, linestyle=style, label=f"loss of a row of class {target}")
    panel.plot(z, objective.activation(z), color=GREY, linestyle=":", label="probability of class 1")
    panel.set(
        title="Binary classification: cross-entropy", xlabel="logit of class 1", ylabel="loss (nats), probability"
    )
