"""Values of any kind as arrays of pyarrow, which keep their types, and what these are as numbers and texts."""

import datetime
import re
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from torchann.data.tables.date_texts import SECONDS_PER_DAY
from torchann.data.tables.missing_values import text_of_value

ZEROS = re.compile(r"(\.\d*?)0+(?=$|[+Z-])")  # of a fraction of a second
POOL = pa.system_memory_pool()  # pyarrow's own keeps what was freed


def unusable(kind: pa.DataType) -> str:
    """Return the name of a type that is no single value to learn from; ``""`` for the others."""
    types = pa.types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    checks = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    texts, times = (
        (types.is_string, types.is_large_string, types.is_string_view),
        (types.is_date, types.is_time, types.is_timestamp, types.is_duration),
    )
    return "" if any(check(kind) for check in (*checks, *texts, *times)) else str(kind)


def arrow_array(values: Any) -> pa.ChunkedArray:
    """Return the values of an array, a list or a data frame's column with their types; a mixture becomes texts.

    Raises:
        ValueError: if they have more dimensions than one, or are complex numbers.
    """
    if hasattr(values, "to_arrow"):  # a series of polars
        values = values.to_arrow()
    if not isinstance(values, (pa.Array, pa.ChunkedArray)):
        values = _array(values)
    array = pa.chunked_array([values]) if isinstance(values, pa.Array) else values
    kind = array.type
    if pa.types.is_dictionary(kind) and not (
        pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)
    ):
        return arrow_array(array.cast(kind.value_type))
    if kind == pa.string_view():
        return array.cast(pa.large_string())
    return array.cast(pa.float32()) if pa.types.is_float16(kind) else array


def _array(values: Any) -> pa.Array:
    series = hasattr(values, "dtype") and hasattr(values, "to_numpy")  # of pandas, which keeps its own types
    array = values if series or isinstance(values, (list, tuple, range)) else np.asarray(values)
    shape = np.shape(values) if not isinstance(array, list) else (len(array),)
    if len(shape) != 1:
        raise ValueError(f"a column is of shape {shape}; give one value per row, (rows,)")
    kind = getattr(getattr(array, "dtype", None), "kind", "O")
    if kind == "c":
        raise ValueError(f"a column is of {array.dtype}; give real numbers, such as the real and imaginary parts")
    if isinstance(array, np.ndarray):
        if kind == "f" and array.dtype not in (np.float32, np.float64):
            array = array.astype(np.float64)
        elif kind in "mM":
            array = array.astype(f"{kind}8[{'ns' if np.datetime_data(array.dtype)[0] == 'ns' else 'us'}]")
        elif kind == "S":
            array = np.char.decode(array, "latin-1")
        array = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("="), copy=False)
    try:
        found = pa.array(array, from_pandas=True)
        kind = found.type.value_type if pa.types.is_dictionary(found.type) else found.type
        if isinstance(kind, pa.ExtensionType):  # of pandas alone: periods, intervals
            raise TypeError(str(kind))
        return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found
    except (pa.ArrowException, TypeError, OverflowError, ValueError):
        listed = array.tolist() if hasattr(array, "tolist") else list(array)
        if any(hasattr(value, "__len__") and not isinstance(value, (str, bytes)) for value in listed):
            return pa.nulls(len(listed), pa.list_(pa.string()))  # which is of no use, whatever they hold
        return pa.array([None if is_gap(value) else _text(value) for value in listed], pa.large_string())


def is_gap(value: Any) -> bool:
    """Return whether a value of Python is none, as None, nan, NaT and NA of pandas are."""
    # nan and NaT differ from themselves; NA of pandas has no truth
    name = type(value).__name__
    return value is None or name in ("NAType", "NaTType") or (isinstance(value, (Real, Decimal)) and value != value)


def texts_of(array: pa.ChunkedArray) -> list[str | None]:
    """Return the values of an array as texts, exactly; a moment at midnight as its date, None for gaps.

    Example:
        >>> texts_of(arrow_array([2**53 + 1, None])), texts_of(arrow_array([75001.0, 0.5]))
        (['9007199254740993', None], ['75001', '0.5'])
        >>> texts_of(arrow_array([datetime.datetime(2026, 1, 31, 12), datetime.datetime(2026, 1, 31)]))
        ['2026-01-31 12:00:00', '2026-01-31']
    """
    kind, types = array.type, pa.types
    if types.is_timestamp(kind) or types.is_time(kind):  # whose nanoseconds Python does not hold
        found = [
            text and ZEROS.sub(lambda part: part[1].rstrip("."), text) for text in array.cast(pa.string()).to_pylist()
        ]
        return [text and text.removesuffix(" 00:00:00") for text in found] if types.is_timestamp(kind) else found
    if types.is_duration(kind):
        array = array.cast(pa.duration("us"), safe=False)
    return [None if value is None else _text(value) for value in array.to_pylist()]


def _text(value: Any) -> str:
    timed = isinstance(value, (datetime.date, datetime.timedelta, datetime.time, Decimal))
    return str(value).removesuffix(" 00:00:00") if timed else text_of_value(value)


def floats_of(array: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return an array of numbers, truth values or times as float64, nan for gaps; times in days, dates since 1970."""
    kind, types = array.type, pa.types
    if types.is_dictionary(kind):
        return floats_of(array.cast(kind.value_type))
    scale = 1.0
    if types.is_temporal(kind):
        scale = SECONDS_PER_DAY * 1e6
        zone = getattr(kind, "tz", None)
        wanted = (
            pa.time64("us")
            if types.is_time(kind)
            else pa.duration("us")
            if types.is_duration(kind)
            else pa.timestamp("us", zone)
        )
        array = array.cast(wanted, safe=False).cast(pa.int64())
    if types.is_boolean(kind):
        array = array.cast(pa.uint8())
    if array.type != pa.float64():
        array = pc.cast(array, pa.float64(), safe=False, memory_pool=POOL)
    values = np.asarray(array.to_numpy(), dtype=np.float64)
    return values / scale if scale != 1 else values
