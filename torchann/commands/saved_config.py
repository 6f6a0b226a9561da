"""The config that a run keeps, to be given to any command again."""

from typing import Any

from lightning.pytorch.cli import SaveConfigCallback


class SaveRunConfig(SaveConfigCallback):
    """Saves what describes the run, to be given to any subcommand again; not what was asked of this one fit."""

    def __init__(self, parser: Any, config: Any, **kwargs: Any) -> None:
        config = config.clone()
        config.quiet, config.trainer.quiet, config.trainer.verbose = False, False, "auto"
        for name in ("ckpt_path", "resume", "tune", "ensemble", "time_limit"):  # which not all of the others take
            config.pop(name, None)
        super().__init__(parser, config, **kwargs)
