"""A model as one module from raw rows to predictions, and what goes in and comes out of it."""

import copy
from dataclasses import dataclass
from math import isqrt
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from torchann.data.tables.raw_inputs import input_rows
from torchann.engine.rows.loader import Rows, map_rows
from torchann.files.predictions import predict_rows
from torchann.nets.preprocessing import Pixels
from torchann.publishing.model_paths import model_from

FEATURES = "features"
"""What the input is called where there is one."""


@dataclass(frozen=True)
class Port:
    """An input or an output of an exported file.

    Attributes:
        name: by which it is given or taken.
        shape: of one row.
        dtype: as NumPy calls it.

    Example:
        >>> print(Port("features", (28, 28), "uint8"))
        features (rows, 28, 28) uint8
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(['rows', *map(str, self.shape)])}{',' * (not self.shape)}) {self.dtype}"

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype as torch has it."""
        dtype: torch.dtype = getattr(torch, self.dtype)
        return dtype


class RawModel(nn.Module):
    """What a task does with raw rows, on the CPU, in evaluation mode: preparation, net, and what its outputs mean.

    The weights are copies: the task itself stays where it is and as it is.

    Args:
        task: fitted, or from a file.
        rows: as ``predict`` takes them; needed where the task does not know what a row looks like.

    Attributes:
        inputs: one, called ``features``, or several by name, in the order of the net's.
        outputs: predictions, in order.
        rows: those that were given, in the dtypes of the inputs.

    Raises:
        RuntimeError: if the task has no net yet.
        ValueError: if it is not known what a row looks like, or the rows do not suit the task.

    Example:
        >>> import torchann
        >>> model = RawModel(torchann.ClassificationMLP([], 2, 3))
        >>> print(model.inputs[0])
        features (rows, 2) float32
        >>> model(torch.zeros(1, 2))["class"]
        tensor([0])
    """

    def __init__(self, task: Any, rows: Any = None) -> None:
        super().__init__()
        task._need_net()
        twin = copy.copy(task)
        twin.__dict__["_modules"] = {}
        twin.net = copy.deepcopy(task.net).cpu().eval().requires_grad_(False)
        twin.preprocessing, twin.training = copy.deepcopy(task.preprocessing), False
        self.net: Any = twin.net
        self.preparation: nn.Module = nn.Identity() if twin.preprocessing is None else twin.preprocessing.module.cpu()
        self._task = (twin,)  # in a tuple, as the net is a part of the module already
        given = None if rows is None else input_rows(rows, task.feature_names, task.preprocessing)
        self.inputs: list[Port] = _ports(twin, given)
        self.rows: Rows | None = None if given is None else self.as_inputs(given)
        self.eval()
        self.outputs: list[Port] = [
            Port(name, tuple(part.shape[1:]), str(part.dtype).removeprefix("torch."))
            for name, part in self.predict(self.zeros()).items()
        ]

    def forward(self, features: Any) -> dict[str, Tensor]:
        """Predictions by name, as the task's ``predictions`` has them, of raw rows, or of several inputs by name."""
        (task,) = self._task
        found: dict[str, Tensor] = task.predictions(task(map_rows(self.preparation, features)))
        return found

    def predict(self, features: Rows) -> dict[str, Tensor]:
        """What the task itself predicts, on the CPU."""
        (task,) = self._task
        return predict_rows(task, task.predictions, features, task.preprocessing)

    def zeros(self, rows: int = 2) -> Rows:
        """Rows of zeros, as an example."""
        parts = {port.name: torch.zeros(rows, *port.shape, dtype=port.torch_dtype) for port in self.inputs}
        return parts[FEATURES] if list(parts) == [FEATURES] else parts

    def as_inputs(self, rows: Rows) -> Rows:
        """Rows in the dtypes of the inputs."""
        dtypes = {port.name: port.torch_dtype for port in self.inputs}
        if isinstance(rows, Tensor):
            return rows.cpu().to(dtypes[FEATURES])
        return {name: rows[name].cpu().to(dtype) for name, dtype in dtypes.items()}


def task_from(model: Any) -> Any:
    """Return the task of a model: itself, of the file or run at a path, of an estimator, of a pipeline with a scaler.

    Raises:
        OSError: if there is no such file.
        ValueError: if it does not say what its outputs mean, or no task does what it does.
    """
    if isinstance(model, (str, PathLike)):
        model = model_from(Path(model))
    if hasattr(model, "steps") and hasattr(model, "named_steps"):
        from torchann.estimators.pipelines import task_of  # scikit-learn, which no task needs

        model = task_of(model)
    elif hasattr(model, "to_task"):
        model = model.to_task()
    if not callable(getattr(model, "predictions", None)) or not hasattr(model, "preprocessing"):
        raise ValueError(
            f"a {type(model).__name__} does not say what its outputs mean; give a task, an estimator, or for a net of "
            "your own NetTask(net, outputs)"
        )
    return model


def _ports(task: Any, given: Rows | None) -> list[Port]:
    net_dtype = next((part.dtype for part in task.net.parameters()), torch.float32)
    first = None if task.preprocessing is None else task.preprocessing.steps[0]
    mean = getattr(first, "mean", None)
    if given is None:
        shapes: dict[str, tuple[int, ...]] = {FEATURES: _row_shape(task, first)}
    else:
        parts = {FEATURES: given} if isinstance(given, Tensor) else given
        shapes = {name: tuple(part.shape[1:]) for name, part in parts.items()}
    ports = []
    for name, shape in shapes.items():
        dtype = net_dtype if mean is None else mean.dtype
        if isinstance(first, Pixels):
            dtype = torch.uint8
        elif mean is None and given is not None:
            part = given if isinstance(given, Tensor) else given[name]
            dtype = net_dtype if part.is_floating_point() else part.dtype
        ports.append(Port(name, shape, str(dtype).removeprefix("torch.")))
    return ports


def _row_shape(task: Any, first: Any) -> tuple[int, ...]:
    if getattr(first, "mean", None) is not None:
        return tuple(first.mean.shape)
    if task.feature_names is not None:
        return (len(task.feature_names),)
    size, columns = task.hparams.get("in_features"), task.hparams.get("inputs")
    if size and (first is None or isinstance(first, Pixels)):
        side = isqrt(size)
        return (side, side) if first is not None and side * side == size else (size,)
    if first is None and columns:
        return (1 + max(map(max, columns.values())),)
    raise ValueError(
        f"a {type(task).__name__} does not say what a row looks like; give one or more as `predict` takes them: "
        "torchann.export(model, path, rows=x)"
    )
