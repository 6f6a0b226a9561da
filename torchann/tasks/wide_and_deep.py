"""Regression by a Wide & Deep net (section 10.2.4)."""

from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor

from torchann.engine.optimizers import OptimizerName, ScheduleName
from torchann.nets.checks import listed_sizes
from torchann.nets.heads import regression_objective
from torchann.nets.wide_deep import WideDeep
from torchann.tasks.outputs import Output
from torchann.tasks.outputs_task import OutputsTask


class WideAndDeep(OutputsTask):
    """A Wide & Deep net that predicts one or several values per row.

    Logs ``loss``, ``rmse`` and ``mae``, in the targets' unit. With an auxiliary output ``loss`` is the weighted sum of
    both, and ``main_loss``, ``aux_loss``, ``main_rmse`` and so on are the outputs' own.

    Args:
        hidden_sizes: neurons in each hidden layer of the deep path.
        in_features: numbers per row; taken from the data module if not given.
        out_features: values to predict per row; taken from the data module if not given.
        wide_features: columns that go straight to the output; all if not given.
        deep_features: columns that go through the hidden layers; all if not given.
        aux_weight: what an auxiliary output behind the last hidden layer counts in the loss, from 0 to 1; the main
            output counts the rest. 0 is a net without one.
        activation: activation of the hidden layers.
        weight_init: initial weights, the name of a torch.nn.init scheme; null for torch's own start.
        weight_init_options: arguments of that scheme.
        bias_init: initial biases, the name of a scheme.
        loss: mse (squared error), mae (absolute error) or huber (squared below 1, absolute above).
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

    Raises:
        ValueError: if ``aux_weight`` is not from 0 to 1 (1 excluded), or a path has columns that are not there.
        metrics: more to measure of each epoch, by scikit-learn's or torchmetrics' names (f1, roc_auc, r2,
            quantile_loss_0.9, ...), or objects of torchmetrics; logged as train_f1, val_f1 and so on.

    Example:
        >>> import torch
        >>> model = WideAndDeep([30, 30], in_features=8, out_features=1, aux_weight=0.1)
        >>> model.predict(torch.zeros(2, 8))
        tensor([[0.],
                [0.]])
    """

    sizes: tuple[str, ...] = ("in_features", "out_features")
    architecture: tuple[str, ...] = (
        *sizes,
        "hidden_sizes",
        "wide_features",
        "deep_features",
        "aux_weight",
        "activation",
    )
    names: tuple[str, ...] = ("target_names",)

    def __init__(
        self,
        hidden_sizes: Sequence[int] = (30, 30),
        in_features: int | None = None,
        out_features: int | None = None,
        wide_features: list[int] | None = None,
        deep_features: list[int] | None = None,
        aux_weight: float = 0.0,
        activation: str = "relu",
        weight_init: str | None = "xavier_uniform",
        weight_init_options: dict[str, Any] | None = None,
        bias_init: str = "zeros",
        loss: Literal["mse", "mae", "huber"] = "mse",
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
        metrics: Any = None,
    ) -> None:
        super().__init__()
        metrics = self._ask(metrics)
        if not 0 <= aux_weight < 1:
            raise ValueError(f"aux_weight is {aux_weight}; give a number from 0 to 1, below 1")
        regression_objective(1, loss)  # which refuses what there is not
        hidden_sizes = listed_sizes(hidden_sizes)
        self.save_hyperparameters()
        self._check_and_build()

    def build(self) -> None:
        """Makes the net and its outputs."""
        h: Any = self.hparams
        whole = Output(size=h.out_features, loss=h.loss, weight=1 - h.aux_weight)
        self.outputs: dict[str, Output] = {"main": whole}
        if h.aux_weight:
            self.outputs["aux"] = Output(size=h.out_features, loss=h.loss, weight=h.aux_weight)
        paths = (h.wide_features, h.deep_features, h.aux_weight > 0)
        inits = (h.weight_init, h.weight_init_options, h.bias_init)
        self.net: WideDeep = WideDeep(h.in_features, h.hidden_sizes, h.out_features, *paths, h.activation, *inits)

    def predict(self, x: Any) -> Tensor:
        """Predicted values of the main output, ``(rows, out_features)``, of raw inputs: tensor, array, data frame."""
        found = self._predict(x)
        return found["main_value" if "aux" in self.outputs else "value"]
