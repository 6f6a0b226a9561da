"""What TensorBoard shows of a fit: Keras' callback of that name without TensorFlow, and what its users miss."""

import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.tensorboard import SummaryWriter

from torchann.dashboard.description import describe, steps_if_known
from torchann.dashboard.profiler import StepProfiler
from torchann.dashboard.report_options import frequency, profiled_steps
from torchann.dashboard.report_parts import epoch_of_weights, last_step, write_histograms, write_pictures, write_vectors
from torchann.dashboard.run_page import run_page
from torchann.dashboard.step_losses import StepLosses, rows_in
from torchann.dashboard.tensorboard_logger import STEPS, RunLogger
from torchann.engine.generators import separate_generators
from torchann.engine.stop import StopTraining


class TensorBoardReport(Callback):
    """Writes for TensorBoard what there is to see of a network and of its training.

    Always: seconds per epoch and rows per second beside the figures; a page with the network, the data's fingerprint
    and the configuration; the best figure, for the HPARAMS tab; a layout for the custom scalars. All else is an option.
    Pictures are of the first 10,000 validation rows, of training rows where there is no validation. Nothing that is
    written changes a bit of what is trained, unless a net or a data set keeps count of its calls outside its buffers. A
    part that fails is left out with a warning.

    Args:
        histogram_freq: every so many epochs, and after the last one, histograms of each layer's weights, biases,
            gradients and activations on 1,024 training rows, and the share of ReLUs that are 0 on all of them; 0 for
            none.
        write_graph: the network's graph.
        write_images: with the pictures also the first layer's weights, and images with what they are taken for.
        update_freq: epoch; or batch, or every so many steps: the mean loss of the steps since the last time, on a
            chart whose x-axis is the step.
        profile_batch: a step, or the first and the last one, whose time is taken apart by torch's profiler; 0 for none.
        embeddings_freq: every so many epochs, and after the last one, what the last hidden layer makes of 1,000 rows,
            for the projector; 0 for none.
        pictures_freq: every so many epochs, and after the last one, pictures of how the task does: confusion matrices,
            curves of precision and recall, the worst mistakes, residuals and their map, decision regions; end for
            after the last epoch alone; 0 for none.

    Raises:
        ValueError: for a number below 0, or another word.

    Example:
        >>> import tempfile, torchann
        >>> trainer = torchann.Trainer(
        ...     runs=tempfile.mkdtemp(), name="demo", max_epochs=1, quiet=True, callbacks=[TensorBoardReport()]
        ... )
        >>> trainer.fit(torchann.RegressionMLP([30]), datamodule=torchann.CaliforniaHousingDataModule())
        >>> from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        >>> EventAccumulator(str(trainer.run_folder)).Reload().Tags()["images"]
        ['predicted_against_true', 'residuals', 'residual_map']
    """

    write_graph: bool
    write_images: bool

    def __init__(
        self,
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        update_freq: int | Literal["epoch", "batch"] = "epoch",
        profile_batch: int | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        pictures_freq: int | Literal["end"] = "end",
    ) -> None:
        self.histogram_freq: int = frequency("histogram_freq", histogram_freq)
        self.embeddings_freq: int = frequency("embeddings_freq", embeddings_freq)
        self.pictures_freq = pictures_freq if pictures_freq == "end" else frequency("pictures_freq", pictures_freq)
        self.write_graph, self.write_images, self.update_freq = write_graph, write_images, update_freq
        every = {"epoch": 0, "batch": 1}.get(str(update_freq), update_freq)
        if every != 0 or update_freq == 0:
            frequency("update_freq", every, 1)
        self._step_losses = StepLosses(int(every)) if every else None
        self.profile_batch = profile_batch
        if profile_batch:
            StepProfiler(*profiled_steps(profile_batch))
        self._profiler: StepProfiler | None = None
        self._logger: TensorBoardLogger | None = None
        self._folder: Path | None = None
        self._began = self._validation_began = self._validating = 0.0
        self._rows = 0
        self._undescribed = False
        self._failed: set[str] = set()
        self._last_epoch: int | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Looks for a TensorBoard logger, and begins anew."""
        loggers = (logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger))
        self._logger = None if trainer.fast_dev_run else next(loggers, None)  # type: ignore[attr-defined]
        self._failed, self._last_epoch = set(), None
        if self._step_losses is not None:
            self._step_losses.load_state_dict({"losses": []})
        if stage == "fit" and trainer.loggers and self._logger is None and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            kinds = ", ".join(type(logger).__name__ for logger in trainer.loggers)
            warnings.warn(
                f"TensorBoardReport writes nothing: the loggers are {kinds}; add a TensorBoardLogger, or leave it out",
                stacklevel=2,
            )

    def _writer(self, trainer: pl.Trainer, sub_run: str = ".") -> SummaryWriter | None:
        if self._logger is None or not trainer.is_global_zero:
            return None
        if isinstance(self._logger, RunLogger):
            return self._logger.writer(sub_run)
        writer: SummaryWriter = self._logger.experiment
        return writer

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begins to count."""
        self._undescribed = True
        self._profiler = StepProfiler(*profiled_steps(self.profile_batch)) if self.profile_batch else None
        self._rows = 0
        if self._step_losses is not None:
            self._step_losses.start(trainer.global_step)
        self._began, self._validating = time.perf_counter(), 0.0

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Describes the run by the first batch, and begins to profile when it is time."""
        writer = self._writer(trainer)
        if writer is None:
            return
        if self._undescribed:
            self._undescribed = False
            self._guarded("the description", self._write_description, trainer, pl_module, writer, batch)
        if self._profiler is not None:
            rows = rows_in(batch)
            steps = -(-rows // getattr(batch, "batch_size", max(rows, 1)))
            self._guarded("profile_batch", self._profiler.before, trainer.global_step, steps)

    def _guarded(self, name: str, write: Callable[..., None], *args: Any) -> None:
        if name in self._failed:
            return
        try:
            with separate_generators(0):
                write(*args)
        except Exception as error:  # no picture is worth a training
            self._failed.add(name)
            message = f"{type(error).__name__}: {error}".splitlines()[0]
            warnings.warn(f"TensorBoardReport leaves out {name} from now on, as it ended with {message}", stacklevel=2)

    def _write_description(self, trainer: pl.Trainer, task: Any, writer: SummaryWriter, batch: Any) -> None:
        assert self._logger is not None
        folder = Path(self._logger.log_dir)
        steps = steps_if_known(task, batch)
        if folder != self._folder and not getattr(self._logger, "goes_on", False):
            charts = bool(self.histogram_freq), self._step_losses is not None
            describe(writer, task, steps if self.write_graph else None, *charts)
        self._folder = folder
        writer.add_text("run", run_page(trainer, task, steps, folder), trainer.current_epoch)
        writer.flush()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Counts the rows, ends the profile, and writes the losses of steps."""
        self._rows += rows_in(batch)
        self._write_profile(self._writer(trainer), trainer)
        if self._step_losses is not None:
            self._step_losses.add(self._writer(trainer, STEPS), trainer.global_step, pl_module, outputs, batch)

    def _write_profile(self, writer: SummaryWriter | None, trainer: pl.Trainer, ends: bool = False) -> None:
        if self._profiler is not None and writer is not None:
            message = self._profiler.after(trainer.global_step, self._folder or Path(), ends)
            if message is not None:
                writer.add_text("profile", message, trainer.current_epoch)

    def state_dict(self) -> dict[str, Any]:
        """The losses since the last point of their chart; nothing else of what is written needs to be known again."""
        return {} if self._step_losses is None else self._step_losses.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on with them."""
        if self._step_losses is not None:
            self._step_losses.load_state_dict(state_dict)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes what is due in this epoch."""
        seconds, epoch = time.perf_counter() - self._began, trainer.current_epoch
        writer = self._writer(trainer)
        if writer is not None:
            rows = self._rows * trainer.world_size
            writer.add_scalar("speed/seconds_per_epoch", seconds, epoch)
            writer.add_scalar("speed/rows_per_second", rows / (seconds - self._validating), epoch)
            for name, write in self._parts().items():
                every = getattr(self, name)
                if every and every != "end" and epoch % every == 0:
                    self._guarded(name, write, trainer, pl_module, writer, epoch, epoch)
            writer.flush()  # before the checkpoint: a run that goes on from it has all of this epoch
        self._last_epoch, self._rows = epoch, 0
        self._began, self._validating = time.perf_counter(), 0.0

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Looks at the clock: rows per second are those of training."""
        self._validation_began = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Looks at it again."""
        self._validating += time.perf_counter() - self._validation_began

    def _parts(self) -> dict[str, Callable[..., None]]:
        pictures = partial(write_pictures, write_images=self.write_images)
        parts = (write_histograms, pictures, self._write_vectors)
        return dict(zip(("histogram_freq", "pictures_freq", "embeddings_freq"), parts, strict=True))

    def _write_vectors(self, trainer: pl.Trainer, task: Any, writer: SummaryWriter, epoch: int, step: int) -> None:
        write_vectors(trainer, task, self._folder or Path(), epoch)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes all parts of the weights that the fit ends with, and the best figure; again where a run was killed."""
        writer, last = self._writer(trainer), self._last_epoch
        if last is None and trainer.ckpt_path and trainer.current_epoch:  # of a run that had nothing left to train
            last, self._folder = trainer.current_epoch - 1, Path(self._logger.log_dir) if self._logger else None
        if writer is None or last is None:
            return
        self._write_profile(writer, trainer, ends=True)
        epoch = epoch_of_weights(trainer, last)
        for name, write in self._parts().items():
            step = last_step(getattr(self, name), epoch, last) if getattr(self, name) else None
            if step is not None:
                self._guarded(name, write, trainer, pl_module, writer, epoch, step)
        self._write_best(trainer, writer, last)

    def _write_best(self, trainer: pl.Trainer, writer: SummaryWriter, epoch: int) -> None:
        best = trainer.checkpoint_callback
        score, monitor = getattr(best, "best_model_score", None), getattr(best, "monitor", None)
        if score is not None and monitor is not None:
            writer.add_scalar(f"summary/best_{monitor}", float(score), getattr(best, "best_epoch", epoch))
        writer.flush()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Ends a profile that is under way; the best figure of a fit that was stopped is told all the same."""
        if self._profiler is not None:
            self._profiler.stop()
        writer = self._writer(trainer)
        if isinstance(exception, StopTraining) and writer is not None and self._last_epoch is not None:
            self._write_best(trainer, writer, self._last_epoch)
