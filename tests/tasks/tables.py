"""Small tables behind the interface that tasks know: a data module with sizes, names and loaders."""

import lightning.pytorch as pl
import torch
from torch import Tensor

import torchann
from torchann.engine.rows.loader import TensorLoader
from torchann.engine.rows.shuffling import Order


class Table(pl.LightningDataModule):
    """The same rows for training, validation, test and prediction, in stored order unless another is given."""

    def __init__(self, x: Tensor, y: Tensor, batch_size: int = 32, order: Order | None = None, **facts):
        super().__init__()
        self.x, self.y, self.batch_size, self.order = x, y, batch_size, order
        self.in_features = x[0].numel()
        for name, fact in facts.items():
            setattr(self, name, fact)

    def train_dataloader(self):
        return TensorLoader(self.x, self.y, self.batch_size, order=self.order)

    def val_dataloader(self):
        return TensorLoader(self.x, self.y, self.batch_size)

    test_dataloader = predict_dataloader = val_dataloader


def regression_table(num_rows: int = 70, out_features: int = 1, **options) -> Table:
    """Sums of features, and a little curve; ``(rows,)`` targets for one output."""
    x = torch.randn(num_rows, 3, generator=torch.Generator().manual_seed(0))
    y = torch.stack([x.sum(1) + 0.1 * k * x[:, 0] ** 2 for k in range(out_features)], 1)
    return Table(x, y[:, 0] if out_features == 1 else y, out_features=out_features, **options)


def class_table(num_rows: int = 70, num_classes: int = 3, **options) -> Table:
    """Clouds around the corners of a simplex, far apart."""
    y = torch.arange(num_rows) % num_classes
    x = 4 * torch.eye(num_classes)[y] + 0.3 * torch.randn(
        num_rows, num_classes, generator=torch.Generator().manual_seed(0)
    )
    return Table(x, y, num_classes=num_classes, **options)


def label_table(num_rows: int = 70, **options) -> Table:
    """Three labels, each the sign of one feature, which keeps away from 0."""
    x = torch.randn(num_rows, 3, generator=torch.Generator().manual_seed(0))
    return Table(x + x.sign(), (x > 0).long(), num_classes=3, **options)


def fit(model: pl.LightningModule, data: Table, max_epochs: int = 2, ckpt_path=None, **options) -> pl.Trainer:
    trainer = torchann.Trainer(logger=False, quiet=True, max_epochs=max_epochs, **options)
    # Lightning turns weights_only=None into a warning where there is a checkpoint.
    trainer.fit(model, datamodule=data, ckpt_path=ckpt_path, weights_only=True if ckpt_path else None)
    return trainer


def weights(model: pl.LightningModule) -> Tensor:
    return torch.nn.utils.parameters_to_vector(model.net.parameters()).detach().clone()
