"""What goes on in each layer: weights, biases, gradients and activations as histograms, and how many units are dead."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from torchann.dashboard.graph import layer_name, not_compiled
from torchann.dashboard.sample import Sample, is_task, undisturbed

BINS = 64  # TensorBoard draws 30
KINDS = {"weight": "weights", "bias": "biases"}
UNCHANGED = (nn.Flatten, nn.Dropout, nn.Identity)


def write_layers(writer: SummaryWriter, task: Any, sample: Sample | None, epoch: int) -> None:
    """Writes the histograms of an epoch, and ``dead_relus``, the share of a layer's units that are 0 for every row.

    Activations and gradients are those of the sample, in evaluation mode; the gradient is that of its mean loss. They
    need a task that knows its loss, ``outputs_and_losses``.

    Args:
        writer: of the run; tags are ``weights/1_Linear`` and so on.
        task: a module; its weights, their gradients and its hooks are afterwards what they were.
        sample: rows to look at; None for the weights alone.
        epoch: the x-axis.
    """
    net = task.net if isinstance(getattr(task, "net", None), nn.Module) else task
    net = not_compiled(net)
    layers = {layer: layer_name(name, type(layer).__name__) for name, layer in net.named_modules()}
    for layer, name in layers.items():
        for kind, parameter in layer.named_parameters(recurse=False):
            _write(writer, f"{KINDS.get(kind, kind)}/{name}", parameter, epoch)
    if sample is None or not is_task(task):
        return
    activations, gradients = _look(task, net, sample)
    for layer, calls in activations.items():
        if not isinstance(layer, UNCHANGED):
            _write(writer, f"activations/{layers[layer]}", torch.cat([outputs.flatten() for outputs in calls]), epoch)
        if isinstance(layer, nn.ReLU):
            dead = torch.cat([(outputs.flatten(1) == 0).all(0) for outputs in calls])
            writer.add_scalar(f"dead_relus/{layers[layer]}", dead.float().mean().item(), epoch)
    for layer, name in layers.items():
        for kind, parameter in layer.named_parameters(recurse=False):
            if parameter in gradients:
                _write(writer, f"gradients/{name}.{kind}", gradients[parameter], epoch)


def _look(
    task: Any, net: nn.Module, sample: Sample
) -> tuple[dict[nn.Module, list[Tensor]], dict[nn.Parameter, Tensor]]:
    activations: dict[nn.Module, list[Tensor]] = {}

    def keep(layer: nn.Module, inputs: Any, outputs: Any) -> None:
        if isinstance(outputs, Tensor):
            # A copy, as what follows may work in place; a list, as a layer may be called more than once.
            activations.setdefault(layer, []).append(outputs.detach().clone())

    hooks = [layer.register_forward_hook(keep) for layer in net.modules() if not list(layer.children())]
    wanted = [parameter for parameter in net.parameters() if parameter.requires_grad]
    try:
        with undisturbed(task), torch.enable_grad():
            _, losses = task.outputs_and_losses(sample.x, task.prepare_target(sample.y))
            found = torch.autograd.grad(losses.mean(), wanted, allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
    gradients = zip(wanted, found, strict=True)
    return activations, {parameter: gradient for parameter, gradient in gradients if gradient is not None}


def _write(writer: SummaryWriter, tag: str, values: Tensor, epoch: int) -> None:
    values = values.detach().double()
    values = values[values.isfinite()]
    if len(values):  # of a run that has diverged there may be none
        low, high = values.min().item(), values.max().item()
        bins: Any = BINS
        if high - low <= 1e-9 * max(abs(low), abs(high)):  # all the same, and NumPy finds no room for bins between
            margin = max(0.5, 1e-6 * abs(low))
            bins = np.linspace(low - margin, high + margin, BINS + 1)
        writer.add_histogram(tag, values, epoch, bins=bins)
