"""A net of one's own, with one or several named inputs and outputs (sections 10.2.4 and 10.2.5)."""

import dataclasses
from typing import Any

from torch import Tensor, nn

from torchann.engine.optimizers import OptimizerName, ScheduleName
from torchann.engine.rows.loader import map_rows
from torchann.nets.checks import explain
from torchann.nets.summary import Summary, summary
from torchann.tasks.outputs import Output, make_outputs
from torchann.tasks.outputs_task import OutputsTask


class NetTask(OutputsTask):
    """Trains any ``torch.nn.Module``, with one or several inputs and outputs.

    The net is called with the batch's inputs: with one tensor, with the columns that ``inputs`` names, or with the
    tensors that the batch brings by name, as keyword arguments. It returns a tensor, a tuple in the order of
    ``outputs``, or a dictionary by their names. Its ``forward`` may be any Python.

    A checkpoint holds the weights, not the code of the net:
    ``NetTask.load_from_checkpoint(path, net=MyNet())``.

    Args:
        net: what is trained; gives logits or values.
        outputs: of the net, by name, each with its task, size, loss, weight and target columns.
        inputs: column numbers of each of the net's inputs, by the names of forward's arguments.
        optimizer: what moves the weights.
        lr: learning rate.
        momentum: momentum of sgd or rmsprop, from 0 to 1.
        nesterov: Nesterov's momentum, for sgd.
        weight_decay: L2 penalty on the weights.
        optimizer_options: further arguments of that optimiser in torch.optim (eps, alpha, betas).
        lr_schedule: how the learning rate moves; one_cycle after each step, the others after each epoch.
        lr_schedule_options: arguments of that schedule in torch.optim.lr_scheduler.
        steps_per_execution: mini-batches per training step, as in Keras; by default from the size of the data.
        metrics: more to measure of each epoch, by scikit-learn's or torchmetrics' names (f1, roc_auc, r2,
            quantile_loss_0.9, ...), or objects of torchmetrics; logged as train_f1, val_f1 and so on.

    Example:
        >>> import torch
        >>> class Sum(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.wide, self.deep = nn.Linear(2, 1), nn.Linear(3, 1)
        ...
        ...     def forward(self, wide, deep):
        ...         return self.wide(wide) + self.deep(deep)
        >>> task = NetTask(Sum(), {"price": Output()}, inputs={"wide": [0, 1], "deep": [1, 2, 3]})
        >>> task.predict(torch.zeros(5, 4))["value"].shape
        torch.Size([5, 1])
    """

    sizes: tuple[str, ...] = ()
    architecture: tuple[str, ...] = ("outputs", "inputs")
    not_saved: tuple[str, ...] = ("net",)

    def __init__(
        self,
        net: nn.Module,
        outputs: dict[str, Output],
        inputs: dict[str, list[int]] | None = None,
        optimizer: OptimizerName = "sgd",
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        optimizer_options: dict[str, Any] | None = None,
        lr_schedule: ScheduleName = "constant",
        lr_schedule_options: dict[str, Any] | None = None,
        steps_per_execution: int | None = None,
        metrics: Any = None,
    ) -> None:
        super().__init__()
        metrics = self._ask(metrics)
        self.outputs: dict[str, Output] = make_outputs(outputs)
        outputs = {name: dataclasses.asdict(output) for name, output in self.outputs.items()}  # type: ignore[misc]
        self.save_hyperparameters(ignore=["net"])
        self.net = net
        self._check_and_build()

    def build(self) -> None:
        """Nothing: the net was given."""

    def _net_outputs(self, x: Any) -> Any:
        columns = self.hparams["inputs"]
        if columns is not None:
            if not isinstance(x, Tensor):
                raise ValueError(f"inputs names columns of one tensor and the batch has {sorted(x)}; leave inputs out")
            if max(map(max, columns.values())) >= x.shape[1:].numel():
                raise ValueError(f"inputs names the columns {columns} and there are {tuple(x.shape)}; give all of them")
            x = {name: x[:, part] for name, part in columns.items()}
        if isinstance(x, Tensor):
            return super()._net_outputs(x)
        dtype = next(self.net.parameters()).dtype
        x = map_rows(lambda part: part.to(dtype) if part.is_floating_point() else part, x)
        try:
            return self.net(**x)
        except (RuntimeError, ValueError, IndexError) as error:
            explain(error, self.net, x)
            raise

    def predict(self, x: Any) -> dict[str, Tensor]:
        """What the outputs say of raw inputs, tensors by name among them, as :meth:`predictions` names it."""
        return self._predict(x)

    def summary(self, *inputs: Any, **named_inputs: Any) -> Summary:
        """The net's layers, output shapes and parameters; print it.

        Args:
            inputs: what the net takes, the shape of one row or a batch; not needed where ``inputs`` names columns.
            named_inputs: the same by name.
        """
        columns = self.hparams["inputs"]
        if not inputs and not named_inputs and columns is not None:
            named_inputs = {name: (len(part),) for name, part in columns.items()}
        return summary(self.net, *inputs, **named_inputs)

    def why_own_forward(self) -> str:
        """That nothing is known of the net."""
        return f"the net, a {type(self.net).__name__}, may do anything in forward"
