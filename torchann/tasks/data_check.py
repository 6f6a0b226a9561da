"""Looks at the rows of a stage before they are used: all of them where they are in memory, else batch by batch."""

import warnings
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset, default_collate

from torchann.engine.rows.loader import Rows, TensorLoader, split_rows
from torchann.files.metric_name import STAGES
from torchann.nets.checks import check_finite, check_tensor

ROWS = {**STAGES, "predict": "prediction"}
VALUES_AT_ONCE = 2**22  # prepared together: little memory


class DataCheck(Callback):
    """Refuses rows that would make a net of nothing but nan, or figures that mean nothing; tasks add it by themselves.

    Rows that a :class:`~torchann.engine.rows.loader.TensorLoader`, or a plain ``DataLoader`` of a ``TensorDataset``,
    holds in memory are looked at once, before the first of them is used, as the net would get them. Other batches are
    looked at as they come: in the first epoch of a fit, and always in a test.

    Example:
        >>> from torchann import RegressionMLP, Trainer
        >>> x = torch.tensor([[1.0], [float("inf")]])
        >>> trainer = Trainer(max_epochs=1, logger=False, quiet=True)
        >>> trainer.fit(RegressionMLP(in_features=1, out_features=1), TensorLoader(x, torch.zeros(2)))
        Traceback (most recent call last):
            ...
        ValueError: training inputs have inf in row 1, column 0; drop such rows (1 in all) or fill the gaps
    """

    def __init__(self) -> None:
        self._done: set[str] = set()
        self._first_epoch = 0
        self._seen: dict[str, set[int]] = {}

    def setup(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        """Forgets what was looked at."""
        self._done, self._seen = set(), {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Looks at the training and the validation rows."""
        self._first_epoch = trainer.current_epoch
        pl_module.check_training_rows(trainer.train_dataloader)
        self._look_at_loader(trainer, pl_module, "train")
        if trainer.val_dataloaders is not None:
            _refuse_empty("val", trainer.val_dataloaders, sum(trainer.num_val_batches))
            self._look_at_loader(trainer, pl_module, "val")

    def on_validation_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Looks at the validation rows."""
        self._look_at_loader(trainer, pl_module, "val")

    def on_test_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Looks at the test rows."""
        self._look_at_loader(trainer, pl_module, "test")

    def on_predict_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Looks at the rows to predict."""
        self._look_at_loader(trainer, pl_module, "predict")

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Looks at a training batch."""
        self._look_at_batch(trainer, pl_module, "train", batch)

    def on_validation_batch_start(
        self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Looks at a validation batch."""
        self._look_at_batch(trainer, pl_module, "val", batch)

    def on_test_batch_start(
        self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Looks at a test batch."""
        self._look_at_batch(trainer, pl_module, "test", batch)

    def on_predict_batch_start(
        self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Looks at a batch to predict."""
        self._look_at_batch(trainer, pl_module, "predict", batch)

    def teardown(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        """Refuses a stage that had no rows: Lightning has done nothing, and calls it a success."""
        stage = {"fit": "train", "validate": "val", "test": "test", "predict": "predict"}[stage]
        if (loaders := _loaders(trainer, stage)) is not None:
            train = stage == "train"
            batches = trainer.num_training_batches if train else sum(getattr(trainer, f"num_{stage}_batches"))
            _refuse_empty(stage, loaders, batches)

    def _look_at_loader(self, trainer: pl.Trainer, task: Any, stage: str) -> None:
        if stage in self._done or _changes_batches(trainer.datamodule) or _changes_batches(task):  # type: ignore[attr-defined]
            return
        loader = _loaders(trainer, stage)
        rows = _rows_in_memory(loader[0] if isinstance(loader, list) and len(loader) == 1 else loader)
        if rows is None:
            return
        x, y, prepare = rows
        prepare = prepare or task.preparation_of(loader)
        self._look_at_inputs(task, stage, x, prepare)
        if stage != "predict":
            self._look_at_targets(task, stage, y)
            self._look_at_classes(task, stage, y)
        self._done.add(stage)

    def _look_at_batch(self, trainer: pl.Trainer, task: Any, stage: str, batch: Any) -> None:
        if stage in self._done:
            return
        if trainer.state.fn == "fit" and trainer.current_epoch > self._first_epoch:
            self._done.add(stage)
            return
        prepare = task.preparation_of(_loaders(trainer, stage))
        if stage == "predict":
            self._look_at_inputs(task, stage, batch[0] if isinstance(batch, (tuple, list)) else batch, prepare)
            return
        if not isinstance(batch, (tuple, list)) or len(batch) < 2 or (len(batch) > 2 and not hasattr(batch, "batches")):
            parts = f" of {len(batch)}" if isinstance(batch, (tuple, list, dict)) else ""
            raise ValueError(f"a {ROWS[stage]} batch is a {type(batch).__name__}{parts}; give pairs (x, y)")
        self._look_at_inputs(task, stage, batch[0], prepare)
        self._look_at_targets(task, stage, batch[1])

    def _look_at_inputs(
        self, task: Any, stage: str, x: Rows, prepare: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        names = getattr(getattr(task.trainer, "datamodule", None), "feature_names", None)
        what, dtype = f"{ROWS[stage]} inputs", _dtype(task)
        for name, part in x.items() if isinstance(x, dict) else [("", x)]:
            named = f"{what} {name!r}" if name else what
            check_tensor(part, named)
            if prepare is None or not part.is_floating_point():
                check_finite(part, named, names, dtype)
                continue
            at_once = max(1, VALUES_AT_ONCE // max(1, part[:1].numel()))
            for number, some in enumerate(split_rows(part, at_once)):
                check_finite(prepare(some), named, names, dtype, range(number * at_once, len(part)))  # type: ignore[arg-type]
        if isinstance(x, Tensor):
            task.check_input(x if prepare is None else prepare(x[:1]), what)

    def _look_at_targets(self, task: Any, stage: str, y: Rows) -> None:
        names, what = task.hparams.get("target_names"), f"{ROWS[stage]} targets"
        for name, part in y.items() if isinstance(y, dict) else [("", y)]:
            named = f"{what} {name!r}" if name else what
            check_tensor(part, named)
            check_finite(part, named, names, _dtype(task))
        try:
            task.check_target(y)
        except ValueError as error:
            raise ValueError(f"{what}: {error}") from None

    def _look_at_classes(self, task: Any, stage: str, y: Rows) -> None:
        for name, classes in task.class_indices(y).items():
            there = set(torch.bincount(classes.long().flatten()).nonzero().flatten().tolist())
            of = f" of the output {name!r}" if name else ""
            if stage == "train" and len(there) == 1:
                raise ValueError(
                    f"training targets{of} are all of class {there.pop()} and a classifier needs two or more; "
                    "give rows of every class (are they sorted by class and cut?)"
                )
            if stage == "train":
                self._seen[name] = there
            elif unseen := there - self._seen.get(name, there):
                warnings.warn(
                    f"{ROWS[stage]} targets{of} have the class {min(unseen)}, which no training row has; shuffle the "
                    "rows before you split them",
                    stacklevel=2,
                )


def _loaders(trainer: pl.Trainer, stage: str) -> Any:
    return trainer.train_dataloader if stage == "train" else getattr(trainer, f"{stage}_dataloaders")


def _dtype(task: Any) -> torch.dtype:
    return next((parameter.dtype for parameter in task.net.parameters()), torch.float32)


def _changes_batches(owner: Any) -> bool:
    hooks = ("on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer")
    parent = pl.LightningModule if isinstance(owner, pl.LightningModule) else pl.LightningDataModule
    return owner is not None and any(is_overridden(hook, owner, parent) for hook in hooks)


def _rows_in_memory(loader: Any) -> tuple[Rows, Rows, Callable[[Tensor], Tensor] | None] | None:
    if isinstance(loader, TensorLoader):
        return loader.x, loader.y, loader.prepare
    plain = isinstance(loader, DataLoader) and loader.collate_fn is default_collate
    dataset = loader.dataset if plain else None
    if not isinstance(dataset, TensorDataset) or len(dataset.tensors) != 2:
        return None
    return *dataset.tensors, None


def _refuse_empty(stage: str, loaders: Any, num_batches: float) -> None:
    if num_batches:
        return
    dataset: Any = getattr(loaders, "dataset", None)
    rows = len(dataset) if hasattr(dataset, "__len__") else 0
    got = f"has {rows} rows, fewer than its batch_size={loaders.batch_size}, and drop_last" if rows else "is empty"
    raise ValueError(f"the {ROWS[stage]} loader {got}; give it at least one row, or leave it out")
