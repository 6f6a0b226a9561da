"""What TensorBoard shows of a classifier: confusion matrices, precision and recall, mistakes, decision regions."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from matplotlib.figure import Figure
from tabulate import tabulate
from torch import Tensor
from torch.nn.functional import one_hot
from torch.utils.tensorboard import SummaryWriter

from torchann.dashboard.sample import Sample, SampleOutput
from torchann.data.tables.columns import shown
from torchann.engine.class_report import HEAD, ClassReport, class_counts
from torchann.pictures.boundaries import decision_regions
from torchann.pictures.confusion import confusion_matrices
from torchann.pictures.images import labelled_images
from torchann.pictures.roc import roc_curves

Show = Callable[[str, Figure], None]
"""Writes a picture under a tag."""
LEAST_PIXELS = 6  # of an image's sides
MOST_COLUMNS = 20  # of a table of mistakes
MOST_CLASSES = 30  # with a curve of precision and recall each
SHOWN = 18  # images, or rows of a table


def images_of(raw: Any) -> Tensor | None:
    """Grey or coloured images, ``(rows, height, width)`` or ``(rows, 3, height, width)``; None for other inputs.

    A few numbers wide, as three series of measurements side by side, is no image.

    Example:
        >>> import torch
        >>> images_of(torch.zeros(5, 1, 28, 28)).shape, images_of(torch.zeros(5, 8))
        (torch.Size([5, 28, 28]), None)
    """
    if not isinstance(raw, Tensor) or raw.ndim not in (3, 4) or min(raw.shape[-2:]) < LEAST_PIXELS:
        return None
    images = raw.squeeze(1) if raw.ndim == 4 and raw.shape[1] == 1 else raw
    if images.ndim == 4 and images.shape[1] != 3:
        return None
    if images.dtype == torch.uint8 and images.max() > 127:
        return images.cpu()
    low, high = images.min(), images.max()  # floats of any range, or bytes of few shades
    return ((images - low) / (high - low).clamp(min=1e-12)).float().cpu()


def class_names(task: Any, output: SampleOutput) -> list[str]:
    """The names of an output's classes or labels; their numbers where they have no names.

    Args:
        task: with ``class_names`` among its hyperparameters, or without.
        output: of the task.
    """
    count = 2 if output.proba is None else output.proba.shape[1]
    given = task.hparams.get("class_names")
    if given is None or len(given) != count:
        return [str(number) for number in range(count)]
    names = [shown(str(name)) for name in given]
    return names if len(set(names)) == count else [f"{number} {name}" for number, name in enumerate(names)]


def write_curves(writer: SummaryWriter, of: str, output: SampleOutput, names: Sequence[str], epoch: int) -> None:
    """Writes a curve of precision and recall for each class, of two for the second alone; for each label.

    Args:
        writer: of the run.
        of: before the tag, ``"main/"`` or nothing.
        output: with probabilities; nothing is written of one without.
        names: of its classes.
        epoch: the x-axis.
    """
    if output.proba is None:
        return
    truth = output.y if output.kind == "label" else one_hot(output.y, len(names))
    first = 1 if output.kind == "class" and len(names) == 2 else 0
    for number in range(first, min(len(names), MOST_CLASSES)):
        if output.proba[:, number].isfinite().all():
            tag = f"{of}precision_recall/{names[number]}"
            writer.add_pr_curve(tag, truth[:, number], output.proba[:, number], epoch)


def write_classes(
    writer: SummaryWriter,
    show: Show,
    of: str,
    task: Any,
    output: SampleOutput,
    rows: Sample,
    epoch: int,
    title: str,
    write_images: bool,
) -> None:
    """Writes what there is to see of an output that chooses a class for each row.

    Args:
        writer: of the run.
        show: writes a picture.
        of: before the tags, ``"main/"`` or nothing.
        task: in evaluation mode.
        output: of the task on the rows.
        rows: the rows.
        epoch: the x-axis.
        title: of the pictures.
        write_images: also a sample of images with what they are taken for.
    """
    names, x = class_names(task, output), rows.seen
    images = images_of(x)
    show(f"{of}confusion_matrix", confusion_matrices(output.y, output.predicted, names, title))
    if output.proba is not None:
        first = 1 if len(names) == 2 else 0  # of two classes the second says it all
        truth, proba = one_hot(output.y, len(names))[:, first:], output.proba[:, first:]
        show(f"{of}roc_curves", roc_curves(truth, proba, names[first:], title))
    report = ClassReport.of(class_counts(output.predicted, output.y, len(names)), names)
    head = tabulate(report.rows, ["class", *HEAD], "pipe", disable_numparse=True)
    writer.add_text(f"{of}classification_report", f"{title}\n\n{head}", epoch)
    worst = _worst(output)
    if images is not None:
        message = "the surest mistakes of the" if worst else "no mistakes, these are the least sure of the"
        show(
            f"{of}worst_mistakes", _labelled(output, images, worst or _least_sure(output), names, f"{message} {title}")
        )
        if write_images:
            show(f"{of}predictions", _labelled(output, images, range(min(SHOWN, len(images))), names, title))
    elif isinstance(x, Tensor) and x.ndim == 2:
        writer.add_text(f"{of}worst_mistakes", _table(output, x, worst, names, task.feature_names), epoch)
    if not of and isinstance(x, Tensor) and x.shape[1:] == (2,):
        plane, features = x.cpu(), task.feature_names or ["feature 1", "feature 2"]
        predict = partial(_predicted, task, rows)
        regions = decision_regions(
            predict, plane if plane.is_floating_point() else plane.float(), output.y, names, features, title
        )
        show("decision_regions", regions)


def _predicted(task: Any, rows: Sample, x: Tensor) -> Tensor:
    # Of inputs such as rows.seen; not task.predict, which does not know how the loader prepares them.
    with torch.no_grad():
        x = x if rows.raw is None or rows.prepare is None else rows.prepare(x)
        said: Tensor = task.predictions(task(x.to(task.device)))["class"]
    return said.cpu()


def _worst(output: SampleOutput) -> list[int]:
    # The wrong rows, those first that the task was surest of.
    wrong = (output.y != output.predicted).nonzero()[:, 0]
    if output.proba is not None:
        wrong = wrong[output.proba[wrong, output.predicted[wrong]].argsort(descending=True, stable=True)]
    chosen: list[int] = wrong[:SHOWN].tolist()
    return chosen


def _least_sure(output: SampleOutput) -> list[int]:
    rows = torch.arange(len(output.y))
    if output.proba is not None:
        rows = output.proba[rows, output.predicted].argsort(stable=True)
    chosen: list[int] = rows[:SHOWN].tolist()
    return chosen


def _said(output: SampleOutput, row: int, names: Sequence[str]) -> str:
    said = int(output.predicted[row])
    return names[said] if output.proba is None else f"{names[said]} {output.proba[row, said]:.0%}"


def _labelled(output: SampleOutput, images: Tensor, rows: Sequence[int], names: Sequence[str], title: str) -> Figure:
    right = [bool(output.y[row] == output.predicted[row]) for row in rows]
    captions = [
        _said(output, row, names) + ("" if is_right else f"\nis {names[int(output.y[row])]}")
        for row, is_right in zip(rows, right, strict=True)
    ]
    return labelled_images(images[list(rows)], captions, right, title)


def _table(
    output: SampleOutput, raw: Tensor, rows: Sequence[int], names: Sequence[str], features: Sequence[str] | None
) -> str:
    if not rows:
        return f"None of the {len(output.y)} rows is taken for what it is not."
    if features is None or len(features) != raw.shape[1]:
        features = [f"feature {number + 1}" for number in range(raw.shape[1])]
    features, raw = features[:MOST_COLUMNS], raw[:, :MOST_COLUMNS]
    cells = [[row, names[int(output.y[row])], _said(output, row, names), *raw[row].tolist()] for row in rows]
    wrong = int((output.y != output.predicted).sum())
    order = "" if output.proba is None else ", the surest first"
    message = f"{len(rows)} of the {wrong} rows of {len(output.y)} that are taken for what they are not{order}."
    return f"{message}\n\n{tabulate(cells, ['row', 'is', 'taken for', *features], 'pipe', floatfmt='.4g')}"
