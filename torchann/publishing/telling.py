"""The metrics of a model at the end of its fit, told wherever people look for them."""

import json
from collections.abc import Callable
from typing import Any

from torchann.dashboard.tensorboard_logger import RunLogger
from torchann.files.run import Run
from torchann.publishing.judged import Judged
from torchann.publishing.judging import unequal_classes
from torchann.training.trainer import Trainer


def tell(model: Any, judged: Judged, trainer: Trainer, epoch: int, say: Callable[[str], None]) -> None:
    """Give a model its metrics, print them, and write them to its run's folder and TensorBoard.

    Args:
        model: a task.
        judged: its metrics.
        trainer: of the run.
        epoch: whose weights the model has.
        say: prints.
    """
    model.report, model.judged = judged, judged.describe()
    say(str(judged))
    hint = unequal_classes(model, judged)
    if hint is not None:
        say(hint)
    for logger in trainer.loggers:
        if isinstance(logger, RunLogger):
            told = {"epoch": epoch, **judged.describe()}
            Run(logger.log_dir).measured("fit").write_text(json.dumps(told, indent=2))
            logger.experiment.add_text("metrics", judged.markdown, trainer.current_epoch)
            logger.finalize("judged")
