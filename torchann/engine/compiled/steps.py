"""The chapter's six steps (section 10.1.4), mini-batch after mini-batch, in one compiled call."""

from typing import NamedTuple

from torchann.engine.compiled.gathering import (
    add_vectors,
    draw_drops,
    gather_inputs,
    gather_targets,
    lay_side_by_side,
)
from torchann.engine.compiled.jit import compiled
from torchann.engine.compiled.net import Numbers, layer_of
from torchann.engine.compiled.objectives import Objective, measure
from torchann.engine.compiled.passes import (
    add_gradient,
    errors_below,
    forward,
    part_of,
    through_activation,
    weighted_sums,
)
from torchann.engine.compiled.products import VECTOR_BYTES
from torchann.engine.compiled.solvers import NADAM, SGD, momentum_at, move, squares
from torchann.engine.compiled.threads import wait
from torchann.engine.compiled.turning import turn


class Place(NamedTuple):
    """How far the steps have come: what the next one depends on, beside the parameters and their moments.

    Attributes:
        t: steps taken.
        product: of NAdam's momenta so far.
        random: state of the generator that switches units off.
    """

    t: int
    product: float
    random: int


class Ends(NamedTuple):
    """What the outputs end in.

    Attributes:
        main: the objective of the outputs.
        aux: that of the second outputs.
        epsilon: probabilities are kept that far from 0 and 1 in a loss.
    """

    main: Objective
    aux: Objective
    epsilon: float


class Vectors(NamedTuple):
    """The parameters and what their solver keeps, each ``(parameters,)`` or empty.

    Attributes:
        w: parameters.
        g: gradient.
        m: first moments.
        v: second moments.
    """

    w: Numbers
    g: Numbers
    m: Numbers
    v: Numbers


@compiled(inline=True)
def size_of(weight, count):
    """Return what the rows of a mini-batch count together."""
    total = 0.0
    for row in range(count):
        total += weight[row]
    return total


@compiled(inline=True)
def measure_outputs(net, layer, objective, epsilon, batch, slopes, targets, outputs, out_at, count):
    """Write an output layer's sums row by row, measure their error (step 3), and return the sum of the losses."""
    turn(batch.sums, layer.z, net.room, layer.units, count, outputs, out_at, layer.units)
    error = measure(
        objective, epsilon, outputs, out_at, targets, batch.weight, batch.ends, batch.across, slopes, count, layer.units
    )
    turn(batch.across, slopes, layer.units, count, layer.units, batch.errors, layer.errors, net.room)
    return error


@compiled(entry=True)
def take_steps(
    net, solver, ends, rows, batch, batch_size, vectors, rates, first_step, sums, at, outputs, aux_outputs, crew
):
    """Take a step on each mini-batch.

    Args:
        net: layout of the net.
        solver: what moves the parameters.
        ends: what the outputs end in.
        rows: what to train on.
        batch: arrays for a mini-batch.
        batch_size: rows per step; the last may have fewer.
        vectors: parameters and moments, moved in place, and the gradient.
        rates: learning rate of each step, ``(steps,)``.
        first_step: number of the first one to take.
        sums: losses and squared weights that earlier steps have summed up.
        at: how far earlier steps came.
        outputs: raw outputs before each step, ``(rows, outputs)``, in a flat array; room for one batch if not wanted.
        aux_outputs: those of the second output layer.
        crew: the threads that take these steps together.

    Returns:
        The sum of the rows' losses, the sum of squared weights before each step (per row), and how far it came.
    """
    w, worker, workers, lanes = vectors.w, crew.worker, crew.workers, VECTOR_BYTES // vectors.w.itemsize
    t, product, random, f, top = at.t, at.product, at.random, type(w[0]), len(net.layers) - 2
    main, aux = layer_of(net, top), layer_of(net, top + 1)
    total_rows = len(rows.order) if len(rows.order) > 0 else len(rows.x) // net.plain
    kept = len(outputs) >= total_rows * main.units
    losses, penalty, halves = sums[0], sums[1], net.parts
    direct, copied = solver.kind == SGD, len(rows.order) > 0 or len(net.tables) > 0
    for step in range(first_step, len(rates)):
        start = step * batch_size
        count = min(batch_size, total_rows - start)
        columns = min((count + lanes - 1) // lanes * lanes, net.room)
        first, last = part_of(count, worker, workers)  # 1. a mini-batch
        gather_inputs(net, w, rows, batch, start, first, last)
        gather_targets(net, rows, batch, start, first, last)
        wait(crew)
        x, x_at = (batch.across, net.gathered) if copied else (rows.x, start * net.plain)
        lay_side_by_side(net, batch, x, x_at, count, crew)
        if worker == 0 and net.dropout > 0:
            random = draw_drops(net, batch.drops, random, count)
        wait(crew)
        forward(net, w, batch, count, columns, crew, True)  # 2. forward
        rate, decay, size = rates[step], solver.decay, float(count)
        if solver.per_row:
            size = size_of(batch.weight, count)
            decay = solver.decay / size if size != 0 and not solver.decoupled else solver.decay
        if worker == 0 and size != 0:  # 3. the error
            error = measure_outputs(
                net, main, ends.main, ends.epsilon, batch, net.slopes, batch.targets, outputs,
                start * main.units if kept else 0, count,
            )  # fmt: skip
            if aux.units > 0:
                first, last = part_of(aux.units, worker, 1)
                weighted_sums(net, aux, w, batch, first, last, columns)
                error += measure_outputs(
                    net, aux, ends.aux, ends.epsilon, batch, net.aux_slopes, batch.aux_targets, aux_outputs,
                    start * aux.units if kept else 0, count,
                )  # fmt: skip
            losses += error * (count / size)
            if solver.per_row and solver.decay > 0 and not solver.decoupled:
                penalty += squares(w, solver.decayed) * (count / size)
        wait(crew)
        if size == 0:  # no row of the batch counts
            continue
        t += 1
        keep, scale = (f(1 - rate * decay), f(-rate / size)) if direct else (f(0), f(1 / size))
        target = w if direct else vectors.g
        for number in range(top, -1, -1):  # 4. and 5. who contributed to it, from the outputs back
            layer = layer_of(net, number)
            if number > 0:
                hidden = layer_of(net, number - 1)
                for part in range(worker, hidden.parts, workers):
                    first, last = part_of(hidden.units, part, hidden.parts)
                    errors_below(net, layer, w, batch, f(0), first, last, columns)
                    if number == top and aux.units > 0:
                        errors_below(net, aux, w, batch, f(1), first, last, columns)
                    through_activation(net, hidden, batch, first, last, count)
            elif worker == 0 and len(net.tables) > 0:
                first, last = part_of(layer.inputs - layer.skip, worker, 1)
                errors_below(net, layer, w, batch, f(0), first, last, columns)
            wait(crew)
            keeps = keep if layer.weights < solver.decayed or not direct else f(1)  # 6. against the gradient
            keep_biases = keep if layer.biases < solver.decayed or not direct else f(1)
            sheet, place = (x, x_at) if number == 0 and net.turned else (batch.across, layer.across)
            for part in range(worker, layer.parts, workers):
                first, last = part_of(layer.units, part, layer.parts)
                add_gradient(net, layer, target, keeps, keep_biases, scale, batch, sheet, place, first, last, count)
        if worker == 0:
            if aux.units > 0:
                first, last = part_of(aux.units, worker, 1)
                add_gradient(net, aux, target, keep, keep, scale, batch, batch.across, aux.across, first, last, count)
            add_vectors(net, rows, batch, target, keep, scale, start, count)
        wait(crew)
        if not direct:
            if solver.kind == NADAM:
                product *= momentum_at(solver, t)
            for part in range(worker, halves, workers):  # the same ones however many workers there are: the same bits
                first, last = part_of(len(w), part, halves)
                move(solver, rate, decay, t, product, w, vectors.g, vectors.m, vectors.v, first, last)
            wait(crew)
    return losses, penalty, t, product, random
