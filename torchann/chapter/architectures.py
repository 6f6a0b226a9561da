"""Sections 10.1.5, 10.1.6 and 10.2.2: typical architectures by task, read off the heads, and the image classifier's."""

import inspect
from collections.abc import Sequence
from math import log

import torch
from matplotlib.figure import Figure
from tabulate import tabulate

from torchann.chapter.architecture_plot import draw_architecture
from torchann.chapter.experiment import Experiment, Outcome, Published, Setting
from torchann.chapter.heads_plot import BOUNDS, draw_heads
from torchann.nets.heads import REGRESSION_LOSSES, REGRESSION_OUTPUTS, classification_objective, regression_objective
from torchann.nets.mlp import MLP
from torchann.nets.summary import summary

CLASSIFIERS = {"binary": 2, "multilabel": 3, "multiclass": 3}
Column = dict[str, str]


def _column(output_units: str, output_activation: str, loss: str) -> Column:
    return {
        "input units": "one per feature",
        "hidden layers": "usually 1 to 5",
        "units per hidden layer": "usually 10 to 100",
        "output units": output_units,
        "hidden activation": inspect.signature(MLP).parameters["activation"].default,
        "output activation": output_activation,
        "loss": loss,
    }


def regression_table() -> dict[str, Column]:
    """What a regression MLP is made of, for each kind of values to predict.

    Example:
        >>> regression_table()["positive"]["output activation"]
        'softplus or relu'
    """
    losses = ", ".join(REGRESSION_LOSSES)
    names = {output: " or ".join(functions) for output, functions in REGRESSION_OUTPUTS.items()}
    return {kind: _column("one per value", name.replace("identity", "none"), losses) for kind, name in names.items()}


def classification_table() -> dict[str, Column]:
    """What a classification MLP is made of, for each kind of classes.

    Example:
        >>> classification_table()["multiclass"]["output activation"]
        'softmax'
    """
    heads = {task: classification_objective(task, num_classes) for task, num_classes in CLASSIFIERS.items()}
    thing = {"multilabel": "label", "multiclass": "class"}
    units = {task: "1" if head.out_features == 1 else f"one per {thing[task]}" for task, head in heads.items()}
    return {task: _column(units[task], head.activation_name, head.loss_name) for task, head in heads.items()}


def architecture_tables() -> str:
    """Both tables as text, a column for each task.

    Example:
        >>> print(architecture_tables().splitlines()[0])
        regression              unbounded          positive           bounded
    """
    tables = {"regression": regression_table(), "classification": classification_table()}
    rows = {
        title: [[row, *(column[row] for column in table.values())] for row in _column("", "", "")]
        for title, table in tables.items()
    }
    return "\n\n".join(tabulate(rows[title], [title, *tables[title]], disable_numparse=True) for title in tables)


def _range(output: str) -> str:
    objective = regression_objective(1, output=output, bounds=BOUNDS if output == "bounded" else None)
    low, high = objective.activation(torch.tensor([[-1000.0], [1000.0]])).flatten().tolist()
    return f"{low:g} to {high:g}"


def _ends(setting: Setting) -> Outcome:
    columns = regression_table() | classification_table()
    rows = ("output units", "output activation", "loss")
    measurements: dict[str, float | str] = {
        task: "; ".join(column[row] for row in rows) for task, column in columns.items()
    }
    measurements |= {f"values of an output that is {output}": _range(output) for output in REGRESSION_OUTPUTS}
    objective = classification_objective("multiclass", 10)
    y = torch.tensor([0])
    measurements["loss of ten equal logits"] = objective.losses(torch.zeros(1, 10), y).item()
    measurements["loss of a logit of ln 9 against nine of 0"] = objective.losses(log(9) * torch.eye(1, 10), y).item()
    return Outcome(measurements, text=architecture_tables())


def _classifier(setting: Setting) -> Outcome:
    table = summary(MLP(784, [300, 100], 10), (28, 28))
    counts = "; ".join(f"{row.parameters:,}" for row in table.rows if row.parameters)
    shapes = "; ".join(str(row.shapes[0]) for row in table.rows if row.type != "ReLU")
    measurements = {"parameters": f"{table.parameters:,}", "parameters by layer": counts, "output shapes": shapes}
    return Outcome(measurements, text=str(table), shown=table)


def _draw_classifier(outcomes: Sequence[Outcome], title: str) -> Figure:
    return draw_architecture(outcomes[0].shown, title)


EXPERIMENTS = (
    Experiment(
        name="architectures",
        section="10.1.5, 10.1.6",
        title="Output units, output activations and losses by task",
        published=(
            Published("unbounded", "one per value; none; mse, mae, huber"),
            Published("positive", "one per value; softplus or relu; mse, mae, huber"),
            Published("bounded", "one per value; sigmoid or tanh; mse, mae, huber"),
            Published("binary", "1; sigmoid; binary cross-entropy"),
            Published("multilabel", "one per label; sigmoid; binary cross-entropy"),
            Published("multiclass", "one per class; softmax; cross-entropy"),
            Published("values of an output that is unbounded", "-1000 to 1000", by="law"),
            Published("values of an output that is positive", "0 to 1000", by="law"),
            Published("values of an output that is bounded", "1 to 3", by="law"),
            Published("loss of ten equal logits", log(10), (2.30258, 2.30259), by="law"),
            Published("loss of a logit of ln 9 against nine of 0", log(2), (0.69314, 0.69315), by="law"),
        ),
        source="2nd edition, tables 10-1 and 10-2; raw outputs from -1000 to 1000; softmax taken once: ln 10 and ln 2",
        run=_ends,
        draw=draw_heads,
        takes_seeds=False,
    ),
    Experiment(
        name="image_classifier_summary",
        section="10.2.2",
        title="The image classifier 784-300-100-10",
        published=(
            Published("parameters", "266,610"),
            Published("parameters by layer", "235,500; 30,100; 1,010"),
            Published("output shapes", "(None, 784); (None, 300); (None, 100); (None, 10)"),
        ),
        source="2nd edition, model.summary()",
        run=_classifier,
        draw=_draw_classifier,
        takes_seeds=False,
    ),
)
