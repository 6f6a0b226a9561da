"""One progress bar for a whole run, with the latest figures beside it."""

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ProgressBar
from tqdm import tqdm

FORMAT = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"


class Progress(ProgressBar):
    """A bar over all steps of a run, the epoch before it and the latest figures behind it; none where no one looks.

    Lightning's own bar starts anew in each epoch; runs of small nets have many short ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bar: tqdm[Any] | None = None
        self._enabled = True

    def disable(self) -> None:
        """Shows nothing from now on, as Lightning asks of all processes but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Shows what comes from now on."""
        self._enabled = True

    def _open(self, total: float, label: str) -> None:
        known = int(total) if 0 <= total < float("inf") else None
        # disable=None: only in a terminal.
        self._bar = tqdm(total=known, desc=label, bar_format=FORMAT, disable=None if self._enabled else True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _advance(self) -> None:
        if self._bar is not None:
            self._bar.update()

    def _epochs(self, trainer: pl.Trainer) -> str:
        return str(trainer.max_epochs) if (trainer.max_epochs or -1) > 0 else "?"

    def on_train_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Opens the bar, at the step where a resumed run goes on."""
        epochs = trainer.max_epochs or -1
        steps = epochs * trainer.num_training_batches if epochs > 0 else float("inf")
        self._open(min(steps, trainer.max_steps) if trainer.max_steps >= 0 else steps, "")
        if self._bar is not None:
            self._bar.update(trainer.global_step)

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Names the epoch, and shows the figures of the one before."""
        self._show_figures(trainer)
        if self._bar is not None:
            self._bar.set_description(f"epoch {trainer.current_epoch + 1}/{self._epochs(trainer)}", refresh=False)

    def on_train_batch_end(self, *_: Any) -> None:
        """Moves the bar by a step."""
        self._advance()

    def _show_figures(self, trainer: pl.Trainer) -> None:
        # At the end of an epoch this callback is called before the task has logged its training figures.
        if self._bar is not None:
            figures = {name: float(value) for name, value in trainer.progress_bar_metrics.items()}
            # The losses first: a narrow terminal cuts the others off.
            names = sorted(figures, key=lambda name: not name.endswith("_loss"))
            self._bar.set_postfix({name: f"{figures[name]:.4g}" for name in names}, refresh=False)

    def on_train_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Shows the last figures and closes the bar."""
        self._show_figures(trainer)
        self._close()

    def on_exception(self, *_: Any) -> None:
        """Leaves the line of the bar to the message that follows."""
        self._close()

    def on_test_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Opens a bar over the test batches."""
        self._open(sum(trainer.num_test_batches), "test: ")

    def on_test_batch_end(self, *_: Any) -> None:
        """Moves the bar by a batch."""
        self._advance()

    def on_test_end(self, *_: Any) -> None:
        """Closes the bar."""
        self._close()

    def on_predict_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Opens a bar over the batches to predict."""
        self._open(sum(trainer.num_predict_batches), "predict: ")

    def on_predict_batch_end(self, *_: Any) -> None:
        """Moves the bar by a batch."""
        self._advance()

    def on_predict_end(self, *_: Any) -> None:
        """Closes the bar."""
        self._close()
