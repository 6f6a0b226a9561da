"""A net that learns by compiled steps, on arrays: without torch, Lightning or scikit-learn."""

import ctypes
import time
from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from torchann.engine.compiled.activations import KINDS as ACTIVATIONS
from torchann.engine.compiled.gathering import Rows
from torchann.engine.compiled.jit import say_first_use
from torchann.engine.compiled.net import Batch, Net
from torchann.engine.compiled.objectives import Objective
from torchann.engine.compiled.outputs import take_outputs
from torchann.engine.compiled.solvers import KINDS, MOMENTS, Solver
from torchann.engine.compiled.steps import Ends, Place, Vectors, take_steps
from torchann.engine.compiled.threads import GATE, Crew, beside_others, free_cores, keep_to, other_cores, second_thread

Numbers = NDArray[Any]
NO_PLACES = np.zeros(0, np.int64)
TRIAL, PAYS, LONGEST_REST = 32, 0.9, 32
"""Steps by which a second thread is tried; the share of one thread's time from which on it pays; blocks without it, at
most, before it is tried again."""
__all__ = ["ACTIVATIONS", "KINDS", "CompiledLearner", "Taken"]


class Taken(NamedTuple):
    """What some steps measured, before each of them.

    Attributes:
        loss: sum of the rows' losses, each times what it counts.
        penalty: sum over the steps of the squared weights, times the rows of the batch, divided by what they count.
    """

    loss: float
    penalty: float


class CompiledLearner:
    """Takes steps on mini-batches in machine code, a block of them per call.

    Args:
        vector: parameters, ``(parameters,)`` float32 or float64, moved in place.
        net: where they and a mini-batch's numbers lie, by :func:`~torchann.engine.compiled.net.lay_out`.
        batch: arrays for a mini-batch, from the same call.
        objective: what the outputs end in.
        solver: what moves the parameters.
        aux_objective: what the outputs of a second output layer end in.
        seed: of the units that dropout switches off.

    Attributes:
        gradient: of the last step, ``(parameters,)``; empty for gradient descent, which keeps none.
        moments: what the solver keeps for each parameter: velocity or mean, mean of squares; each ``(parameters,)``
            or empty.

    Example:
        >>> from torchann.engine.compiled.net import lay_out
        >>> from torchann.engine.compiled.objectives import make_objective
        >>> from torchann.engine.compiled.solvers import make_solver
        >>> vector = np.array([1.0, 1.0, 0.0])  # two weights and a bias
        >>> net, batch = lay_out([2, 1], [0], [2], activation=0, rows=1, dtype=np.float64)
        >>> learner = CompiledLearner(vector, net, batch, make_objective("identity", "mse"), make_solver("sgd", 0))
        >>> x, y = np.array([[1.0, 2.0]]), np.array([[4.0]])
        >>> learner.steps(x, y, rates=np.array([0.1]), batch_size=1).loss  # (1 + 2 - 4)²
        1.0
        >>> vector  # 1 + 0.1 * 2 * (1, 2), and the bias 0.1 * 2
        array([1.2, 1.4, 0.2])
    """

    def __init__(
        self,
        vector: Numbers,
        net: Net,
        batch: Batch,
        objective: Objective,
        solver: Solver,
        aux_objective: Objective | None = None,
        seed: int = 0,
    ) -> None:
        self.vector = vector
        self.ends: Ends = Ends(objective, aux_objective or objective, float(np.finfo(vector.dtype).eps))
        self.solver = solver
        self.place: Place = Place(0, 1.0, np.uint64(seed))  # type: ignore[arg-type]
        kept = MOMENTS[KINDS[solver.kind]]
        self.moments: list[Numbers] = [np.zeros(len(vector) if there else 0, vector.dtype) for there in kept]
        self.gradient: Numbers = np.zeros(0 if KINDS[solver.kind] == "sgd" else len(vector), vector.dtype)
        self._empty = np.zeros(0, vector.dtype)
        self._gate = np.zeros(GATE, np.int64)
        self._alone: float | None = None  # seconds of a step by one thread
        self._rest, self._next_rest = 0, 1
        self.lay_out(net, batch)

    def lay_out(self, net: Net, batch: Batch) -> None:
        """Take another layout of the same parameters, such as one for mini-batches of more rows."""
        self.net, self.batch = net, batch
        self._out_features, aux = net.layers[-2:, 1].tolist()
        self._room = np.empty(len(batch.weight) * self._out_features, self.vector.dtype)
        self._aux_room = np.empty(len(batch.weight) * aux, self.vector.dtype)
        self._two: bool = net.parts > 1

    def steps(
        self,
        x: Numbers,
        y: Numbers,
        rates: Numbers,
        batch_size: int,
        *,
        weight: Numbers | None = None,
        order: NDArray[np.int64] | None = None,
        wide: Numbers | None = None,
        codes: NDArray[np.int64] | None = None,
        aux_y: Numbers | None = None,
        outputs: Numbers | None = None,
        aux_outputs: Numbers | None = None,
    ) -> Taken:
        """Take a step on each mini-batch of some rows.

        Arrays are in C order and of the parameters' dtype, unless said.

        Args:
            x: inputs, ``(rows, in_features)``; of a net with categories the numbers alone.
            y: targets, ``(rows, outputs)``, or class numbers ``(rows,)``.
            rates: learning rate of each step, ``(steps,)`` float64.
            batch_size: rows per step; the last step has what is left.
            weight: what each row counts, ``(rows,)``.
            order: numbers of the rows to step on, ``(rows to step on,)`` int64; all as they lie if not given.
            wide: inputs of the wide path, ``(rows, wide)``.
            codes: category numbers, ``(rows, tables)`` int64.
            aux_y: targets of the second output layer.
            outputs: array for the raw outputs before each step, ``(rows to step on, outputs)``.
            aux_outputs: array for those of the second output layer.
        """
        empty = self._empty

        def flat(part: Numbers | None) -> Numbers:
            return empty if part is None else _writable(part).reshape(-1)

        places = [NO_PLACES if part is None else _writable(part).reshape(-1) for part in (codes, order)]
        rows = Rows(flat(x), flat(y), flat(weight), flat(wide), places[0], flat(aux_y), places[1])
        out = self._room if outputs is None else outputs.reshape(-1)
        aux = self._aux_room if aux_outputs is None else aux_outputs.reshape(-1)
        vectors = Vectors(self.vector, self.gradient, *self.moments)
        arguments = self.net, self.solver, self.ends, rows, self.batch, batch_size, vectors
        say_first_use()
        sums, done = (0.0, 0.0), 0
        with beside_others() as others:
            plan = self._plan(len(rates), alone=others > 0)  # other networks have the other cores
            stop, workers = next(plan)
            while True:
                begun = time.perf_counter()
                given = (*arguments, rates[:stop], done, sums, self.place, out, aux)
                loss, penalty, t, product, random = self._take(given, workers)
                sums = loss, penalty
                seconds, steps, done = time.perf_counter() - begun, max(1, stop - done), stop
                self.place = Place(t, product, np.uint64(random))  # type: ignore[arg-type]
                try:
                    stop, workers = plan.send(seconds / steps)
                except StopIteration:
                    return Taken(*sums)

    def _take(self, arguments: tuple[Any, ...], workers: int) -> Any:
        self._gate[:] = 0
        if workers == 1:
            return take_steps(*arguments, Crew(0, 1, self._gate))
        second = second_thread().submit(_take_part, other_cores(), *arguments, Crew(1, 2, self._gate))
        taken = take_steps(*arguments, Crew(0, 2, self._gate))
        second.result()
        return taken

    def _plan(self, steps: int, alone: bool) -> Generator[tuple[int, int], float, None]:
        """Say up to which step how many threads go, and hear how many seconds each of these steps took.

        Two are used where two are faster: not while another process has a core that one of them waits for, which shows
        before the first step, or by a few steps. Where they were not, they are tried again, ever more rarely.
        """
        trial = min(TRIAL, steps // 4)  # blocks of rows with many numbers have few steps
        if alone or not self._two or not trial or free_cores() < 2:
            yield steps, 1
            return
        done = 0
        if self._alone is None:
            self._alone = yield (done := trial), 1
        if self._rest > 0:
            self._rest -= 1
            self._alone = yield steps, 1
            return
        if self._next_rest > 1:  # not while another thread of this process gathers the next block
            self._alone = yield (done := steps // 2), 1
        both = yield (done := done + trial), 2
        while both < PAYS * self._alone and done < steps:
            both = yield (done := min(steps, done + 2 * trial)), 2
        if both < PAYS * self._alone:
            self._next_rest = 1
            return
        self._rest, self._next_rest = self._next_rest, min(LONGEST_REST, 2 * self._next_rest)
        if done < steps:
            self._alone = yield steps, 1

    def outputs(self, x: Numbers, codes: NDArray[np.int64] | None = None, *, values: bool = False) -> Numbers:
        """Return the outputs of rows, as the net is now and without dropout; of a net without a wide path.

        Args:
            x: inputs, ``(rows, in_features)``, in C order and of the parameters' dtype.
            codes: category numbers, ``(rows, tables)`` int64.
            values: whether the output activation is applied: values or probabilities, and not raw outputs.

        Returns:
            ``(rows, outputs)``.
        """
        empty, batch = self._empty, self.batch._replace(inputs=self.batch.values)
        out = np.empty((len(x), self._out_features), self.vector.dtype)
        places = NO_PLACES if codes is None else _writable(codes).reshape(-1)
        rows = Rows(_writable(x).reshape(-1), empty, empty, empty, places, empty, NO_PLACES)
        net, crew = self.net._replace(dropout=0.0), Crew(0, 1, self._gate)
        say_first_use()
        take_outputs(net, self.ends.main, rows, batch, self.vector, out.reshape(-1), values, crew)
        return out

    def state(self) -> dict[str, Any]:
        """Return what the next step depends on, beside the parameters: numbers, and arrays ``(parameters,)``."""
        t, product, random = self.place
        return {"t": t, "product": product, "random": int(random), "moments": [part.copy() for part in self.moments]}

    def load_state(self, state: dict[str, Any]) -> None:
        """Resume where :meth:`state` was taken."""
        self.place = Place(state["t"], state["product"], np.uint64(state["random"]))  # type: ignore[arg-type]
        for part, saved in zip(self.moments, state["moments"], strict=True):
            part[:] = saved


def _writable(part: Numbers) -> Numbers:
    if part.flags.writeable:
        return part
    # Arrays that may not be written to are another type, for which all would be compiled again; these are only read.
    memory: Any = (ctypes.c_byte * part.nbytes).from_address(part.ctypes.data)
    same: Numbers = np.frombuffer(memory, dtype=part.dtype).reshape(part.shape)
    return same


def _take_part(cores: set[int], *arguments: Any) -> None:
    keep_to(cores)
    take_steps(*arguments)
