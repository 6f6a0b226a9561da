"""The last hidden layer in TensorBoard's projector, each row with its labels and its image."""

from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from torch import Tensor, nn
from torch.nn.functional import interpolate

from torchann.engine.rows.loader import Rows
from torchann.files.history import epoch_number
from torchann.pictures.mosaic import mosaic

MOST_PIXELS = 64  # of an image's sides: a browser draws no picture of any size
CONFIG = "projector_config.pbtxt"
NAME = "last hidden layer"
"""Of the latest epoch; earlier ones have theirs behind it."""


def last_hidden_layer(task: nn.Module, x: Rows) -> Tensor:
    """What the last layer with weights reads, ``(rows, units)``: the inputs themselves where no layer is hidden.

    Args:
        task: in evaluation mode.
        x: rows as the task takes them.

    Raises:
        ValueError: if the task has no linear layer.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> last_hidden_layer(net, torch.zeros(5, 2)).shape
        torch.Size([5, 3])
    """
    read: list[Tensor] = []
    hooks = [
        layer.register_forward_pre_hook(lambda _, args, kwargs: read.append(*args, *kwargs.values()), with_kwargs=True)
        for layer in task.modules()
        if isinstance(layer, nn.Linear)
    ]
    try:
        with torch.no_grad():
            task(x)
    finally:
        for hook in hooks:
            hook.remove()
    if not read:
        raise ValueError(f"{type(task).__name__} has no linear layer whose inputs could be shown; leave embeddings out")
    return read[-1].flatten(1).float().cpu()


def write_embedding(
    run: Path, vectors: Tensor, labels: dict[str, list[Any]], images: Tensor | None, epoch: int
) -> None:
    """Adds the vectors of an epoch to those of the run that the projector shows; an earlier try of it is replaced.

    Args:
        run: the folder of the run.
        vectors: ``(rows, units)``.
        labels: columns to colour and to search by, each with an entry per row.
        images: grey or coloured, ``(rows, height, width)`` or ``(rows, 3, height, width)``; None for points alone.
        epoch: counted from 0.
    """
    folder = Path("embeddings", f"{epoch:05}")
    (run / folder).mkdir(parents=True, exist_ok=True)
    np.savetxt(run / folder / "vectors.tsv", vectors.numpy(), "%.6g", "\t")
    table = [list(labels)] if len(labels) > 1 else []  # a single column has no heading there
    table += zip(*labels.values(), strict=True)  # type: ignore[arg-type]
    # The projector knows no quotes: a tab or a new line within a label would be another column or row.
    lines = ("\t".join(" ".join(str(cell).split()) for cell in row) for row in table)
    (run / folder / "labels.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    config = ProjectorConfig()
    if (run / CONFIG).is_file():
        text_format.Parse((run / CONFIG).read_text(), config)
    vectors_path = (folder / "vectors.tsv").as_posix()
    earlier = [embedding for embedding in config.embeddings if embedding.tensor_path != vectors_path]
    for embedding in earlier:
        embedding.tensor_name = f"{NAME}, epoch {epoch_number(int(Path(embedding.tensor_path).parent.name)):03}"
    del config.embeddings[:]
    embedding = config.embeddings.add(
        tensor_name=NAME,  # the first by name is what the projector opens with
        tensor_path=vectors_path,
        metadata_path=(folder / "labels.tsv").as_posix(),
    )
    if images is not None:
        sprite, side = _sprite(images), ceil(sqrt(len(images)))
        sprite.save(run / folder / "images.png")
        embedding.sprite.image_path = (folder / "images.png").as_posix()
        embedding.sprite.single_image_dim.extend([sprite.width // side, sprite.height // side])
    config.embeddings.extend(earlier)
    (run / CONFIG).write_text(text_format.MessageToString(config))


def _sprite(images: Tensor) -> Image.Image:
    # One picture, a square of all: the projector cuts it up.
    side = ceil(sqrt(len(images)))
    bytes_ = images if images.dtype == torch.uint8 else (images.clamp(0, 1) * 255).round().to(torch.uint8)
    coloured = bytes_ if bytes_.ndim == 4 else bytes_.unsqueeze(1)
    height, width = coloured.shape[2:]
    if max(height, width) > MOST_PIXELS:
        height, width = (max(1, size * MOST_PIXELS // max(height, width)) for size in (height, width))
        coloured = interpolate(coloured.float(), (height, width), mode="area").to(torch.uint8)
    square = Image.new("RGB", (side * width, side * height))
    tiles = coloured.permute(0, 2, 3, 1).expand(-1, -1, -1, 3).numpy()
    square.paste(Image.fromarray(mosaic(tiles, side, below=0, beside=0, fill=0)))
    return square
