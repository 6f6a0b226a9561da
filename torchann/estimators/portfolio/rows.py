"""The rows that nets on a table are trained on, and the parts that are left out in turn."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

Numbers = NDArray[Any]
LEAST = 1e-7  # probability of a true class


class Rows(NamedTuple):
    """Rows that nets are trained on.

    Attributes:
        x: inputs in every encoding, side by side, ``(rows, width)`` float32.
        y: class numbers ``(rows,)``, or values of about unit deviation ``(rows, outputs)``.
        classes: how many there are; 0 of a regression.
    """

    x: Numbers
    y: Numbers
    classes: int = 0

    @property
    def targets(self) -> Numbers:
        """The targets as estimators take them: one value per row is ``(rows,)``."""
        return self.y if self.classes or self.y.shape[1] > 1 else self.y[:, 0]

    def predict(self, net: Any, x: Numbers) -> Numbers:
        """Return the probabilities ``(rows, classes)`` or values ``(rows, outputs)`` that an estimator predicts."""
        found: Numbers = net.predict_proba(x) if self.classes else net.predict(x)
        return found.reshape(len(x), -1)

    def loss(self, predictions: Numbers, places: Numbers) -> float:
        """Return the log loss, or the root of the mean squared error, of some rows; infinite if it is no number."""
        y = self.y[places]
        if self.classes:
            loss = float(-np.log(np.clip(predictions[np.arange(len(y)), y], LEAST, 1.0)).mean())
        else:
            loss = float(np.sqrt(np.square(predictions - y).mean()))
        return loss if np.isfinite(loss) else np.inf


def parts_of(y: Numbers, classes: int, count: int, seed: int, ordered: bool = False) -> list[Numbers]:
    """Return the places of rows of each part; a class with fewer rows than parts is in none, so that all nets know it.

    Args:
        y: class numbers, or values.
        classes: how many; 0 of a regression.
        count: of parts.
        seed: of the draw.
        ordered: whether parts are blocks in stored order.

    Raises:
        ValueError: for fewer than two parts, fewer rows than parts, or a class without a row.
    """
    if not 2 <= count <= len(y):
        raise ValueError(f"{count} parts of {len(y):,} rows; give at least 2, and at most as many as there are rows")
    there = np.arange(len(y))
    if classes:
        counts = np.bincount(y, minlength=classes)
        if not counts.all() or counts.max() < count:
            told = f"the classes have {counts.tolist()!r:.80} rows to train on"
            raise ValueError(f"{told}; {count} parts need one of each class, and {count} of one; give fewer parts")
        there = there[counts[y] >= count]
    shuffled: dict[str, Any] = {} if ordered else {"shuffle": True, "random_state": seed}
    splitter = (
        StratifiedKFold(count, **shuffled) if classes and len(there) and not ordered else KFold(count, **shuffled)
    )
    chosen = there if len(there) >= count else np.arange(len(y))
    return [chosen[out] for _, out in splitter.split(chosen, y[chosen])]
