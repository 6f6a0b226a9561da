"""Writes a model as a file that predicts from raw rows without this package, once it has been checked."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

from torchann.files.atomic import write_atomically
from torchann.nets.readable import Readable
from torchann.publishing.check import check_export
from torchann.publishing.model_info import metadata
from torchann.publishing.onnx_file import need_onnx, onnx_bytes, onnx_runner
from torchann.publishing.raw_model import Port, RawModel, task_from
from torchann.publishing.torch_program import program_bytes, program_runner, to_program

Format = Literal["onnx", "torch-export"]
ENDINGS: dict[str, Format] = {".onnx": "onnx", ".pt2": "torch-export"}


@dataclass(frozen=True, repr=False)
class Exported(Readable):
    """A file that was exported; print it.

    Attributes:
        path: the file.
        format: ``"onnx"`` or ``"torch-export"``.
        inputs: in order.
        outputs: in order.
        rows: on which it was checked.
        difference: the largest between the file's outputs and the model's, in units of the outputs' scale.
    """

    path: Path
    format: Format
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    rows: int
    difference: float

    def __str__(self) -> str:
        ends = " -> ".join(", ".join(map(str, ports)) for ports in (self.inputs, self.outputs))
        return (
            f"{self.path}: {ends}; checked on {self.rows} rows, largest difference {self.difference:.1e} of the scale"
        )


def export(model: Any, path: str | PathLike[str], format: Format | None = None, *, rows: Any = None) -> Exported:
    """Writes a model as one graph from raw rows to predictions, for any number of rows at a time.

    The preparation of the rows is inside, and so are softmax, sigmoid and the targets' unit: outputs are ``proba`` and
    ``class`` (indices) of a classifier and ``value`` of a regression, behind the output's name (``main_value``) where
    there are several. The input is ``features``, or those of the net by name. Rows are of the dtype in which the model
    prepares them, mostly float64, so that no digit of a large number is lost before its mean is subtracted; pixels are
    uint8, images ``(rows, side, side)``; in a table a category is its code, a truth value 0 or 1, a date days since
    1970, and what is missing nan. Names of columns, classes and targets and the codes are in the file's metadata.

    Before it is written, the file is run on raw rows, see :func:`~torchann.publishing.check.check_export`.

    Args:
        model: a task, an estimator, a pipeline of a ``StandardScaler`` and an estimator, or the path of a model file, a
            checkpoint or a run's folder.
        path: an ``.onnx`` or ``.pt2`` file, put in its place when it has been checked.
        format: ``"onnx"`` or ``"torch-export"``; by default from the file's ending.
        rows: raw rows as ``predict`` takes them: they say what a row looks like where the model does not know, such as
            images that are no squares or several inputs by name, and are checked, too.

    Returns:
        What was written, with the names, shapes and dtypes of what goes in and comes out.

    Raises:
        ValueError: for a model without predictions, a net that torch cannot export, another ending, ONNX without its
            packages, or a file that does not predict what the model predicts.
        OSError: if the file cannot be written; an old one is untouched.

    Example:
        >>> import tempfile, torch, torchann
        >>> path = Path(tempfile.mkdtemp(), "net.pt2")
        >>> done = export(torchann.RegressionMLP([3], 2, 1), path)
        >>> print(done.inputs[0], "->", done.outputs[0])
        features (rows, 2) float32 -> value (rows, 1) float32
        >>> torch.export.load(path).module()(torch.zeros(5, 2))["value"].shape
        torch.Size([5, 1])
    """
    path = Path(path)
    format = _format_of(path, format)
    if format == "onnx":
        need_onnx()
    task = task_from(model)
    raw = RawModel(task, rows)
    program, facts = to_program(raw), metadata(task)
    if format == "onnx":
        content = onnx_bytes(program, raw.inputs, raw.outputs, facts)
        run = onnx_runner(content, raw.inputs, raw.outputs)
    else:
        content = program_bytes(program, facts)
        run = program_runner(content)
    count, difference = check_export(raw, run)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    return Exported(path, format, tuple(raw.inputs), tuple(raw.outputs), count, difference)


def _format_of(path: Path, format: str | None) -> Format:
    if format is not None and format not in get_args(Format):
        raise ValueError(f"there is no format {format!r}; choose {' or '.join(get_args(Format))}")
    found = ENDINGS.get(path.suffix)
    if found is None or format not in (None, found):
        message = f" as {format}" if format else ""
        endings = [ending for ending, name in ENDINGS.items() if format in (None, name)]
        raise ValueError(f"a model is not exported{message} to {path}; give a file that ends in {' or '.join(endings)}")
    return found
