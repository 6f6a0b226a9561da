"""What the commands share that read a config: its parser, what is made of it, and how errors are told."""

import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.utilities import rank_zero_only

from torchann.commands.error_report import report_error
from torchann.commands.parser import CLI_OPTIONS, Parser
from torchann.commands.run_shortcut import MEASURES, with_run
from torchann.commands.table_shortcut import in_words, name_of, option_name, translated, with_model, without_model_knobs
from torchann.commands.texts import with_plain_texts
from torchann.commands.trusted import trust
from torchann.dashboard.tensorboard_report import TensorBoardReport
from torchann.data import TabularDataModule
from torchann.files.run import check_name, name_from
from torchann.nets.names import printable
from torchann.publishing.small_tables import kind_of, settings_of
from torchann.training.quiet import quieten_framework
from torchann.training.trainer import Trainer


class ConfigCLI(LightningCLI):
    """Makes model, data and Trainer of a config and of the options beside it.

    Args:
        command: the word after ``torchann``.
        args: the command line to parse.
        own: options of this command alone, to suggest where one is mistyped.
        kwargs: LightningCLI's arguments; ``run=False`` for commands that are no methods of the Trainer.

    Attributes:
        table: the user's table, where the model was chosen by it; read already.
        small: few or wide, for a table that has few rows, or more columns than rows, and the model that suits it.
    """

    trainer: Trainer
    table: TabularDataModule | None = None
    small: str | None = None

    def __init__(self, command: str, args: Sequence[str], own: Sequence[str] = (), **kwargs: Any) -> None:
        quieten_framework()
        self.name = command
        Parser.command, Parser.own = f"torchann {command}", (*CLI_OPTIONS, *own)
        super().__init__(
            pl.LightningModule,
            pl.LightningDataModule,
            trainer_class=Trainer,
            seed_everything_default=42,
            parser_class=Parser,
            parser_kwargs={"prog": "torchann"},
            subclass_mode_model=True,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            args=list(args),
            **kwargs,
        )

    @property
    def given(self) -> Any:
        """The config of the command under way."""
        return self.config[self.config.subcommand] if "subcommand" in self.config else self.config

    @property
    def run_name(self) -> str:
        """What runs and studies are called: as is said, or after the config file, the table or the model."""
        given = self.given
        if given.trainer.name != "run":
            return check_name(given.trainer.name, "trainer.name")
        if given.config:
            return name_from(Path(str(given.config[0])).stem)
        own = given.data.class_path.endswith("TabularDataModule")
        return name_from(name_of(given.data.init_args.source) if own else given.model.class_path.split(".")[-1])

    def parse_arguments(self, parser: Any, args: Any) -> None:
        """Parses the command line; a table needs no model to be named."""
        command = list(args[:1]) if args[:1] == [self.name] else []
        words = translated(with_run(self.name, trust(args[len(command) :])))
        named = any(word == "--model" or word.startswith("--model=") for word in words)
        if not named and not any(word.startswith(("--config", "-c", "--data", "--help", "-h")) for word in words):
            parser.error("the following arguments are required: data, model")
        first = words if named else without_model_knobs(words)  # which mean nothing without a model
        self.config: Any = parser.parse_args([*command, *first])
        given = self.given
        if given.model is None:
            if given.data is None or not given.data.class_path.endswith("TabularDataModule"):
                parser.error("the following arguments are required: model")
            made = parser.instantiate_classes(self.config)
            self.table = (made[self.config.subcommand] if command else made).data
            assert isinstance(self.table, TabularDataModule)
            self.table.setup()
            known = (given.trainer.max_epochs is not None, bool(given.trainer.callbacks))
            task, names = str(self.table.task), [option_name(word) for word in words]
            self.small = kind_of(self.table, names) if self.name in ("fit", *MEASURES) else None
            if self.small is not None:
                model, data, trainer = settings_of(self.small, self.table)
                # A fit alone leaves validation out; what is to be measured now has the same net and rows.
                told = [name for name in trainer if self.name == "fit" and not (name == "max_epochs" and known[0])]
                trainer = {name: trainer[name] for name in told}
                words = [*in_words("model", model), *words, *in_words("data", data), *in_words("trainer", trainer)]
                known, self.table = (True, True), None  # read again, with another part to train on
            elif self.name == "fit" and not {"ensemble", "numbers", "time_limit"} & set(names):
                words += self._with_waves()
            self.config = parser.parse_args([*command, *with_model(words, task, *known)])
        elif first != words:
            self.config = parser.parse_args([*command, *words])

    def _with_waves(self) -> list[str]:
        from torchann.estimators.portfolio.table_net import wavy_names  # scikit-learn, which no other command needs

        assert self.table is not None
        wavy = wavy_names(self.table)
        self.table = None if wavy else self.table  # read again, with waves
        return in_words("data", {"numbers": dict.fromkeys(wavy, "waves")}) if wavy else []

    def add_core_arguments_to_parser(self, parser: Any) -> None:
        """Adds Trainer, model and data."""
        parser.add_lightning_class_args(self.trainer_class, "trainer")
        parser.add_lightning_class_args(pl.LightningModule, "model", subclass_mode=True, required=False)
        parser.add_lightning_class_args(pl.LightningDataModule, "data", subclass_mode=True)

    def add_arguments_to_parser(self, parser: Any) -> None:
        """Adds what all these commands take."""
        parser.add_instantiator(with_plain_texts, pl.LightningDataModule)
        parser.add_argument("--quiet", action="store_true", help="no progress bars, nothing but results and errors")
        parser.link_arguments("quiet", "trainer.quiet")
        parser.add_lightning_class_args(TensorBoardReport, "tensorboard")
        parser.link_arguments("seed_everything", "trainer.seed", compute_fn=_seed)


def is_first() -> bool:
    """Whether this process is the first of those that do a command's work together, and the one that tells of it."""
    return not getattr(rank_zero_only, "rank", 0)


def _seed(seed_everything: bool | int) -> int:
    return 42 if isinstance(seed_everything, bool) else seed_everything


def _in_a_line(command: str, message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"torchann {command}: {printable(str(message))}", file=sys.stderr)


def exit_status(command: str, work: Callable[[], int]) -> int:
    """Does a command's work and turns what went wrong into one line and an exit status.

    Args:
        command: the word after ``torchann``.
        work: returns the exit status if all went well.

    Returns:
        What ``work`` returned, or 1 after an error in the data or the config.
    """
    shown, warnings.showwarning = warnings.showwarning, partial(_in_a_line, command)
    try:
        return work()
    except (ValueError, TypeError, OSError, IndexError, RuntimeError, MisconfigurationException) as error:
        return report_error(command, error)
    finally:
        warnings.showwarning = shown
