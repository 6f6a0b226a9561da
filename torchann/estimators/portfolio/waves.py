"""Columns whose values a net tells apart better by waves, such as coordinates: found by short fits."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from torchann.engine.together import run_together
from torchann.estimators.portfolio.recipes import Recipe
from torchann.estimators.portfolio.rows import Numbers, Rows
from torchann.nets.waves import Waves

QUICK = Recipe("quick", (96, 64), "relu", 0.005, 0.05)
EPOCHS, MOST_ROWS, FEWEST_ROWS, MOST_COLUMNS = 12, 20_000, 2_000, 40
LEFT_OUT = 0.25  # share of the rows that decide
DIFFERENT = 20  # values; a column with fewer is told apart without
TRIED, SEEDS = 6, 2
GAIN = 0.01  # of the loss that a column has to lower


class _Fit:
    """A short fit, for its loss on rows left out."""

    def __init__(self, rows: Rows, x: Numbers, cut: int, seed: int) -> None:
        self.rows, self.x, self.cut, self.seed, self.loss = rows, x, cut, seed, np.inf

    def run(self) -> None:
        rows, cut = self.rows, self.cut
        net = QUICK.net(bool(rows.classes), cut, self.seed, []).set_params(max_iter=EPOCHS)
        net.fit(self.x[:cut], rows.targets[:cut])
        self.loss = rows.loss(rows.predict(net, self.x[cut:]), np.arange(cut, len(self.x)))


def wavy_columns(rows: Rows, count: int, octaves: int, seed: int = 42) -> list[int]:
    """Return the columns by whose waves a net predicts better rows that it has not seen, found one after the other.

    Args:
        rows: to train on and to decide by; of many, a part is drawn.
        count: of the columns that begin each row and may have waves, standardised.
        octaves: of the waves.
        seed: of the draw and the nets.

    Returns:
        Their numbers; none for a table with too few rows to tell.

    Example:
        >>> wavy_columns(Rows(np.zeros((9, 1), np.float32), np.zeros((9, 1))), count=1, octaves=4)
        []
    """
    generator = np.random.default_rng(seed)
    drawn = generator.permutation(len(rows.y))[:MOST_ROWS]
    rows = Rows(rows.x[drawn], rows.y[drawn], rows.classes)
    if len(drawn) < FEWEST_ROWS or (rows.classes and len(np.unique(rows.y)) < rows.classes):
        return []
    cut = round(len(drawn) * (1 - LEFT_OUT))
    if rows.classes and len(np.unique(rows.y[:cut])) < rows.classes:
        return []
    columns = [column for column in range(count) if len(np.unique(rows.x[:, column])) > DIFFERENT][:MOST_COLUMNS]

    def losses(choices: Sequence[list[int]], seeds: int) -> list[float]:
        x = torch.from_numpy(rows.x)
        inputs = [Waves(chosen, octaves)(x).numpy() if chosen else rows.x for chosen in choices]
        fits = [_Fit(rows, x, cut, seed + number) for x in inputs for number in range(seeds)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            list(run_together(fits))
        return [float(np.mean([f.loss for f in fits[k * seeds : (k + 1) * seeds]])) for k in range(len(choices))]

    best = without = losses([[]], SEEDS)[0]
    alone = dict(zip(columns, losses([[column] for column in columns], SEEDS), strict=True))
    found: list[int] = []
    for column in sorted(alone, key=alone.__getitem__)[:TRIED]:
        if not alone[column] < without * (1 - GAIN / 2):
            break
        loss = losses([[*found, column]], SEEDS)[0]
        if loss < best * (1 - GAIN):
            found, best = [*found, column], loss
    return found
