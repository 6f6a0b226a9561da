"""A run and the folder it leaves: config, checkpoints, TensorBoard events, history, versions."""

import inspect
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.fabric.plugins import CheckpointIO, ClusterEnvironment
from lightning.pytorch.callbacks import Callback, Checkpoint, ModelCheckpoint, ProgressBar, Timer
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins import LayerSync, Precision
from lightning.pytorch.strategies import DDPStrategy

from torchann.dashboard.tensorboard_logger import RunLogger
from torchann.dashboard.tensorboard_report import TensorBoardReport
from torchann.engine.generators import seed_shuffle, separate_generators
from torchann.engine.stop import StopTraining
from torchann.files.checkpoint_files import CheckpointFiles, read_together
from torchann.files.history import History
from torchann.files.metric_name import MetricName
from torchann.files.run import Run, RunFolderError, check_name
from torchann.files.torchrun import devices_of_job, in_job, meet
from torchann.nets.names import no_such_argument
from torchann.tasks.given_rows import is_rows, loader_of
from torchann.training.checkpoints import Checkpoints, best_path
from torchann.training.early_stopping import EarlyStopping
from torchann.training.interrupts import Interrupts, interruption
from torchann.training.lightning_internals import end_epochs_with_max_steps, gradient_hook, process_timeout
from torchann.training.messages import check_rows_to_fit, length_in_words, metrics_in_words
from torchann.training.progress import Progress, Verbose, check_verbose
from torchann.training.quiet import quieten_framework
from torchann.training.record_history import RecordHistory
from torchann.training.resume import RunState
from torchann.training.run_record import RunRecord
from torchann.training.terminate_on_nan import TerminateOnNaN

Plugin = CheckpointIO | ClusterEnvironment | LayerSync | Precision | str
OTHERS = {"model": ("lr", "optimizer", "hidden_sizes"), "data module": ("batch_size",)}
"""Arguments that are often given to a Trainer, and where they belong."""


class Trainer(pl.Trainer):
    """Lightning's Trainer with the defaults of this project: each run leaves one folder, and the screen stays quiet.

    The folder ``runs/name/001`` (and so on) holds the checkpoints ``best`` (lowest validation loss) and ``last``,
    TensorBoard events, ``history.csv`` and ``versions.json``. All of Lightning's own arguments work as they do there.

    A fit draws its random numbers from generators of its own, which ``seed`` alone decides, and leaves those of the
    caller as they were; of two fits in threads one waits for the other. It can be stopped at any moment and gone on
    with: ``fit(..., ckpt_path="last")`` takes up the latest run of that name in its folder and ends with the bits of a
    run that was never stopped. Ctrl-C ends it at the next step, saves ``last`` and gives the model the best weights so
    far.

    Under ``torchrun`` the processes that it has started train together, without further arguments; after a restart the
    run goes on from ``last`` in its folder.

    Args:
        runs: the folder of all runs.
        name: what is being tried, the name of one folder; its runs are numbered below ``runs/name``.
        seed: of everything that is random in a fit: the initial weights of a net that takes its sizes from the data,
            dropout, and so on. The order of the rows has the seed of the data module; a net that is built with its
            sizes has the weights that it was built with.
        verbose: how a fit is shown: 0 for nothing, 1 for a bar, 2 for a line per epoch, as in Keras; auto for a bar in
            a terminal, a live table in a notebook, lines elsewhere.
        quiet: the same as verbose 0.
        callbacks: callbacks of your own, beside the ones above; a :class:`Checkpoints`, a ``ModelCheckpoint`` or a
            progress bar takes their place.
        logger: a logger of your own in place of the run folder; false for none, and no checkpoints but your own.
        num_sanity_val_steps: validation batches before the first epoch; none, as epochs are short.
        enable_checkpointing: false for none.
        enable_progress_bar: false for none.
        enable_model_summary: Lightning's table of layers.
        terminate_on_nan: end a fit at the first loss that is no number, and say why, as :class:`TerminateOnNaN` does.
        plugins: Lightning's plugins; a checkpoint plugin takes the place of the files written here.
        kwargs: Lightning's arguments.

    Attributes:
        stopped_by: what ended the last fit: ``"max_epochs"``, ``"max_steps"``, ``"max_time"`` (also Lightning's
            ``Timer``), ``"early_stopping"`` (also another callback that set ``should_stop``), ``"interrupt"`` (Ctrl-C),
            ``"sigterm"``, or the reason that a callback gave, such as ``"nan"``; None before and during a fit, and
            after an error.

    Raises:
        ValueError: if ``seed`` is below 0, ``name`` is a path, or ``verbose`` is unknown.

    Example:
        >>> import tempfile, torchann
        >>> trainer = torchann.Trainer(runs=tempfile.mkdtemp(), name="demo", max_epochs=2, quiet=True)
        >>> trainer.fit(torchann.RegressionMLP([30]), datamodule=torchann.CaliforniaHousingDataModule())
        >>> sorted(path.name for path in trainer.run_folder.iterdir() if not path.name.startswith("events"))
        ['checkpoints', 'history.csv', 'train', 'validation', 'versions.json']
    """

    seed: int
    verbose: Verbose
    quiet: bool

    def __init__(
        self,
        *,
        runs: str = "runs",
        name: str = "run",
        seed: int = 42,
        verbose: Verbose = "auto",
        quiet: bool = False,
        callbacks: list[Callback] | Callback | None = None,
        logger: Logger | list[Logger] | bool | None = None,
        num_sanity_val_steps: int = 0,
        enable_checkpointing: bool = True,
        enable_progress_bar: bool = True,
        enable_model_summary: bool = False,
        terminate_on_nan: bool = True,
        plugins: Plugin | list[Plugin] | None = None,
        **kwargs: Any,
    ) -> None:
        quieten_framework()
        takes = [name for owner in (Trainer, pl.Trainer) for name in inspect.signature(owner).parameters]
        if unknown := [name for name in kwargs if name not in takes]:
            raise TypeError(no_such_argument("Trainer", unknown[0], takes, OTHERS))
        if not 0 <= seed < 2**63:
            raise ValueError(f"seed is {seed}; give a whole number from 0 to 2**63 - 1")
        check_name(name)
        if "\0" in str(runs):
            raise ValueError(f"runs is {runs!r:.80}, with a NUL; give a folder")
        check_verbose(verbose)
        quiet = quiet or verbose == 0
        self.seed, self.verbose, self.quiet = seed, 0 if quiet else verbose, quiet
        self.stopped_by: str | None = None
        more: list[Any] = list(plugins) if isinstance(plugins, (list, tuple)) else [plugins] if plugins else []
        if not any(isinstance(plugin, CheckpointIO) for plugin in more):
            more.append(CheckpointFiles())
        callbacks = [callbacks] if isinstance(callbacks, (Callback, str)) else list(callbacks or [])
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"a callback is {callback!r:.80}; give objects, such as torchann.EarlyStopping()")
        if logger is None or logger is True:
            logger = RunLogger(runs, name)
            # A run that goes on has TensorBoard forget before more is written.
            reports = [callback for callback in callbacks if isinstance(callback, TensorBoardReport)]
            if len(reports) > 1:
                given = f"there are {len(reports)} TensorBoardReports"
                raise ValueError(f"{given}; give one, and its options on the command line as --tensorboard.OPTION")
            callbacks = [callback for callback in callbacks if callback not in reports]
            callbacks += [RunRecord(quiet), *(reports or [TensorBoardReport(pictures_freq=0)])]
            if enable_checkpointing and not any(isinstance(c, (Checkpoints, ModelCheckpoint)) for c in callbacks):
                callbacks.insert(0, _checkpoints_as(callbacks))  # the first of its kind is checkpoint_callback
        elif logger is False:
            enable_checkpointing = any(isinstance(callback, Checkpoint) for callback in callbacks)
        enable_progress_bar = enable_progress_bar and not quiet
        if enable_progress_bar and not any(isinstance(callback, ProgressBar) for callback in callbacks):
            callbacks.append(Progress(verbose))
        if terminate_on_nan and not any(isinstance(callback, TerminateOnNaN) for callback in callbacks):
            callbacks.append(TerminateOnNaN())
        self._record = RecordHistory()
        self._run_state = RunState(seed)
        # The first two before the others: they find the row of the epoch, and nothing changed by settings that differ.
        callbacks = [self._record, self._run_state, *callbacks, Interrupts()]
        kwargs.update(devices_of_job(kwargs))
        super().__init__(
            logger=logger,
            callbacks=callbacks,
            plugins=more,
            num_sanity_val_steps=num_sanity_val_steps,
            enable_checkpointing=enable_checkpointing,
            enable_progress_bar=enable_progress_bar,
            enable_model_summary=enable_model_summary,
            **kwargs,
        )
        bounds = (kwargs.get("max_epochs"), kwargs.get("max_time"), kwargs.get("fast_dev_run") or None)
        self._says_length = bounds == (None, None, None) and kwargs.get("max_steps", -1) == -1 and not quiet
        end_epochs_with_max_steps(self)
        self.strategy.process_dataloader = partial(self._seeded, self.strategy.process_dataloader)  # type: ignore[method-assign]

    def _seeded(self, process: Callable[[object], object], loader: object) -> object:
        # Workers begin to read as soon as there is an iterator: before any callback is called.
        progress: Any = self.fit_loop.epoch_progress.current
        seed_shuffle(loader, self.seed, progress.processed)
        return process(loader)

    def fit(
        self,
        model: pl.LightningModule,
        train_dataloaders: Any = None,
        val_dataloaders: Any = None,
        datamodule: pl.LightningDataModule | None = None,
        ckpt_path: str | Path | None = None,
        weights_only: bool | None = None,
    ) -> None:
        """Trains a model; what ended it is then in ``stopped_by``.

        Args:
            model: what to train.
            train_dataloaders: loaders of training rows, in place of a data module.
            val_dataloaders: loaders of validation rows.
            datamodule: a data module.
            ckpt_path: ``"last"`` or ``"best"`` to go on with this Trainer's run or the latest run of its name, in its
                folder; or a ``.ckpt`` file to begin a new run with.
            weights_only: for Lightning's sake; no checkpoint is opened otherwise.

        Raises:
            RunFolderError: if there is no run to go on with.
            CheckpointError: if its checkpoints are damaged.
            OSError: if a checkpoint cannot be written; the one before it is untouched.
            KeyboardInterrupt: after Ctrl-C before the first step, or twice.
            SystemExit: after SIGTERM, with status 143, once all is saved.
            TypeError: for rows as they are, such as a pair of arrays.
        """
        check_rows_to_fit(train_dataloaders, val_dataloaders, datamodule)
        if self._says_length and self.is_global_zero:
            print(length_in_words(self.max_epochs))
        path, self.stopped_by, stop = self._where_to_begin(ckpt_path), None, None
        self._run_state.goes_on_with = path
        data = train_dataloaders if datamodule is None else datamodule
        if hasattr(data, "resume"):
            data.resume(None if path is None else read_together(path))
        with self._interruptible(), separate_generators(self.seed):
            try:
                super().fit(model, train_dataloaders, val_dataloaders, datamodule, path, weights_only=True)
            except StopTraining as raised:
                stop = raised
        asked = interruption(self)
        self.stopped_by = stop.reason if stop is not None else asked or self._ending()
        if asked is not None:
            last = getattr(self.checkpoint_callback, "last_model_path", "")
            after = f"after epoch {self.current_epoch}" + (f"; saved as {last}" if last else "")
            self._report_interruption(model, str(stop) if stop is not None else after)
        elif stop is not None and self.is_global_zero:
            self._report_stop(stop)
        if asked == "sigterm":
            raise SystemExit(128 + signal.SIGTERM)

    def _where_to_begin(self, ckpt_path: str | Path | None) -> str | Path | None:
        if not in_job():
            return self._checkpoint(ckpt_path, go_on=True)
        path = None
        if self.is_global_zero:  # the others may not see its files
            path = self._last_of_job() or self._checkpoint(ckpt_path, go_on=True)
        if isinstance(self.strategy, DDPStrategy):
            meet(self.strategy.root_device, self.strategy.process_group_backend, process_timeout(self.strategy))
            self.strategy.setup_environment()
        return self.strategy.broadcast(path)

    def _last_of_job(self) -> str | None:
        logger = self._run_logger()
        if logger is None or logger.claimed is not None:
            return None
        run = Run(logger.log_dir)
        return str(run.good_checkpoint("last")) if run.can_resume else None

    def _run_logger(self) -> RunLogger | None:
        return next((logger for logger in self.loggers if isinstance(logger, RunLogger)), None)

    def _ending(self) -> str:
        if self.should_stop:
            left = [callback.time_remaining() for callback in self.callbacks if isinstance(callback, Timer)]  # type: ignore[attr-defined]
            return "max_time" if any(seconds is not None and seconds <= 0 for seconds in left) else "early_stopping"
        return "max_steps" if 0 <= self.max_steps <= self.global_step else "max_epochs"

    def _report_stop(self, stop: StopTraining) -> None:
        print(f"stopped: {stop}", file=sys.stderr)

    def _report_interruption(self, model: pl.LightningModule, where: str) -> None:
        best, restored = best_path(self.checkpoint_callback), ""
        by_callback = [callback for callback in self.callbacks if getattr(callback, "restore_best_weights", False)]  # type: ignore[attr-defined]
        if best and not by_callback:
            model.load_state_dict(read_together(best)["state_dict"])
        if best or by_callback:
            restored = "; the model has the best weights so far"
        if self.is_global_zero:
            go_on = "; go on with --resume, or fit(ckpt_path='last')" if self.checkpoint_callback else ""
            print(f"interrupted {where}{restored}{go_on}", file=sys.stderr)

    def validate(self, *args: Any, **kwargs: Any) -> Any:
        """Measures on validation rows, as :meth:`test` does."""
        return self._evaluate(super().validate, args, kwargs)

    def test(self, *args: Any, **kwargs: Any) -> Any:
        """Measures on test rows; takes the arguments of Lightning's Trainer, or a data frame with the target.

        Prints the metrics and returns them, a dictionary for each loader; ``verbose=False`` prints nothing.
        """
        return self._evaluate(super().test, args, kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Predicts; takes the arguments of Lightning's Trainer, or raw rows: a tensor, an array or a data frame."""
        return self._evaluate(super().predict, args, kwargs)

    def _evaluate(self, how: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        found = [self._checkpoint(value) if isinstance(value, str) else value for value in args]
        found_by_name = (
            {**kwargs, "ckpt_path": self._checkpoint(kwargs["ckpt_path"])} if "ckpt_path" in kwargs else kwargs
        )
        rows = found_by_name.get("dataloaders", found[1] if len(found) > 1 else None)
        if is_rows(rows):
            model = found_by_name.get("model", found[0] if found else self.lightning_module)
            loader = loader_of(model, rows, targets=how.__name__ != "predict")
            found = found[:1]
            found_by_name = {**found_by_name, "dataloaders": loader}
        tells = how.__name__ != "predict" and len(found) < 4 and found_by_name.get("verbose", True)
        if tells:  # in place of Lightning's table of fifteen digits
            found_by_name = {**found_by_name, "verbose": False}
        with self._interruptible():
            results = how(*found, **found_by_name)
        if tells and not self.quiet and self.is_global_zero:
            for result in results:
                print(metrics_in_words(result, self.lightning_module))
        return results

    def _checkpoint(self, wanted: str | Path | None, go_on: bool = False) -> str | Path | None:
        if wanted not in ("best", "last"):
            return wanted
        own = getattr(self.checkpoint_callback, f"{wanted}_model_path", "")
        if own:
            return str(own)
        logger = self._run_logger()
        if logger is None:
            raise RunFolderError(
                f"ckpt_path={wanted!r} and this Trainer keeps no runs; give a .ckpt file, or no logger of your own"
            )
        run = Run.latest(logger.save_dir, str(logger.name))
        if go_on:
            logger.go_on_with(run.folder.name)
        return run.good_checkpoint(str(wanted))

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        handler = signal.getsignal(signal.SIGINT)
        try:
            yield
        except SystemExit as end:
            if not isinstance(end.__context__, KeyboardInterrupt):
                raise
            signal.signal(signal.SIGINT, handler)
            last = getattr(self.checkpoint_callback, "last_model_path", "") if self.state.fn == "fit" else ""
            print(f"interrupted{f'; the last checkpoint is {last}' if last else ''}", file=sys.stderr)
            raise KeyboardInterrupt from None

    @property
    def gradient_hook(self) -> str | None:
        """The option by which the strategy was told to exchange gradients in another way; None for none."""
        return gradient_hook(self.strategy)

    @property
    def history(self) -> History:
        """The figures of the last fit, a row per epoch."""
        return self._record.history

    @property
    def run_folder(self) -> Path:
        """Where this run's files are."""
        return Path(self.log_dir or self.default_root_dir)


def _checkpoints_as(callbacks: list[Callback]) -> Checkpoints:
    # The best by what early stopping watches on validation rows: the weights that the fit ends with.
    for callback in callbacks:
        if isinstance(callback, EarlyStopping) and MetricName.parse(str(callback.monitor)).stage == "val":
            return Checkpoints(callback.monitor, callback.mode)  # type: ignore[arg-type]
    return Checkpoints()
