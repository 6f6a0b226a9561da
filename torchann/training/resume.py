"""What a run is made of beside what Lightning keeps of it: its generators, its figures, the rows under way."""

from enum import Enum
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import CombinedLoader

from torchann.engine.generators import generator_states, restore_generators, seed_generators, seed_shuffle
from torchann.files.checkpoint_files import read_together
from torchann.training.early_stopping import EarlyStopping
from torchann.training.interrupts import interruption
from torchann.training.lightning_internals import load_waiting_loader_states, pass_over_batches, restored_by_tuner

TRAINER_SETTINGS = (
    "precision", "gradient_clip_val", "gradient_clip_algorithm", "accumulate_grad_batches", "overfit_batches",
    "limit_train_batches", "limit_val_batches", "val_check_interval", "check_val_every_n_epoch",
)  # fmt: skip
"""Arguments of the Trainer that change what is trained, or which epoch is the best."""


class RunState(Callback):
    """Makes a run a function of its seed, and a run that goes on the run that was never stopped.

    The generators are seeded anew in each epoch, by the seed and the epoch, and are after a validation what they were
    before it: nothing that is drawn beside training changes it. Checkpoints hold the generators' states of all
    processes, the latest figures, and whether training was about to end.

    Args:
        seed: of the run, a whole number from 0.

    Raises:
        ValueError: on resuming, if the fit has other settings than the run that it is to go on with.

    Example:
        >>> RunState(seed=42).seed
        42
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.goes_on_with: str | Path | None = None
        """The checkpoint of the fit that is about to begin."""
        self._saved: dict[str, Any] = {}
        self._generators: dict[str, Any] | None = None
        self._before_validation: dict[str, Any] | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Compares settings with those of the run to go on with, before anything of it is changed or loaded."""
        self._generators = None
        if stage != "fit" or self.goes_on_with is None:
            return
        checkpoint = read_together(self.goes_on_with)
        saved = checkpoint.get("torchann_run")
        if saved is None:
            return
        now = self._settings(trainer, pl_module)
        told = (*TRAINER_SETTINGS, *getattr(trainer.datamodule, "run_settings", ()))  # type: ignore[attr-defined]
        known = {n: value for n, value in now.items() if value is not None or n in told}  # the rest comes from the data
        callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
        chosen = [name for callback in callbacks for name in getattr(callback, "chooses", ())]
        not_yet = dict.fromkeys(["steps_per_execution", *chosen])
        _compare({**saved["settings"], **not_yet}, {**known, **not_yet})
        done = checkpoint["epoch"] + (0 if saved["within_epoch"] else 1)
        if trainer.max_epochs not in (None, -1) and trainer.max_epochs < done:
            wanted = f"max_epochs is {trainer.max_epochs}; give at least {done}"
            raise ValueError(f"the run to go on with has {done} epochs and {wanted}")

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Goes on where a checkpoint stopped."""
        saved, self._saved = self._saved, {}
        load_waiting_loader_states(trainer)
        if not saved:
            return
        if not saved["within_epoch"]:
            del saved["settings"]["steps_per_execution"]
        _compare(saved["settings"], self._settings(trainer, pl_module))
        own = saved["processes"][trainer.global_rank]
        if saved["within_epoch"]:
            self._pass_over_batches(trainer)
            self._generators = own["generators"]
            if own["task"] is not None:
                pl_module.load_epoch_state(own["task"])  # type: ignore[operator]
        trainer.callback_metrics.update(saved["figures"])
        trainer.should_stop |= saved["should_stop"]

    def _pass_over_batches(self, trainer: pl.Trainer) -> None:
        # A loader of torch cannot begin in the middle of an epoch: it reads once more what was trained on.
        loaders = CombinedLoader(trainer.train_dataloader).flattened
        if any(hasattr(loader, "load_state_dict") for loader in loaders):
            return
        for loader in loaders:
            seed_shuffle(loader, self.seed, trainer.current_epoch)
        pass_over_batches(trainer)

    def on_train_batch_start(self, *_: Any) -> None:
        """Puts the generators where they were within the epoch, after all that is drawn while a fit starts."""
        if self._generators is not None:
            restore_generators(self._generators)
            self._generators = None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Seeds the generators by the epoch, and the order of a ``DataLoader(shuffle=True)``."""
        seed_generators(self.seed, trainer.current_epoch, trainer.global_rank)
        for loader in CombinedLoader(trainer.train_dataloader).flattened:
            seed_shuffle(loader, self.seed, trainer.current_epoch)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remembers the generators."""
        self._before_validation = generator_states()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Puts them back."""
        if self._before_validation is not None:
            restore_generators(self._before_validation)
            self._before_validation = None

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: Any) -> None:
        """Adds to a checkpoint what it is to hold."""
        task = None if trainer.is_last_batch else getattr(pl_module, "epoch_state", None)
        checkpoint["torchann_run"] = {
            "settings": self._settings(trainer, pl_module),
            "within_epoch": not trainer.is_last_batch,
            "processes": _of_all_processes(
                {"generators": self._before_validation or generator_states(), "task": task and task()}
            ),
            "figures": {name: figure.cpu() for name, figure in trainer.callback_metrics.items()},
            "should_stop": trainer.should_stop and interruption(trainer) is None and not _stopped_early(trainer),
        }

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: Any) -> None:
        """Takes it out again, for the start of training; a tuner that puts back what it found resumes nothing."""
        resumes = trainer.state.fn == "fit" and not restored_by_tuner(trainer)
        self._saved = checkpoint.get("torchann_run", {}) if resumes else {}

    def _settings(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        loader = trainer.train_dataloader
        found = {
            "seed": self.seed,
            "processes": trainer.world_size,
            "the data's seed": getattr(data, "seed", None),
            "batch_size": getattr(data, "batch_size", None) or getattr(loader, "batch_size", None),
            **{name: _value(getattr(trainer, name)) for name in TRAINER_SETTINGS},
            **getattr(data, "run_settings", {}),
        }
        if pl_module.hparams.get("lr_schedule") in ("cosine", "one_cycle"):  # laid out for the length of the run
            found["max_epochs"], found["max_steps"] = trainer.max_epochs, trainer.max_steps
        hparams = {name: value for name, value in pl_module.hparams.items() if _plain(value)}
        # Mini-batches per call change no bit, but an epoch must end in the calls that it began with.
        calls = {"steps_per_execution": getattr(loader, "steps_per_execution", None)}
        return {**hparams, **found, **calls}


def _stopped_early(trainer: pl.Trainer) -> bool:
    # It decides anew, perhaps with more patience.
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return any(isinstance(callback, EarlyStopping) and callback.stopped_epoch for callback in callbacks)


def _compare(saved: dict[str, Any], now: dict[str, Any]) -> None:
    for name, value in saved.items():
        if name in now and now[name] != value and name.endswith(" rows"):
            raise ValueError(
                f"the run to go on with had {value} {name} and this fit has {now[name]}; give the table and the split "
                "as they were, or start a new run"
            )
        if name in now and now[name] != value:
            raise ValueError(
                f"the run to go on with had {name}={value!r} and this fit has {now[name]!r}; give {value!r}, or start "
                "a new run (from its weights: load_from_checkpoint, then fit)"
            )


def _value(setting: Any) -> Any:
    return setting.value if isinstance(setting, Enum) else setting


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, list, dict))


def _of_all_processes(value: Any) -> list[Any]:
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [value]
    values: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, value)
    return values
