"""Inputs of a prediction as they come: tensors, arrays, lists, data frames; checked, and put in order by name."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchann.data.tables.column_values import column_of
from torchann.data.tables.columns import UnseenValues, check_names, encode, reader
from torchann.data.tables.missing_values import MissingValues
from torchann.data.tables.open_table import columns_of
from torchann.engine.rows.loader import Rows
from torchann.nets.checks import check_finite
from torchann.nets.names import nearest
from torchann.nets.preprocessing import Preprocessing
from torchann.nets.table_columns import TableColumns


def input_rows(x: Any, feature_names: Sequence[str] | None = None, preprocessing: Preprocessing | None = None) -> Rows:
    """Inputs as a tensor ``(rows, ...)``, or several by name.

    Args:
        x: a tensor, an array, a list of rows, a data frame of pandas or polars (whatever has ``columns`` and
            ``to_numpy``), or a mapping of tensors or arrays.
        feature_names: of the columns, in order; a data frame must have these and no others, in any order.
        preprocessing: that they must suit. Where it knows the columns of a table, a data frame or a mapping of columns
            may have more of them, and texts, truth values, dates and gaps are what they are in the table; an array has
            those columns in their order, and only a tensor holds categories by their codes.

    Raises:
        ValueError: for other columns, another number of them, what is no number, NaN or infinity.

    Warns:
        UserWarning: for values that no training row had, a line per column.

    Example:
        >>> input_rows([[8.3, 41.0]], ["MedInc", "HouseAge"])
        tensor([[ 8.3000, 41.0000]], dtype=torch.float64)
    """
    table = None if preprocessing is None else preprocessing.table
    if table is not None and not isinstance(x, Tensor):
        return _table_rows(x, table)
    if isinstance(x, Mapping):
        rows = {str(name): _tensor(part) for name, part in x.items()}
        for name, part in rows.items():
            _check(part, f"inputs {name!r}", None, preprocessing)
        return rows
    if hasattr(x, "columns") and hasattr(x, "to_numpy"):
        x = _in_order(x, feature_names)
    tensor = _tensor(x)
    if feature_names is not None and (tensor.ndim != 2 or tensor.shape[1] != len(feature_names)):
        raise ValueError(
            f"inputs of shape {tuple(tensor.shape)}; give rows (rows, {len(feature_names)}) with the columns "
            f"{', '.join(feature_names)}"
        )
    _check(tensor, "inputs", feature_names, preprocessing)
    return tensor


def _table_rows(x: Any, table: TableColumns) -> Tensor:
    names = [column.name for column in table.table]
    if isinstance(x, Mapping) or hasattr(x, "columns") or hasattr(x, "__arrow_c_stream__"):
        columns = columns_of(x)
    else:
        array = _array(x, None if hasattr(x, "dtype") else object)
        if array.ndim != 2 or array.shape[1] != len(names):
            wanted = f"(rows, {len(names)}) with the columns {', '.join(names)}"
            raise ValueError(f"inputs of shape {array.shape}; give rows {wanted}")
        columns = dict(zip(names, array.T, strict=True))
    check_names(names, columns)
    missing, surprises = MissingValues.of(table.missing_values, table.default_missing), UnseenValues()
    rows = encode(table.table, reader(lambda name: column_of(columns[name], missing)), surprises)
    for line in surprises.lines():
        warnings.warn(line, stacklevel=6)  # where predict is called
    check_finite(rows.nan_to_num(0.0, torch.inf, -torch.inf), "inputs", names, rows.dtype)
    return rows


def _check(part: Tensor, what: str, feature_names: Sequence[str] | None, preprocessing: Preprocessing | None) -> None:
    gaps = preprocessing is not None and preprocessing.table is not None and part.is_floating_point()
    check_finite(part.nan_to_num(0.0, torch.inf, -torch.inf) if gaps else part, what, feature_names, part.dtype)
    if preprocessing is not None:
        preprocessing.check(part)


def _in_order(frame: Any, feature_names: Sequence[str] | None) -> np.ndarray[Any, Any]:
    columns = [str(column) for column in frame.columns]
    array = np.asarray(frame.to_numpy())
    if feature_names is not None:
        missing = [name for name in feature_names if name not in columns]
        unknown = [name for name in columns if name not in feature_names]
        if missing or unknown or len(columns) != len(feature_names):
            raise ValueError(f"{_wrong_columns(missing, unknown, columns)}; give {', '.join(feature_names)}")
        array = array[:, [columns.index(name) for name in feature_names]]
        columns = list(feature_names)
    if array.dtype.kind not in "biuf":
        for place, name in enumerate(columns):
            try:
                array[:, place].astype(np.float64)
            except (TypeError, ValueError) as error:
                raise ValueError(f"column {name!r} holds what is no number ({error}); give numbers") from None
        array = array.astype(np.float64)
    return array


def _wrong_columns(missing: list[str], unknown: list[str], columns: list[str]) -> str:
    if missing:
        near = nearest(missing[0], unknown)
        return f"there is no column {missing[0]!r}" + (f"; did you mean it by {near!r}?" if near else "")
    return f"there is a column {unknown[0]!r} too many" if unknown else f"columns come twice in {', '.join(columns)}"


def _tensor(x: Any) -> Tensor:
    if isinstance(x, Tensor):
        return x
    array = _array(x)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"inputs are of the dtype {array.dtype}; give numbers")
    # torch takes no array that is read-only, goes backwards or has the bytes of another machine
    return torch.from_numpy(
        np.require(array.astype(array.dtype.newbyteorder("="), copy=False), requirements=["C", "W"])
    )


def _array(x: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(x, dtype=dtype)
    except ValueError as error:
        raise ValueError(f"inputs make no array ({error}); give rows of the same length") from None
