"""The charts of TensorBoard's custom scalars: what belongs together on one chart, by run."""

import re
from collections.abc import Sequence

from torchann.files.metric_name import MetricName

Layout = dict[str, dict[str, list[str | list[str]]]]


def layout(figures: Sequence[str], layers: bool, steps: bool) -> Layout:
    """Charts by category, as ``SummaryWriter.add_custom_scalars`` takes them.

    Args:
        figures: that a fit logs, ``train_loss``, ``val_accuracy`` and so on.
        layers: whether there are figures of layers.
        steps: whether there are losses of steps.

    Example:
        >>> layout(["train_loss", "val_loss", "lr"], layers=False, steps=False)["training and validation"]
        {'loss': ['Multiline', ['^loss$']], 'lr': ['Multiline', ['^lr$']]}
    """
    tags = [MetricName.parse(name).tag for name in figures]
    charts: Layout = {
        "training and validation": {tag: ["Multiline", [f"^{re.escape(tag)}$"]] for tag in dict.fromkeys(tags)}
    }
    if layers:
        charts["layers"] = {"dead ReLUs, share of units": ["Multiline", ["^dead_relus/"]]}
    if steps:
        charts["steps"] = {"loss": ["Multiline", ["^batch_loss$"]]}
    charts["speed"] = {
        "seconds per epoch": ["Multiline", ["^speed/seconds_per_epoch$"]],
        "rows per second": ["Multiline", ["^speed/rows_per_second$"]],
    }
    return charts
