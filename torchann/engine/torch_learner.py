"""A net that learns by torch's autograd: with normalisation, or on a GPU; called as the compiled learner is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from torchann.engine.compiled.solvers import KINDS, MOMENTS, Solver
from torchann.engine.threads import at_most, threads_for
from torchann.nets.mlp import MLP
from torchann.nets.sklearn_objectives import OUTPUTS, errors_of, losses_of

Array = NDArray[Any]
ROWS_AT_ONCE = 2**16  # of outputs


class TorchTaken(NamedTuple):
    """What some steps measured; see :class:`torchann.engine.compiled.learner.Taken`."""

    loss: float
    penalty: float


class TorchLearner:
    """Takes steps on mini-batches by autograd and one operation on the whole vector for each part of a solver's rule.

    Args:
        vector: parameters, ``(parameters,)``: weights ``(in_features, out_features)`` of all layers, their biases,
            scales and shifts of all normalisations; moved in place on the CPU.
        sizes: of the layers, inputs first.
        activation: of the hidden layers.
        out_activation: scikit-learn's name.
        loss: scikit-learn's name, or ``"absolute_error"`` or ``"huber"``.
        solver: what moves the parameters.
        norm: ``"batch"``, ``"layer"`` or None.
        dropout: share of the hidden units that are switched off.
        seed: of these.
        device: of the steps.
    """

    def __init__(
        self,
        vector: Array,
        sizes: Sequence[int],
        activation: str,
        out_activation: str,
        loss: str,
        solver: Solver,
        *,
        norm: str | None = None,
        dropout: float = 0.0,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.solver, self._ends, self._sizes = solver, (out_activation, loss), list(sizes)
        self._t, self._product, self._held = 0, 1.0, dict[int, tuple[Array, Tensor]]()
        self._kind = KINDS[solver.kind]
        with _plainly(torch.device(device)):
            self._vector = torch.from_numpy(vector).to(device)
            self._gradient = torch.zeros_like(self._vector)
            self._moments = [
                torch.zeros_like(self._vector if kept else self._vector[:0]) for kept in MOMENTS[self._kind]
            ]
            with torch.device("meta"):
                self.net: MLP = MLP(
                    sizes[0], sizes[1:-1], sizes[-1], activation, weight_init=None, dropout=dropout, norm=norm
                )
            self._norms = self._lay_out()
        generator = torch.Generator(device=device).manual_seed(seed)
        for number, layer in enumerate(self.net):
            if isinstance(layer, nn.Dropout):
                self.net[number] = _Dropout(dropout, generator)
        self.net.train()

    def _lay_out(self) -> list[Any]:
        norms: list[Any] = [layer for layer in self.net if isinstance(layer, nn.BatchNorm1d | nn.LayerNorm)]
        linears = list(self.net.linears())
        slots = [(layer, "weight") for layer in linears] + [(layer, "bias") for layer in linears]
        slots += [(norm, name) for name in ("weight", "bias") for norm in norms]
        shapes: list[Any] = [*pairwise(self._sizes), *((size,) for size in self._sizes[1:])]
        shapes += [(size,) for size in self._sizes[1:-1]] * (2 if norms else 0)
        lengths = [int(np.prod(shape)) for shape in shapes]
        parts = zip(torch.split(self._vector, lengths), torch.split(self._gradient, lengths), shapes, strict=True)
        for (module, name), (part, slope, shape) in zip(slots, parts, strict=True):
            parameter = nn.Parameter(part.view(shape).t())  # of a vector, itself
            parameter.grad = slope.view(shape).t()
            setattr(module, name, parameter)
        for norm in norms:
            for name, buffer in norm.named_buffers():
                dtype = self._vector.dtype if buffer.is_floating_point() else buffer.dtype
                start = torch.full(buffer.shape, float(name == "running_var"), device=self._vector.device, dtype=dtype)
                setattr(norm, name, start)
        return norms

    @property
    def vector(self) -> Array:
        """The parameters, ``(parameters,)``; on the CPU the memory that moves, else a copy."""
        return self._vector.numpy(force=True)

    @property
    def norms(self) -> list[dict[str, Array]]:
        """What each normalisation has learnt, by torch's names; on the CPU the memory that moves."""
        states = [norm.state_dict() for norm in self._norms]
        return [{k: part.numpy(force=True) for k, part in state.items() if part.ndim} for state in states]

    def load_running(self, norms: Sequence[dict[str, Array]]) -> None:
        """Take running means and variances from arrays; scales and shifts are in the vector."""
        for norm, arrays in zip(self._norms, norms, strict=True):
            for name in ("running_mean", "running_var"):
                if name in arrays:
                    getattr(norm, name).copy_(torch.tensor(arrays[name]))

    def steps(
        self,
        x: Array,
        y: Array,
        rates: Array,
        batch_size: int,
        *,
        weight: Array | None = None,
        order: NDArray[np.int64] | None = None,
    ) -> TorchTaken:
        """Take a step on each mini-batch; see :meth:`torchann.engine.compiled.learner.CompiledLearner.steps`."""
        with _plainly(self._vector.device), at_most(threads_for(self._sizes, batch_size)):
            x_rows, y_rows = self._tensor(x), self._tensor(y)
            count = len(x_rows) if order is None else len(order)
            numbers = torch.from_numpy(np.arange(count) if order is None else order).to(self._vector.device)
            batches, shares = torch.split(numbers, batch_size), list[Tensor]()
            sizes = [len(batch) for batch in batches]
            if weight is not None:
                shares = list(torch.split(self._tensor(weight).index_select(0, numbers).unsqueeze(1), batch_size))
                sizes = torch.stack([share.sum() for share in shares]).tolist()
            sums = self._vector.new_zeros(2, dtype=torch.float64 if self._vector.device.type != "mps" else None)
            for number, (batch, rate, size) in enumerate(zip(batches, rates.tolist(), sizes, strict=True)):
                rows, targets = x_rows.index_select(0, batch), y_rows.index_select(0, batch)
                self._step(rows, targets, shares[number] if shares else None, size, rate, sums)
            return TorchTaken(*sums.tolist())

    def _tensor(self, part: Array) -> Tensor:
        if self._vector.device.type == "cpu":
            return torch.from_numpy(part if part.flags.writeable else part.copy())
        if self._held.get(id(part), (None,))[0] is not part:  # rows of all epochs stay on the GPU
            self._held = dict(list(self._held.items())[-2:])
            self._held[id(part)] = part, torch.from_numpy(part).to(self._vector.device)
        return self._held[id(part)][1]

    def _step(self, x: Tensor, y: Tensor, share: Tensor | None, size: float, rate: float, sums: Tensor) -> None:
        alone = [layer for layer in self.net if isinstance(layer, nn.BatchNorm1d) and len(x) == 1]
        for layer in alone:  # a single row has no variance
            layer.eval()
        outputs = self.net(x)
        for layer in alone:
            layer.train()
        activation, loss = self._ends
        a = OUTPUTS[activation](outputs.detach())
        losses, errors = losses_of(activation, loss, a, y), errors_of(loss, a - y)
        if share is not None:
            losses, errors = losses * share, errors * share
        if not size:  # no row of the batch counts
            return
        sums[0] += losses.sum(dtype=sums.dtype) * (len(x) / size)
        self._gradient.zero_()
        (outputs * (errors / size)).sum().backward()  # a gradient as argument has torch import its compiler: seconds
        with torch.no_grad():
            if self.solver.decay and not self.solver.decoupled:
                weights = self._vector[: self.solver.decayed]
                sums[1] += torch.dot(weights, weights) * (len(x) / size)
                self._gradient[: self.solver.decayed].add_(weights, alpha=self.solver.decay / size)
            self._move(rate)

    def _move(self, rate: float) -> None:
        s, w, g, (m, v) = self.solver, self._vector, self._gradient, self._moments
        self._t += 1
        if s.decoupled:
            w[: s.decayed].mul_(1 - rate * s.decay)
        if self._kind == "sgd":
            w.add_(g, alpha=-rate)
        elif self._kind == "momentum":
            inside, outside = (rate, 1.0) if s.rate_inside else (1.0, rate)
            m.mul_(s.momentum).add_(g, alpha=inside)
            w.sub_(m.mul(s.momentum).add_(g, alpha=inside) if s.nesterov else m, alpha=outside)
        elif self._kind == "rmsprop":
            v.mul_(s.beta).addcmul_(g, g, value=1 - s.beta)
            m.mul_(s.momentum).addcdiv_(g, v.sqrt().add_(s.epsilon))
            w.sub_(m, alpha=rate)
        elif self._kind == "adagrad":
            v.addcmul_(g, g)
            w.addcdiv_(g, v.sqrt().add_(s.epsilon), value=-rate / (1 + (self._t - 1) * s.drift))
        else:
            root = sqrt(1 - s.beta**self._t)
            m.lerp_(g, 1 - s.momentum)
            v.mul_(s.beta).addcmul_(g, g, value=1 - s.beta)
            scale = v.sqrt().div_(root).add_(s.epsilon / root if s.epsilon_outside else s.epsilon)
            if self._kind == "adam":
                w.addcdiv_(m, scale, value=-rate / (1 - s.momentum**self._t))
                return
            now, ahead = (s.momentum * (1 - 0.5 * 0.96 ** (t * s.drift)) for t in (self._t, self._t + 1))
            self._product *= now
            w.addcdiv_(g, scale, value=-rate * (1 - now) / (1 - self._product))
            w.addcdiv_(m, scale, value=-rate * ahead / (1 - self._product * ahead))

    def outputs(self, x: Array, *, values: bool = False) -> Array:
        """Return the outputs of rows as the net is now, in evaluation mode; see the compiled learner's."""
        with torch.inference_mode(), torch.autocast(self._vector.device.type, enabled=False):
            self.net.eval()
            outputs = torch.cat([self.net(part) for part in torch.split(self._tensor(x), ROWS_AT_ONCE)])
            self.net.train()
            outputs = OUTPUTS[self._ends[0]](outputs) if values else outputs
            return outputs.numpy(force=True)

    def state(self) -> dict[str, Any]:
        """Return what the next step depends on, as the compiled learner's does; but for the units switched off."""
        moments = [part.detach().cpu().numpy().copy() for part in self._moments]
        return {"t": self._t, "product": self._product, "random": 0, "moments": moments}

    def load_state(self, state: dict[str, Any]) -> None:
        """Resume where :meth:`state` was taken."""
        self._t, self._product = state["t"], state["product"]
        for part, saved in zip(self._moments, state["moments"], strict=True):
            part.copy_(torch.tensor(saved))


class _Dropout(nn.Module):
    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        self.share, self.generator = share, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        draws = torch.rand(x.shape, generator=self.generator, device=x.device, dtype=x.dtype)
        return x * (draws >= self.share) / (1 - self.share)


@contextmanager
def _plainly(device: torch.device) -> Iterator[None]:
    """Keep out what a caller has set: inference tensors have no gradient, and a fit has its own precision."""
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device.type, enabled=False):
        yield
