"""``torchann lr-range``: the loss while the learning rate grows, and what it advises."""

from collections.abc import Sequence
from typing import Any

from torchann.commands.config_cli import ConfigCLI, exit_status
from torchann.tuning.lr_range.callback import step_options
from torchann.tuning.lr_range.test import learning_rate_range

RANGE = ("min_lr", "max_lr", "steps", "factor", "stop_above")


class RangeCLI(ConfigCLI):
    """Model and data of a config, and the range that the rate is to go through."""

    def add_arguments_to_parser(self, parser: Any) -> None:
        """Adds the knobs of the test."""
        super().add_arguments_to_parser(parser)
        parser.add_function_arguments(learning_rate_range, skip={"model", "data", "seed", "trainer"})
        parser.add_argument("--ckpt_path", type=str | None, help="a .ckpt file, to begin with its weights")
        parser.add_argument("--table", type=str | None, help="a file for all steps, as CSV")
        parser.add_argument("--plot", type=str | None, help="a file for the picture, such as range.png")


def main(args: Sequence[str]) -> int:
    """Takes a range test and prints it.

    Args:
        args: the command line after ``torchann``.

    Returns:
        The exit status.
    """
    return exit_status(args[0], lambda: _run(args[1:]))


def _run(args: Sequence[str]) -> int:
    cli = RangeCLI("lr-range", args, own=(*RANGE, "table", "plot"), run=False, save_config_callback=None)
    model, given = cli.model, cli.config
    if given.ckpt_path is not None:
        kind: Any = type(model)
        parts = {name: getattr(model, name) for name in getattr(kind, "not_saved", ())}
        model = kind.load_from_checkpoint(given.ckpt_path, map_location="cpu", weights_only=True, **parts)
    found = learning_rate_range(
        model,
        cli.table or cli.datamodule,
        seed=cli.trainer.seed,
        **{name: given[name] for name in RANGE},
        **step_options(cli.trainer),
    )
    print(found.advice if given.quiet else found)
    if given.table is not None:
        found.to_csv(given.table)
    if given.plot is not None:
        found.plot(cli.run_name).savefig(given.plot, dpi=120)
    return 0
