"""Values as JSON: hyperparameters of tasks; what estimators have, types and all, as JSON and tensors, and back."""

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from torchann.files.safetensors_file import ModelFileError

MAX_DEPTH = 8  # of lists in lists
WHOLE = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
DTYPES = ("bool", *WHOLE, "float16", "float32", "float64", "str", "object")


def encode(name: str, value: Any, tensors: dict[str, NDArray[Any]], depth: int = 0) -> Any:
    """A value as JSON can hold it, arrays of floats put into ``tensors`` and named there.

    Args:
        name: of the argument or attribute, for tensors and errors.
        value: None, numbers, text, arrays (without an axis: a number), a ``RandomState``, and lists, tuples or
            dictionaries of these.
        tensors: arrays of floats are added.
        depth: of the lists that it is in.

    Raises:
        ModelFileError: for another value.

    Example:
        >>> tensors = {}
        >>> encode("hidden_layer_sizes", (30, 10), tensors), encode("coef_", np.ones((1, 2)), tensors)
        ({'tuple': [30, 10]}, {'tensor': 'coef_'})
        >>> decode("coef_", {"tensor": "coef_"}, tensors)
        array([[1., 1.]])
    """
    if _is_json(value):
        return value
    if type(value) is float:
        return {"float": str(value)}
    if type(value) in (list, tuple) and depth < MAX_DEPTH:
        parts = [encode(f"{name}.{i}", part, tensors, depth + 1) for i, part in enumerate(value)]
        return parts if type(value) is list else {"tuple": parts}
    if type(value) is dict and depth < MAX_DEPTH:
        pairs = [encode(f"{name}.{i}", pair, tensors, depth + 1)["tuple"] for i, pair in enumerate(value.items())]
        return {"dict": pairs}
    if type(value) is np.random.RandomState:
        return {"RandomState": encode(name, value.get_state(legacy=True), {}, depth + 1)}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.name.partition("str")[0] in (*DTYPES, ""):
        return _array(name, np.asarray(value), tensors)
    raise ModelFileError(
        f"{name} has {value!r:.80}, a {type(value).__name__}; give None, numbers, text, arrays, or lists, tuples and "
        f"dictionaries of these, at most {MAX_DEPTH} deep" + ("; call densify() first" if "coef" in name else "")
    )


def _array(name: str, array: Any, tensors: dict[str, NDArray[Any]]) -> Any:
    if array.dtype.kind == "f" and array.ndim:
        tensors[name] = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        return {"tensor": name}
    values = [encode(name, value, {}, MAX_DEPTH) for value in array.ravel().tolist()]
    return {
        "array": "str" if array.dtype.kind == "U" else array.dtype.name,
        "shape": list(array.shape),
        "values": values,
    }


def plain(key: str, value: Any, depth: int = 0) -> Any:
    """Return the hyperparameter ``key`` as JSON gives it back: a tuple is a list.

    Raises:
        ModelFileError: if it is more than text, finite numbers, and lists and dictionaries of these.

    Example:
        >>> plain("optimizer_options", {"betas": (0.9, 0.999)})
        {'betas': [0.9, 0.999]}
    """
    if _is_json(value):
        return value
    if isinstance(value, (list, tuple)) and depth < MAX_DEPTH:
        return [plain(key, part, depth + 1) for part in value]
    if isinstance(value, dict) and depth < MAX_DEPTH and all(isinstance(name, str) for name in value):
        return {name: plain(key, part, depth + 1) for name, part in value.items()}
    raise ModelFileError(
        f"hyperparameter {key} has {value!r:.80}, a {type(value).__name__}; give None, finite numbers, text, and lists "
        f"or dictionaries of these, at most {MAX_DEPTH} deep"
    )


def _is_json(value: Any) -> bool:
    return value is None or type(value) in (bool, int, str) or (type(value) is float and isfinite(value))


def decode(name: str, saved: Any, tensors: dict[str, NDArray[Any]], depth: int = 0) -> Any:
    """Return the value of JSON by :func:`encode`, or by anybody; the tensors that it uses are taken out of ``tensors``.

    Raises:
        ValueError, TypeError, OverflowError: for anything else.
    """
    if saved is None or type(saved) in (bool, int, str, float):
        return saved
    if depth > MAX_DEPTH:
        raise ValueError(f"{name} has lists more than {MAX_DEPTH} deep")
    if type(saved) is list:
        return [decode(name, part, tensors, depth + 1) for part in saved]
    kind = next(iter(saved), None)
    if "array" in saved and set(saved) == {"array", "shape", "values"}:
        return _from_values(name, saved["array"], saved["shape"], saved["values"])
    if len(saved) != 1 or kind not in ("float", "tuple", "dict", "RandomState", "tensor"):
        raise ValueError(f"{name} is {saved!r:.80}, which is no value that is known")
    if kind == "tensor":
        if saved["tensor"] not in tensors:
            raise ValueError(f"{name} should be the tensor {saved['tensor']!r:.80}, and there is none")
        return tensors.pop(saved["tensor"])
    if kind == "float":
        return float(saved["float"])
    parts = decode(name, saved[kind] if kind == "RandomState" else list(saved[kind]), tensors, depth + 1)
    if kind == "RandomState":
        if not 0 <= parts[2] <= 624:  # numpy would read behind the end of the state
            raise ValueError(f"{name} is a RandomState at {parts[2]!r:.80} of 624")
        state = np.random.RandomState()
        state.set_state(parts)
        return state
    return tuple(parts) if kind == "tuple" else dict(parts)


def _from_values(name: str, dtype: Any, shape: Any, values: Any) -> Any:
    if dtype not in DTYPES or type(shape) is not list or type(values) is not list:
        raise ValueError(f"{name} is no array of {dtype!r:.80}")
    decoded = [decode(name, value, {}, MAX_DEPTH) for value in values]
    wanted = {"bool": (bool,), "str": (str,), "object": (bool, int, float, str, type(None))}
    kinds = wanted.get(dtype, (float,) if dtype.startswith("float") else (int,))
    if not all(type(value) in kinds for value in decoded):
        raise ValueError(f"{name} has values that are no {dtype}")
    array = np.array(decoded, dtype=dtype).reshape(shape)
    return array if shape else array[()]
