"""Encodings of a table's numbers, by the values and targets of its training rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from torchann.nets.number_encoding import NumberEncoding

BINS = 32  # of a piecewise linear encoding, where their number is not given
ROWS_PER_KNOT, LOG_KNOTS = 16, (3, 8)  # of normal quantiles: from 8 to 256 steps
TREE_ROWS, ROWS_PER_BIN = 100_000, 32  # that a tree is grown on, and in each of its leaves at least
Numbers = npt.NDArray[np.float64]


def fit_number_encoding(
    z: Tensor,
    parts: Sequence[Mapping[str, Any]],
    y: Tensor | None = None,
    task: str | None = None,
    count: int | None = None,
) -> NumberEncoding:
    """Return the step that encodes numbers, fitted to training rows.

    Args:
        z: training rows as :class:`~torchann.nets.table_columns.TableColumns` prepares them, ``(rows, width)``, finite.
        parts: as :class:`~torchann.nets.number_encoding.NumberEncoding` takes them, without what is fitted here. All
            columns if ``columns`` is missing; piecewise takes ``bins``, a number, and ``by``: quantiles or target.
        y: targets of the rows, ``(rows, ...)``; needed by ``by="target"``.
        task: regression, or binary or multiclass where targets are numbers of classes.
        count: number of columns that are encoded, the first ones; all if it is not given.

    Raises:
        ValueError: for an unknown kind, column or option, or ``by="target"`` without targets.

    Example:
        >>> rows = torch.linspace(-2, 2, 41)[:, None]
        >>> step = fit_number_encoding(rows, [{"kind": "standard"}, {"kind": "piecewise", "bins": 4}])
        >>> step(torch.tensor([[0.5]]))  # a half of the third of four bins
        tensor([[0.5000, 1.0000, 1.0000, 0.5000, 0.0000]])
    """
    count = z.shape[1] if count is None else count
    described: list[dict[str, Any]] = []
    tensors: dict[str, Tensor] = {}
    for number, part in enumerate(parts):
        one = {"columns": list(range(count)), **part}
        # As itself first, or a column that there is not would be an index error.
        NumberEncoding(count, [{"kind": "standard", "columns": one["columns"]}])
        values = z[:, one["columns"]].double().numpy(force=True)
        if one.get("kind") == "piecewise":
            edges = _edges(values, y, task, one.pop("bins", BINS), one.pop("by", "quantiles"))
            one["bins"] = [len(own) - 1 for own in edges]
            fitted = {"edges": np.concatenate(edges)}
        else:
            fit = _FITS.get(str(one.get("kind")))
            fitted = {} if fit is None else fit(values)
        described.append(one)
        tensors |= {f"encoders.{number}.{name}": torch.from_numpy(value).float() for name, value in fitted.items()}
    return NumberEncoding(count, described, z.shape[1] - count, **tensors)


def _robust(z: Numbers) -> dict[str, Any]:
    low, center, high = np.quantile(z, [0.25, 0.5, 0.75], axis=0)
    scale = high - low
    scale = np.where(scale > 0, scale, (z.max(0) - z.min(0)) / 2)
    return {"center": center, "scale": np.where(scale > 0, scale, 1)}


def _normal(shares: Any) -> Any:
    return torch.special.ndtri(torch.as_tensor(shares, dtype=torch.float64)).numpy()


def _quantile(z: Numbers) -> dict[str, Any]:
    rows = len(z)
    size = 1 << int(np.clip(np.log2(max(1, rows / ROWS_PER_KNOT)), *LOG_KNOTS))
    # Even steps of what the numbers become: between two knots it is never off by more than a step.
    highest = float(_normal(1 - 0.5 / max(2, rows)))
    normal = torch.linspace(-highest, highest, size + 1, dtype=torch.float64)
    shares = torch.special.ndtr(normal).clamp(0, 1).numpy()
    knots, values = np.empty((z.shape[1], size + 1)), np.empty((z.shape[1], size + 1))
    for place, column in enumerate(z.T):
        found = np.quantile(column, shares, method="hazen").astype(np.float32)
        own, first, times = np.unique(found, return_index=True, return_counts=True)
        # Values that many rows have are as high as the middle one of them.
        middle = (shares[first] + shares[first + times - 1]) / 2
        knots[place], values[place] = own[-1], _normal(middle[-1])
        knots[place, : len(own)], values[place, : len(own)] = own, _normal(middle)
    return {"knots": knots, "values": values}


_FITS: dict[str, Callable[[Numbers], dict[str, Any]]] = {"robust": _robust, "quantile": _quantile}


def _edges(z: Numbers, y: Tensor | None, task: str | None, bins: Any, by: Any) -> list[Any]:
    """Return the edges of each column's bins."""
    if type(bins) is not int or bins < 2:
        raise ValueError(f"bins is {bins!r:.80}; give a whole number from 2")
    if by not in ("quantiles", "target") or (by == "target" and y is None):
        raise ValueError(f"by is {by!r:.80} and y {'not ' * (y is None)}given; give by='quantiles', or 'target' and y")
    if by == "quantiles":
        found = [np.quantile(column, np.linspace(0, 1, bins + 1)) for column in z.T]
    else:
        assert y is not None
        found = _tree_edges(z, y.numpy(force=True), task, bins)
    edges = [np.unique(own.astype(np.float32)) for own in found]
    return [own if len(own) > 1 else np.array([own[0], own[0] + 1], np.float32) for own in edges]


def _tree_edges(z: Numbers, y: Any, task: str | None, bins: int) -> list[Any]:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if len(z) > TREE_ROWS:
        some = np.random.default_rng(0).choice(len(z), TREE_ROWS, replace=False)
        z, y = z[some], y[some]
    kind = DecisionTreeClassifier if task in ("binary", "multiclass") else DecisionTreeRegressor
    found = []
    for column in z.T:
        tree = kind(max_leaf_nodes=bins, min_samples_leaf=ROWS_PER_BIN, random_state=0).fit(column[:, None], y).tree_
        inner = tree.threshold[tree.children_left >= 0]
        found.append(np.concatenate([[column.min()], inner, [column.max()]]))
    return found
