"""Lines of Python that a model card shows: they run beside the file, and predict a row."""

from pathlib import Path
from typing import Any

import numpy as np

from torchann.nets.column import TIME
from torchann.publishing.export import Exported
from torchann.publishing.markdown import block
from torchann.publishing.raw_model import FEATURES, Port, RawModel

MOST_NUMBERS = 30  # per row that is written out
BY_ONNXRUNTIME = """\
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({file!r})
inputs = {{
{arrays}
}}
names = [output.name for output in session.get_outputs()]
print(dict(zip(names, session.run(names, inputs))))"""
BY_TORCH = """\
import numpy as np
import torch

model = torch.export.load({file!r}).module()
inputs = {{
{arrays}
}}
tensors = {{name: torch.from_numpy(array) for name, array in inputs.items()}}
print(model(tensors{which}))"""


def examples(task: Any, raw: RawModel, path: Path | None, exported: Exported | None) -> list[str]:
    """Return the card's section on how to use a model by its file and by what it was exported to, perhaps empty."""
    blocks = []
    here = path is not None and (exported is None or exported.path.resolve().parent == path.resolve().parent)
    if path is not None and here:
        blocks.append(("With torchann:", _by_torchann(task, raw, path)))
    if exported is not None:
        onnx = exported.format == "onnx"
        message = "With `onnxruntime`, without torchann or torch:" if onnx else "With `torch` alone:"
        arrays = "\n".join(f"    {port.name!r}: {_array(task, port)}," for port in raw.inputs)
        which = f"[{FEATURES!r}]" if [port.name for port in raw.inputs] == [FEATURES] else ""
        code = BY_ONNXRUNTIME if onnx else BY_TORCH
        blocks.append((message, code.format(file=exported.path.name, arrays=arrays, which=which)))
    if not blocks:
        return []
    return ["## How to use it", *(f"{message}\n\n{block('python', text)}" for message, text in blocks)]


def _by_torchann(task: Any, raw: RawModel, path: Path) -> str:
    name = type(task).__name__
    load = f"torchann.{name}.load_from_checkpoint" if path.suffix == ".ckpt" else "torchann.load"
    prepared = task.preprocessing
    lines = ["import torchann", "", f"model = {load}({path.name!r})"]
    if prepared is not None and prepared.table is not None:
        row = _numbers(task, raw.inputs[0])
        cells = [
            f"    {column.name!r}: [{_cell(column, value)}],"
            for column, value in zip(prepared.table.table, row, strict=True)
        ]
        lines += ["table = {", *cells, "}", "print(model.predict(table))"]
    else:
        lines[:0] = ["import numpy as np"]
        lines += [f"features = {_array(task, raw.inputs[0])}", "print(model.predict(features))"]
    return "\n".join(lines)


def _array(task: Any, port: Port) -> str:
    row = _numbers(task, port)
    if row is None:
        return f"np.zeros((1, {', '.join(map(str, port.shape))}), dtype=np.{port.dtype})"
    return f"np.array([[{', '.join(f'{number:.6g}' for number in row)}]], dtype=np.{port.dtype})"


def _numbers(task: Any, port: Port) -> Any:
    """A row in the middle of the training rows; None where it would be long, or is not known."""
    prepared = task.preprocessing
    mean = None if prepared is None else getattr(prepared.steps[0], "mean", None)
    if mean is None or mean.ndim != 1 or (prepared.table is None and len(mean) > MOST_NUMBERS):
        return None
    row = [float(f"{number:.4g}") for number in mean.tolist()]
    if prepared.table is not None:
        kinds = [column.kind for column in prepared.table.table]
        row = [
            0.0 if kind == "category" else n if kind == "number" else float(round(n))
            for kind, n in zip(kinds, row, strict=True)
        ]
    return row


def _cell(column: Any, number: float) -> str:
    if column.kind == "category":
        return repr(column.categories[0])
    if column.kind == "boolean":
        return repr(bool(number))
    if column.form == TIME:
        return repr("12:00")
    if column.kind == "date":
        return repr(str(np.datetime64(int(number), "D")))
    return f"{number:.6g}"
