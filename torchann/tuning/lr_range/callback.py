"""The learning-rate range test as a callback: before training starts, on a copy of what is about to be trained."""

from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from torchann.training.lightning_internals import data_of_fit
from torchann.tuning.lr_range.result import RateRange
from torchann.tuning.lr_range.test import learning_rate_range

ACCELERATORS = {"cuda": "gpu"}


class LearningRateFinder(Callback):
    """Takes a range test of the model before its first epoch, and trains with the rate found if that is asked for.

    The test takes a copy of the model through the Trainer's training rows, on its device, with its precision and its
    clipping; the run that follows has the bits that it has without it. A run that goes on from a checkpoint keeps what
    was found. In the place of Lightning's callback of this name, which returns 1e-08 for modules that step by
    themselves, and leaves files behind.

    Args:
        min_lr: the first rate.
        max_lr: the last rate; 10 if it does not follow from the others.
        steps: how many; 1,000 if they do not follow from the others.
        factor: by which the rate grows in each step, in place of ``steps`` or of ``max_lr``.
        update: steepest (where the loss falls fastest) or half (the book's rule: half of where it shoots up) becomes
            the model's ``lr`` and that of its optimiser; null to train with the rate that was given.

    Attributes:
        result: what was measured, None before.

    Raises:
        ValueError: for an unknown rule, a curve that has no such rate, or a model that keeps its rate elsewhere.
        RuntimeError: in several processes.

    Example:
        >>> import torchann
        >>> finder = LearningRateFinder(update="half")
        >>> options = {"max_epochs": 1, "logger": False, "enable_checkpointing": False, "quiet": True}
        >>> trainer = torchann.Trainer(callbacks=[finder], **options)
        >>> trainer.fit(torchann.RegressionMLP([30]), datamodule=torchann.CaliforniaHousingDataModule())
        >>> trainer.lightning_module.hparams["lr"] == finder.result.half
        True
    """

    min_lr: float
    max_lr: float | None
    steps: int | None
    factor: float | None

    def __init__(
        self,
        min_lr: float = 1e-5,
        max_lr: float | None = None,
        steps: int | None = None,
        factor: float | None = None,
        update: Literal["steepest", "half"] | None = None,
    ) -> None:
        if update not in (None, "steepest", "half"):
            raise ValueError(f"update is {update!r}; give steepest, half, or None for the rate that the model has")
        self.min_lr, self.max_lr, self.steps, self.factor, self.update = min_lr, max_lr, steps, factor, update
        self.result: RateRange | None = None
        self.chooses: tuple[str, ...] = ("lr",) if update else ()
        """Hyperparameters that need not be those of the run to go on with, as the checkpoint's are put in place."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes the test, once in a run."""
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        if not trainer.ckpt_path:
            if trainer.world_size > 1:
                raise RuntimeError(
                    f"LearningRateFinder in {trainer.world_size} processes; call learning_rate_range before the fit"
                )
            self.result = self._test(trainer, pl_module)
            if not getattr(trainer, "quiet", False):
                print(f"learning-rate range test: {self.result.advice}")
        if self.update and self.result is not None:
            self._update(trainer, pl_module, self.result)

    def _test(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> RateRange:
        source = data_of_fit(trainer)
        data: Any = trainer.datamodule or (None if source is pl_module else source)  # type: ignore[attr-defined]
        return learning_rate_range(
            pl_module,
            data,
            self.min_lr,
            self.max_lr,
            self.steps,
            self.factor,
            seed=getattr(trainer, "seed", 42),
            **step_options(trainer),
        )

    def _update(self, trainer: pl.Trainer, pl_module: pl.LightningModule, found: RateRange) -> None:
        rate = found.steepest if self.update == "steepest" else found.half
        if rate is None:
            raise ValueError(f"update is {self.update!r} and {found.advice}; give another range, or no update")
        if "lr" not in pl_module.hparams:
            raise ValueError(f"update is {self.update!r} and {type(pl_module).__name__} has no hyperparameter lr")
        pl_module.hparams["lr"] = rate
        trainer.strategy.setup_optimizers(trainer)  # anew: schedules begin from the rate, too

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"result": None if self.result is None else dict(vars(self.result))}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a checkpoint."""
        self.result = None if state_dict["result"] is None else RateRange(**state_dict["result"])


def step_options(trainer: pl.Trainer) -> dict[str, Any]:
    """Lightning's arguments that change a step, as they were given to a Trainer; for one device.

    Args:
        trainer: before or in a fit.

    Example:
        >>> step_options(pl.Trainer(gradient_clip_val=1.0, accelerator="cpu", logger=False))["gradient_clip_val"]
        1.0
    """
    device = trainer.strategy.root_device
    found = {name: getattr(trainer, name) for name in ("precision", "gradient_clip_val", "gradient_clip_algorithm")}
    found["accelerator"] = ACCELERATORS.get(device.type, device.type)
    return found | {"devices": 1 if device.index is None else [device.index]}
