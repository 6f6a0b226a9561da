"""How a fit is shown while it runs: a bar in a terminal, a line per epoch in a log, a live table in a notebook."""

import importlib
import shutil
import sys
import time
from collections.abc import Mapping
from html import escape
from typing import Any, Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ProgressBar
from tqdm import tqdm

from torchann.files.history import History, epoch_number
from torchann.nets.readable import in_digits

Verbose = Literal["auto", 0, 1, 2]
KNOWN, UNKNOWN = "{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}", "{desc}{elapsed}{postfix}"
BESIDE_FIGURES = 46  # columns of a line: epoch, percentage, a bar of ten, two times
TABLE_ROWS, TABLE_SECONDS = 10, 0.3  # of the table in a notebook: the latest epochs, between two updates


def check_verbose(verbose: Any) -> None:
    """Raise ValueError unless this is a way to show a fit."""
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose is {verbose!r}; give 0 for nothing, 1 for a bar, 2 for a line per epoch, or 'auto'")


def in_notebook() -> bool:
    """Return whether this process answers a notebook's cells."""
    python = sys.modules.get("IPython")
    return python is not None and hasattr(python.get_ipython(), "kernel")


def in_a_line(row: Mapping[str, float]) -> str:
    """Return the figures of an epoch, the losses first, in a line as Keras writes it.

    Example:
        >>> in_a_line({"epoch": 0, "lr": 0.1, "val_rmse": 0.5, "val_loss": 0.25, "train_loss": 0.31253, "seconds": 2.0})
        'train_loss: 0.3125 - val_loss: 0.25 - val_rmse: 0.5'
    """
    return " - ".join(f"{name}: {in_digits(row[name])}" for name in _by_weight(row))


def _by_weight(row: Mapping[str, float]) -> list[str]:
    names = [name for name in row if name not in ("epoch", "seconds", "lr")]
    first = {"train_loss": 0, "val_loss": 1}
    return sorted(names, key=lambda name: (first.get(name, 2), name.startswith("train"), name))


class Progress(ProgressBar):
    """Shows a fit: in a terminal a bar over the whole of it, in a log a line per epoch, in a notebook a table.

    Args:
        verbose: 1 for a bar (in a terminal, else nothing; in a notebook the table), 2 for a line per epoch; ``"auto"``
            is a bar in a terminal, the table in a notebook, and lines elsewhere: those of the first 99 epochs, then of
            each tenth, from the thousandth on of each hundredth, and of the last.

    Example:
        >>> Progress(2).verbose
        2
    """

    def __init__(self, verbose: Verbose = "auto") -> None:
        super().__init__()
        check_verbose(verbose)
        self.verbose = verbose
        self._bar: tqdm[Any] | None = None
        self._table: Any = None  # IPython's handle of what it displays
        self._lines = False
        self._rate: float | None = None
        self._told, self._drawn = 0, 0.0
        self._enabled = True

    def disable(self) -> None:
        """Shows nothing from now on, as Lightning asks of all processes but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Shows what comes from now on."""
        self._enabled = True

    def _open(self, label: str, total: float | None, done: float = 0.0) -> None:
        # disable=None: only in a terminal.
        hidden = True if not self._enabled or in_notebook() else None
        form = UNKNOWN if total is None else KNOWN
        self._bar = tqdm(
            total=total,
            initial=done,
            desc=label,
            bar_format=form,
            disable=hidden,
            dynamic_ncols=True,
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _done(self, trainer: pl.Trainer, batches: int) -> float | None:
        # The share of the fit that is done, None where nothing says how long it is.
        parts = [trainer.global_step / trainer.max_steps] if trainer.max_steps > 0 else []
        if (trainer.max_epochs or -1) > 0:
            of_epoch = batches / trainer.num_training_batches if trainer.num_training_batches else 1.0
            parts.append((trainer.current_epoch + of_epoch) / trainer.max_epochs)  # type: ignore[operator]
        return min(1.0, max(parts)) if parts else None

    def _history(self, trainer: pl.Trainer) -> History:
        return getattr(trainer.lightning_module, "history", None) or History()

    def _name(self, trainer: pl.Trainer, index: int) -> str:
        last = str(trainer.max_epochs) if (trainer.max_epochs or -1) > 0 else "?"
        return f"epoch {epoch_number(index):>{len(last)}}/{last}"

    def on_train_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Opens the bar, at the place where a resumed run goes on."""
        self._told, self._rate = len(self._history(trainer)), None
        bar = self.verbose == 1 or (self.verbose == "auto" and sys.stderr.isatty())
        notebook = in_notebook() and self.verbose != 2
        self._lines = self._enabled and not bar and not notebook
        if notebook and self._enabled:
            self._table, self._drawn = _display("", None), 0.0
        elif bar:
            self._open("", None if self._done(trainer, 0) is None else 1.0, self._done(trainer, 0) or 0.0)

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Names the epoch, and shows the figures of the one before."""
        # At the end of an epoch this callback is called before the task has logged its training figures.
        self._show(trainer)
        if self._bar is not None:
            self._bar.set_description_str(f"{self._name(trainer, trainer.current_epoch)}: ", refresh=False)

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Moves the bar by a step."""
        if self._bar is not None:
            done = self._done(trainer, batch_idx + 1)
            self._bar.update(0 if done is None else done - self._bar.n)
        elif self._table is not None and time.monotonic() - self._drawn > TABLE_SECONDS:
            self._draw(trainer, self._done(trainer, batch_idx + 1))

    def _show(self, trainer: pl.Trainer, last: bool = False) -> None:
        history = self._history(trainer)
        if self._bar is not None and history:
            room = (self._bar.format_dict["ncols"] or shutil.get_terminal_size().columns) - BESIDE_FIGURES
            self._bar.set_postfix_str(_that_fit(history[-1], room), refresh=False)
        elif self._table is not None and (last or time.monotonic() - self._drawn > TABLE_SECONDS):
            self._draw(trainer, None if last else self._done(trainer, 0))
        elif self._lines and len(history) > self._told:
            index = int(history[-1]["epoch"])
            if last or self.verbose == 2 or epoch_number(index) % 10 ** max(0, len(str(epoch_number(index))) - 2) == 0:
                self._tell(f"{self._name(trainer, index)} - {self._figures(history[-1])}")
                self._told = len(history)

    def _figures(self, row: Mapping[str, float]) -> str:
        before, self._rate = self._rate, row.get("lr", self._rate)
        rate = f" - lr: {self._rate:.4g}" if before is not None and before != self._rate else ""
        return f"{row.get('seconds', 0.0):.2f}s - {in_a_line(row)}{rate}"

    def _tell(self, line: str) -> None:
        try:
            print(line, flush=True)
        except OSError:  # a reader who has gone, or a full disk, does not cost the run
            self._lines = False

    def _draw(self, trainer: pl.Trainer, done: float | None) -> None:
        history, self._drawn = self._history(trainer), time.monotonic()
        bar = "" if done is None else f"<progress value='{done:.3f}' max='1'></progress> "
        name = "" if done is None else escape(self._name(trainer, trainer.current_epoch))
        _display(f"{bar}{name}{history[-TABLE_ROWS:]._repr_html_() if history else ''}", self._table)

    def on_train_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Shows the last figures and closes the bar."""
        self._show(trainer, last=True)
        self._table, self._lines = None, False
        self._close()

    def on_exception(self, *_: Any) -> None:
        """Leaves the line of the bar to the message that follows."""
        self._table, self._lines = None, False
        self._close()

    def on_test_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Opens a bar over the test batches."""
        self._open("test: ", sum(trainer.num_test_batches))

    def on_test_batch_end(self, *_: Any) -> None:
        """Moves the bar by a batch."""
        if self._bar is not None:
            self._bar.update()

    def on_test_end(self, *_: Any) -> None:
        """Closes the bar."""
        self._close()

    def on_predict_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Opens a bar over the batches to predict."""
        self._open("predict: ", sum(trainer.num_predict_batches))

    def on_predict_batch_end(self, *_: Any) -> None:
        """Moves the bar by a batch."""
        self.on_test_batch_end()

    def on_predict_end(self, *_: Any) -> None:
        """Closes the bar."""
        self._close()


def _display(html: str, handle: Any) -> Any:
    shown: Any = importlib.import_module("IPython.display")
    return shown.display(shown.HTML(html), display_id=True) if handle is None else handle.update(shown.HTML(html))


def _that_fit(row: Mapping[str, float], room: int) -> str:
    # As many figures as the line has room for, the losses first.
    found = ""
    for name in _by_weight(row):
        more = f"{found}, {name}={in_digits(row[name])}".removeprefix(", ")
        if len(more) > room:
            break
        found = more
    return found
