"""How a task does on its rows, in pictures: each output by what it predicts, classes, labels or values."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from torchann.dashboard.classification_pictures import Show, class_names, images_of, write_classes, write_curves
from torchann.dashboard.sample import Sample, SampleOutput
from torchann.engine.rows.loader import Rows
from torchann.files.history import epoch_number
from torchann.pictures.images import weight_table, weights_as_images
from torchann.pictures.raster import as_image
from torchann.pictures.values import predicted_against_true, residual_map, residuals

MOST_VALUES = 8  # of a row, with pictures each
LATITUDE, LONGITUDE = ("latitude", "lat"), ("longitude", "lon", "lng", "long")


def write_evaluation(
    writer: SummaryWriter,
    task: Any,
    rows: Sample,
    judged: Sequence[SampleOutput],
    epoch: int,
    step: int,
    write_images: bool,
) -> None:
    """Writes what there is to see of a task on its rows.

    Args:
        writer: of the run.
        task: in evaluation mode.
        rows: the rows.
        judged: what the task says of them, by output.
        epoch: of the weights.
        step: the x-axis.
        write_images: also a sample of images with what they are taken for.
    """
    title = f"{rows.of} rows, epoch {epoch_number(epoch)}"

    def show(tag: str, figure: Figure) -> None:
        writer.add_image(tag, as_image(figure), step, dataformats="HWC")

    for output in judged:
        of = f"{output.name}/" if output.name else ""
        if output.kind == "value":
            _write_values(show, of, task, output, rows.raw, title)
            continue
        write_curves(writer, of, output, class_names(task, output), step)
        if output.kind == "class":
            write_classes(writer, show, of, task, output, rows, step, title, write_images)


def _write_values(show: Show, of: str, task: Any, output: SampleOutput, raw: Rows | None, title: str) -> None:
    count, places = output.predicted.shape[1], _places(raw, task.feature_names)
    given = task.hparams.get("target_names") or []
    for number in range(min(count, MOST_VALUES)):
        name = str(given[number]) if len(given) == count else output.name or "value"
        within = of if count == 1 else f"{of}{name if len(set(given)) == count else number}/"
        y, y_hat = output.y[:, number], output.predicted[:, number]
        show(f"{within}predicted_against_true", predicted_against_true(y, y_hat, name, title))
        show(f"{within}residuals", residuals(y, y_hat, name, title))
        if places is not None:
            show(f"{within}residual_map", residual_map(*places, y - y_hat, name, title))


def _places(raw: Any, names: Sequence[str] | None) -> tuple[Tensor, Tensor] | None:
    # Longitude and latitude of each row.
    if names is None or not isinstance(raw, Tensor) or raw.ndim != 2 or raw.shape[1] != len(names):
        return None
    lower = [name.lower() for name in names]
    across, up = ([lower.index(name) for name in wanted if name in lower] for wanted in (LONGITUDE, LATITUDE))
    return (raw[:, across[0]].cpu(), raw[:, up[0]].cpu()) if across and up else None


def write_first_layer(writer: SummaryWriter, task: nn.Module, raw: Any, epoch: int, step: int) -> None:
    """Writes the weights of the first linear layer: each unit's as an image, where the inputs are images, or as a row.

    Args:
        writer: of the run.
        task: nothing is written of one without such a layer.
        raw: inputs before they were prepared.
        epoch: of the weights.
        step: the x-axis.
    """
    first = next((layer for layer in task.modules() if isinstance(layer, nn.Linear)), None)
    if first is None:
        return
    weight, title = first.weight.detach().cpu(), f"weights of the first layer, epoch {epoch_number(epoch)}"
    images = images_of(raw)
    if images is not None and images.ndim == 3 and images[0].numel() == first.in_features:
        figure = weights_as_images(weight, (images.shape[1], images.shape[2]), title)
    else:
        names = getattr(task, "feature_names", None) or []
        numbers = [f"input {number + 1}" for number in range(first.in_features)]
        figure = weight_table(weight, names if len(names) == first.in_features else numbers, title)
    writer.add_image("first_layer_weights", as_image(figure), step, dataformats="HWC")


def labels_of(task: Any, judged: Sequence[SampleOutput], count: int) -> dict[str, list[Any]]:
    """What is known of each row, by the names of columns: what it is, and what it is taken for.

    Args:
        task: that may have names for its classes.
        judged: what it says of the rows, by output.
        count: rows; their numbers are all that is known where the task says nothing.
    """
    columns: dict[str, list[Any]] = {}
    for output in judged:
        of = f"{output.name} " if output.name else ""
        if output.kind == "class":
            names, right = class_names(task, output), (output.y == output.predicted).tolist()
            columns[f"{of}class"] = [names[number] for number in output.y.tolist()]
            columns[f"{of}predicted"] = [names[number] for number in output.predicted.tolist()]
            columns[f"{of}right"] = ["right" if is_right else "wrong" for is_right in right]
        elif output.kind == "value":
            columns[f"{of}value"], columns[f"{of}predicted"] = output.y[:, 0].tolist(), output.predicted[:, 0].tolist()
    return columns or {"row": list(range(count))}
