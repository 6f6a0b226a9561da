"""Intervals around predicted values that hold a stated share of the true ones: split conformal prediction."""

from collections.abc import Mapping
from math import ceil, floor, isfinite
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchann.nets.readable import in_digits

COVERAGES = (*(i / 100 for i in range(1, 100)), *(0.99 + i / 1000 for i in range(1, 10)), 0.9995, 0.9999)
"""Shares whose residuals are kept; for one between two of them, that of the higher counts."""
Calibration = dict[str, Any]


def calibration_of(residuals: Mapping[str, NDArray[np.float64]]) -> Calibration | None:
    """Return what intervals are made of: for each target the residuals of some ranks, which hold for any new row.

    Of n rows and a new one, all drawn alike, the new one's residual is as likely to have each of the n + 1 ranks. So
    that of rank ceil((n + 1) · coverage) is not exceeded by this share of new rows, however good or bad the model is.

    Args:
        residuals: true minus predicted values of rows that were not trained on, ``(rows,)``, by target.

    Returns:
        Plain values for a file; None where a residual is not finite, or there are no rows.

    Example:
        >>> calibration = calibration_of({"price": np.array([1.0, -3.0, 2.0])})
        >>> half_widths(calibration, 0.5)
        [2.0]
    """
    rows = len(next(iter(residuals.values())))
    if not rows or not all(np.isfinite(of_target).all() for of_target in residuals.values()):
        return None
    ranks = sorted({min(rows, _rank(rows, coverage)) for coverage in COVERAGES} | {rows})
    places = np.array(ranks) - 1
    kept = {name: np.sort(np.abs(of_target))[places].tolist() for name, of_target in residuals.items()}
    return {"rows": rows, "ranks": ranks, "residuals": kept}


def _rank(rows: int, coverage: float) -> int:
    return ceil(round((rows + 1) * coverage, 9))  # as 0.07 · 100 is more than 7


def check_calibration(value: Any) -> None:
    """Raise ValueError unless a value, as of a file, is what :func:`calibration_of` returns."""
    given = value if type(value) is dict and set(value) == {"rows", "ranks", "residuals"} else {}
    rows, ranks, kept = given.get("rows"), given.get("ranks"), given.get("residuals")
    lists = list(kept.values()) if type(kept) is dict and all(type(name) is str for name in kept) else []
    if (
        not lists
        or type(ranks) is not list
        or not 0 < len(ranks) <= len(COVERAGES) + 1
        or not all(type(rank) is int and rank > 0 for rank in ranks)
        or type(rows) is not int
        or ranks != sorted(set(ranks))
        or ranks[-1] != rows
        or not all(type(numbers) is list and len(numbers) == len(ranks) for numbers in lists)
        or not all(type(x) in (int, float) and isfinite(x) and x >= 0 for numbers in lists for x in numbers)
        or not all(numbers == sorted(numbers) for numbers in lists)
    ):
        raise ValueError(f"the residuals are {value!r:.80}; wanted rows, their ranks, and as many numbers by target")


def half_widths(calibration: Calibration, coverage: float) -> list[float]:
    """Return for each target how far the ends of an interval lie from the predicted value, in its unit.

    Raises:
        ValueError: for a coverage that is no share, or that is too high for the number of rows.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage is {coverage}; give a share between 0 and 1, such as 0.9")
    rows, ranks = calibration["rows"], calibration["ranks"]
    rank = _rank(rows, coverage)
    if rank > rows:
        most = floor(rows / (rows + 1) * 10**4) / 10**4
        raise ValueError(
            f"coverage is {coverage} and the residuals of {rows:,} validation rows allow {most} at most; give that or "
            "less, or fit with more validation rows (val_size)"
        )
    place = next(place for place, kept in enumerate(ranks) if kept >= rank)
    return [numbers[place] for numbers in calibration["residuals"].values()]


def calibration_in(model: Any) -> Calibration:
    """Return what a model has to make intervals of.

    Raises:
        ValueError: if it has nothing.
    """
    found: Calibration | None = (getattr(model, "judged", None) or {}).get("calibration")
    if found is None:
        kind, hparams = type(model).__name__, getattr(model, "hparams", {})
        classes = "num_classes" in hparams or "class_names" in hparams
        raise ValueError(
            f"a {kind} predicts classes, which have no interval; their probabilities say how sure it is"
            if classes
            else f"this {kind} has no residuals of validation rows to make intervals of; give the run of a regression "
            "by torchann.fit or torchann fit --data, or a file that was saved of it"
        )
    return found


def interval(model: Any, value: Tensor, coverage: float) -> Tensor:
    """Return the lower and upper ends of intervals, ``(rows, targets, 2)``, within what the model's output can be.

    Args:
        model: with the residuals of its validation rows.
        value: predicted, ``(rows, targets)``.
        coverage: share of rows whose true value is to lie within.

    Raises:
        ValueError: for a model without residuals, or such a coverage.
    """
    half = torch.tensor(half_widths(calibration_in(model), coverage), dtype=value.dtype, device=value.device)
    ends = torch.stack([value - half, value + half], -1)
    hparams = getattr(model, "hparams", {})
    low, high = (0.0, None) if hparams.get("output") == "positive" else hparams.get("bounds") or (None, None)
    return ends if low is None and high is None else ends.clamp(low, high)


def interval_in_words(model: Any, coverage: float) -> str:
    """Return how wide intervals are, and by which rows."""
    calibration = calibration_in(model)
    widths = zip(calibration["residuals"], half_widths(calibration, coverage), strict=True)
    told = ", ".join(f"{name} ± {in_digits(half)}" for name, half in widths)
    rows = calibration["rows"]
    by = f"{rows:,} validation row{'s' * (rows != 1)}, whose residuals they are made of"
    return f"intervals of {100 * coverage:.4g} %: {told}; by {by}"
