"""What the commands share that read a config: its parser, what is made of it, and how errors are told."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import lightning.pytorch as pl
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.cli import LightningCLI
from lightning.pytorch.utilities import rank_zero_only

from torchann.commands.error_report import report_error
from torchann.commands.parser import CLI_OPTIONS, Parser
from torchann.dashboard.tensorboard_report import TensorBoardReport
from torchann.training.trainer import Trainer, quieten_framework


class ConfigCLI(LightningCLI):
    """Makes model, data and Trainer of a config and of the options beside it.

    Args:
        command: the word after ``torchann``.
        args: the command line to parse.
        own: options of this command alone, to suggest where one is mistyped.
        kwargs: LightningCLI's arguments; ``run=False`` for commands that are no methods of the Trainer.
    """

    trainer: Trainer

    def __init__(self, command: str, args: Sequence[str], own: Sequence[str] = (), **kwargs: Any) -> None:
        quieten_framework()
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

    def parse_arguments(self, parser: Any, args: Any) -> None:
        """Parses the command line."""
        self.config: Any = parser.parse_args(args)

    def add_arguments_to_parser(self, parser: Any) -> None:
        """Adds what all these commands take."""
        parser.add_argument("--quiet", action="store_true", help="no progress bars, nothing but results and errors")
        parser.link_arguments("quiet", "trainer.quiet")
        parser.add_lightning_class_args(TensorBoardReport, "tensorboard")
        parser.link_arguments("seed_everything", "trainer.seed", compute_fn=_seed)


def is_first() -> bool:
    """Whether this process is the first of those that do a command's work together, and the one that tells of it."""
    return not getattr(rank_zero_only, "rank", 0)


def _seed(seed_everything: bool | int) -> int:
    return 42 if isinstance(seed_everything, bool) else seed_everything


def exit_status(command: str, work: Callable[[], int]) -> int:
    """Does a command's work and turns what went wrong into one line and an exit status.

    Args:
        command: the word after ``torchann``.
        work: returns the exit status if all went well.

    Returns:
        What ``work`` returned, or 1 after an error in the data or the config.
    """
    sys.path.insert(0, "")  # a config may name classes of the folder that the command is called in
    try:
        return work()
    except (ValueError, TypeError, OSError, IndexError, RuntimeError, MisconfigurationException) as error:
        return report_error(command, error)
    finally:
        sys.path.remove("")
