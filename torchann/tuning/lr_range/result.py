"""What a learning-rate range test measured: a rate and a loss for each step, and what they advise."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log10
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate
from torch import Tensor

from torchann.files.history import csv_lines
from torchann.nets.readable import Readable

RISE = 3.0
"""How many times its lowest the mean loss is where it "shoots up"."""
LEAST_SHARE = 1e-3
"""Of the loss at the start: what is lower counts as this, or a net that knows all would "shoot up" from nothing."""
DECADES_OF_SLOPE = 0.25
"""Decades of the rate over which a level is measured, before and after a step."""
SHOWN = 25  # rows of the printed table


@dataclass(frozen=True, repr=False)
class RateRange(Readable):
    """The raw loss of each step of a range test, and the learning rate of that step.

    Attributes:
        rates: learning rates, growing by one factor from step to step.
        losses: the mean loss of each step's batch alone, before its step; never a running mean.
        window: over how many of the latest losses their mean goes where noise would mislead.
        lr: the rate that the model was set to, None if it says none.

    Raises:
        ValueError: if there are no two steps, or not as many rates as losses.

    Example:
        >>> found = RateRange([0.001, 0.01, 0.1, 1.0], [2.0, 1.9, 0.5, 9.0], window=1)
        >>> found.shoots_up, found.half
        (1.0, 0.5)
        >>> print(found)
          step    rate    loss
        ------  ------  ------
             1   0.001     2
             2   0.01      1.9
             3   0.1       0.5
             4   1         9
        steepest descent at 0.01; shoots up at 1, half of it is 0.5; train with 0.01
    """

    rates: Sequence[float]
    losses: Sequence[float]
    window: int
    lr: float | None = None

    def __post_init__(self) -> None:
        """Refuses what no curve can be drawn of."""
        if len(self.rates) != len(self.losses) or len(self.rates) < 2:
            raise ValueError(f"{len(self.rates)} rates and {len(self.losses)} losses; give both as many, at least two")

    def __len__(self) -> int:
        """How many steps there are."""
        return len(self.losses)

    @property
    def smoothed(self) -> Tensor:
        """The mean over the last ``window`` losses, from the first full one on, ``(steps - window + 1,)`` float64."""
        losses = torch.tensor(self.losses, dtype=torch.float64)
        return losses.unfold(0, self.window, 1).mean(1) if len(losses) >= self.window else losses[:0]

    def first_above(self, rise: float) -> int | None:
        """The first step at which the mean loss is so many times the lowest it has been, or a loss is no number.

        Args:
            rise: above 1.

        Returns:
            The step, counted from 0; None if there is none.
        """
        smooth = self.smoothed
        least = LEAST_SHARE * smooth[0].item() if len(smooth) else 0.0
        lowest = smooth.cummin(0).values.clamp(min=least)
        above = (~(smooth < rise * lowest)).nonzero().flatten() + self.window - 1
        no_number = [step for step, loss in enumerate(self.losses) if not isfinite(loss)]
        return min([*above[:1].tolist(), *no_number[:1]], default=None)

    @property
    def shoots_up(self) -> float | None:
        """The rate at which the mean loss is three times its lowest, or no number; None if it never was."""
        step = self.first_above(RISE)
        return None if step is None else self.rates[step]

    @property
    def half(self) -> float | None:
        """The book's rule: half of the rate at which the loss shoots up; None if it never did."""
        up = self.shoots_up
        return None if up is None else up / 2

    @property
    def steepest(self) -> float | None:
        """The rate at which the loss falls fastest per factor of the rate; None if it falls nowhere.

        Compared are the medians of two neighbouring quarters of a decade, up to the lowest mean; the rate is that of
        the step between them. A mean would follow single batches with rows that are far from all others.
        """
        smooth = self.smoothed
        lowest = int(smooth.nan_to_num(inf).argmin()) + self.window if len(smooth) else len(self)
        losses = torch.tensor(self.losses[:lowest], dtype=torch.float64)
        per_step = log10(self.rates[1] / self.rates[0])
        width = min(max(1, round(DECADES_OF_SLOPE / per_step)), len(losses) // 2)
        if width < 1:
            return None
        levels = losses.unfold(0, width, 1).median(1).values
        falls = levels[:-width] - levels[width:]
        step = int(falls.argmax())
        return self.rates[step + width - 1] if falls[step] > 0 else None

    @property
    def advice(self) -> str:
        """What the curve advises, in a line."""
        steepest, up = self.steepest, self.shoots_up
        message = "the loss falls nowhere" if steepest is None else f"steepest descent at {steepest:.2g}"
        if up is None:
            return f"{message}; the loss never shoots up, so let the rate grow further"
        rate = min(up / 2 if steepest is None else steepest, up / 2)
        return f"{message}; shoots up at {up:.2g}, half of it is {up / 2:.2g}; train with {rate:.2g}"

    def to_csv(self, path: str | Path | None = None) -> str:
        """All steps as CSV (step, counted from 1; rate; loss), also written to ``path`` where one is given."""
        rows = zip(range(1, len(self) + 1), self.rates, self.losses, strict=True)
        text = csv_lines([["step", "lr", "loss"], *rows])
        if path is not None:
            Path(path).write_text(text, newline="")
        return text

    def __str__(self) -> str:
        return f"{self._table('simple')}\n{self.advice}"

    def _repr_html_(self) -> str:
        return f"{self._table('html')}<p>{self.advice}</p>"

    def _table(self, form: str) -> str:
        count, smooth = min(SHOWN, len(self)), self.smoothed.tolist()
        steps = sorted({round(i * (len(self) - 1) / (count - 1)) for i in range(count)})
        rows = [[step + 1, f"{self.rates[step]:.3g}", f"{self.losses[step]:.4g}"] for step in steps]
        headers = ["step", "rate", "loss"]
        if self.window > 1:
            headers.append(f"mean of last {self.window}")
            for row, step in zip(rows, steps, strict=True):
                row.append(f"{smooth[step - self.window + 1]:.4g}" if step >= self.window - 1 else "")
        return str(tabulate(rows, headers, form))

    def plot(self, title: str = "") -> Any:
        """Draws the loss over the rate, with what is advised.

        Returns:
            A ``matplotlib.figure.Figure``; ``savefig`` keeps it.
        """
        from torchann.pictures.rate_curve import rate_curve

        marks = {"steepest descent": self.steepest, "shoots up": self.shoots_up, "half of it": self.half}
        marks |= {"the model's": self.lr}
        found = {name: rate for name, rate in marks.items() if rate is not None}
        return rate_curve(self.rates, self.losses, self.window, found, title)
