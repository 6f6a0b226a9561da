"""What a Trainer says in words: metrics in their units, for how long it will train, what a fit takes."""

from collections.abc import Mapping
from typing import Any

from tabulate import tabulate

from torchann.files.metric_name import MetricName
from torchann.nets.names import printable
from torchann.nets.readable import in_digits
from torchann.tasks.given_rows import is_rows

IN_TARGET_UNIT = ("mae", "rmse")
OF_LIGHTNING = 1_000
"""Epochs that Lightning trains for where nothing else is given."""


def metrics_in_words(found: Mapping[str, float], model: Any) -> str:
    """Return the metrics of a test or a validation, a line each, and the unit of those that have one.

    Args:
        found: metrics by the names they are logged under.
        model: that was measured.

    Example:
        >>> import torchann
        >>> model = torchann.RegressionMLP([], 2, 1, target_names=["price"])
        >>> print(metrics_in_words({"test_rmse": 61234.5, "test_loss": 0.25}, model))
        test_loss  0.25
        test_rmse  61,234  in the unit of price
    """
    names = getattr(model, "hparams", {}).get("target_names") or ["the target"]
    unit = f"in the unit of {names[0] if len(names) == 1 else 'the targets'}"
    with_unit = {name for name in found if MetricName.parse(name).name in IN_TARGET_UNIT}
    rows = [[name, in_digits(value), unit * (name in with_unit)] for name, value in sorted(found.items())]
    return printable(str(tabulate(rows, tablefmt="plain", disable_numparse=True, colalign=("left",) * 3)))


def length_in_words(max_epochs: int | None) -> str:
    """Return for how long a Trainer trains that was told nothing of it."""
    return f"training for at most {max_epochs or OF_LIGHTNING:,} epochs; give max_epochs for another number"


def check_rows_to_fit(train: Any, val: Any, more: Any) -> None:
    """Raise TypeError for rows as they are where a fit takes loaders or a data module.

    Args:
        train: what was given as training loaders.
        val: what was given as validation loaders.
        more: what was given as a data module.

    Raises:
        TypeError: with what to give.
    """
    parts = [*train, val] if isinstance(train, (tuple, list)) else [train, val]
    if not any(map(is_rows, [*parts, more])):
        return
    pair = isinstance(train, (tuple, list))
    given = f"({', '.join(type(part).__name__ for part in train)})" if pair else type(train).__name__
    given += f" and {type(val).__name__}" if is_rows(val) else ""
    raise TypeError(
        f"fit got {given} and takes loaders or a data module; give datamodule=torchann.TabularDataModule(x, y), or "
        "torchann.TensorLoader(x, y) for rows to be trained on as they are"
    )
