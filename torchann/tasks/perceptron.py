"""The Perceptron, trained by its own rule (section 10.1.3)."""

from typing import Any, NoReturn

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.classification import BinaryAccuracy

from torchann.engine.perceptron import perceptron_rule_
from torchann.engine.rows.loader import Block
from torchann.nets.checks import check_classes, check_width
from torchann.nets.functional import perceptron_loss
from torchann.nets.heads import Objective
from torchann.tasks.task import Task


class Perceptron(Task):
    """A threshold logic unit that learns from one row after another, and only from mistakes.

    The same weights as scikit-learn's ``Perceptron`` (1.9), whatever the batch size: rows are visited in the order of
    the loader, in float64, starting at zero, and training ends when the loss has not fallen for some epochs. Like
    scikit-learn's it separates two classes.

    Args:
        in_features: numbers per row; taken from the data module if not given.
        lr: learning rate; starting from zero weights it scales them and changes no prediction.
        tol: an epoch is an improvement if its mean loss is lower than the best by this much; null never stops early.
        n_iter_no_change: epochs without improvement before training stops.
        class_names: what the two classes are called; taken from the data module if not given.

    Example:
        >>> import torchann
        >>> model, trainer = Perceptron(), torchann.Trainer(max_epochs=1000, logger=False, quiet=True)
        >>> trainer.fit(model, datamodule=torchann.IrisDataModule())
        >>> model.net.weight.data, model.net.bias.data
        (tensor([[-0.5000, -0.8000]], dtype=torch.float64), tensor([2.], dtype=torch.float64))
    """

    net: nn.Linear
    sizes: tuple[str, ...] = ("in_features",)
    architecture: tuple[str, ...] = sizes
    names: tuple[str, ...] = ("class_names",)

    def __init__(
        self,
        in_features: int | None = None,
        lr: float = 1.0,
        tol: float | None = 1e-3,
        n_iter_no_change: int = 5,
        class_names: list[str] | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.best_loss: float = float("inf")
        self.epochs_without_improvement: int = 0
        self._check_and_build()

    def setup(self, stage: str) -> None:
        """Builds the net, starts the stopping rule anew, and refuses what one sequential learner cannot do."""
        data = getattr(self.trainer, "datamodule", None)
        num_classes = getattr(data, "num_classes", None if hasattr(data, "out_features") else 2)
        if num_classes is None:
            raise ValueError(
                f"a Perceptron separates 2 classes and {type(data).__name__} has values; use RegressionMLP"
            )
        if num_classes != 2:
            raise ValueError(f"a Perceptron separates 2 classes and the data has {num_classes}; use ClassificationMLP")
        if stage == "fit" and self.trainer.world_size > 1:
            raise ValueError(
                f"the Perceptron rule takes one row after the other and cannot be shared by {self.trainer.world_size} "
                "processes; use Trainer(devices=1)"
            )
        super().setup(stage)
        if stage == "fit":  # Lightning restores a checkpoint after this hook
            self.best_loss, self.epochs_without_improvement = float("inf"), 0

    def build(self) -> None:
        """Makes one linear unit with zero weights."""
        self.net = nn.Linear(self.hparams["in_features"], 1, dtype=torch.float64)
        nn.init.zeros_(self.net.weight)
        nn.init.zeros_(self.net.bias)
        self.objective: Objective = Objective(1, _losses, _error, _hard)

    def make_metrics(self) -> dict[str, Metric]:
        """The share of right answers."""
        return {"accuracy": BinaryAccuracy(validate_args=False)}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Counts the steps and keeps the rate in the checkpoint; the weights move by the rule alone."""
        return torch.optim.SGD(self.net.parameters(), lr=self.hparams["lr"])

    def check_input(self, x: Tensor, what: str) -> None:
        """Refuses rows that are no vectors of ``in_features`` numbers."""
        check_width(x, self.hparams["in_features"], what, flat=True)

    def check_target(self, y: Tensor) -> None:
        """Refuses what is neither 0 nor 1, and a second dimension."""
        if y.ndim != 1:
            how = ": y.squeeze(1)" if y.shape[1:].numel() == 1 else ""
            raise ValueError(f"targets {tuple(y.shape)} have more than one number per row; give (rows,){how}")
        check_classes(y, 2)

    def class_indices(self, y: Tensor) -> dict[str, Tensor]:
        """All of them."""
        return {"": y}

    def forward(self, x: Tensor) -> Tensor:
        """Weighted sums ``(batch, 1)``, float64, of inputs ``(batch, in_features)`` of any dtype."""
        sums: Tensor = super().forward(x.to(torch.float64))
        return sums

    def training_step(self, batch: tuple[Tensor, Tensor] | Block, batch_idx: int) -> Tensor:
        """Learns from the rows of a batch ``(x, y)``, one after the other; returns their mean loss."""
        x: Any = batch[0]
        y: Any = batch[1]
        weight, bias = self.net.weight.data, self.net.bias.data
        optimizer = self.optimizers()
        assert isinstance(optimizer, LightningOptimizer)
        logits = perceptron_rule_(weight[0], bias, x.to(torch.float64), _signs(y, torch.float64), self.hparams["lr"])
        optimizer.step()
        loss = self._training_loss(logits.unsqueeze(1), y)
        self._end_with_last_batch()
        return loss

    def on_train_epoch_end(self) -> None:
        """Logs the training figures, and stops as scikit-learn does when the loss no longer falls."""
        super().on_train_epoch_end()
        loss, tol = self.trainer.callback_metrics["train_loss"].item(), self.hparams["tol"]
        if tol is None:
            return
        self.epochs_without_improvement = self.epochs_without_improvement + 1 if loss > self.best_loss - tol else 0
        self.best_loss = min(self.best_loss, loss)
        if self.epochs_without_improvement >= self.hparams["n_iter_no_change"]:
            self.trainer.should_stop = True

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Saves the state of the stopping rule, too."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["perceptron_stopping"] = (self.best_loss, self.epochs_without_improvement)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restores the state of the stopping rule, too."""
        super().on_load_checkpoint(checkpoint)
        self.best_loss, self.epochs_without_improvement = checkpoint["perceptron_stopping"]

    def predictions(self, outputs: Tensor) -> dict[str, Tensor]:
        """``"class"``: 0 or 1, ``(batch,)``."""
        return {"class": self.objective.activation(outputs)}

    def predict(self, x: Any, names: bool = False) -> Any:
        """Classes 0 or 1, ``(rows,)``, of inputs ``(rows, in_features)``, also a data frame: a hard threshold.

        With ``names`` an array of what the two classes are called, as scikit-learn's classifiers predict.
        """
        found = self._predict(x)["class"]
        return self.named(found) if names else found

    def predict_proba(self, x: Any) -> NoReturn:
        """There are none.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(
            "a Perceptron predicts by a hard threshold and has no probabilities; call predict for classes, "
            "or train a ClassificationMLP for probabilities"
        )


def _signs(y: Tensor, dtype: torch.dtype) -> Tensor:
    return y.to(dtype, copy=True).mul_(2).sub_(1)


def _losses(logits: Tensor, y: Tensor) -> Tensor:
    return perceptron_loss(logits.squeeze(1), _signs(y, logits.dtype))


def _error(logits: Tensor, y: Tensor) -> Tensor:
    signs = _signs(y, logits.dtype).unsqueeze(1)
    return torch.where(signs * logits <= 0, -signs, 0.0)


def _hard(logits: Tensor) -> Tensor:
    return (logits.squeeze(1) > 0).long()
