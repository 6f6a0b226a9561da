"""A linear model and boosted trees on the rows that nets are compared on, so that a user sees whether a net pays."""

import time
import warnings
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputRegressor

from torchann.estimators.portfolio.leaderboard import Line
from torchann.estimators.portfolio.rows import Numbers, Rows

MOST = 5 * 10**7  # numbers to be read for all parts; of more the first part alone is predicted


def baselines(rows: Rows, columns: list[int], parts: list[Numbers], seed: int) -> list[Line]:
    """Return lines of the leaderboard for a linear model and boosted trees, each fitted without each part in turn.

    Args:
        rows: that nets are trained on.
        columns: of their inputs that hold the table as it is: standardised, and without waves.
        parts: places of rows that are left out.
        seed: of the trees.

    Example:
        >>> x = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
        >>> lines = baselines(Rows(x, 2 * x), [0], [np.arange(0, 40, 2), np.arange(1, 40, 2)], 0)
        >>> [(line.name, round(line.loss, 6)) for line in lines if line.name == "linear model"]
        [('linear model', 0.0)]
    """
    x, several = rows.x[:, columns], not rows.classes and rows.y.shape[1] > 1
    cost = x.size * max(1, rows.classes) * len(parts)
    parts = parts if cost <= MOST else parts[:1]
    models: dict[str, Any] = {
        "linear model": LogisticRegression(max_iter=200) if rows.classes else LinearRegression(),
        "boosted trees": HistGradientBoostingClassifier(random_state=seed)
        if rows.classes
        else HistGradientBoostingRegressor(random_state=seed),
    }
    if several:
        models["boosted trees"] = MultiOutputRegressor(models["boosted trees"])
    lines = []
    for name, model in models.items():
        begun, found = time.process_time(), []
        for out in parts:
            kept = np.setdiff1d(np.arange(len(x)), out)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a linear model has not converged is of no consequence here
                model.fit(x[kept], rows.targets[kept])
            found.append(rows.predict(model, x[out]))
        told = np.concatenate(found), np.concatenate(parts)
        lines.append(Line.of(name, rows, told, len(parts), time.process_time() - begun))
    return lines
