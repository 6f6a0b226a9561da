"""Rows that an estimator does not learn from, and stops by."""

from typing import Any, NamedTuple

from sklearn.base import is_classifier
from sklearn.model_selection import train_test_split


class HeldOut(NamedTuple):
    """Rows whose score decides when to stop.

    Attributes:
        X: inputs ``(rows, features)``, dense or sparse.
        y: targets ``(rows, outputs)``, classes as indicators.
        weight: how much each row counts, ``(rows,)``, or None.
    """

    X: Any
    y: Any
    weight: Any


def draw(model: Any, X: Any, y: Any, weight: Any) -> Any:
    """Return rows to learn from, their targets and weights, and those that are held out, as scikit-learn draws them.

    Args:
        model: an MLP that stops early.
        X: inputs ``(rows, features)``.
        y: targets ``(rows, outputs)``.
        weight: how much each row counts, or None.

    Raises:
        ValueError: if fewer than two are held out.
    """
    stratify = y if is_classifier(model) and model.n_outputs_ == 1 else None
    parts = [X, y] if weight is None else [X, y, weight]
    split = train_test_split(
        *parts, random_state=model._random_state, test_size=model.validation_fraction, stratify=stratify
    )
    train, val = split[::2], split[1::2]
    if val[0].shape[0] < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    none = [None] if weight is None else []
    return *train, *none, HeldOut(*val, *none)
