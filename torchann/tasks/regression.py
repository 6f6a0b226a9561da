"""Regression by a multilayer perceptron (sections 10.1.5 and 10.2.3)."""

from collections.abc import Sequence
from math import inf
from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from torchann.engine.optimizers import OptimizerName, ScheduleName
from torchann.nets.checks import listed_sizes
from torchann.nets.ensemble import listed_members
from torchann.nets.heads import Objective, regression_objective
from torchann.nets.standardized_objective import standardized_objective
from torchann.tasks.net_choice import net_of
from torchann.tasks.outputs import task_metrics
from torchann.tasks.task import Task


class RegressionMLP(Task):
    """A multilayer perceptron that predicts one or several values per row.

    Logs ``loss``, ``rmse`` and ``mae``, in the targets' unit, over the rows of each epoch. With ``target_std`` the loss
    is in standard deviations of the targets: an mse of 1 is then what the mean of the training targets would get.

    Args:
        hidden_sizes: neurons in each hidden layer; an empty list is linear regression.
        in_features: numbers per row; taken from the data module if not given.
        out_features: values to predict per row; taken from the data module if not given.
        activation: activation of the hidden layers.
        weight_init: initial weights, the name of a torch.nn.init scheme; null for torch's own start.
        weight_init_options: arguments of that scheme.
        bias_init: initial biases, the name of a scheme.
        dropout: share of each hidden layer's neurons that are switched off at random in training.
        norm: batch or layer normalisation between each hidden layer and its activation.
        loss: mse (squared error), mae (absolute error) or huber (squared below 1, absolute above).
        output: what the values can be, unbounded, positive or bounded.
        bounds: lowest and highest value of a bounded output, in the targets' unit.
        output_activation: softplus (default) or relu of a positive output, sigmoid (default) or tanh of a bounded one.
        optimizer: what moves the weights.
        lr: learning rate.
        momentum: momentum of sgd or rmsprop, from 0 to 1.
        nesterov: Nesterov's momentum, for sgd.
        weight_decay: L2 penalty on the weights.
        optimizer_options: further arguments of that optimiser in torch.optim (eps, alpha, betas).
        lr_schedule: how the learning rate moves; one_cycle after each step, the others after each epoch.
        lr_schedule_options: arguments of that schedule in torch.optim.lr_scheduler.
        steps_per_execution: mini-batches per training step, as in Keras; by default from the size of the data.
        target_names: what the values are called; taken from the data module if not given.
        target_mean: of each target, for an unbounded output in standard deviations; taken from the data module.
        target_std: standard deviation of each target; taken from the data module.
        embeddings: of the last inputs, which are category numbers, each [categories, size of the vector that is learnt
            for each]; taken from the data module.
        members: several nets in the place of one, whose predictions are averaged, each {hidden_sizes: [96, 64],
            activation: softsign, dropout: 0, columns: [0, 2] (null for all), weight: 0.25}; the weights add up to 1;
            hidden_sizes, activation, dropout and norm are then not used.
        metrics: more to measure of each epoch, by scikit-learn's or torchmetrics' names (f1, roc_auc, r2,
            quantile_loss_0.9, ...), or objects of torchmetrics; logged as train_f1, val_f1 and so on.

    Example:
        >>> import torch
        >>> model = RegressionMLP([30], in_features=8, out_features=1)
        >>> model.predict(torch.zeros(2, 8))
        tensor([[0.],
                [0.]])
    """

    sizes: tuple[str, ...] = ("in_features", "out_features")
    architecture: tuple[str, ...] = (
        *sizes,
        "embeddings",
        "members",
        "hidden_sizes",
        "activation",
        "norm",
        "output",
        "bounds",
        "output_activation",
    )
    names: tuple[str, ...] = ("target_names", "target_mean", "target_std", "embeddings")

    def __init__(
        self,
        hidden_sizes: Sequence[int] = (30,),
        in_features: int | None = None,
        out_features: int | None = None,
        activation: str = "relu",
        weight_init: str | None = "xavier_uniform",
        weight_init_options: dict[str, Any] | None = None,
        bias_init: str = "zeros",
        dropout: float = 0.0,
        norm: Literal["batch", "layer"] | None = None,
        loss: Literal["mse", "mae", "huber"] = "mse",
        output: Literal["unbounded", "positive", "bounded"] = "unbounded",
        bounds: Sequence[float] | None = None,
        output_activation: Literal["softplus", "relu", "sigmoid", "tanh"] | None = None,
        optimizer: OptimizerName = "sgd",
        lr: float = 1e-3,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        optimizer_options: dict[str, Any] | None = None,
        lr_schedule: ScheduleName = "constant",
        lr_schedule_options: dict[str, Any] | None = None,
        steps_per_execution: int | None = None,
        target_names: list[str] | None = None,
        target_mean: list[float] | None = None,
        target_std: list[float] | None = None,
        embeddings: list[list[int]] | None = None,
        metrics: Any = None,
        members: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        metrics = self._ask(metrics)
        hidden_sizes, bounds = listed_sizes(hidden_sizes), None if bounds is None else list(bounds)
        regression_objective(1, loss, output, bounds, output_activation)  # which refuses what there is not
        members = None if members is None else listed_members(members)
        self.save_hyperparameters()
        self._check_and_build()

    def build(self) -> None:
        """Makes the MLP and its head."""
        h: Any = self.hparams
        if h.target_names is not None and len(h.target_names) != h.out_features:
            raise ValueError(
                f"target_names are {h.target_names} and out_features is {h.out_features}; name every value"
            )
        self.objective: Objective = regression_objective(
            h.out_features, h.loss, h.output, h.bounds, h.output_activation
        )
        if h.target_std is not None and h.output == "unbounded":
            self.objective = standardized_objective(
                self.objective, h.target_mean or [0.0] * h.out_features, h.target_std
            )
        self.net = net_of(h, self.objective)

    def make_metrics(self) -> dict[str, Metric]:
        """Root of the mean squared error, and mean absolute error."""
        return task_metrics("regression", self.objective.out_features)

    def check_target(self, y: Tensor) -> None:
        """Refuses targets that the output cannot reach."""
        h: Any = self.hparams
        low, high = (0.0, inf) if h.output == "positive" else h.bounds or (-inf, inf)
        if y.min() < low or y.max() > high:
            raise ValueError(
                f"targets from {y.min():g} to {y.max():g} and an output that is {h.output}, from {low:g} to {high:g}; "
                "give an output that reaches them"
            )

    def prepare_target(self, y: Tensor) -> Tensor:
        """Targets as floats ``(batch, out_features)``; ``(batch,)`` will do for one output.

        Those that are float64 stay so where they are standardised: what they differ by may be lost in float32.
        """
        standardized = self.hparams["target_std"] is not None and self.hparams["output"] == "unbounded"
        if y.dtype != torch.float64 or not standardized:
            y = y.to(next(self.net.parameters()).dtype)
        return y.unsqueeze(1) if y.ndim == 1 and self.objective.out_features == 1 else y

    def predictions(self, outputs: Tensor) -> dict[str, Tensor]:
        """``"value"``, ``(batch, out_features)``, in the targets' unit."""
        return {"value": self.objective.activation(outputs)}

    def predict(self, x: Any) -> Tensor:
        """Predicted values, ``(rows, out_features)``, of raw inputs: tensor, array or data frame."""
        return self._predict(x)["value"]
