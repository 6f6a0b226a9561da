"""Writes a run's figures for TensorBoard, in Keras' layout, each run in a folder of its own."""

import errno
import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams as hparams_summaries

from torchann.dashboard.told_before import told_before, write_once
from torchann.files.metric_name import MetricName
from torchann.files.run import Run
from torchann.files.torchrun import folder_of_job, mark

SUB_RUNS = {"train": "train", "val": "validation", "test": "test"}
STEPS = "steps"
"""The sub-run whose x-axis is the optimiser's step and not the epoch."""
_RUNS = count()  # that this process has begun


class RunLogger(TensorBoardLogger):
    """One folder per run, ``save_dir/name/001`` and so on; a folder is claimed once and never written by another run.

    Scalars have the epoch as x-axis, and a metric's training and validation curves share a chart: ``train_loss`` is
    written as ``loss`` to the sub-run ``train``, ``val_loss`` as ``loss`` to ``validation``. Hyperparameters come with
    the run, so that the HPARAMS tab shows them beside the metrics that were measured. A job that torchrun has restarted
    has the folder that it had before.

    Args:
        save_dir: the folder of all runs.
        name: the experiment, one folder below it.
        version: an existing run to write to, such as ``"003"``; by default the next number.

    Example:
        >>> import tempfile
        >>> logger = RunLogger(tempfile.mkdtemp(), name="demo")
        >>> logger.version, RunLogger(logger.save_dir, name="demo").version
        ('001', '002')
        >>> logger.log_metrics({"epoch": 0, "val_loss": 0.5})
        >>> sorted(path.name for path in Path(logger.log_dir).iterdir() if path.is_dir())
        ['validation']
    """

    def __init__(self, save_dir: str | Path = "runs", name: str = "run", version: str | None = None) -> None:
        super().__init__(str(save_dir), name=name, default_hp_metric=False)
        self.claimed: str | None = version
        """The run's number as text, None before it is asked for."""
        self._last_epoch: int | None = None
        self._writers: dict[str, SummaryWriter] = {}
        self._session_open = False
        self._purge: dict[str, int] = {}
        self.goes_on: bool = False
        """Whether the folder is that of an earlier run."""
        self.session = True
        """Whether the run is a row of the HPARAMS tab; a trial of a study is one with all its runs."""

    @property
    def version(self) -> str:
        """The run's number as text; the first process claims it, the others learn the folder from it."""
        if self.claimed is None:
            self.claimed = self._claim() if getattr(rank_zero_only, "rank", 0) == 0 else "unclaimed"
        return self.claimed

    def _claim(self) -> str:
        number = next(_RUNS)
        begun = folder_of_job([run.folder for run in Run.all(self.save_dir, str(self.name))], number)
        if begun is not None:
            self.goes_on = True
            return begun.name
        run = Run.claim(self.save_dir, str(self.name))
        mark(run.folder, number)
        return run.folder.name

    def go_on_with(self, version: str) -> None:
        """Writes to an existing run of the name, such as ``"003"``, in place of a new one.

        Raises:
            OSError: if nothing can be written to its folder.
        """
        folder = Path(self.root_dir, version)
        if not os.access(folder, os.W_OK):
            message = f"cannot write to the run folder {folder}, which is read-only; name another folder with runs"
            raise OSError(errno.EROFS, message)
        self.claimed, self.goes_on = version, True

    @rank_zero_only
    def forget_from(self, epoch: int, step: int) -> None:
        """Has TensorBoard forget what a run told that goes on from a checkpoint, and is to tell again.

        What was told of earlier epochs is kept, and not written twice: the run may have been stopped in the middle of
        telling it, and tells all of the latest epoch again.

        Args:
            epoch: that goes on, or comes next.
            step: of the optimiser, counted from 1, that comes next; for the sub-run ``steps``.
        """
        self._purge = {".": epoch, STEPS: step, **dict.fromkeys(SUB_RUNS.values(), epoch)}
        self._close()

    @property
    @rank_zero_experiment
    def experiment(self) -> SummaryWriter:
        """The writer of the run's own folder, as Lightning's users know it."""
        return self.writer(".")

    def writer(self, sub_run: str) -> SummaryWriter:
        """The writer of a sub-run: ``train``, ``validation``, ``test``, ``steps``; ``.`` for the run's own folder."""
        if sub_run not in self._writers:
            # Once: a writer that is opened again, as after the fit, has nothing to forget.
            purge, folder = self._purge.pop(sub_run, None), Path(self.log_dir, sub_run)
            told = set() if purge is None else told_before(folder, purge)
            writer = SummaryWriter(str(folder), purge_step=purge)
            write_once(writer, told)
            if purge is not None:  # told once more: TensorBoard's server takes the first for the start of a new run
                start = Event(session_log=SessionLog(status=SessionLog.START))
                writer.file_writer.add_event(start, purge)  # type: ignore[attr-defined]
            self._writers[sub_run] = writer
        return self._writers[sub_run]

    @rank_zero_only
    def log_hyperparams(self, params: Any, metrics: Any = None, step: int | None = None) -> None:
        """Keeps the hyperparameters, to be written with the first figures; called when training starts."""
        self.hparams.update(params)

    def save(self) -> None:
        """Writes nothing more: the checkpoints and events hold the hyperparameters."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Takes the figures of an epoch as Lightning hands them over: validation first, training at the epoch's end."""
        figures = dict(metrics)
        epoch = int(figures.pop("epoch", step or 0))
        of_test = any(MetricName.parse(key).stage == "test" for key in figures)
        if not of_test:
            self._last_epoch = epoch
        elif self._last_epoch is not None:  # when training has ended Lightning counts one epoch more
            epoch = min(epoch, self._last_epoch)
        if self.session and not self._session_open and not of_test:
            self._session_open = True
            # Without the summary of the whole experiment TensorBoard finds all metrics of all runs by itself.
            _, start, _ = hparams_summaries(_plain(dict(self.hparams)), {})  # type: ignore[no-untyped-call]
            self.experiment.file_writer.add_summary(start)
        written = set()
        for name, value in ((MetricName.parse(key), value) for key, value in figures.items()):
            writer = self.writer(SUB_RUNS.get(name.stage, "train"))
            writer.add_scalar(name.tag, value, epoch)
            written.add(writer)
        for writer in written:
            writer.flush()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Closes the run's event files; a session that went well is marked as done."""
        if self._session_open and status == "success":
            _, _, end = hparams_summaries({}, {})  # type: ignore[no-untyped-call]
            self.experiment.file_writer.add_summary(end)
        self._session_open = False
        self._close()

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


def _plain(hparams: dict[str, Any]) -> dict[str, str | float | bool]:
    given = {name: value for name, value in hparams.items() if value is not None and not name.endswith("_names")}
    return {name: value if isinstance(value, (str, bool, int, float)) else str(value) for name, value in given.items()}
