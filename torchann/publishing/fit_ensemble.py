"""Several nets for a table as one model, in a run of their own: what ``ensemble=`` and ``time_limit=`` ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torchann.dashboard.tensorboard_logger import RunLogger
from torchann.data.tabular import TabularDataModule
from torchann.estimators.portfolio.table_net import TableNet, search_table
from torchann.files.run import BEST, CHECKPOINTS
from torchann.nets.names import printable
from torchann.pictures.leaderboard import leaderboard_picture
from torchann.publishing.judging import judge
from torchann.publishing.telling import tell
from torchann.training.trainer import Trainer


def fit_ensemble(
    trainer: Trainer,
    data: TabularDataModule,
    ensemble: int | None,
    time_limit: float | None,
    say: Callable[[str], None] = print,
) -> Any:
    """Search the strongest nets for a table and return them as one model, with a run folder like that of a fit.

    Args:
        trainer: whose run folder, TensorBoard and seed are used; it takes no step itself.
        data: the table.
        ensemble: nets of a recipe.
        time_limit: seconds.
        say: takes what is found out.

    Returns:
        The model. Its ``leaderboard`` has what was tried, its ``report`` the metrics of the test rows.

    Raises:
        ValueError: for a table that cannot be learnt from, or an ensemble of fewer than two nets.
        KeyboardInterrupt: after Ctrl-C before the first net is trained.
    """
    if trainer.world_size > 1:
        raise ValueError(f"there are {trainer.world_size} processes, and one searches in threads; start one alone")
    data.setup("fit")
    say(printable(str(data.report)))
    found = search_table(data, ensemble, time_limit, trainer.seed, say=lambda line: say(printable(line)))
    model: Any = found.model
    board = found.leaderboard
    loss = "log loss" if board.classes else "RMSE in standard deviations of the target"
    say(f"\n{loss}, of rows that a model was not trained on:\n{printable(str(board))}")
    if found.interrupted:
        say("interrupted: the best so far is kept")
        trainer.stopped_by = "interrupt"
    if board.warning is not None:
        say(board.warning)
    model.leaderboard = board
    loggers = list(trainer.loggers)
    if loggers:
        trainer.strategy.connect(model)
        trainer.save_checkpoint(f"{trainer.run_folder}/{CHECKPOINTS}/{BEST}")
        board.write(Path(trainer.run_folder, "leaderboard.csv"))
        picture = leaderboard_picture(board.lines, board.classes)
        picture.savefig(Path(trainer.run_folder, "leaderboard.png"))
        for logger in loggers:
            if isinstance(logger, RunLogger):
                logger.experiment.add_text("leaderboard", board.markdown)
                logger.experiment.add_figure("leaderboard", picture)
    _judge(model, found, trainer, say)
    if loggers:
        nets = len(model.net.members)
        say(f"{nets} net{'s' * (nets > 1)} in one model; run folder {trainer.run_folder}")
    return model


def _judge(model: Any, found: TableNet, trainer: Trainer, say: Callable[[str], None]) -> None:
    # The nets have seen all rows but the test rows.
    if not found.data.num_rows("test"):
        say("there are no test rows; what the leaderboard says is of rows that the nets had not seen")
        return
    judged = judge(model, found.data, found.calibration)
    if judged is not None:
        tell(model, judged, trainer, 0, say)
