"""A mini-batch put together: step 1 of the chapter's six, and which hidden units dropout switches off in it."""

from typing import NamedTuple

import numpy as np

from torchann.engine.compiled.jit import compiled
from torchann.engine.compiled.net import Numbers, Places, layer_of, table_of
from torchann.engine.compiled.passes import part_of
from torchann.engine.compiled.turning import turn

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


@compiled
def draw_drops(net, drops, state, rows):
    """Draw which hidden units of some rows are switched off, by the generator splitmix64; return its next state."""
    one = type(drops[0])(1)
    kept = one / (one - one * net.dropout)
    least = np.uint64(net.dropout * 2.0**53)
    for number in range(len(net.layers) - 2):
        layer = layer_of(net, number)
        for unit in range(layer.units):
            place = layer.z + unit * net.room
            for i in range(place, place + rows):  # as many draws however many rows there is room for
                state += GOLDEN
                z = (state ^ (state >> SHIFTS[0])) * FIRST
                z = (z ^ (z >> SHIFTS[1])) * SECOND
                drops[i] = kept if (z ^ (z >> SHIFTS[2])) >> SHIFTS[3] >= least else one * 0
    return state


@compiled(inline=True)
def copy(source, at, target, place, count):
    """Copy numbers from a place in one array to a place in another."""
    part, out = source[at : at + count], target[place : place + count]
    for i in range(len(part)):
        out[i] = part[i]


@compiled(inline=True)
def number_of(rows, place):
    """Return the number of the row that comes at a place."""
    return rows.order[place] if len(rows.order) > 0 else place


@compiled(inline=True)
def gather_inputs(net, w, rows, batch, start, first, last):
    """Put together the inputs of a mini-batch's rows ``first`` to ``last`` (step 1), rows by number.

    They are left where they lie if the rows come in that order and have no categories.
    """
    top, width = layer_of(net, len(net.layers) - 2), net.layers[0, 0]
    tables, by_number = len(net.tables), len(rows.order) > 0
    if not (by_number or tables > 0 or net.wide > 0):
        return
    for row in range(first, last):
        number, place = number_of(rows, start + row), net.gathered + row * width
        if by_number or tables > 0:
            copy(rows.x, number * net.plain, batch.across, place, net.plain)
        place += net.plain
        for table in range(tables):
            t = table_of(net, table)
            copy(w, t.place + rows.codes[number * tables + table] * t.length, batch.across, place, t.length)
            place += t.length
        for i in range(net.wide):
            batch.inputs[top.x + i * net.room + row] = rows.wide[number * net.wide + i]
        if net.wide > 0 and net.turned:
            copy(rows.wide, number * net.wide, batch.across, top.across + row * top.across_width, net.wide)


@compiled(inline=True)
def gather_targets(net, rows, batch, start, first, last):
    """Put together the targets and weights of a mini-batch's rows ``first`` to ``last`` (step 1)."""
    outputs, aux = len(batch.targets) // len(batch.weight), net.layers[-1, 1]
    for row in range(first, last):
        number = number_of(rows, start + row)
        for i in range(outputs):
            batch.targets[row * outputs + i] = rows.y[number * outputs + i]
        if aux > 0:
            copy(rows.aux_y, number * aux, batch.aux_targets, row * aux, aux)
        batch.weight[row] = rows.weight[number] if len(rows.weight) > 0 else 1


@compiled(inline=True)
def lay_side_by_side(net, batch, x, x_at, rows, crew):
    """Write a mini-batch's inputs as the products want them: a row for each input, with the rows' numbers."""
    layer = layer_of(net, 0)
    first, last = part_of(layer.inputs, crew.worker, crew.workers)
    turn(x, x_at + first, layer.inputs, rows, last - first, batch.inputs, layer.x + first * net.room, net.room)


@compiled
def add_vectors(net, rows, batch, target, keep, scale, start, count):
    """Add the gradient of the categories' vectors to what stays of a target: each row's to the one that it used."""
    place, tables = layer_of(net, 0).below, len(net.tables)
    for table in range(tables):
        t = table_of(net, table)
        if keep != 1:
            for i in range(t.place, t.place + t.categories * t.length):
                target[i] *= keep
        for row in range(count):
            number = number_of(rows, start + row)
            vector = t.place + rows.codes[number * tables + table] * t.length
            for i in range(t.length):
                target[vector + i] += scale * batch.errors[place + i * net.room + row]
        place += t.length * net.room
