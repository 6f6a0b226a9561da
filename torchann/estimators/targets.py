"""What a fit checks of the classes of its rows, and of how much each row counts."""

from numbers import Number
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target, unique_labels


def row_weights(given: Any, X: Any) -> Any:
    """Returns how much each row counts, ``(rows,)``, float32 where it was given so, else float64.

    Args:
        given: one number for all rows, or one for each, ``(rows,)``.
        X: the rows, an array or a sparse matrix.

    Raises:
        ValueError: for NaN, infinity, another shape, a negative weight, or zeros alone.

    Example:
        >>> row_weights([1, 2], np.zeros((2, 3)))
        array([1., 2.])
    """
    rows, dtypes = X.shape[0], [np.float64, np.float32]
    given = np.full(rows, given, dtype=float) if isinstance(given, Number) else given
    weight = check_array(given, ensure_2d=False, dtype=dtypes, order="C", input_name="sample_weight")
    if weight.shape != (rows,):
        raise ValueError(f"sample_weight.shape == {weight.shape}, expected {(rows,)}!")
    if weight.min(initial=0) < 0:
        raise ValueError(f"sample_weight has {weight.min():g}; give weights of 0 or more")
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def announce_classes(model: Any, y: Any, classes: Any) -> None:
    """Sets the classes of a classifier in its first ``partial_fit``, and checks them in later ones.

    Args:
        model: a classifier.
        y: classes ``(rows,)``, or labels ``(rows, labels)``.
        classes: all that will come, ``(classes,)``, or None.

    Raises:
        ValueError: if the first call has none, or a later one others.
    """
    if getattr(model, "classes_", None) is None:
        if classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        model.classes_ = unique_labels(classes)
        model._binarizer = LabelBinarizer().fit(y if type_of_target(y).startswith("multilabel") else classes)
    elif classes is not None and not np.array_equal(model.classes_, unique_labels(classes)):
        raise ValueError(
            f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {model.classes_!r}"
        )


def check_classes(model: Any, y: Any, incremental: bool) -> None:
    """Sets the classes of a classifier that is fitted anew; of one that goes on, checks that it knows those of ``y``.

    Args:
        model: a classifier.
        y: classes ``(rows,)``, or labels ``(rows, labels)``.
        incremental: whether this is ``partial_fit``.

    Raises:
        ValueError: for classes that it does not know; with ``warm_start`` also if some are missing.
    """
    if not hasattr(model, "classes_") or not (model.warm_start or incremental):
        model._binarizer = LabelBinarizer().fit(y)
        model.classes_ = model._binarizer.classes_
        return
    classes = unique_labels(y)
    if model.warm_start and set(classes) != set(model.classes_):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
            f"Previously got {model.classes_}, `y` has {classes}"
        )
    if len(np.setdiff1d(classes, model.classes_, assume_unique=True)):
        raise ValueError(
            f"`y` has classes not in `self.classes_`. `self.classes_` has {model.classes_}. 'y' has {classes}."
        )
