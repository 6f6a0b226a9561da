"""Compiled steps for a net of torch: its parameters are parts of one vector, which the machine code moves."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, optim
from torch.profiler import record_function

from torchann.engine.compiled.learner import CompiledLearner
from torchann.engine.compiled.net import Batch, Net
from torchann.engine.compiled.objectives import NO_LOSS, Objective, make_objective
from torchann.engine.compiled.solvers import Solver
from torchann.engine.rows.loader import Block, Rows, map_rows, num_rows
from torchann.engine.torch_net import KNOWN, Parts, columns_of, parts_of, why_unknown
from torchann.engine.torch_solver import SolverState, go_on_from, place_of, solver_of, why_no_solver
from torchann.nets import heads

Heads = Mapping[str, tuple[heads.Objective, float]]
"""What each output of a net ends in, and what it counts in the loss; the only output of a net has no name."""


def why_not_compiled(net: nn.Module, optimizer: optim.Optimizer, ends: Heads, processes: int = 1) -> str | None:
    """Return what keeps a net from training in compiled steps, in a few words; None if nothing does.

    Args:
        net: to be trained.
        optimizer: moves its weights.
        ends: of the net's outputs.
        processes: that train it together.

    Example:
        >>> from torchann.nets.heads import regression_objective
        >>> from torchann.nets.mlp import MLP
        >>> net, ends = MLP(8, [30], 1, norm="batch"), {"": (regression_objective(1), 1.0)}
        >>> why_not_compiled(net, optim.SGD(net.parameters(), lr=0.1), ends)
        'the net has normalisation'
    """
    if processes > 1:
        return "several processes train together"
    if (reason := why_unknown(net, KNOWN)) is not None:
        return reason
    parameters = parts_of(net).parameters()
    if (device := parameters[0].device.type) != "cpu":
        return f"the device is {device}"
    if len({part.dtype for part in parameters}) > 1 or parameters[0].dtype not in (torch.float32, torch.float64):
        return f"the weights are {parameters[0].dtype}"
    if not all(end.loss_name and end.activation_name for end, _ in ends.values()):
        return "the loss is one of your own"
    return why_no_solver(optimizer, parameters)


def _objective(end: heads.Objective, share: float) -> Objective:
    numbers = {"low": end.shift, "scale": end.scale, "share": share}
    classes = end.loss_name == "cross-entropy"
    made = make_objective(end.activation_name, end.loss_name, end.out_features, class_numbers=classes, **numbers)
    return made._replace(loss=NO_LOSS)  # metrics want each row's, and not only their sum


class CompiledSteps:
    """The steps of blocks of mini-batches, each block in one call of machine code.

    Args:
        net: its parameters become parts of one vector.
        optimizer: its options say how the parameters move, and its state holds the moments.
        ends: of the net's outputs, the main one first.
        row_weight: from prepared targets to how much each row counts; None for all the same.
        schedules: of the learning rate, those that move after each step.

    Example:
        >>> from torchann.nets.heads import regression_objective
        >>> from torchann.nets.mlp import MLP
        >>> net = MLP(2, [], 1, weight_init="ones")
        >>> optimizer, ends = optim.SGD(net.parameters(), lr=0.1), {"": (regression_objective(1), 1.0)}
        >>> steps = CompiledSteps(net, optimizer, ends, lambda y: None)
        >>> steps.take(Block(torch.tensor([[1.0, 2.0]]), torch.tensor([[4.0]]), batch_size=1))  # 1 + 2, one less than 4
        tensor([[3.]])
        >>> net.linears()[0].weight  # 1 + 0.1 * 2 * (1, 2)
        Parameter containing:
        tensor([[1.2000, 1.4000]], requires_grad=True)
    """

    looks_at_rows = False

    def __init__(
        self,
        net: nn.Module,
        optimizer: optim.Optimizer,
        ends: Heads,
        row_weight: Callable[[Any], Tensor | None],
        schedules: Sequence[Any] = (),
    ) -> None:
        self.net, self.optimizer, self.ends = net, optimizer, ends
        self.row_weight, self.schedules = row_weight, schedules
        self._parts: Parts = parts_of(net)
        self._parameters: list[Tensor] = self._parts.parameters()
        self._room = 1
        self._to_seed: bool = self._parts.dropout > 0
        optimizer._opt_called = True  # type: ignore[attr-defined]  # or schedules warn that it never steps
        self._bind()

    def _bind(self) -> None:
        vector = torch.cat([part.detach().reshape(-1) for part in self._parameters])
        self._dtype, self._torch_dtype = vector.numpy().dtype, vector.dtype
        at = 0
        for part in self._parameters:
            part.data = vector[at : (at := at + part.numel())].view(part.shape)
        self._objectives = [_objective(end, share) for end, share in self.ends.values()]
        solver, (net, batch) = solver_of(self.optimizer, len(vector)), self._layout()
        self.learner: CompiledLearner = CompiledLearner(
            vector.numpy(), net, batch, self._objectives[0], solver, self._objectives[-1]
        )
        self._places = [part.data_ptr() for part in self._parameters]
        self._state: SolverState = SolverState(self.optimizer, self._parameters, self.learner)

    def _layout(self) -> tuple[Net, Batch]:
        return self._parts.lay_out(self._room, self._dtype, self._objectives[0].class_numbers)

    def take(self, block: Block, limit: int | None = None) -> Rows | None:
        """Take the steps of a block.

        Args:
            block: inputs, and targets as the ends want them.
            limit: steps, at most.

        Returns:
            The outputs before each step; None if there are none.

        Raises:
            ValueError: if inputs or targets have another shape than the net's, or there is a category that is not.
        """
        steps = block.num_steps if limit is None else min(block.num_steps, limit)
        rows = min(num_rows(block.x), steps * block.batch_size)
        if rows < 1:
            return None
        if not self._stands():
            kept = place_of(self.learner)
            self._bind()
            go_on_from(self.learner, {**place_of(self.learner), "random": kept["random"]})
        if self._to_seed:
            # Not before the first step: callbacks may draw when a fit begins, and their draws are none of its own.
            go_on_from(self.learner, {**place_of(self.learner), "random": int(torch.randint(2**62, ()))})
            self._to_seed = False
        if block.batch_size > self._room:
            self._room = block.batch_size
            self.learner.lay_out(*self._layout())
        x, y = (map_rows(lambda part: part[:rows], given) for given in (block.x, block.y))
        assert isinstance(x, Tensor)
        parts = {**columns_of(self.net, x), **self._targets(y, rows), "weight": self.row_weight(y)}
        given = {name: self._array(part, name == "codes") for name, part in parts.items() if part is not None}
        outputs = [torch.empty(rows, end.out_features, dtype=self._torch_dtype) for end, _ in self.ends.values()]
        given |= dict(zip(("outputs", "aux_outputs"), (part.numpy() for part in outputs), strict=False))
        start = 0
        for solver, rates in self._moves(-(-rows // block.batch_size)):
            stop = start + len(rates) * block.batch_size
            self.learner.solver = solver
            part = {name: array[start:stop] for name, array in given.items()}
            with record_function("torchann::compiled_steps"):  # torch's profiler sees no other sign of them
                self.learner.steps(part.pop("x"), part.pop("y"), rates, block.batch_size, **part)
            start = stop
        self._state.publish()
        return outputs[0] if "" in self.ends else dict(zip(self.ends, outputs, strict=True))

    def _stands(self) -> bool:
        # A callback may have given the parameters other memory, or the optimiser another state.
        places = [part.data_ptr() for part in self._parameters] == self._places
        return places and self._parameters[0].dtype == self._torch_dtype and self._state.stands()

    def _moves(self, steps: int) -> list[tuple[Solver, NDArray[np.float64]]]:
        # Schedules are moved on beforehand; one that changes more than the rate, such as momentum, makes several calls.
        group, solver = self.optimizer.param_groups[0], solver_of(self.optimizer, len(self.learner.vector))
        if not self.schedules:
            return [(solver, np.full(steps, float(group["lr"])))]
        found = []
        for _ in range(steps):
            found.append((solver, float(group["lr"])))
            for schedule in self.schedules:
                schedule.step()
            solver = solver_of(self.optimizer, len(self.learner.vector))
        runs = groupby(found, itemgetter(0))
        return [(solver, np.array([rate for _, rate in run])) for solver, run in runs]

    def _array(self, part: Tensor, whole: bool) -> NDArray[Any]:
        part = part.detach() if part.dtype == torch.int64 and whole else part.detach().to(self._torch_dtype)
        return part.contiguous().numpy()

    def _targets(self, y: Rows, rows: int) -> dict[str, Tensor]:
        made = {}
        for argument, (name, (end, _)) in zip(("y", "aux_y"), self.ends.items(), strict=False):
            part = made[argument] = end.targets(y[name] if isinstance(y, dict) else y)
            numbers = 1 if end.loss_name == "cross-entropy" else end.out_features
            if part.numel() != rows * numbers:
                raise ValueError(f"targets are {tuple(part.shape)}; give {rows} rows with {numbers} numbers each")
        return made

    def state(self) -> dict[str, Any] | None:
        """Return what the next step depends on that the state of the optimiser does not hold, as plain values.

        It is None before the first step of a net with dropout, whose generator has no seed yet.
        """
        return None if self._to_seed else place_of(self.learner)

    def load_state(self, state: dict[str, Any]) -> None:
        """Resume where :meth:`state` was taken."""
        go_on_from(self.learner, state)
        self._to_seed = False
        self._state.publish()
