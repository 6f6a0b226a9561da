"""Classification by a multilayer perceptron (sections 10.1.6 and 10.2.2)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from torchann.engine.optimizers import OptimizerName, ScheduleName
from torchann.engine.rows.loader import TensorLoader
from torchann.nets.checks import check_classes, listed_sizes
from torchann.nets.class_weights import check_class_weights, weights_by_class
from torchann.nets.ensemble import listed_members
from torchann.nets.heads import Objective, classification_objective
from torchann.tasks.net_choice import net_of
from torchann.tasks.outputs import task_metrics
from torchann.tasks.task import Task
from torchann.tasks.threshold import ThresholdBy, best_threshold, check_threshold


def balanced_class_weight(y: Tensor, num_classes: int) -> list[float]:
    """Weights that make all classes count the same, as scikit-learn's ``compute_class_weight("balanced")``.

    Args:
        y: class indices ``(rows,)``.
        num_classes: how many classes there are; one that has no rows gets 0.

    Example:
        >>> balanced_class_weight(torch.tensor([0, 0, 0, 1]), 2)  # 4 / (2 * 3), 4 / (2 * 1)
        [0.6666666865348816, 2.0]
    """
    counts = torch.bincount(y.long().flatten(), minlength=num_classes)
    weights: list[float] = torch.where(counts > 0, len(y) / (num_classes * counts), 0.0).tolist()
    return weights


class ClassificationMLP(Task):
    """A multilayer perceptron that sorts rows into classes: two, several, or any number of labels at once.

    Logs ``loss`` (cross-entropy) and ``accuracy`` (share of right answers over all rows) of each epoch.

    Args:
        hidden_sizes: neurons in each hidden layer; an empty list is logistic regression.
        in_features: numbers per row; taken from the data module if not given.
        num_classes: classes, or labels of a multilabel task; taken from the data module if not given.
        task: binary (targets 0 or 1), multiclass (class indices) or multilabel (0 or 1 for each label); by default
            binary for two classes and multiclass for more.
        activation: activation of the hidden layers.
        weight_init: initial weights, the name of a torch.nn.init scheme; null for torch's own start.
        weight_init_options: arguments of that scheme.
        bias_init: initial biases, the name of a scheme.
        dropout: share of each hidden layer's neurons that are switched off at random in training.
        norm: batch or layer normalisation between each hidden layer and its activation.
        optimizer: what moves the weights.
        lr: learning rate.
        momentum: momentum of sgd or rmsprop, from 0 to 1.
        nesterov: Nesterov's momentum, for sgd.
        weight_decay: L2 penalty on the weights.
        optimizer_options: further arguments of that optimiser in torch.optim (eps, alpha, betas).
        lr_schedule: how the learning rate moves; one_cycle after each step, the others after each epoch.
        lr_schedule_options: arguments of that schedule in torch.optim.lr_scheduler.
        class_weight: how much the rows of each class count in training: one number per class, or a mapping from class
            names (or indices) to numbers, where a class that is left out counts 1; "balanced" makes all classes count
            the same (rows / (classes * rows of the class), as in scikit-learn).
        steps_per_execution: mini-batches per training step, as in Keras; by default from the size of the data.
        class_names: what the classes are called; taken from the data module if not given.
        embeddings: of the last inputs, which are category numbers, each [categories, size of the vector that is learnt
            for each]; taken from the data module.
        members: several nets in the place of one, whose predictions are averaged, each {hidden_sizes: [96, 64],
            activation: softsign, dropout: 0, columns: [0, 2] (null for all), weight: 0.25}; the weights add up to 1;
            hidden_sizes, activation, dropout and norm are then not used.
        metrics: more to measure of each epoch, by scikit-learn's or torchmetrics' names (f1, roc_auc, r2,
            quantile_loss_0.9, ...), or objects of torchmetrics; logged as train_f1, val_f1 and so on.

        threshold: probability above which a row is of the second of two classes; balanced_accuracy or f1 chooses it
            after each epoch as the best for that metric on validation rows, for tables where one class is rare.

    Example:
        >>> model = ClassificationMLP([300, 100], in_features=784, num_classes=10)
        >>> model.predict_proba(torch.zeros(1, 28, 28))[0, :3]
        tensor([0.1000, 0.1000, 0.1000])
    """

    chosen_threshold: Tensor
    sizes: tuple[str, ...] = ("in_features", "num_classes")
    architecture: tuple[str, ...] = (*sizes, "embeddings", "members", "task", "hidden_sizes", "activation", "norm")
    names: tuple[str, ...] = ("class_names", "embeddings")

    def __init__(
        self,
        hidden_sizes: Sequence[int] = (300, 100),
        in_features: int | None = None,
        num_classes: int | None = None,
        task: Literal["binary", "multiclass", "multilabel"] | None = None,
        activation: str = "relu",
        weight_init: str | None = "xavier_uniform",
        weight_init_options: dict[str, Any] | None = None,
        bias_init: str = "zeros",
        dropout: float = 0.0,
        norm: Literal["batch", "layer"] | None = None,
        optimizer: OptimizerName = "sgd",
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        optimizer_options: dict[str, Any] | None = None,
        lr_schedule: ScheduleName = "constant",
        lr_schedule_options: dict[str, Any] | None = None,
        class_weight: list[float] | dict[str | int, float] | Literal["balanced"] | None = None,
        steps_per_execution: int | None = None,
        class_names: list[str] | None = None,
        embeddings: list[list[int]] | None = None,
        metrics: Any = None,
        threshold: float | ThresholdBy = 0.5,
        members: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        metrics = self._ask(metrics)
        hidden_sizes = listed_sizes(hidden_sizes)
        if isinstance(class_weight, Mapping):  # a file has no other keys
            class_weight = {str(name): float(weight) for name, weight in class_weight.items()}
        members = None if members is None else listed_members(members)
        self.save_hyperparameters()
        self._weight_of_class: Tensor | None = None
        check_threshold(threshold, task)
        self._check_and_build()

    def build(self) -> None:
        """Makes the MLP and its head."""
        h: Any = self.hparams
        h.task = h.task or ("binary" if h.num_classes == 2 else "multiclass")
        if h.class_names is not None and len(h.class_names) != h.num_classes:
            raise ValueError(f"class_names are {len(h.class_names)}, num_classes is {h.num_classes}; name every class")
        self.objective: Objective = classification_objective(h.task, h.num_classes)
        check_threshold(h.threshold, h.task)
        if isinstance(h.threshold, str):  # in the checkpoints of its epoch, and with the weights that are put back
            self.register_buffer("chosen_threshold", torch.tensor(0.5, dtype=torch.float64))
        self.net = net_of(h, self.objective)

    def on_train_start(self) -> None:
        """Takes or counts the weights of the classes."""
        super().on_train_start()
        given, classes = self.hparams["class_weight"], self.hparams["num_classes"]
        self._weight_of_class = None
        if given is None:
            return
        if self.hparams["task"] == "multilabel":
            raise ValueError(f"class_weight={given} in a multilabel task, whose rows have several labels; leave it out")
        if given == "balanced":
            loader = self.trainer.train_dataloader
            if not isinstance(loader, TensorLoader):
                raise ValueError("class_weight='balanced' counts the targets of a TensorLoader; give a list of weights")
            given = balanced_class_weight(loader.y, classes)  # type: ignore[arg-type]
        if isinstance(given, Mapping):
            given = weights_by_class(given, classes, self.hparams["class_names"])
        if len(given) != classes:
            raise ValueError(f"class_weight has {len(given)} numbers for {classes} classes; give one for each")
        check_class_weights(given)
        self._weight_of_class = torch.as_tensor(given, dtype=self.dtype, device=self.device)  # type: ignore[arg-type]

    @property
    def decision_threshold(self) -> float:
        """The probability above which a row is of the second of two classes, as it is given or was chosen."""
        given = self.hparams["threshold"]
        return float(self.chosen_threshold) if isinstance(given, str) else float(given)

    def on_validation_epoch_start(self) -> None:
        """Keeps the rows, where a threshold is chosen by them."""
        fits = self.trainer.state.fn == "fit"
        self._of_stage("val").keeps_all = isinstance(self.hparams["threshold"], str) and fits

    def on_validation_epoch_end(self) -> None:
        """Chooses the threshold, if it is to be, and logs the validation figures."""
        metrics, by = self._of_stage("val"), self.hparams["threshold"]
        rows: tuple[Tensor, Tensor] | None = metrics.waiting() if metrics.keeps_all else None
        if rows is not None:
            if self.trainer.world_size > 1:
                raise ValueError(f"threshold={by!r} is chosen by one process and there are more; give a number")
            self.chosen_threshold.fill_(best_threshold(rows[0], rows[1], by))
        metrics.cut_at(self.decision_threshold)
        super().on_validation_epoch_end()

    def on_test_epoch_start(self) -> None:
        """Has the metrics choose between two classes as the predictions do."""
        self._of_stage("test").cut_at(self.decision_threshold)

    def row_weight(self, y: Tensor) -> Tensor | None:
        """The weight of each row's class."""
        return None if self._weight_of_class is None else self._weight_of_class[y]

    def make_metrics(self) -> dict[str, Metric]:
        """The share of right answers."""
        return task_metrics(self.hparams["task"], self.hparams["num_classes"])

    def check_target(self, y: Tensor) -> None:
        """Refuses what is no class: -1 and +1, floats between classes, an index that is too high."""
        check_classes(y, 2 if self.hparams["task"] == "multilabel" else self.hparams["num_classes"])

    def class_indices(self, y: Tensor) -> dict[str, Tensor]:
        """All targets, but the labels of a multilabel task are no classes."""
        return {} if self.hparams["task"] == "multilabel" else {"": y}

    def prepare_target(self, y: Tensor) -> Tensor:
        """Targets as int64: class indices ``(batch,)``, or 0 and 1 per label ``(batch, num_classes)``."""
        return y.long()

    def predictions(self, outputs: Tensor) -> dict[str, Tensor]:
        """``"class"``: indices ``(batch,)``, or 0 and 1 per label; ``"proba"``: ``(batch, num_classes)``."""
        proba = self.objective.activation(outputs)
        if self.hparams["task"] == "multilabel":
            return {"class": (proba > 0.5).long(), "proba": proba}
        if self.hparams["task"] == "binary":
            proba = torch.stack([1 - proba, proba], 1)
            threshold = self.hparams["threshold"]
            if threshold != 0.5:
                cut = self.chosen_threshold if isinstance(threshold, str) else threshold
                return {"class": (proba[:, 1] > cut).long(), "proba": proba}
        return {"class": proba.argmax(1), "proba": proba}

    def predict(self, x: Any, names: bool = False) -> Any:
        """Predict the class of each row.

        Args:
            x: raw inputs: a tensor, an array or a data frame.
            names: whether to return the names of the classes, as scikit-learn's classifiers do.

        Returns:
            Indices ``(rows,)``, of labels 0 and 1 for each, ``(rows, labels)``, as a tensor; with ``names`` an array
            ``(rows,)`` of text, of labels a list of names for each row.

        Raises:
            ValueError: for ``names`` where the classes have none.

        Example:
            >>> model = ClassificationMLP([], in_features=2, num_classes=2, class_names=["no", "yes"])
            >>> model.predict(torch.zeros(2, 2)), model.predict(torch.zeros(2, 2), names=True)
            (tensor([0, 0]), array(['no', 'no'], dtype='<U3'))
        """
        found = self._predict(x)["class"]
        return self.named(found) if names else found

    def predict_proba(self, x: Any) -> Tensor:
        """Probabilities ``(rows, num_classes)`` of raw inputs: tensor, array or data frame."""
        return self._predict(x)["proba"]
