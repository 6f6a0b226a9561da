"""The one file that knows private names of Lightning, each behind a function that says what it stands for.

``tests/training/test_lightning_internals.py`` fails in words when a release of Lightning no longer has one of them.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch import Tensor

DDP_HOOKS = ("_ddp_comm_hook", "_ddp_comm_wrapper", "_ddp_comm_state")


def logged_now(trainer: pl.Trainer) -> dict[str, Tensor]:
    """Return what was logged in the loop under way: by training at the end of an epoch, by validation at the end of it.

    ``trainer.callback_metrics`` has the figures of earlier epochs, too.

    Args:
        trainer: in ``on_train_epoch_end`` or ``on_validation_end``.
    """
    figures: dict[str, Tensor] = trainer._logger_connector.metrics["callback"]
    return figures


def leave_figures_in_place(trainer: pl.Trainer) -> None:
    """Have Lightning not look for what to move to the CPU, where all is there.

    It walks over all that it keeps of a figure whenever that is logged, a seventh of an epoch of a small net.

    Args:
        trainer: in a fit, at the end of an epoch that has logged its figures.
    """
    loop: Any = trainer.fit_loop.epoch_loop
    if trainer.strategy.root_device.type == "cpu":
        for result in (*loop._results.values(), *loop.val_loop._results.values()):
            result.to = _do_nothing


def _do_nothing(*_: Any, **__: Any) -> None: ...


def validation_is_next(trainer: pl.Trainer) -> bool:
    """Return whether Lightning validates before it takes the next batch.

    Args:
        trainer: in ``on_train_batch_end``.
    """
    loop: Any = trainer.fit_loop
    return bool(loop.epoch_loop._should_check_val_fx(loop._data_fetcher))


def load_waiting_loader_states(trainer: pl.Trainer) -> None:
    """Give the training loaders the places that a checkpoint has for them, if Lightning has not done so.

    It has not where it had made the loaders before it read the checkpoint.

    Args:
        trainer: in ``on_train_start``.
    """
    loop: Any = trainer.fit_loop
    if loop._combined_loader_states_to_load:
        loop._load_combined_loader_states()
        iter(loop._data_fetcher)


def pass_over_batches(trainer: pl.Trainer) -> None:
    """Read the batches of the epoch under way that a checkpoint counts as trained on, and drop them.

    Args:
        trainer: in ``on_train_start``, with training loaders that cannot begin in the middle of an epoch.
    """
    loop: Any = trainer.fit_loop
    iter(loop._data_fetcher)
    for _ in range(loop.epoch_loop.batch_progress.current.ready):
        next(loop._data_fetcher)
    loop._data_fetcher.fetched = 0  # Lightning adds them by itself


def end_epochs_with_max_steps(trainer: pl.Trainer) -> None:
    """Have a checkpoint at the end of an epoch count as such where a Trainer has ``max_steps``, too.

    Lightning would take it for one in the middle of an epoch.

    Args:
        trainer: that has just been made.
    """
    trainer.fit_loop._iteration_based_training = lambda: False  # type: ignore[method-assign]


def data_of_fit(trainer: pl.Trainer) -> Any:
    """Return what the training rows come from: a data module, loaders, or the LightningModule itself.

    Args:
        trainer: in a fit.
    """
    return trainer.fit_loop._data_source.instance


def restored_by_tuner(trainer: pl.Trainer) -> bool:
    """Return whether a finder of learning rates or batch sizes puts back what it had found at the start of a fit.

    Args:
        trainer: in ``on_load_checkpoint``.
    """
    return Path(str(trainer.ckpt_path or "")).name.startswith((".lr_find_", ".scale_batch_size_"))


def process_timeout(strategy: DDPStrategy) -> timedelta | None:
    """Return how long a process waits for the others, as the strategy was told; None for torch's own time."""
    return strategy._timeout


def gradient_hook(strategy: Strategy) -> str | None:
    """Return the option by which a strategy was told to exchange gradients in another way, None if by none.

    Args:
        strategy: of a Trainer; only ``DDPStrategy`` has such options.
    """
    return next((name.lstrip("_") for name in DDP_HOOKS if getattr(strategy, name, None) is not None), None)
