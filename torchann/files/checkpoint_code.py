"""Refuses checkpoints that name code to run."""

import io
from pathlib import Path
from typing import Any

from torchann.files.checkpoint_files import CheckpointError, unpack

HYPERPARAMETERS = ("hyper_parameters", "hparams", "module_arguments")  # the last two of old Lightning
TRICKS = ("_instantiator", "_class_path")


def safe_content(checkpoint: Any, weights_only: bool | None) -> io.BytesIO:
    """The content of a checkpoint file that is known to hold tensors and plain values and to name no code.

    Lightning calls what ``_instantiator`` in the hyperparameters names, with what ``_class_path`` and its neighbours
    say (CVE-2026-58659); no file of this package has either.

    Args:
        checkpoint: a path, or an open binary file.
        weights_only: as the caller asked for; None and True are the same here.

    Raises:
        ValueError: for ``weights_only=False``, and for a file that is none of the above.

    Example:
        >>> safe_content("best.ckpt", weights_only=False)
        Traceback (most recent call last):
            ...
        ValueError: weights_only=False would run code from best.ckpt; leave it out: files of torchann need no code
    """
    name = Path(getattr(checkpoint, "name", "the file") if hasattr(checkpoint, "read") else checkpoint)
    if weights_only is not None and not weights_only:
        raise ValueError(f"weights_only=False would run code from {name}; leave it out: files of torchann need no code")
    content = checkpoint.read() if hasattr(checkpoint, "read") else name.read_bytes()
    found = unpack(content, name)
    for key in HYPERPARAMETERS:
        values = found.get(key) or {}
        if not isinstance(values, dict):
            raise CheckpointError(f"{name} has a {type(values).__name__} as {key}; give a file that torchann wrote")
        for trick in TRICKS:
            if trick in values:
                raise CheckpointError(
                    f"{name} wants code to be called, {trick}={values[trick]!r:.80}, which no file of torchann does; "
                    "give another one, or take the weights out of it: torch.load(path, weights_only=True)['state_dict']"
                )
    return io.BytesIO(content)
