"""What a net's outputs are for: a name, a task, a loss and a weight for each."""

import dataclasses
from collections.abc import Mapping
from math import inf
from typing import Any, Literal, get_args

from torch import Tensor
from torchmetrics import MeanAbsoluteError, MeanSquaredError, Metric
from torchmetrics.classification import BinaryAccuracy, MulticlassAccuracy, MultilabelAccuracy

from torchann.engine.class_report import ClassCounts
from torchann.nets.checks import check_classes
from torchann.nets.heads import Objective, classification_objective, regression_objective
from torchann.tasks.metrics import RowMetrics
from torchann.tasks.named_metrics import named_metrics, of_each_target

TaskName = Literal["regression", "binary", "multiclass", "multilabel"]


@dataclasses.dataclass(frozen=True)
class Output:
    """One output of a net.

    Attributes:
        task: regression, binary, multiclass or multilabel.
        size: values per row, classes or labels.
        loss: of a regression, mse, mae or huber; the others have their cross-entropy.
        weight: what the output's loss counts in the sum that is trained on.
        columns: the targets' columns that this output predicts; all if not given, the same for several outputs if need
            be. Targets that come by name are taken by the output's name.

    Example:
        >>> Output(weight=0.9).objective().out_features
        1
    """

    task: TaskName = "regression"
    size: int = 1
    loss: Literal["mse", "mae", "huber"] = "mse"
    weight: float = 1.0
    columns: list[int] | None = None

    def __post_init__(self) -> None:
        """Raises unless there is such a task, and its numbers mean something."""
        if self.task not in get_args(TaskName):
            raise ValueError(f"there is no task {self.task!r}; choose one of {', '.join(get_args(TaskName))}")
        if self.size < 1:
            raise ValueError(f"size is {self.size}; give the values per row, classes or labels, at least 1")
        if not 0 <= self.weight < inf:
            raise ValueError(f"weight is {self.weight}; give a finite number, 0 or more")

    def objective(self) -> Objective:
        """Its losses and its activation."""
        if self.task == "regression":
            return regression_objective(self.size, self.loss)
        return classification_objective(self.task, 2 if self.task == "binary" else self.size)

    @property
    def num_classes(self) -> int:
        """How many classes a target chooses from: those of each label, if it is multilabel."""
        return self.size if self.task == "multiclass" else 2

    def check(self, y: Tensor) -> None:
        """Looks at the targets before they are used, as the loader gives them.

        Raises:
            ValueError: if there is a value that is no class, or not every column.
        """
        y = self._own(y)
        if self.task != "regression":
            check_classes(y, self.num_classes)

    def _own(self, y: Tensor) -> Tensor:
        if self.columns is None:
            return y
        width = y.shape[1] if y.ndim == 2 else 0
        if not self.columns or min(self.columns) < 0 or max(self.columns) >= width:
            raise ValueError(f"columns is {self.columns} and the targets are {tuple(y.shape)}; name columns there are")
        return y[:, self.columns]

    def target(self, y: Tensor, dtype: Any) -> Tensor:
        """The targets as the head wants them: ``(batch, size)`` floats, or class indices ``(batch,)``."""
        y = self._own(y)
        if self.task == "regression":
            y = y.to(dtype)
            return y.unsqueeze(1) if y.ndim == 1 and self.size == 1 else y
        y = y.long()
        return y.squeeze(1) if self.task != "multilabel" and y.shape[1:] == (1,) else y


def task_metrics(task: str, size: int) -> dict[str, Metric]:
    """What is measured of an output beside its loss, by name.

    Args:
        task: regression, binary, multiclass or multilabel.
        size: classes or labels.

    Example:
        >>> list(task_metrics("regression", 1)), list(task_metrics("multiclass", 10))
        (['rmse', 'mae'], ['accuracy'])
    """
    if task == "regression":
        return {"rmse": MeanSquaredError(squared=False), "mae": MeanAbsoluteError()}
    if task == "binary":
        return {"accuracy": BinaryAccuracy(validate_args=False)}
    if task == "multilabel":
        return {"accuracy": MultilabelAccuracy(size, average="micro", validate_args=False)}
    return {"accuracy": MulticlassAccuracy(size, average="micro", validate_args=False)}


def stage_metrics(
    stage: str,
    task: str,
    size: int,
    always: Mapping[str, Metric],
    asked: Mapping[str, Any],
    objective: Objective,
    hparams: Mapping[str, Any],
) -> RowMetrics:
    """Return what is measured of an output in a stage: metrics of each target, too, where they were asked for.

    On test rows each of several targets has its root mean squared error, mean absolute error and R2 in any case.

    Args:
        stage: train, val or test.
        task: regression, binary, multiclass or multilabel.
        size: values, classes or labels.
        always: metrics beside the loss, by name.
        asked: metrics that a user asks for, by name; those of another kind of task are left out.
        objective: of the output.
        hparams: of the task, with the targets' names and means where they are known.

    Example:
        >>> made = stage_metrics("val", "regression", 2, {}, {"r2": "r2"}, regression_objective(2), {})
        >>> list(made.metrics)
        ['r2', 'r2_0', 'r2_1']
    """
    found = dict(always) | named_metrics(asked, task, size)
    columns: dict[str, int] = {}
    if task == "regression":
        names = hparams.get("target_names") or [str(number) for number in range(size)]
        wanted = {**dict(always), **dict(asked), "r2": "r2"} if stage == "test" else asked
        for name, (metric, column) in of_each_target(named_metrics(wanted, task, size), names).items():
            found[name], columns[name] = metric, column
    counts = ClassCounts(task, size) if stage != "train" and task != "regression" else None
    return RowMetrics(found, objective.activation, columns, hparams.get("target_mean"), counts)


def make_outputs(outputs: Mapping[str, Output | Mapping[str, Any]]) -> dict[str, Output]:
    """Outputs by name, also from plain values as YAML and checkpoints hold them.

    Raises:
        ValueError: if there are none, or an output has a knob that there is not.

    Example:
        >>> make_outputs({"main": {"weight": 0.9}})["main"].weight
        0.9
    """
    if not outputs:
        raise ValueError("outputs is empty; name the net's outputs, each with its task: {'price': {}}")
    knobs = [field.name for field in dataclasses.fields(Output)]
    made = {}
    for name, output in outputs.items():
        unknown = set() if isinstance(output, Output) else set(output) - set(knobs)
        if unknown:
            raise ValueError(f"output {name!r} has no {sorted(unknown)[0]!r}; it takes {', '.join(knobs)}")
        made[name] = output if isinstance(output, Output) else Output(**output)
    return made
