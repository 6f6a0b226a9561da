"""Forward and backward through the layers of a net, for a mini-batch: steps 2, 4 and 5 of the chapter's six."""

from torchann.engine.compiled.activations import activate, chain
from torchann.engine.compiled.blas import add_product
from torchann.engine.compiled.jit import compiled
from torchann.engine.compiled.threads import wait


@compiled
def part_of(width, part, parts):
    """Return the first unit of a part of a layer, and the one behind its last."""
    return width * part // parts, width * (part + 1) // parts


@compiled
def weighted_sums(w, weights, biases, turned, x, x_at, stride, inputs, z, z_at, z_stride, units, first, last, rows):
    """Set the units ``first`` to ``last`` of a layer to their weighted sums, ``x @ weights + biases``."""
    bias = w[biases + first : biases + last]
    for row in range(rows):
        place = z_at + row * z_stride
        sums = z[place + first : place + last]
        for i in range(len(bias)):
            sums[i] = bias[i]
    one = type(w[0])(1)
    start, ld = (weights + first * inputs, inputs) if turned else (weights + first, units)
    add_product(
        z, z_at + first, z_stride, one, one, x, x_at, stride, False, w, start, ld, turned, rows, inputs, last - first
    )


@compiled
def forward(net, w, batch, x, x_at, z, z_at, rows, worker, workers, gate):
    """Take a mini-batch forward, layer by layer, and keep all that is computed on the way (step 2).

    Args:
        net: the layout.
        w: parameters.
        batch: its sums, values and inputs are written to.
        x: flat array that has the first layer's inputs.
        x_at: place of the first.
        z: flat array for the raw outputs.
        z_at: place of the first.
        rows: rows of the mini-batch.
        worker: number of this thread.
        workers: how many there are; each takes its parts of a layer.
        gate: where they wait for each other.
    """
    top = len(net.weights) - 1
    for layer in range(top):
        source, at = (x, x_at) if layer == 0 else (batch.inputs, net.places[layer])
        inputs, units, parts = net.widths[layer], net.widths[layer + 1], net.parts[layer]
        stride = net.strides[layer + 1]
        place = net.places[layer + 1] + stride - units  # behind the numbers of the wide path, if there are any
        for part in range(worker, parts, workers):
            first, last = part_of(units, part, parts)
            weighted_sums(
                w, net.weights[layer], net.biases[layer], net.turned, source, at, net.strides[layer], inputs,
                batch.sums, place, stride, units, first, last, rows,
            )  # fmt: skip
            whole = last - first == stride
            for row in range(1 if whole else rows):
                start = place + row * stride + first
                end = place + rows * stride if whole else place + row * stride + last
                values = batch.values[start:end]
                activate(net.activation, batch.sums[start:end], values)
                if net.dropout > 0:
                    inputs_above, drops = batch.inputs[start:end], batch.drops[start:end]
                    for i in range(len(values)):
                        inputs_above[i] = values[i] * drops[i]
        wait(gate, workers)
    source, at = (x, x_at) if top == 0 else (batch.inputs, net.places[top])
    units = net.widths[top + 1]
    if worker == 0:
        weighted_sums(
            w, net.weights[top], net.biases[top], net.turned, source, at, net.strides[top], net.strides[top],
            z, z_at, units, units, 0, units, rows,
        )  # fmt: skip


@compiled
def aux_outputs(net, w, batch, z, z_at, rows):
    """Set ``z`` to the outputs of the second output layer, which sees the last hidden layer alone."""
    top = len(net.weights) - 1
    weighted_sums(
        w, net.aux_weights, net.aux_biases, net.turned, batch.inputs, net.places[top] + net.wide, net.strides[top],
        net.widths[top], z, z_at, net.aux, net.aux, 0, net.aux, rows,
    )  # fmt: skip


@compiled
def errors_below(net, w, batch, weights, skip, inputs, units, errors, below, keep, first, last, rows):
    """Give the inputs ``first`` to ``last`` of a layer their share of its errors, ``errors @ weights.T`` (step 5).

    Args:
        net: the layout.
        w: parameters.
        batch: whose errors are read and written to.
        weights: place of the layer's.
        skip: inputs of the layer in front of the ones that have errors.
        inputs: of the layer, all together.
        units: of the layer.
        errors: place of the layer's errors.
        below: place of its inputs' errors, ``(rows, width)``.
        keep: how much of what is there stays.
        first: first input.
        last: input behind the last.
        rows: rows of the mini-batch.
    """
    one = type(w[0])(1)
    width = inputs - skip
    start, ld = (weights + skip + first, inputs) if net.turned else (weights + (skip + first) * units, units)
    add_product(
        batch.errors, below + first, width, one * keep, one, batch.errors, errors, units, False,
        w, start, ld, not net.turned, rows, units, last - first,
    )  # fmt: skip


@compiled
def through_activation(net, batch, layer, first, last, rows):
    """Take the errors of a hidden layer's values back to its weighted sums: the chain rule (step 5).

    Args:
        net: the layout.
        batch: whose errors are changed.
        layer: the layer above, whose inputs the values are.
        first: first unit.
        last: unit behind the last.
        rows: rows of the mini-batch.
    """
    width, stride = net.widths[layer], net.strides[layer]
    place, errors = net.places[layer] + stride - width, net.errors[layer - 1]
    whole = last - first == stride
    for row in range(1 if whole else rows):
        start, error = place + row * stride + first, errors + row * width + first
        end = start + (rows * stride if whole else last - first)
        part = batch.errors[error : error + end - start]
        if net.dropout > 0:
            drops = batch.drops[start:end]
            for i in range(len(part)):
                part[i] *= drops[i]
        chain(net.activation, part, batch.sums[start:end], batch.values[start:end])


@compiled
def add_gradient(
    target,
    keep,
    scale,
    weights,
    biases,
    turned,
    x,
    x_at,
    stride,
    inputs,
    errors,
    at,
    units,
    first,
    last,
    rows,
    keep_biases,
):
    """Add the gradient of some units' weights and biases, ``scale * x.T @ errors``, to what stays of a target.

    Args:
        target: flat array, laid out like the parameters: the parameters themselves, a velocity or a gradient.
        keep: how much stays of what is there.
        scale: factor of the gradient.
        weights: place of the layer's weights.
        biases: place of its biases.
        turned: whether weights lie as ``(units, inputs)``.
        x: flat array of the layer's inputs.
        x_at: place of the first.
        stride: entries from a row to the next.
        inputs: of the layer.
        errors: flat array of errors.
        at: place of the layer's, ``(rows, units)``.
        units: of the layer.
        first: first unit.
        last: unit behind the last.
        rows: rows of the mini-batch.
        keep_biases: how much stays of the biases.
    """
    if turned:
        add_product(
            target, weights + first * inputs, inputs, keep, scale, errors, at + first, units, True,
            x, x_at, stride, False, last - first, rows, inputs,
        )  # fmt: skip
    else:
        add_product(
            target, weights + first, units, keep, scale, x, x_at, stride, True,
            errors, at + first, units, False, inputs, rows, last - first,
        )  # fmt: skip
    bias = target[biases + first : biases + last]
    for i in range(len(bias)):
        bias[i] *= keep_biases
    for row in range(rows):
        place = at + row * units
        error = errors[place + first : place + last]
        for i in range(len(bias)):
            bias[i] += scale * error[i]
