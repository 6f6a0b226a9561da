"""What the data modules share: three splits held in memory, and the loaders that read them."""

import hashlib
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, NamedTuple

import torch
from lightning import LightningDataModule
from torch import Tensor

from torchann.engine.rows.loader import TensorLoader
from torchann.engine.rows.shuffling import Augmentation, Order
from torchann.nets.preprocessing import Preprocessing

EVALUATION_ROWS = 4096


class Split(NamedTuple):
    """Rows that go together: inputs ``x`` of shape ``(rows, ...)`` and targets ``y`` of shape ``(rows, ...)``."""

    x: Tensor
    y: Tensor


class Splits(NamedTuple):
    """The rows to learn from, those to choose by, and those to be judged by."""

    train: Split
    val: Split
    test: Split


def _fingerprint(rows: Split) -> str:
    digest = hashlib.sha256()
    for part in rows:
        digest.update(f"{part.dtype} {tuple(part.shape)}".encode())
        digest.update(part.contiguous().flatten().view(torch.uint8).numpy().data)
    return f"sha256:{digest.hexdigest()}"


class InMemoryDataModule(LightningDataModule, ABC):
    """A data module that reads its splits once and serves them from memory.

    A subclass says what the data are in the attributes below, which can be read before :meth:`setup`, and reads them
    in :meth:`read`; for classification it also has ``num_classes`` and ``class_names``, for regression
    ``out_features`` and ``target_names``. The splits hold raw rows; ``preprocessing`` makes of each batch what a net
    gets, and is what a task takes along so that it can predict from raw rows.

    Args:
        batch_size: rows per training batch, at least 1; the last batch of an epoch may be smaller.
        seed: seed of the training loader's shuffle.

    Attributes:
        name: of the data set, in lower case with hyphens.
        in_features: numbers per row as a net gets it.
        feature_names: one name per raw column, None where the columns have no names.
        preprocessing: from raw inputs to what a net gets, None if that is the same; complete after :meth:`setup`.

    Example:
        >>> from torchann.data import IrisDataModule
        >>> issubclass(IrisDataModule, InMemoryDataModule)
        True
    """

    name: str
    in_features: int
    feature_names: list[str] | None = None
    preprocessing: Preprocessing | None = None

    def __init__(self, batch_size: int, seed: int) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.seed = seed
        self.steps_per_execution: int | None = 1
        """Mini-batches that the next training loader draws at once; set by a task that trains several per call."""
        self.augmentation: Augmentation | None = None
        """What changes the training inputs at random, if anything."""
        self._splits: Splits | None = None
        self._resident: dict[tuple[int, torch.device], Split] = {}

    @abstractmethod
    def read(self) -> Splits:
        """Reads the data that are on this machine and splits them."""

    def setup(self, stage: str | None = None) -> None:
        """Reads the data, the first time it is called; every ``stage`` needs the same."""
        if self._splits is None:
            self._splits = self.read()

    @property
    def splits(self) -> Splits:
        """The raw rows, as they are held in memory.

        Raises:
            RuntimeError: if :meth:`setup` has not been called.
        """
        if self._splits is None:
            raise RuntimeError(f"{type(self).__name__} holds no data yet; call setup() first")
        return self._splits

    def prepare(self, x: Tensor) -> Tensor:
        """What a net gets of raw inputs ``(rows, *)``; every batch is prepared when it is served."""
        return x if self.preprocessing is None else self.preprocessing(x)

    def prepared(self) -> Splits:
        """All rows as a net gets them; made anew by each call."""
        return Splits(*(Split(self.prepare(split.x), split.y) for split in self.splits))

    @cached_property
    def data_info(self) -> dict[str, Any]:
        """What a model file says of its training data: their name, number of rows and fingerprint.

        The fingerprint is a SHA-256 over dtypes, shapes and bytes of the raw training inputs and targets.
        """
        train = self.splits.train
        return {"name": self.name or type(self).__name__, "fingerprint": _fingerprint(train), "rows": len(train.y)}

    @cached_property
    def run_settings(self) -> dict[str, Any]:
        """What a run that goes on must have as it was: the rows that it is trained on and validated by."""
        told = {"training rows": f"{self.data_info['rows']:,} ({self.fingerprint[:19]})"}
        if self._splits is not None:
            told["validation rows"] = f"{len(self.splits.val.y):,} ({_fingerprint(self.splits.val)[:19]})"
        return told

    @property
    def fingerprint(self) -> str:
        """Of the raw training rows: ``"sha256:..."``; another one for other rows, other values or another order."""
        return str(self.data_info["fingerprint"])

    def train_dataloader(self) -> TensorLoader:
        """The training rows, in another order in each epoch."""
        return self._training_loader(shuffle=True)

    def val_dataloader(self) -> TensorLoader:
        """The validation rows, in stored order."""
        return self._loader(self.splits.val, batch_size=self.evaluation_batch_size)

    def test_dataloader(self) -> TensorLoader:
        """The test rows, in stored order."""
        return self._loader(self.splits.test, batch_size=self.evaluation_batch_size)

    def predict_dataloader(self) -> TensorLoader:
        """The test rows, in stored order."""
        return self.test_dataloader()

    @property
    def evaluation_batch_size(self) -> int:
        """Rows per batch where nothing is learnt: figures over rows do not depend on it, and fewer calls cost less."""
        return max(self.batch_size, EVALUATION_ROWS)

    def _training_loader(self, *, shuffle: bool = False, order: Order | None = None) -> TensorLoader:
        steps, self.steps_per_execution = self.steps_per_execution, 1
        loader = self._loader(self.splits.train, shuffle=shuffle, order=order, steps_per_execution=steps)
        loader.augment = self.augmentation
        return loader

    def _loader(
        self,
        split: Split,
        *,
        batch_size: int | None = None,
        shuffle: bool = False,
        order: Order | None = None,
        steps_per_execution: int | None = 1,
    ) -> TensorLoader:
        split = self._on_device(split)
        return TensorLoader(
            split.x,
            split.y,
            batch_size or self.batch_size,
            shuffle=shuffle,
            seed=self.seed,
            order=order,
            prepare=self.prepare,
            steps_per_execution=steps_per_execution,
        )

    def _on_device(self, split: Split) -> Split:
        # On a GPU the rows live there, if they fill less than half of what is free: no batch is ever copied.
        strategy = getattr(self.trainer, "strategy", None)
        device = torch.device("cpu") if strategy is None else strategy.root_device
        if device.type != "cuda":
            return split
        key = (id(split.x), device)
        if key not in self._resident:
            free, _ = torch.cuda.mem_get_info(device)
            wanted = sum(part.numel() * part.element_size() for part in split)
            self._resident[key] = Split(*(part.to(device) for part in split)) if wanted < free / 2 else split
        return self._resident[key]
