"""``torchann fit | validate | test | predict``: LightningCLI on the folders of the runs."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.loggers import TensorBoardLogger
from tabulate import tabulate

from torchann.commands.config_cli import ConfigCLI, exit_status, is_first
from torchann.commands.predict import write_predictions
from torchann.commands.saved_config import SaveRunConfig
from torchann.commands.table_shortcut import option_name, translated
from torchann.dashboard.tensorboard_logger import RunLogger
from torchann.dashboard.tensorboard_report import TensorBoardReport
from torchann.data import TabularDataModule
from torchann.files.atomic import write_atomically
from torchann.files.checkpoint_files import read_checkpoint
from torchann.files.predictions import check_ending
from torchann.files.run import Run, RunFolderError
from torchann.files.torchrun import in_job
from torchann.nets.names import printable
from torchann.publishing.fit_table import check_options, check_usable, fit_on_table
from torchann.tasks.net_choice import OF_ONE_NET


class CLI(ConfigCLI):
    """Runs one subcommand; what it trains leaves a run folder, what it tests comes from one.

    Args:
        args: the command line after ``torchann``.
    """

    model: Any

    def __init__(self, args: Sequence[str]) -> None:
        self._words = list(args[1:])
        super().__init__(
            args[0],
            args,
            save_config_callback=SaveRunConfig if args[0] == "fit" else None,  # a test keeps the run's config
            save_config_kwargs={"overwrite": True},
        )

    def add_arguments_to_parser(self, parser: Any) -> None:
        """Adds a section of the config that is another command's."""
        super().add_arguments_to_parser(parser)
        parser.add_argument("--tune", type=dict | None, default=None, help="the section for `torchann tune`; not used")

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """The subcommands; which arguments of the Trainer's methods they take is the parser's to say."""
        return {"fit": set(), "validate": set(), "test": set(), "predict": set()}

    def parse_arguments(self, parser: Any, args: Any) -> None:
        """Parses the command line; the experiment is named after its config file or its table."""
        super().parse_arguments(parser, args)
        given = self.given
        if given.tune is not None:
            self._say(f"the section tune is for `torchann tune`; {self.name} takes the rest of the config")
        given.trainer.name = self.run_name
        # Put back below: between the two Lightning would take the model from the hyperparameters of such a file.
        self._ckpt_path, given.ckpt_path = given.ckpt_path, None

    def before_instantiate_classes(self) -> None:
        """Finds the checkpoint: ``best`` or ``last`` of the latest run, or a path; only ``fit`` goes without one."""
        given = self.given
        given.ckpt_path = self._ckpt_path
        if self.config.subcommand == "fit":
            self._choose_run(given)
            return
        if self.config.subcommand == "predict":
            given.trainer.devices, given.trainer.strategy = 1, "auto"  # one file, rows in their order
            if given.output is not None:
                check_ending(Path(given.output))
        wanted = str(given.ckpt_path or "best")
        if wanted in ("best", "last"):
            run = _run_of_config(given) or Run.latest(given.trainer.runs, given.trainer.name)
            given.ckpt_path = str(run.best if wanted == "best" else run.last)
        if not Path(given.ckpt_path).is_file():
            raise RunFolderError(f"there is no checkpoint {given.ckpt_path}; give best, last or a .ckpt file")
        self._say(f"checkpoint {given.ckpt_path}")

    def _choose_run(self, given: Any) -> None:
        if given.resume and given.ckpt_path is not None:
            raise ValueError(f"--resume and --ckpt_path {given.ckpt_path} exclude each other; give one of them")
        self._resumed = None
        if in_job() and not is_first():  # it may not see the files of the first, and hears of them
            given.ckpt_path = None
            return
        if given.resume:
            begun = Run.all(given.trainer.runs, given.trainer.name)
            able = [run for run in begun if run.can_resume]  # a fit that failed at its start leaves no checkpoint
            self._resumed = _run_of_config(given) or next(reversed(able or begun), None)
            if self._resumed is None or not self._resumed.can_resume:
                found = "there is no run" if self._resumed is None else f"{self._resumed.folder} has no checkpoint"
                self._say(f"nothing to resume: {found} of {given.trainer.name!r}; a new one starts")
                self._resumed = None
        elif given.ckpt_path in ("best", "last"):
            self._resumed = _run_of_config(given) or Run.latest(given.trainer.runs, given.trainer.name)
        if self._resumed is not None:
            given.ckpt_path = str(self._resumed.good_checkpoint(given.ckpt_path or "last"))
            folder = self._resumed.folder  # where the run lies, as it may be a copy
            given.trainer.runs, given.trainer.name = str(folder.parents[1]), folder.parent.name
        if given.ckpt_path is not None:
            self._say(f"checkpoint {given.ckpt_path}")

    def _say(self, line: str) -> None:
        if not self._quiet and is_first():
            print(printable(line))

    @property
    def _quiet(self) -> bool:
        return bool(self.given.quiet) or self.given.trainer.verbose == 0

    def after_instantiate_classes(self) -> None:
        """Takes the model from the checkpoint, which knows best how it was made."""
        self.datamodule: TabularDataModule | Any = self.table or self.datamodule  # which has been read already
        if not any(isinstance(logger, TensorBoardLogger) for logger in self.trainer.loggers):
            reports = [callback for callback in self.trainer.callbacks if isinstance(callback, TensorBoardReport)]  # type: ignore[attr-defined]
            for report in reports:  # which is always among the callbacks of a command
                self.trainer.callbacks.remove(report)  # type: ignore[attr-defined]
        if self.subcommand == "fit":
            for logger in self.trainer.loggers:
                if self._resumed is not None and isinstance(logger, RunLogger):
                    logger.go_on_with(self._resumed.folder.name)
            return
        path, kind = Path(self.given.ckpt_path), type(self.model)
        given = dict(self.model.hparams)
        try:
            checkpoint = read_checkpoint(path)
            parts = {name: getattr(self.model, name) for name in getattr(kind, "not_saved", ())}
            self.model = kind.load_from_checkpoint(path, map_location="cpu", weights_only=True, **parts)
        except (KeyError, RuntimeError) as error:
            raise ValueError(
                f"{path} is damaged or no checkpoint of a {kind.__name__}; give another one, or the config of its run"
            ) from error
        run = _run_of(path)
        for name in getattr(kind, "architecture", ()):
            value = self.model.hparams[name]
            if self.model.hparams.get("members") and name in (*OF_ONE_NET, "members"):
                continue
            if given[name] is not None and given[name] != value:
                raise ValueError(
                    f"{path} was trained with {name}={value!r} and the command says {given[name]!r}; train again with "
                    f"`torchann fit`, or give the config of that run{'' if run is None else f', {run.config}'}"
                )
        if any(isinstance(logger, RunLogger) for logger in self.trainer.loggers):
            # Only test figures are new to the run, and they are those of the checkpoint's epoch.
            new = self.subcommand == "test" and run is not None
            folder = run.folder if new and run else None
            self.trainer.loggers = [RunLogger(folder.parents[1], folder.parent.name, folder.name)] if folder else []
            self.trainer.fit_loop.epoch_progress.current.completed = checkpoint["epoch"]

    def fit(self, model: pl.LightningModule, datamodule: pl.LightningDataModule, ckpt_path: str | None) -> None:
        """Trains; says first what was found out of a table, and measures a model of one at the end."""
        try:
            if (asked := (self.given.ensemble, self.given.time_limit)) != (None, None):
                self._fit_ensemble(datamodule, *asked)
            elif isinstance(datamodule, TabularDataModule):
                fit_on_table(self.trainer, model, datamodule, ckpt_path, self._say, self.small)
            else:
                self.trainer.fit(model, datamodule=datamodule, ckpt_path=ckpt_path, weights_only=True)
                check_usable(self.trainer)
        except Exception:
            if is_first():
                Run(self.trainer.run_folder).remove_if_empty()
            raise
        if self._quiet and is_first() and self.trainer.loggers and not self.trainer.fast_dev_run:  # type: ignore[attr-defined]
            print(printable(str(self.trainer.run_folder)))

    def _fit_ensemble(self, datamodule: Any, ensemble: int | None, time_limit: float | None) -> None:
        if not isinstance(datamodule, TabularDataModule):
            raise ValueError(f"--ensemble and --time-limit are for a table, not for {type(datamodule).__name__}")
        if self.given.resume or self.given.ckpt_path is not None:
            raise ValueError("--ensemble and --time-limit search anew each time; leave --resume and --ckpt_path out")
        from torchann.publishing.fit_ensemble import fit_ensemble  # scikit-learn, which no other fit needs

        check_options(option_name(word) for word in translated(self._words) if word.startswith("--"))
        model = fit_ensemble(self.trainer, datamodule, ensemble, time_limit, self._say)
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, SaveRunConfig):  # which a fit of Lightning's would have called
                callback.setup(self.trainer, model, "fit")

    def validate(self, model: pl.LightningModule, datamodule: pl.LightningDataModule, ckpt_path: str) -> None:
        """Prints the figures on the validation rows."""
        self._report(self.trainer.validate(model, datamodule=datamodule, verbose=False), ckpt_path)

    def test(self, model: pl.LightningModule, datamodule: pl.LightningDataModule, ckpt_path: str) -> None:
        """Prints the figures on the test rows."""
        self._report(self.trainer.test(model, datamodule=datamodule, verbose=False), ckpt_path)

    def _report(self, figures: list[Any], ckpt_path: str) -> None:
        if not is_first():
            return
        print(printable(tabulate(sorted(figures[0].items()), tablefmt="plain", floatfmt=".4f")))
        reports = getattr(self.model, "class_reports", None)
        for output, report in (reports("val" if self.subcommand == "validate" else "test") if reports else {}).items():
            print(printable(f"\n{output}\n{report}" if output else f"\n{report}"))
        run = _run_of(Path(ckpt_path))
        if run is not None:
            try:
                text = json.dumps({"checkpoint": ckpt_path, **figures[0]}, indent=2)
                write_atomically(run.measured(str(self.subcommand)), text.encode())
            except OSError as error:  # of a run that may only be read
                warnings.warn(f"the metrics are not kept: {error.strerror}", stacklevel=2)

    def predict(self, model: pl.LightningModule, datamodule: pl.LightningDataModule, ckpt_path: str) -> None:
        """Writes predictions of the data module's rows to predict, in their order."""
        run = _run_of(Path(ckpt_path)) or Run(Path(ckpt_path).parent)
        output = Path(self.config.predict.output or run.predictions)
        self._say(f"{write_predictions(self.trainer, model, datamodule, output):,} rows in {output}")


def _run_of_config(given: Any) -> Run | None:
    # A run's own config means that run, not the latest of its name.
    path = Path(str(given.config[0])) if given.config else Path()
    run = Run(path.parent)
    return run if path == run.config and run.checkpoints.is_dir() else None


def _run_of(checkpoint: Path) -> Run | None:
    # None for a checkpoint that lies elsewhere
    run = Run.of(checkpoint)
    return run if run.folder.name.isdigit() and checkpoint.parent == run.checkpoints else None


def main(args: Sequence[str]) -> int:
    """Runs a subcommand and turns what went wrong into one line and an exit status.

    Args:
        args: the command line after ``torchann``.

    Returns:
        0, 1 after an error in the data or the config, 130 after Ctrl-C.

    Raises:
        KeyboardInterrupt: after Ctrl-C where nothing is saved by it.
        SystemExit: after SIGTERM, with status 143.
    """

    def work() -> int:
        if args[0] == "predict" and not is_first():
            return 0  # one process writes one file, rows in their order
        return 130 if CLI(args).trainer.stopped_by == "interrupt" else 0

    return exit_status(args[0], work)
