"""Looks at tensors before they are used: which value is wrong, what was wanted, what to do."""

import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


def check_tensor(part: Any, what: str) -> None:
    """Raises unless ``part`` is a tensor of real numbers.

    Args:
        part: inputs or targets.
        what: how the error calls them.

    Raises:
        TypeError: with its type, or its dtype.

    Example:
        >>> check_tensor(("setosa", "virginica"), "training targets")
        Traceback (most recent call last):
            ...
        TypeError: training targets are a tuple of str; give a tensor, with classes numbered from 0 (LabelEncoder does)
    """
    if not isinstance(part, Tensor):
        first = part[0] if isinstance(part, (tuple, list, np.ndarray)) and len(part) else None
        words = isinstance(first, str)
        how = "with classes numbered from 0 (LabelEncoder does)" if words else "as torch.as_tensor makes one"
        raise TypeError(f"{what} are a {type(part).__name__}{' of str' if words else ''}; give a tensor, {how}")
    if part.is_complex():
        raise TypeError(f"{what} are {part.dtype}; give real numbers, such as the real and imaginary parts as columns")


def listed_sizes(hidden_sizes: Any) -> list[int]:
    """Return the sizes of hidden layers as a list.

    Raises:
        ValueError: unless they are whole numbers from 1 on.

    Example:
        >>> listed_sizes((30, 20))
        [30, 20]
        >>> listed_sizes(30)
        Traceback (most recent call last):
            ...
        ValueError: hidden_sizes is 30; give a list with the size of each hidden layer, such as [30, 20]
    """
    sizes = list(hidden_sizes) if isinstance(hidden_sizes, Iterable) and not isinstance(hidden_sizes, str) else None
    whole = sizes is not None and all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes)
    if sizes is None or not whole or min(sizes, default=1) < 1:
        what = f"hidden_sizes is {hidden_sizes!r}"
        raise ValueError(f"{what}; give a list with the size of each hidden layer, such as [30, 20]")
    return [int(size) for size in sizes]


def check_dropout(dropout: Any) -> None:
    """Raise unless a share of neurons to switch off is a number from 0 up to, but not, 1.

    Example:
        >>> check_dropout(None)
        Traceback (most recent call last):
            ...
        ValueError: dropout is None; give a number from 0 up to 1, such as 0.2
    """
    number = isinstance(dropout, Real) and not isinstance(dropout, bool)
    if not number or not 0 <= dropout < 1:
        raise ValueError(f"dropout is {dropout!r}; give a number from 0 up to 1, such as 0.2")


def check_memory(sizes: Sequence[int]) -> None:
    """Raise where the weights between layers of these sizes would not fit in the memory of this machine.

    Args:
        sizes: of the inputs, each hidden layer and the outputs.

    Raises:
        ValueError: with the number of weights and the GiB that they take.

    Example:
        >>> check_memory([784, 300, 100, 10])
    """
    weights = sum((size_in + 1) * size_out for size_in, size_out in pairwise(sizes))
    taken = weights * torch.get_default_dtype().itemsize / 2**30
    known = hasattr(os, "sysconf") and torch.get_default_device().type == "cpu"
    has = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30 if known else taken
    if taken > has:
        raise ValueError(
            f"layers of the sizes {list(sizes)} have {weights:,} weights, which take {taken:,.1f} GiB, and this "
            f"machine has {has:,.1f}; give smaller hidden_sizes, or fewer columns"
        )


def check_finite(
    part: Tensor,
    what: str,
    names: Sequence[str] | None = None,
    dtype: torch.dtype = torch.float32,
    numbers: Sequence[int] | NDArray[np.int64] | None = None,
) -> None:
    """Raises unless all numbers are finite, and stay so in the dtype of the net; one pass over them if they are.

    Args:
        part: inputs or targets, ``(rows, ...)``; integers are always finite.
        what: how the error calls them.
        names: of the columns, used where there is one for each.
        dtype: of the net.
        numbers: of the rows, where these are some of more.

    Raises:
        ValueError: with the first number that is not, its row and its column.

    Example:
        >>> check_finite(torch.tensor([[1.0, 2.0], [float("nan"), 4.0]]), "training inputs", ["length", "width"])
        Traceback (most recent call last):
            ...
        ValueError: training inputs have nan in row 1, column 'length'; drop such rows (1 in all) or fill the gaps
    """
    if not part.is_floating_point() or not part.numel():
        return
    limit = min(torch.finfo(dtype).max, torch.finfo(part.dtype).max)
    low, high = (end.item() for end in torch.aminmax(part))  # both are nan if a number is
    if -limit <= low and high <= limit:
        return
    wrong = ~(part.abs() <= limit)
    place = wrong.nonzero()[0].tolist()
    value = part[tuple(place)].item()
    too_large = f", more than {dtype} can hold" if abs(value) != torch.inf and value == value else ""
    rows = int(wrong.reshape(len(part), -1).any(1).sum())
    row = place[0] if numbers is None else numbers[place[0]]
    where = f"row {row}{_column(place[1:], part, names)}"
    raise ValueError(f"{what} have {value:g} in {where}{too_large}; drop such rows ({rows} in all) or fill the gaps")


def _column(place: list[int], part: Tensor, names: Sequence[str] | None) -> str:
    if not place:
        return ""
    if len(place) > 1:
        return f", place {tuple(place)}"
    named = names is not None and len(names) == part.shape[1]
    return f", column {names[place[0]]!r}" if names is not None and named else f", column {place[0]}"


def check_width(x: Tensor, in_features: int, what: str, flat: bool = False) -> None:
    """Raises unless rows have as many numbers as the net takes.

    Args:
        x: inputs ``(rows, ...)``.
        in_features: numbers per row that the net takes.
        what: how the error calls the inputs.
        flat: whether rows must be vectors, ``(rows, in_features)``.

    Raises:
        ValueError: with the shape.

    Example:
        >>> check_width(torch.zeros(70, 4), 3, "validation inputs")
        Traceback (most recent call last):
            ...
        ValueError: validation inputs (70, 4) have 4 numbers per row and in_features is 3; give (rows, 3)
    """
    width = x.shape[1:].numel()
    if x.ndim < 2 or width != in_features or (flat and x.ndim > 2):
        numbers = "1 number" if width == 1 else f"{width} numbers"
        how = "; are x and y swapped?" if x.ndim == 1 and in_features > 1 else ""
        raise ValueError(
            f"{what} {tuple(x.shape)} have {numbers} per row and in_features is {in_features}; "
            f"give (rows, {in_features}){how}"
        )


def check_classes(y: Tensor, num_classes: int) -> None:
    """Raises unless targets are whole numbers from 0 to ``num_classes`` - 1.

    Args:
        y: targets of any shape.
        num_classes: how many there are.

    Raises:
        ValueError: with the first target that is none.

    Example:
        >>> check_classes(torch.tensor([1, -1]), 2)
        Traceback (most recent call last):
            ...
        ValueError: there is a target -1; give whole numbers from 0 to 1: for -1 and +1, (y + 1) / 2
    """
    wrong = y[(y < 0) | (y >= num_classes) | (y != y.long())]
    if not len(wrong):
        return
    how = ""
    if num_classes == 2 and bool((y.abs() == 1).all()):
        how = ": for -1 and +1, (y + 1) / 2"
    elif y.min() == 1 and y.max() == num_classes:
        how = ": for classes counted from 1, y - 1"
    elif num_classes > 2 and bool((wrong == wrong.long()).all()) and wrong.min() >= num_classes:
        how = ", or a larger num_classes"
    raise ValueError(f"there is a target {wrong[0].item():g}; give whole numbers from 0 to {num_classes - 1}{how}")


def explain(error: Exception, net: nn.Module, x: Any) -> None:
    """Raises what torch means with an error that a net has raised, where it is known; returns otherwise.

    Args:
        error: of the call ``net(x)``.
        net: any.
        x: its inputs.

    Raises:
        ValueError: that names the shapes, or asks for larger batches.

    Example:
        >>> x = torch.zeros(5, 2)
        >>> try:
        ...     nn.Linear(3, 1)(x)
        ... except RuntimeError as error:  # mat1 and mat2 shapes cannot be multiplied (5x2 and 3x1)
        ...     explain(error, nn.Linear(3, 1), x)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        ValueError: Linear does not take inputs (5, 2): mat1 and mat2 shapes cannot be multiplied (5x2 and 3x1); ...
    """
    message = str(error)
    if "Expected more than 1 value per channel" in message:
        raise ValueError(
            "a training batch has 1 row and batch normalisation needs 2; give a batch_size that leaves no single row "
            "at the end of an epoch, or norm='layer'"
        ) from error
    if "shape" in message or "size" in message or isinstance(error, IndexError):
        parts = x if isinstance(x, dict) else {"": x}
        shapes = ", ".join(f"{name} {tuple(part.shape)}".strip() for name, part in parts.items())
        raise ValueError(
            f"{type(net).__name__} does not take inputs {shapes}: {message}; give rows of the width and in the order "
            "that its layers were made for"
        ) from error
