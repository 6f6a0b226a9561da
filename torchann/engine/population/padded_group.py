"""Networks that are trained in the same products."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from torchann.engine.population.batched_backprop import SILENT, BatchedBackprop
from torchann.engine.population.member import Member
from torchann.engine.population.parameters import Parameters
from torchann.engine.population.plan import widest
from torchann.engine.population.solvers import Solver, solver_for
from torchann.engine.rows.row_orders import RowNumbers
from torchann.engine.rows.shared_rows import SharedRows
from torchann.nets.many_objectives import OBJECTIVES, Objective, spread

BLOCK_BYTES = 2**18  # of gathered inputs: few calls per epoch, and they stay in the processor's cache
VALIDATION_ROWS = 256  # at a time


class PaddedGroup:
    """Networks of one depth with as many steps per epoch, padded to the widest, and the memory for their batches.

    Padding stays what it is. A unit that a network does not have has no weights, so its value is the activation at
    zero: zero, or made so by a bias. What it feeds has no weights either, so no error comes back to it. Columns that
    fill up an epoch's last batch hold any row, and their error is multiplied by zero.

    Args:
        members: that have :func:`torchann.engine.population.plan.kind` in common.
        table: rows, on the device to use.
        losses: whether training losses are worked out also for networks that do not stop by them.
    """

    members: list[Member]
    table: SharedRows
    steps: int
    batch_size: int

    def __init__(self, members: Sequence[Member], table: SharedRows, losses: bool = True) -> None:
        self.members, self.table = list(members), table
        first, settings = self.members[0], self.members[0].settings
        self.steps, self.batch_size = first.steps, max(member.batch_size for member in members)
        sizes = widest(members)
        self.weights: Parameters = Parameters(len(members), sizes, table.x)
        self.best: Parameters | None = Parameters(len(members), sizes, table.x) if len(first.validation) else None
        for number, member in enumerate(members):
            self.weights.write(number, member.weights)
            if self.best is not None:
                self.best.write(number, member.best_weights)
            if settings.activation == "logistic":
                for layer, units in zip(self.weights.layers[:-1], member.sizes[1:-1], strict=True):
                    layer[number, units:, -1] = SILENT
        self.solver: Solver = solver_for(self.weights, members, self.batch_size)
        self.objective: Objective = OBJECTIVES[settings.loss]
        self.passes: BatchedBackprop = BatchedBackprop(self.weights.layers, self.batch_size, settings.activation)
        self.losses: bool = losses or not len(first.validation)
        penalised = self.losses and any(member.settings.alpha for member in members)
        self.squares: Parameters | None = Parameters(len(members), sizes, table.x) if penalised else None
        self._prepare_checks()

    def epoch(self) -> None:
        """Trains all networks for an epoch and lets each decide whether it goes on."""
        losses = self._train()
        scores = self._scores()
        finite = self.weights.finite()
        for number, member in enumerate(self.members):
            better = member.end_epoch(losses[number], scores[number], finite[number])
            if better and self.best is not None:
                self.best.copy_network(number, self.weights)

    def store(self) -> None:
        """Gives the networks their weights."""
        for number, member in enumerate(self.members):
            member.weights = self.weights.read(number, member.sizes)
            if self.best is not None:
                member.best_weights = self.best.read(number, member.sizes)
            member.moments = [moment.read(number, member.sizes) for moment in self.solver.moments()]

    def _train(self) -> Sequence[float | None]:
        self.solver.start_epoch(self.members)
        orders = self._padded([member.order.next_epoch() for member in self.members], self.steps * self.batch_size)
        batches = orders.view(len(self.members), self.steps, self.batch_size).transpose(0, 1)
        row_bytes = self.table.x.shape[1] * self.table.x.element_size()
        size = max(1, BLOCK_BYTES // (len(self.members) * self.batch_size * row_bytes))
        total, last = orders.new_zeros(len(self.members), dtype=torch.float64), self.steps - 1
        for start in range(0, self.steps, size):
            x, y = self.table.take(batches[start : start + size])
            kept = torch.empty_like(y)
            for step, parts in enumerate(zip(x.unbind(), x.mT.unbind(), y.unbind(), kept.unbind(), strict=True), start):
                self._step(step, *parts)
            if self.losses:
                losses = self.objective.losses(kept, y)
                if start + size > last:
                    losses[-1].mul_(self.solver.mask)
                total += losses.sum((0, 2, 3), dtype=torch.float64)
        return self._with_penalty(total) if self.losses else [None] * len(self.members)

    def _step(self, step: int, rows: Tensor, x: Tensor, y: Tensor, kept: Tensor) -> None:
        if self.squares is not None:
            self.squares.flat.addcmul_(self.weights.flat, self.weights.flat)
        solver = self.solver
        factors = solver.factors[step == self.steps - 1]
        values = self.passes.forward(x)
        error = self.objective.error(self.weights.layers[-1], values, y, kept) * factors.scale
        solver.prepare()
        self.passes.backward(error, rows, solver.into, solver.beta)
        solver.move(step, factors)

    def _with_penalty(self, total: Tensor) -> list[float]:
        rows = total.new_tensor([member.num_rows for member in self.members])
        if self.squares is not None:
            alpha = total.new_tensor([member.settings.alpha for member in self.members])
            total += alpha / 2 * self.squares.sums_of_weights()
            self.squares.flat.zero_()
        return (total / rows).tolist()

    def _scores(self) -> Sequence[float | None]:
        if self.checks is None:
            return [None] * len(self.members)
        tallies = []
        for rows, mask in self._check_batches:
            x, y = self.table.take(rows)
            tally = self.objective.tally(self.weights.layers[-1], self.checks.forward(x.mT), y)
            tallies.append(torch.where(mask, tally, 0.0).sum(2))
        tally = torch.stack(tallies).sum(0).cpu()
        return [self.objective.score(*parts) for parts in zip(tally, self.spreads, strict=True)]

    def _prepare_checks(self) -> None:
        rows = [member.validation for member in self.members]
        longest = max(map(len, rows))
        self.checks: BatchedBackprop | None = None
        if not longest:
            return
        chunks = -(-longest // VALIDATION_ROWS)
        chunk = -(-longest // chunks)
        self.checks = BatchedBackprop(self.weights.layers, chunk, self.members[0].settings.activation)
        padded = self._padded(rows, chunks * chunk)
        columns = torch.arange(padded.shape[1], device=padded.device)
        mask = columns < torch.tensor([*map(len, rows)], device=padded.device)[:, None, None]
        self._check_batches = list(zip(torch.split(padded, chunk, 1), torch.split(mask, chunk, 2), strict=True))
        self.spreads: list[Tensor] = [
            spread(self.table.y[torch.from_numpy(own).to(padded.device)]).cpu() for own in rows
        ]

    def _padded(self, rows: Sequence[RowNumbers], length: int) -> Tensor:
        """All in one, ``(count, length)``, filled up with the first row of each."""
        padded = np.empty((len(rows), length), dtype=np.int64)
        for line, own in zip(padded, rows, strict=True):
            line[: len(own)], line[len(own) :] = own, own[0]
        return torch.from_numpy(padded).to(self.table.x.device)
