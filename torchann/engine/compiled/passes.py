"""Forward and backward through the layers of a net, for a mini-batch: steps 2, 4, 5 and 6 of the chapter's six."""

import numpy as np

from torchann.engine.compiled.activations import activate, chain
from torchann.engine.compiled.jit import compiled
from torchann.engine.compiled.net import layer_of
from torchann.engine.compiled.products import add_product
from torchann.engine.compiled.threads import wait
from torchann.engine.compiled.turning import turn


@compiled(inline=True)
def part_of(width, part, parts):
    """Return the first unit of a part of a layer, and the one behind its last."""
    return width * part // parts, width * (part + 1) // parts


@compiled(inline=True)
def strides_of(net, layer):
    """Return how far apart a layer's weights lie: those of two units, and those of two inputs."""
    return (layer.inputs, 1) if net.turned else (1, layer.units)


@compiled(inline=True)
def weighted_sums(net, layer, w, batch, first, last, columns):
    """Set the units ``first`` to ``last`` of a layer to their weighted sums, ``weights @ x + biases``."""
    one = type(w[0])(1)
    unit_step, input_step = strides_of(net, layer)
    for unit in range(first, last):
        place = layer.z + unit * net.room
        sums, bias = batch.sums[place : place + columns], w[layer.biases + unit]
        for i in range(len(sums)):
            sums[i] = bias
    add_product(
        batch.sums, layer.z + first * net.room, net.room, one, one, w, layer.weights + first * unit_step, unit_step,
        input_step, batch.inputs, layer.x, net.room, last - first, layer.inputs, columns,
    )  # fmt: skip


@compiled(inline=True)
def forward(net, w, batch, rows, columns, crew, trains):
    """Take a mini-batch forward, layer by layer, and keep all that is computed on the way (step 2).

    Args:
        net: the layout.
        w: parameters.
        batch: has the first layer's inputs; sums, values and the other layers' inputs are written to.
        rows: rows of the mini-batch.
        columns: the same in whole vectors.
        crew: threads, each of which takes its parts of a layer.
        trains: whether a gradient will want the values row by row.
    """
    top = len(net.layers) - 2
    for number in range(top + 1):
        layer = layer_of(net, number)
        for part in range(crew.worker, layer.parts, crew.workers):
            first, last = part_of(layer.units, part, layer.parts)
            weighted_sums(net, layer, w, batch, first, last, columns)
            if number < top:
                start, end = layer.z + first * net.room, layer.z + last * net.room
                values = batch.values[start:end]
                activate(net.activation, batch.sums[start:end], values)
                if net.dropout > 0:
                    inputs, drops = batch.inputs[start:end], batch.drops[start:end]
                    for i in range(len(values)):
                        inputs[i] = values[i] * drops[i]
                if trains and net.turned:
                    above = layer_of(net, number + 1)
                    place = above.across + above.skip + first
                    turn(batch.inputs, start, net.room, last - first, rows, batch.across, place, above.across_width)
        if number < top:
            wait(crew)


@compiled(inline=True)
def errors_below(net, layer, w, batch, keep, first, last, columns):
    """Give the inputs ``first`` to ``last`` of a layer their share of its errors, ``weights.T @ errors`` (step 5).

    Args:
        net: the layout.
        layer: whose errors are shared out.
        w: parameters.
        batch: whose errors are read and written to.
        keep: how much stays of the errors that are there.
        first: first input, behind those that have no errors.
        last: input behind the last.
        columns: rows of the mini-batch in whole vectors.
    """
    one = type(w[0])(1)
    unit_step, input_step = strides_of(net, layer)
    add_product(
        batch.errors, layer.below + first * net.room, net.room, keep, one, w,
        layer.weights + (layer.skip + first) * input_step, input_step, unit_step, batch.errors, layer.errors, net.room,
        last - first, layer.units, columns,
    )  # fmt: skip


@compiled(inline=True)
def through_activation(net, layer, batch, first, last, rows):
    """Take the errors of a hidden layer's values back to its weighted sums: the chain rule (step 5).

    Args:
        net: the layout.
        layer: the hidden one.
        batch: whose errors are changed.
        first: first unit.
        last: unit behind the last.
        rows: rows of the mini-batch.
    """
    start, end, error = layer.z + first * net.room, layer.z + last * net.room, layer.errors + first * net.room
    errors = batch.errors[error : error + end - start]
    if net.dropout > 0:
        drops = batch.drops[start:end]
        for i in range(len(errors)):
            errors[i] *= drops[i]
    chain(net.activation, errors, batch.sums[start:end], batch.values[start:end])
    if not net.turned:
        turn(batch.errors, error, net.room, last - first, rows, batch.across, layer.across + first, layer.across_width)


@compiled(inline=True)
def add_gradient(net, layer, target, keep, keep_biases, scale, batch, x, x_at, first, last, rows):
    """Add the gradient of some units' weights and biases, ``scale * errors @ x.T``, to what stays of a target.

    Args:
        net: the layout.
        layer: whose gradient it is.
        target: flat array, laid out like the parameters: the parameters themselves, a velocity or a gradient.
        keep: how much stays of what is there.
        keep_biases: the same of the biases.
        scale: factor of the gradient.
        batch: has inputs and errors.
        x: flat array of what the gradient reads row by row.
        x_at: its place there.
        first: first unit.
        last: unit behind the last.
        rows: rows of the mini-batch.
    """
    step = np.int64(1)  # not 1, for which a function of its own would be compiled
    if net.turned:
        add_product(
            target, layer.weights + first * layer.inputs, layer.inputs, keep, scale, batch.errors,
            layer.errors + first * net.room, net.room, step, x, x_at, layer.across_width, last - first, rows,
            layer.inputs,
        )  # fmt: skip
    else:
        add_product(
            target, layer.weights + first, layer.units, keep, scale, batch.inputs, layer.x, net.room, step, x,
            x_at + first, layer.across_width, layer.inputs, rows, last - first,
        )  # fmt: skip
    for unit in range(first, last):
        place = layer.errors + unit * net.room
        errors, total = batch.errors[place : place + rows], type(scale)(0)
        for i in range(len(errors)):
            total += errors[i]
        bias = layer.biases + unit
        target[bias] = (keep_biases * target[bias] if keep_biases != 0 else keep_biases) + scale * total
