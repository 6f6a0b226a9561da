"""A net's outputs for any number of rows, in one compiled call."""

from torchann.engine.compiled.jit import compiled
from torchann.engine.compiled.objectives import end_values
from torchann.engine.compiled.passes import forward
from torchann.engine.compiled.steps import gather


@compiled
def take_outputs(net, objective, rows, batch, w, outputs, values, gate):
    """Put the outputs of rows into an array, by as many rows at a time as a mini-batch has room for.

    Args:
        net: layout of the net; without dropout.
        objective: what the outputs end in.
        rows: inputs, with targets of any value.
        batch: arrays for a mini-batch.
        w: parameters.
        outputs: array for the outputs, ``(rows, outputs)`` flat.
        values: whether the output activation is applied.
        gate: where threads wait; here is one.
    """
    units, plain, size = net.widths[-1], net.widths[0] - net.vectors.sum(), len(batch.weight)
    total = len(outputs) // units
    copied = len(rows.order) > 0 or len(net.tables) > 0
    for start in range(0, total, size):
        count = min(size, total - start)
        gather(net, w, rows, batch, plain, start, count)
        x, x_at = (batch.inputs, net.places[0]) if copied else (rows.x, start * plain)
        forward(net, w, batch, x, x_at, outputs, start * units, count, 0, 1, gate)
        if values:
            end_values(objective.activation, outputs, start * units, batch.ends, 0, count, units)
            scale, shift = outputs[0] * 0 + objective.scale, outputs[0] * 0 + objective.shift
            for i in range(count * units):
                outputs[start * units + i] = batch.ends[i] * scale + shift
