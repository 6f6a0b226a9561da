"""A net's outputs for any number of rows, in one compiled call."""

from torchann.engine.compiled.gathering import gather_inputs, lay_side_by_side
from torchann.engine.compiled.jit import compiled
from torchann.engine.compiled.net import layer_of
from torchann.engine.compiled.objectives import end_values
from torchann.engine.compiled.passes import forward
from torchann.engine.compiled.products import VECTOR_BYTES
from torchann.engine.compiled.turning import turn


@compiled(entry=True)
def take_outputs(net, objective, rows, batch, w, outputs, values, crew):
    """Put the outputs of rows into an array, by as many rows at a time as a mini-batch has room for.

    Args:
        net: layout of the net; without dropout.
        objective: what the outputs end in.
        rows: inputs.
        batch: arrays for a mini-batch.
        w: parameters.
        outputs: array for the outputs, ``(rows, outputs)`` flat.
        values: whether the output activation is applied.
        crew: of one.
    """
    f, layer, lanes = type(w[0]), layer_of(net, len(net.layers) - 2), VECTOR_BYTES // w.itemsize
    total, size = len(outputs) // layer.units, len(batch.weight)
    for start in range(0, total, size):
        count = min(size, total - start)
        gather_inputs(net, w, rows, batch, start, 0, count)
        copied = len(rows.order) > 0 or len(net.tables) > 0
        x, x_at = (batch.across, net.gathered) if copied else (rows.x, start * net.plain)
        lay_side_by_side(net, batch, x, x_at, count, crew)
        columns = min((count + lanes - 1) // lanes * lanes, net.room)
        forward(net, w, batch, count, columns, crew, False)
        place, numbers = start * layer.units, count * layer.units
        turn(batch.sums, layer.z, net.room, layer.units, count, outputs, place, layer.units)
        if values:
            end_values(objective.activation, outputs, place, outputs, place, count, layer.units)
            scale, shift = f(objective.scale), f(objective.shift)
            for i in range(place, place + numbers):
                outputs[i] = outputs[i] * scale + shift
