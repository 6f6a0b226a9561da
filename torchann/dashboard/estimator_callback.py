"""The curves of an estimator's fit in TensorBoard."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any


class TensorBoard:
    """A callback that writes the figures of each epoch, as Keras' of that name does.

    ``loss`` and the learning rate go to the sub-run ``train``, the validation score to ``validation``; the x-axis is
    the epoch, which goes on with ``warm_start`` and ``partial_fit``. ``torchann tensorboard FOLDER`` shows them. Fits
    that are to be told apart, such as those of a search, want a folder each.

    Args:
        log_dir: the folder of the run.

    Example:
        >>> import tempfile
        >>> from torchann.estimators import MLPRegressor
        >>> run = TensorBoard(tempfile.mkdtemp())
        >>> net = MLPRegressor(tol=1e9, n_iter_no_change=1, callbacks=[run])  # stops at once
        >>> _ = net.fit([[0.0], [1.0]], [0.0, 1.0])
        >>> sorted(path.name for path in Path(run.log_dir).iterdir())
        ['train']
    """

    def __init__(self, log_dir: str | PathLike[str]) -> None:
        self.log_dir: str = str(log_dir)
        self._writers: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:  # of clones and other processes, which open files of their own
        return vars(self) | {"_writers": {}}

    def __call__(self, estimator: Any, figures: Mapping[str, float]) -> None:
        """Writes the figures of an epoch."""
        from torch.utils.tensorboard import SummaryWriter  # seconds

        parts = {"train": {name: figures[name] for name in ("loss", "learning_rate")}}
        if "validation_score" in figures:
            parts["validation"] = {"score": figures["validation_score"]}
        for sub_run, values in parts.items():
            if sub_run not in self._writers:
                self._writers[sub_run] = SummaryWriter(str(Path(self.log_dir, sub_run)))
            for name, value in values.items():
                self._writers[sub_run].add_scalar(name, value, int(figures["epoch"]))
            self._writers[sub_run].flush()
