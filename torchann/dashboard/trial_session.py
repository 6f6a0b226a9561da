"""A trial of a search as a row of TensorBoard's HPARAMS tab: what was varied beside what it achieved."""

import shutil
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams as hparams_summaries


def write_trial(folder: Path, params: Mapping[str, Any], figures: Mapping[str, float]) -> None:
    """Writes a trial's session, in place of one that is there.

    Args:
        folder: of the session alone; made if need be.
        params: what was varied, plain values by name; ``model.`` and ``data.`` before it are left out.
        figures: what was measured, by name; what is no number is left out, as the tab cannot sort by it.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp(), "summary")
        >>> write_trial(folder, {"model.lr": 0.1}, {"cv_loss": 0.5})
        >>> len(list(folder.iterdir()))
        1
    """
    shutil.rmtree(folder, ignore_errors=True)
    named = {name.removeprefix("model.").removeprefix("data."): value for name, value in params.items()}
    _, start, end = hparams_summaries(named, {})  # type: ignore[no-untyped-call]
    with SummaryWriter(str(folder)) as writer:
        writer.file_writer.add_summary(start)
        for name, figure in figures.items():
            if isfinite(figure):
                writer.add_scalar(name, figure, 0)
        writer.file_writer.add_summary(end)
