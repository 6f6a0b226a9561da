"""What a search asks for and what it gets: candidates, and their scores."""

from collections.abc import Callable, Mapping
from math import inf, isfinite
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, NamedTuple

import lightning.pytorch as pl

from torchann.files.metric_name import MetricName

Params = dict[str, Any]
Make = Callable[[Params], tuple[pl.LightningModule, Any, Mapping[str, Any]]]
"""From a candidate's values to a model that is not fitted, its data module, and the Trainer's arguments."""


class Criterion(NamedTuple):
    """What a candidate is judged by.

    Attributes:
        metric: a figure that is logged, such as ``val_loss``.
        mode: min if it should fall, max if it should rise.
        folds: parts of the training rows that are held out in turn; None to judge by the validation rows.
        seed: of each training.

    Example:
        >>> Criterion("val_accuracy", "max", folds=3).score_name, Criterion("val_loss").score_name
        ('cv_accuracy', 'val_loss')
    """

    metric: str = "val_loss"
    mode: Literal["min", "max"] = "min"
    folds: int | None = None
    seed: int = 42

    @property
    def worst(self) -> float:
        """What stands for no number."""
        return inf if self.mode == "min" else -inf

    @property
    def figure(self) -> str:
        """The figure's name without its stage: ``loss`` of ``val_loss``."""
        name = MetricName.parse(self.metric)
        return name.tag if name.stage == "val" else name.key

    @property
    def score_name(self) -> str:
        """What the score is called: ``cv_loss`` with folds, else the metric."""
        return self.metric if self.folds is None else f"cv_{self.figure}"


class Candidate(NamedTuple):
    """What is to be tried.

    Attributes:
        number: of the trial, from 0.
        params: its values by name.
        folder: where its runs go.
        trial: Optuna's, which is told the figures on the way.
    """

    number: int
    params: Params
    folder: Path
    trial: Any


class Scores(NamedTuple):
    """What a candidate achieved.

    Attributes:
        figures: one per fold, or one.
        epochs: trained in each.
        seconds: in all.
        state: complete, pruned (given up as behind others) or interrupted (to be gone on with).

    Example:
        >>> criterion = Criterion()
        >>> Scores([0.5, 0.3], [10, 12], 1.5).score(criterion)
        0.4
        >>> Scores([0.5, float("nan")], [10, 2], 1.0).score(criterion)
        inf
    """

    figures: list[float]
    epochs: list[int]
    seconds: float
    state: Literal["complete", "pruned", "interrupted"] = "complete"

    def score(self, criterion: Criterion) -> float:
        """The mean of the figures; if one is no number, the worst there is."""
        mean = fmean(self.figures) if self.figures else criterion.worst
        return mean if isfinite(mean) else criterion.worst
