"""The chapter's six steps (section 10.1.4), mini-batch after mini-batch, in one compiled call."""

from typing import NamedTuple

import numpy as np

from torchann.engine.compiled.jit import compiled
from torchann.engine.compiled.net import Numbers, Places
from torchann.engine.compiled.objectives import measure
from torchann.engine.compiled.passes import (
    add_gradient,
    aux_outputs,
    errors_below,
    forward,
    part_of,
    through_activation,
)
from torchann.engine.compiled.solvers import NADAM, SGD, momentum_at, move, squares
from torchann.engine.compiled.threads import wait

GOLDEN, FIRST, SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
SHIFTS = tuple(np.uint64(n) for n in (30, 27, 31, 11))


class Rows(NamedTuple):
    """What is trained on.

    Attributes:
        x: inputs, ``(rows * in_features,)``: of a net with categories the numbers alone.
        y: targets, as the objective wants them, in a flat array.
        weight: what each row counts, ``(rows,)``, or empty.
        wide: inputs of the wide path, ``(rows * wide,)``, or empty.
        codes: category numbers ``(rows * tables,)``, or empty.
        aux_y: targets of the second output, or empty.
        order: numbers of the rows to step on; empty for all as they lie.
    """

    x: Numbers
    y: Numbers
    weight: Numbers
    wide: Numbers
    codes: Places
    aux_y: Numbers
    order: Places


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


@compiled
def draw_drops(net, drops, state, rows):
    """Draw which hidden units of some rows are switched off, by the generator splitmix64; return its next state."""
    one = type(drops[0])(1)
    kept = one / (one - one * net.dropout)
    least = np.uint64(net.dropout * 2.0**53)
    for layer in range(1, len(net.places)):  # as many draws however many rows there is room for
        for i in range(net.places[layer], net.places[layer] + rows * net.strides[layer]):
            state += GOLDEN
            z = (state ^ (state >> SHIFTS[0])) * FIRST
            z = (z ^ (z >> SHIFTS[1])) * SECOND
            drops[i] = kept if (z ^ (z >> SHIFTS[2])) >> SHIFTS[3] >= least else one * 0
    return state


@compiled
def copy(source, at, target, place, count):
    """Copy numbers from a place in one array to a place in another."""
    part, out = source[at : at + count], target[place : place + count]
    for i in range(len(part)):
        out[i] = part[i]


@compiled
def gather(net, w, rows, batch, plain, start, count):
    """Put a mini-batch together (step 1): rows by number, vectors of categories, the numbers of the wide path.

    The first layer's inputs are read where they lie if the rows come in that order.
    """
    by_number, top, size = len(rows.order) > 0, len(net.weights) - 1, len(batch.weight)
    tables, outputs, weighted = len(net.tables), len(batch.targets) // size, len(rows.weight) > 0
    for row in range(count):
        number = rows.order[start + row] if by_number else start + row
        place = net.places[0] + row * net.strides[0]
        if by_number or tables:
            copy(rows.x, number * plain, batch.inputs, place, plain)
        place += plain
        for table in range(tables):
            vector = net.tables[table] + rows.codes[number * tables + table] * net.vectors[table]
            copy(w, vector, batch.inputs, place, net.vectors[table])
            place += net.vectors[table]
        if net.wide:
            copy(rows.wide, number * net.wide, batch.inputs, net.places[top] + row * net.strides[top], net.wide)
        for i in range(outputs):
            batch.targets[row * outputs + i] = rows.y[number * outputs + i]
        if net.aux:
            copy(rows.aux_y, number * net.aux, batch.aux_targets, row * net.aux, net.aux)
        batch.weight[row] = rows.weight[number] if weighted else 1


@compiled
def add_vectors(net, rows, batch, target, keep, scale, start, count):
    """Add the gradient of the categories' vectors to what stays of a target: each row's to the one that it used."""
    place, width = 0, net.vectors.sum()
    for table in range(len(net.tables)):
        size, first = net.vectors[table], net.tables[table]
        if keep != 1:
            for i in range(first, first + net.categories[table] * size):
                target[i] *= keep
        for row in range(count):
            number = rows.order[start + row] if len(rows.order) else start + row
            vector = first + rows.codes[number * len(net.tables) + table] * size
            for i in range(size):
                target[vector + i] += scale * batch.errors[net.vector_errors + row * width + place + i]
        place += size


@compiled
def size_of(weight, count):
    """Return what the rows of a mini-batch count together."""
    total = 0.0
    for row in range(count):
        total += weight[row]
    return total


@compiled
def take_steps(
    net,
    solver,
    objective,
    aux_objective,
    epsilon,
    rows,
    batch,
    batch_size,
    w,
    g,
    m,
    v,
    rates,
    at,
    outputs,
    aux,
    worker,
    workers,
    gate,
):
    """Take a step on each mini-batch.

    Args:
        net: layout of the net.
        solver: what moves the parameters.
        objective: what the outputs end in.
        aux_objective: what those of the second output layer end in.
        epsilon: probabilities are kept that far from 0 and 1 in a loss.
        rows: what to train on.
        batch: arrays for a mini-batch.
        batch_size: rows per step; the last may have fewer.
        w: parameters, moved in place.
        g: gradient, written to.
        m: first moments, moved in place.
        v: second moments, moved in place.
        rates: learning rate of each step, ``(steps,)``.
        at: how far earlier steps came.
        outputs: raw outputs before each step, ``(rows, outputs)``, in a flat array; room for one batch if not wanted.
        aux: those of the second output layer.
        worker: number of this thread.
        workers: how many take these steps together.
        gate: where they wait for each other.

    Returns:
        The sum of the rows' losses, the sum of squared weights before each step (per row), and how far it came.
    """
    t, product, random = at.t, at.product, at.random
    one, top, units = type(w[0])(1), len(net.weights) - 1, net.widths[-1]
    plain = net.widths[0] - net.vectors.sum()
    total_rows = len(rows.order) if len(rows.order) else len(rows.x) // plain
    kept = len(outputs) >= total_rows * units
    losses, penalty, halves = 0.0, 0.0, net.parts.max()
    direct, copied = solver.kind == SGD, len(rows.order) > 0 or len(net.tables) > 0
    for step in range(len(rates)):
        start = step * batch_size
        count = min(batch_size, total_rows - start)
        if worker == 0:  # 1. a mini-batch
            gather(net, w, rows, batch, plain, start, count)
            if net.dropout > 0:
                random = draw_drops(net, batch.drops, random, count)
        wait(gate, workers)
        x, x_at = (batch.inputs, net.places[0]) if copied else (rows.x, start * plain)
        out_at, aux_at = (start * units, start * net.aux) if kept else (0, 0)
        forward(net, w, batch, x, x_at, outputs, out_at, count, worker, workers, gate)  # 2. forward
        rate, decay, size = rates[step], solver.decay, float(count)
        if solver.per_row:
            size = size_of(batch.weight, count)
            decay = solver.decay / size if size != 0 and not solver.decoupled else solver.decay
        if worker == 0 and size != 0:  # 3. the error
            error = measure(
                objective, epsilon, outputs, out_at, batch.targets, batch.weight, batch.ends, batch.errors,
                net.errors[top], count, units,
            )  # fmt: skip
            if net.aux > 0:
                aux_outputs(net, w, batch, aux, aux_at, count)
                error += measure(
                    aux_objective, epsilon, aux, aux_at, batch.aux_targets, batch.weight, batch.ends, batch.errors,
                    net.aux_errors, count, net.aux,
                )  # fmt: skip
            losses += error * (count / size)
            if solver.per_row and solver.decay > 0 and not solver.decoupled:
                penalty += squares(w, solver.decayed) * (count / size)
        wait(gate, workers)
        if size == 0:  # no row of the batch counts
            continue
        t += 1
        keep, scale = (one * (1 - rate * decay), one * (-rate / size)) if direct else (one * 0, one / (one * size))
        target = w if direct else g
        for layer in range(top, -1, -1):  # 4. and 5. who contributed to it, from the outputs back
            inputs = net.strides[layer]
            skip = net.wide if layer == top else 0
            if layer > 0:
                for part in range(worker, net.parts[layer - 1], workers):
                    first, last = part_of(net.widths[layer], part, net.parts[layer - 1])
                    below = net.errors[layer - 1]
                    errors_below(
                        net, w, batch, net.weights[layer], skip, inputs, net.widths[layer + 1], net.errors[layer],
                        below, 0.0, first, last, count,
                    )  # fmt: skip
                    if layer == top and net.aux > 0:
                        errors_below(
                            net, w, batch, net.aux_weights, 0, net.widths[top], net.aux, net.aux_errors,
                            below, 1.0, first, last, count,
                        )  # fmt: skip
                    through_activation(net, batch, layer, first, last, count)
            elif worker == 0 and len(net.tables) > 0:
                errors_below(
                    net, w, batch, net.weights[0], plain, inputs, net.widths[1], net.errors[0], net.vector_errors,
                    0.0, 0, inputs - plain, count,
                )  # fmt: skip
            wait(gate, workers)
            source, place = (x, x_at) if layer == 0 else (batch.inputs, net.places[layer])  # 6. against the gradient
            keeps = keep if net.weights[layer] < solver.decayed or not direct else one
            for part in range(worker, net.parts[layer], workers):
                first, last = part_of(net.widths[layer + 1], part, net.parts[layer])
                add_gradient(
                    target, keeps, scale, net.weights[layer], net.biases[layer], net.turned, source, place,
                    net.strides[layer], inputs, batch.errors, net.errors[layer], net.widths[layer + 1], first, last,
                    count, keep if net.biases[layer] < solver.decayed or not direct else one,
                )  # fmt: skip
        if worker == 0:
            if net.aux > 0:
                add_gradient(
                    target, keep, scale, net.aux_weights, net.aux_biases, net.turned, batch.inputs,
                    net.places[top] + net.wide, net.strides[top], net.widths[top], batch.errors, net.aux_errors,
                    net.aux, 0, net.aux, count, keep,
                )  # fmt: skip
            if len(net.tables) > 0:
                add_vectors(net, rows, batch, target, keep, scale, start, count)
        wait(gate, workers)
        if not direct:
            if solver.kind == NADAM:
                product *= momentum_at(solver, t)
            for part in range(worker, halves, workers):  # the same ones however many workers there are: the same bits
                first, last = part_of(len(w), part, halves)
                move(solver, rate, decay, t, product, w, g, m, v, first, last)
            wait(gate, workers)
    return losses, penalty, t, product, random
