"""The ways to train a net on blocks of mini-batches: compiled steps, backpropagation written out, autograd."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Protocol

import torch
from torch import Tensor, nn, optim

from torchann.engine.all_reduce_gradients import AllReduceGradients
from torchann.engine.backprop import Backprop
from torchann.engine.cuda_graph import BlockGraph
from torchann.engine.rows.loader import Block, Rows, cat_rows, map_rows, num_rows
from torchann.engine.torch_net import why_unknown
from torchann.engine.torch_solver import has_hooks
from torchann.nets.mlp import MLP


class Learner(Protocol):
    """What trains on blocks."""

    @property
    def looks_at_rows(self) -> bool:
        """Whether rows that the net cannot take raise errors that say what is wrong with them."""

    def take(self, block: Block, limit: int | None = None) -> Rows | None:
        """Take the steps of a block, at most ``limit``; return the outputs before each step, None if there are none."""

    def state(self) -> dict[str, Any] | None:
        """Return what the next step depends on that the optimiser's state does not hold; None if that is nothing."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Resume where a state was taken."""


def why_not_explicit(net: nn.Module) -> str | None:
    """Return what backpropagation written out cannot take of a net, in a few words; None if it can.

    Example:
        >>> why_not_explicit(nn.Linear(2, 1))
        'the net is a Linear'
    """
    if (reason := why_unknown(net, (MLP,))) is not None:
        return reason
    return "the net has dropout" if isinstance(net, MLP) and net.dropout else None


class ExplicitStep:
    """A step by backpropagation written out.

    Args:
        backprop: through the net.
        optimizer: plain ``torch.optim.SGD`` is folded into backpropagation, any other is given its gradients.
        row_weight: from the targets of a batch to how much each row counts; None for all the same.
        bucket: adds up the gradients of several processes; None for one.
    """

    looks_at_rows = False

    def __init__(
        self,
        backprop: Backprop,
        optimizer: optim.Optimizer,
        row_weight: Callable[[Any], Tensor | None],
        bucket: AllReduceGradients | None = None,
    ) -> None:
        self.backprop = backprop
        self.optimizer, self.row_weight, self.bucket = optimizer, row_weight, bucket
        self.group: dict[str, Any] = optimizer.param_groups[0]
        plain = type(optimizer) is optim.SGD and not self.group["momentum"] and not has_hooks(optimizer)
        self.folded: bool = plain and bucket is None
        if self.folded:
            optimizer._opt_called = True  # type: ignore[attr-defined]  # or schedules warn that it never steps

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Step on a batch; return the outputs before the step."""
        weight = self.row_weight(y)
        if self.folded:
            return self.backprop.descend(x, y, self.group["lr"], self.group["weight_decay"], weight)
        outputs = self.backprop.gradients(x, y, weight)
        if self.bucket is not None:
            self.bucket.share(num_rows(x))
        self.optimizer.step()
        return outputs

    def prepare(self, x: Tensor) -> Tensor:
        """Return the inputs of a block as the steps take them."""
        return self.backprop.prepare(x)

    @property
    def can_be_recorded(self) -> bool:
        """Whether a CUDA graph can hold the step: one process, and the optimiser keeps its state on the GPU."""
        if self.bucket is not None:
            return False
        return type(self.optimizer) is optim.SGD or self.optimizer.defaults.get("capturable", False)


class AutogradStep:
    """A step by autograd, for any net.

    Args:
        losses: from inputs and targets to the outputs and the loss of each row.
        optimizer: moves the weights.
        bucket: adds up the gradients of several processes; None for one.
    """

    looks_at_rows = True
    can_be_recorded = False

    def __init__(
        self,
        losses: Callable[[Rows, Rows], tuple[Rows, Tensor]],
        optimizer: optim.Optimizer,
        bucket: AllReduceGradients | None = None,
    ) -> None:
        self.losses, self.optimizer, self.bucket = losses, optimizer, bucket

    def __call__(self, x: Rows, y: Rows) -> Rows | None:
        """Step on a batch; return the outputs before the step, None of no rows."""
        rows, outputs = num_rows(x), None
        with torch.enable_grad():
            self.optimizer.zero_grad() if self.bucket is None else self.bucket.clear()
            if rows:
                outputs, losses = self.losses(x, y)
                losses.mean().backward()  # type: ignore[no-untyped-call]
            if self.bucket is not None:
                self.bucket.share(rows)
            self.optimizer.step()
        return None if outputs is None else map_rows(Tensor.detach, outputs)

    def prepare(self, x: Rows) -> Rows:
        """Return the inputs as they are."""
        return x


class TorchSteps:
    """Steps of torch, one after the other; on a GPU those of a block as one CUDA graph, where one can hold them.

    Args:
        step: what to do with a batch.
        schedules: of the learning rate, those that move after each step.
    """

    def __init__(self, step: ExplicitStep | AutogradStep, schedules: Sequence[Any] = ()) -> None:
        self.step: Any = step
        self.schedules = schedules
        self._batch_size = 0
        self._graph = BlockGraph(lambda x, y: self._take(Block(x, y, self._batch_size), None))  # type: ignore[arg-type,return-value]

    @property
    def looks_at_rows(self) -> bool:
        """Whether wrong rows are told by the step itself."""
        return bool(self.step.looks_at_rows)

    def take(self, block: Block, limit: int | None = None) -> Rows | None:
        """Take the steps of a block, as :class:`Learner` has it."""
        block = block._replace(x=self.step.prepare(block.x))
        on_gpu = isinstance(block.x, Tensor) and block.x.is_cuda
        whole = limit is None or limit >= block.num_steps
        if not (whole and on_gpu and self.step.can_be_recorded and not self.schedules):
            return self._take(block, limit)
        self._batch_size = block.batch_size
        numbers = tuple(value for value in self.step.optimizer.param_groups[0].values() if isinstance(value, float))
        return self._graph.run(block.x, block.y, (block.batch_size, numbers))  # type: ignore[arg-type]

    def _take(self, block: Block, limit: int | None) -> Rows | None:
        outputs = []
        for x, y in islice(block.batches(), limit):
            before = self.step(x, y)
            if before is not None:
                outputs.append(before)
            for schedule in self.schedules:
                schedule.step()
        return cat_rows(outputs) if outputs else None

    def state(self) -> None:
        """Return nothing: the optimiser's state holds all that the next step depends on."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Resume where compiled steps stopped: the optimiser's state is all that counts."""
