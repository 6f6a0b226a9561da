"""Predictions of many rows, and the one file that they are written to as they come: CSV, NPY or Parquet."""

import csv
import errno
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import torch
from torch import Tensor, nn

from torchann.engine.rows.loader import Rows, map_rows, split_rows
from torchann.files.atomic import replaced_when_whole
from torchann.nets.evaluating import evaluating

Columns = dict[str, Any]  # arrays of NumPy, for Parquet also of pyarrow
ENDINGS = (".csv", ".npy", ".parquet")
PREDICT_ROWS = 8192  # per product: large enough to keep the cores busy, small enough for any memory

TEXTS = 2**18  # values that are text at a time, on their way to a CSV file: each takes thirty times the number's memory


def predict_rows(
    net: nn.Module,
    meaning: Callable[[Any], dict[str, Tensor]],
    rows: Rows,
    prepare: Callable[[Tensor], Tensor] | None = None,
) -> dict[str, Tensor]:
    """Predictions of all rows, in evaluation mode and without gradients, a few thousand rows at a time.

    Args:
        net: whose outputs are taken; its training flag is afterwards what it was.
        meaning: from outputs to predictions by name.
        rows: inputs ``(rows, *)``, or several by name.
        prepare: applied to a part of the inputs before the net gets it.

    Example:
        >>> predict_rows(nn.Identity(), lambda outputs: {"value": outputs}, torch.ones(2, 1))["value"].tolist()
        [[1.0], [1.0]]
    """
    device = next((parameter.device for parameter in net.parameters()), torch.device("cpu"))

    def put(part: Tensor) -> Tensor:
        part = part if device.type == "mps" else part.to(device)  # which has no float64 to prepare in
        return (part if prepare is None else prepare(part)).to(device)

    with evaluating(net), torch.no_grad():
        parts = [meaning(net(map_rows(put, part))) for part in split_rows(rows, PREDICT_ROWS)]
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}


def prediction_table(predicted: Mapping[str, Tensor], hparams: Mapping[str, Any]) -> Columns:
    """Return predictions by column: classes by name and their probabilities, or values.

    Args:
        predicted: result of a task's ``predict_step``: ``"class"`` and perhaps ``"proba"``, or ``"value"``, behind the
            output's name (``"main_value"``) where there are several.
        hparams: the task's hyperparameters; ``class_names`` and ``target_names`` name the columns.

    Raises:
        ValueError: for another result, or not a name for each value.

    Example:
        >>> predicted = {"class": torch.tensor([1]), "proba": torch.tensor([[0.25, 0.75]])}
        >>> prediction_table(predicted, {"class_names": ["no", "yes"]})["class"].tolist()
        ['yes']
    """
    if not isinstance(predicted, Mapping):
        raise ValueError(
            f"predict_step gave a {type(predicted).__name__}; give a dictionary with 'class' and 'proba', or 'value'"
        )
    # NumPy has no bfloat16.
    tensors = {key: part.float() if part.dtype == torch.bfloat16 else part for key, part in predicted.items()}
    whole = {key: part.cpu().numpy() for key, part in tensors.items()}
    outputs = dict.fromkeys(key.rpartition("_")[0] for key in whole)  # "main_value" is the value of the output main
    table: Columns = {}
    for output in outputs:
        parts = {key.rpartition("_")[2]: part for key, part in whole.items() if key.rpartition("_")[0] == output}
        columns = _values(parts["value"], hparams) if "value" in parts else _classes(parts, {} if output else hparams)
        table |= {f"{output} {name}" if output else name: column for name, column in columns.items()}
    return table


def _values(values: np.ndarray[Any, Any], hparams: Mapping[str, Any]) -> Columns:
    count = values.shape[1]
    names = hparams.get("target_names") or (["value"] if count == 1 else [f"value_{i}" for i in range(count)])
    if len(names) != count:
        raise ValueError(f"target_names are {names} and a row has {count} values; name every value")
    return {name: values[:, i] for i, name in enumerate(names)}


def _classes(parts: Columns, hparams: Mapping[str, Any]) -> Columns:
    classes, proba = parts["class"], parts.get("proba")
    count = proba.shape[1] if proba is not None else 2
    names = [str(name) for name in hparams.get("class_names") or range(count)]
    if classes.ndim == 2:
        table = {name: classes[:, i] for i, name in enumerate(names)}
    else:
        table = {"class": np.asarray(names)[classes]}
    if proba is not None:
        table |= {f"proba {name}": proba[:, i] for i, name in enumerate(names)}
    return table


def check_ending(path: Path) -> None:
    """Raise ValueError unless the file's ending is one of :data:`ENDINGS`."""
    if path.suffix not in ENDINGS:
        raise ValueError(f"predictions cannot be written to {path}; give a file that ends in .csv, .npy or .parquet")


@contextmanager
def open_predictions(path: Path, guard_formulas: bool = False) -> Iterator[Callable[[Columns], int]]:
    """Open a file beside its place, and put it there when all rows have been written.

    Args:
        path: a ``.csv``, ``.npy`` (a structured array) or ``.parquet`` file; its folder is made if need be.
        guard_formulas: whether a ``'`` stands before texts of a ``.csv`` file that a spreadsheet would run as formulas.

    Yields:
        A function that writes the next rows, given as columns by name, and returns their number.

    Raises:
        ValueError: for another ending, or no rows at all.
        OSError: if it cannot be written; an old file is untouched.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "new", "out.csv")
        >>> with open_predictions(path) as write:
        ...     write({"price": np.float32([0.1, 2.0])})
        2
        >>> path.read_text().splitlines()
        ['price', '0.1', '2.0']
    """
    check_ending(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, f"{path} is a folder; name a file in it")
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = stack.enter_context(replaced_when_whole(path))
        except OSError as error:
            raise OSError(error.errno, f"cannot write {path}: {error.strerror}; name another folder") from None
        writers: dict[str, Callable[[Path], Any]] = {
            ".csv": partial(_csv, guard=guard_formulas),
            ".npy": _npy,
            ".parquet": _parquet,
        }
        with writers[path.suffix](beside) as write:
            yield lambda columns: write(columns) or len(next(iter(columns.values())))
        if not beside.stat().st_size:
            raise ValueError("there are no rows to predict; give a data module whose predict_dataloader has some")


def _no_formula(text: str) -> str:
    if not text.lstrip().startswith(("=", "+", "-", "@")):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


@contextmanager
def _csv(path: Path, guard: bool) -> Iterator[Callable[[Columns], None]]:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")

        def write(columns: Columns) -> None:
            if not file.tell():
                writer.writerow(map(_no_formula, columns) if guard else columns)
            step = max(1, TEXTS // len(columns))
            for start in range(0, len(next(iter(columns.values()))), step):
                texts = [column[start : start + step].astype(str).tolist() for column in columns.values()]
                if guard:
                    texts = [[_no_formula(text) for text in column] for column in texts]
                writer.writerows(zip(*texts, strict=True))

        yield write


@contextmanager
def _parquet(path: Path) -> Iterator[Callable[[Columns], None]]:
    with ExitStack() as stack:
        writers: list[Any] = []

        def write(columns: Columns) -> None:
            table = pa.table(columns)
            if not writers:
                writers.append(stack.enter_context(pyarrow.parquet.ParquetWriter(path, table.schema)))
            writers[0].write_table(table)

        yield write


@contextmanager
def _npy(path: Path) -> Iterator[Callable[[Columns], None]]:
    # The format begins with the types of the columns, which are known at the end: a column of texts may have longer
    # ones further down. Until then the parts lie in a nameless file.
    chunks: list[dict[str, tuple[np.dtype[Any], int]]] = []
    with TemporaryFile(dir=path.parent) as kept:

        def write(columns: Columns) -> None:
            chunks.append({name: (column.dtype, len(column)) for name, column in columns.items()})
            for column in columns.values():
                kept.write(column.tobytes())

        def parts() -> Iterator[Columns]:
            kept.seek(0)
            for chunk in chunks:
                yield {
                    name: np.frombuffer(kept.read(size * kind.itemsize), kind).astype(types[name])
                    for name, (kind, size) in chunk.items()
                }

        yield write
        if chunks:
            types = {name: np.result_type(*(chunk[name][0] for chunk in chunks)) for name in chunks[0]}
            _write_npy(path, types, sum(next(iter(chunk.values()))[1] for chunk in chunks), parts())


def _write_npy(path: Path, types: Mapping[str, np.dtype[Any]], rows: int, parts: Iterator[Columns]) -> None:
    dtype = np.dtype(list(types.items()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that names beyond Latin-1 make it a file of NumPy's format 3.0
        header = np.lib.format.open_memmap(path, "w+", dtype, (rows,)).offset
    with path.open("r+b") as file:  # rather than the mapped memory, where a full disk ends the process
        file.seek(header)
        for part in parts:
            array = np.empty(len(next(iter(part.values()))), dtype)
            for field, column in zip(dtype.fields or (), part.values(), strict=True):
                array[field] = column
            file.write(array.tobytes())
