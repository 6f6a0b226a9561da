"""A run and the folder it leaves: config, checkpoints, TensorBoard events, history, versions."""

import json
import logging
import platform
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, Checkpoint, ModelCheckpoint, ProgressBar
from lightning.pytorch.loggers import Logger

from torchann.callbacks.best_and_last import BestAndLast
from torchann.callbacks.progress import Progress
from torchann.dashboard.run_logger import RunLogger

PACKAGES = ("torchann", "torch", "lightning", "torchmetrics", "scikit-learn", "tensorboard", "numpy")
IRRELEVANT = (
    ".*treespec, LeafSpec.* is deprecated",  # Lightning on new torch
    "The number of training batches .* is smaller than the logging interval",  # figures are logged per epoch
    "Checkpoint directory .* exists and is not empty",  # every run has its own
    "The dirpath has changed from .* `best_model_score`",  # a resumed run has its own best
    "Using ModelCheckpoint with manual optimization and every_n_train_steps",  # weights and step are those of the step
    "`max_epochs` was not set",  # the default is documented
    "You defined a `validation_step` but have no `val_dataloader`",  # the training loss is watched instead
)


class RunFolderError(FileNotFoundError):
    """A run or checkpoint that was asked for is not there."""


class Trainer(pl.Trainer):
    """Lightning's Trainer with the defaults of this project: each run leaves one folder, and the screen stays quiet.

    The folder ``runs/name/001`` (and so on) holds the checkpoints ``best`` (lowest validation loss) and ``last``,
    TensorBoard events, ``history.csv`` and ``versions.json``. All of Lightning's own arguments work as they do there.

    Args:
        runs: the folder of all runs.
        name: what is being tried; its runs are numbered below ``runs/name``.
        quiet: no progress bars and no closing line.
        callbacks: callbacks of your own, beside the ones above; a checkpoint or progress callback takes their place.
        logger: a logger of your own in place of the run folder; false for none, and no checkpoints but your own.
        num_sanity_val_steps: validation batches before the first epoch; none, as epochs are short.
        enable_checkpointing: false for none.
        enable_progress_bar: false for none.
        enable_model_summary: Lightning's table of layers.
        kwargs: Lightning's arguments.

    Example:
        >>> import tempfile, torchann
        >>> trainer = torchann.Trainer(runs=tempfile.mkdtemp(), name="demo", max_epochs=2, quiet=True)
        >>> trainer.fit(torchann.RegressionMLP([30]), datamodule=torchann.CaliforniaHousingDataModule())
        >>> sorted(path.name for path in trainer.run_folder.iterdir() if not path.name.startswith("events"))
        ['checkpoints', 'history.csv', 'train', 'validation', 'versions.json']
    """

    def __init__(
        self,
        *,
        runs: str = "runs",
        name: str = "run",
        quiet: bool = False,
        callbacks: list[Callback] | Callback | None = None,
        logger: Logger | list[Logger] | bool | None = None,
        num_sanity_val_steps: int = 0,
        enable_checkpointing: bool = True,
        enable_progress_bar: bool = True,
        enable_model_summary: bool = False,
        **kwargs: Any,
    ) -> None:
        quieten_framework()
        self.quiet = quiet
        callbacks = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or [])
        own_checkpoint = any(isinstance(callback, Checkpoint) for callback in callbacks)
        if logger is None or logger is True:
            logger = RunLogger(runs, name)
            callbacks.append(_RunRecord(quiet))
            if enable_checkpointing and not own_checkpoint:
                callbacks.append(BestAndLast())
        elif logger is False:
            enable_checkpointing = own_checkpoint
        enable_progress_bar = enable_progress_bar and not quiet
        if enable_progress_bar and not any(isinstance(callback, ProgressBar) for callback in callbacks):
            callbacks.append(Progress())
        super().__init__(
            logger=logger,
            callbacks=callbacks,
            num_sanity_val_steps=num_sanity_val_steps,
            enable_checkpointing=enable_checkpointing,
            enable_progress_bar=enable_progress_bar,
            enable_model_summary=enable_model_summary,
            **kwargs,
        )

    def fit(self, *args: Any, **kwargs: Any) -> None:
        """Trains a model; takes the arguments of Lightning's Trainer.

        Raises:
            KeyboardInterrupt: after Ctrl-C, where Lightning ends the whole program.
        """
        with self._interruptible():
            super().fit(*args, **kwargs)

    def validate(self, *args: Any, **kwargs: Any) -> Any:
        """Measures on validation rows; takes the arguments of Lightning's Trainer."""
        with self._interruptible():
            return super().validate(*args, **kwargs)

    def test(self, *args: Any, **kwargs: Any) -> Any:
        """Measures on test rows; takes the arguments of Lightning's Trainer."""
        with self._interruptible():
            return super().test(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Predicts; takes the arguments of Lightning's Trainer."""
        with self._interruptible():
            return super().predict(*args, **kwargs)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        handler = signal.getsignal(signal.SIGINT)
        try:
            yield
        except SystemExit as end:
            if not isinstance(end.__context__, KeyboardInterrupt):
                raise
            signal.signal(signal.SIGINT, handler)
            where = ""
            if self.state.fn == "fit":
                last = getattr(self.checkpoint_callback, "last_model_path", "")
                where = f" in epoch {self.current_epoch + 1}; "
                where += f"the last checkpoint is {last}" if last else "no epoch was finished, there is no checkpoint"
            print(f"interrupted{where}", file=sys.stderr)
            raise KeyboardInterrupt from None

    @property
    def run_folder(self) -> Path:
        """Where this run's files are."""
        return Path(self.log_dir or self.default_root_dir)


class _RunRecord(Callback):
    """What the run's folder says of how it came about, and the line that says where it is."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        folder = Path(trainer.log_dir or ".")  # all processes ask: the first tells the others
        if not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        data = {name: getattr(trainer.datamodule, name, None) for name in ("batch_size", "seed")}  # type: ignore[attr-defined]
        for logger in trainer.loggers:
            logger.log_hyperparams({**pl_module.hparams, **data, "max_epochs": trainer.max_epochs})
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "versions.json").write_text(json.dumps(versions(), indent=2) + "\n")

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        folder = trainer.log_dir
        if self.quiet or not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        best, figure = trainer.checkpoint_callback, ""
        if isinstance(best, ModelCheckpoint) and best.best_model_score is not None:
            figure = f"best {best.monitor} {best.best_model_score:.4f}; "
            if not trainer.callback_metrics.get(best.monitor or "", best.best_model_score).isfinite():
                figure = f"{best.monitor} is no longer finite: training diverged, lower the learning rate; "
        epochs = "1 epoch" if trainer.current_epoch == 1 else f"{trainer.current_epoch} epochs"
        print(f"{epochs}, {figure}run folder {folder}")


def versions() -> dict[str, str]:
    """The versions and the machine that a run's bits depend on, by name.

    Example:
        >>> versions()["torch"] == torch.__version__
        True
    """
    machine = {"python": platform.python_version(), "platform": platform.platform(), "machine": platform.machine()}
    return {name: version(name) for name in PACKAGES} | machine | {"threads": str(torch.get_num_threads())}


def latest_run(runs: str | Path, name: str) -> Path:
    """The folder of the latest run of that name that has a checkpoint.

    Raises:
        RunFolderError: if there is none.
    """
    folders = [path for path in Path(runs, name).glob("*") if path.name.isdigit()]
    for folder in sorted(folders, key=lambda path: int(path.name), reverse=True):
        if best_checkpoint(folder).is_file():
            return folder
    raise RunFolderError(
        f"there is no finished epoch of a run {name!r} in {Path(runs)}; start one with `torchann fit`, "
        "or name a checkpoint with --ckpt_path"
    )


def best_checkpoint(run_folder: Path) -> Path:
    """Where a run keeps its best checkpoint."""
    return run_folder / "checkpoints" / "best.ckpt"


def quieten_framework() -> None:
    """Silences Lightning's banners and tips, and the warnings that say nothing about a run."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in IRRELEVANT:
        warnings.filterwarnings("ignore", message)
