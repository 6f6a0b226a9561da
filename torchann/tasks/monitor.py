"""What a callback watches: which figures there are, and whether they should fall or rise."""

from collections.abc import Sequence
from typing import Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from torchann.files.history import no_such_figure
from torchann.files.metric_name import MetricName

TRUSTED = ("torchann.", "lightning.")


def check_monitors(trainer: pl.Trainer, names: Sequence[str]) -> None:
    """Raises if a callback watches a figure that nobody will log.

    Nothing can be known where a task or a callback of someone else's may log figures of its own.

    Args:
        trainer: about to fit.
        names: of all figures that the task logs in training and in validation.

    Raises:
        ValueError: with the figures there are.
    """
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    if not all(type(part).__module__.startswith(TRUSTED) for part in (trainer.lightning_module, *callbacks)):
        return
    logged = [name for name in names if trainer.enable_validation or MetricName.parse(name).stage != "val"]
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        of_lightning = ["epoch", "step"] if isinstance(callback, Checkpoint) else []
        if monitor is None or monitor in (*logged, *of_lightning):
            continue
        message = no_such_figure(monitor, logged)
        if monitor in names:
            message = f"there is no validation; give validation rows, or watch one of {', '.join(logged)}"
        raise ValueError(f"{type(callback).__name__} watches {monitor!r} and {message}")


def direction(monitor: str, pl_module: pl.LightningModule) -> Literal["min", "max"]:
    """Whether a figure should fall or rise: losses and the learning rate fall, metrics say it of themselves.

    Args:
        monitor: a logged figure.
        pl_module: that logs it.

    Raises:
        ValueError: if nobody knows.

    Example:
        >>> direction("val_loss", pl.LightningModule())
        'min'
    """
    if monitor.endswith("loss"):
        return "min"
    found: dict[str, bool] = {}
    for path, metric in pl_module.named_modules():
        name, higher_is_better = path.rpartition(".")[2], getattr(metric, "higher_is_better", None)
        if higher_is_better is not None and f"_{monitor}".endswith(f"_{name}"):
            found[name] = higher_is_better
    if found:
        return "max" if found[max(found, key=len)] else "min"  # val_r2_mae is the R2 of the target mae
    raise ValueError(f"nobody says whether {monitor!r} should fall or rise; give mode='min' or mode='max'")
