"""A net as the compiled steps know it: where its layers' parameters and a mini-batch's numbers lie in flat arrays."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from torchann.engine.compiled.jit import compiled
from torchann.engine.compiled.products import VECTOR_BYTES

WORTH_TWO = 4_000_000  # floating-point operations in a layer's product, from which on a second core helps
Places = NDArray[np.int64]
Numbers = NDArray[Any]


class Layer(NamedTuple):
    """A layer: sizes, and the places of what belongs to it, each in its flat array.

    Attributes:
        inputs: numbers that it is given of each row.
        units: numbers that it gives.
        skip: inputs in front of those that have errors: the wide path's, or the numbers beside categories.
        parts: into how many parts its units are cut, for as many threads.
        weights: among the parameters.
        biases: among the parameters.
        x: of its inputs, ``(inputs, room)``.
        z: of its weighted sums and their activations, ``(units, room)``.
        errors: of the derivatives of the rows' losses by its sums, ``(units, room)``.
        below: of those by its inputs but the first ``skip``.
        across: of its inputs as ``(rows, inputs)`` or, unless weights are turned, of its errors as ``(rows, units)``.
        across_width: entries there from a row to the next.
    """

    inputs: int
    units: int
    skip: int
    parts: int
    weights: int
    biases: int
    x: int
    z: int
    errors: int
    below: int
    across: int
    across_width: int


class Table(NamedTuple):
    """The vectors of a category: their place among the parameters, how many there are and how long they are."""

    place: int
    categories: int
    length: int


class Net(NamedTuple):
    """The layout of an MLP, also with vectors for categories among its inputs or with a wide path.

    The inputs of the last layer have the numbers of the wide path in front of the last hidden layer's values.

    Attributes:
        layers: a row per layer with the numbers of :class:`Layer`, then one for a second output layer on the last
            hidden one, which has no units if there is none.
        tables: a row per category with the numbers of :class:`Table`; its vectors are the last inputs.
        parts: into how many parts the largest layer is cut.
        room: entries from one unit's numbers of a mini-batch to the next unit's: rows, in whole vectors.
        turned: whether weights lie as ``(out_features, in_features)``, like those of ``nn.Linear``.
        activation: of the hidden layers, a place in ``activations.KINDS``.
        plain: inputs that are numbers, not vectors of categories.
        wide: numbers of the wide path.
        gathered: place of a mini-batch's inputs, ``(rows, inputs)``, in the array ``across``.
        slopes: place there of the derivatives by the outputs, ``(rows, outputs)``.
        aux_slopes: place there of those by the second outputs.
        dropout: share of the hidden units that are switched off at random.
    """

    layers: Places
    tables: Places
    parts: int
    room: int
    turned: bool
    activation: int
    plain: int
    wide: int
    gathered: int
    slopes: int
    aux_slopes: int
    dropout: float


class Batch(NamedTuple):
    """What the six steps compute of a mini-batch, in flat arrays.

    Most have the rows side by side, ``(units, room)``: a vector of the processor holds a unit's numbers of some rows.

    Attributes:
        sums: weighted sums of all layers.
        values: their activations.
        inputs: of each layer: ``values`` itself, but for dropout.
        drops: factors of the hidden values, 0 for a unit that is switched off; empty without dropout.
        errors: derivatives of the rows' losses by each layer's sums, and by the categories' vectors.
        across: what the gradients read row by row, see :class:`Layer`.
        ends: values of the outputs, ``(rows, outputs)``.
        targets: the rows' targets.
        aux_targets: those of the second output.
        weight: what each row counts.
    """

    sums: Numbers
    values: Numbers
    inputs: Numbers
    drops: Numbers
    errors: Numbers
    across: Numbers
    ends: Numbers
    targets: Numbers
    aux_targets: Numbers
    weight: Numbers


def lay_out(
    widths: Sequence[int],
    weights: Sequence[int],
    biases: Sequence[int],
    activation: int,
    rows: int,
    dtype: Any,
    *,
    turned: bool = False,
    wide: int = 0,
    aux: tuple[int, int, int] = (0, 0, 0),
    tables: Sequence[tuple[int, int, int]] = (),
    dropout: float = 0.0,
    class_numbers: bool = False,
) -> tuple[Net, Batch]:
    """Return a net's layout, and arrays for its mini-batches.

    Args:
        widths: numbers per row at each layer, ``(layers + 1,)``: inputs, units of the hidden layers, outputs.
        weights: place of each layer's weights among the parameters, ``(layers,)``.
        biases: place of each layer's biases, ``(layers,)``.
        activation: see :class:`Net`, as the other arguments without a description.
        rows: of a mini-batch, at most.
        dtype: of the parameters, float32 or float64.
        turned: see there.
        wide: see there.
        aux: outputs of the second output layer, and the places of its weights and biases.
        tables: of each category the place of its vectors, how many there are and how long they are.
        dropout: see there.
        class_numbers: whether a row's target is the number of its class, and not one number per output.

    Example:
        >>> net, batch = lay_out([8, 30, 1], [0, 240], [270, 300], activation=1, rows=32, dtype=np.float32)
        >>> net.room, Layer(*net.layers[1].tolist()).x, batch.errors.shape  # behind 8 inputs of 32 rows; 30 + 1 errors
        (32, 256, (992,))
    """
    top, room, plain = len(widths) - 2, _room(rows, np.dtype(dtype)), widths[0] - sum(size for *_, size in tables)
    units = [*widths[1:], aux[0]]
    inputs = [*widths[:top], widths[top] + wide, widths[top]]
    across = [*inputs[:-1], 0] if turned else units
    values = [0, *accumulate(room * size for size in (*inputs[:-1], *units[-2:]))]
    errors = [0, *accumulate(room * size for size in (*units, widths[0] - plain))]
    sheets = [0, *accumulate(rows * size for size in (*across, 0 if turned else widths[0], *units[-2:]))]
    slopes = [sheets[-3], sheets[-2]] if turned else sheets[top : top + 2]
    layers = [
        Layer(
            size, above, plain if number == 0 and tables else wide if number == top else 0,
            2 if 2 * rows * size * above >= WORTH_TWO and above > 1 else 1,
            weights[number], biases[number], values[number],
            values[number + 1] + (room * wide if number == top - 1 else 0),
            errors[number], errors[number - 1] if number else errors[top + 2], sheets[number], across[number],
        )
        for number, (size, above) in enumerate(zip(inputs[:-1], units, strict=False))
    ]  # fmt: skip
    last = layers[-1]
    layers.append(
        last._replace(
            inputs=inputs[-1], units=aux[0], skip=0, parts=1, weights=aux[1], biases=aux[2], x=last.x + room * wide,
            z=values[top + 2], errors=errors[top + 1], across=last.across + wide if turned else sheets[top + 1],
            across_width=last.across_width if turned else aux[0],
        )
    )  # fmt: skip
    parts = max(layer.parts for layer in layers)
    net = Net(
        np.array(layers, np.int64), np.array(tables, np.int64).reshape(-1, 3), parts, room, turned, activation, plain,
        wide, 0 if turned else sheets[top + 2], slopes[0], slopes[1], float(dropout),
    )  # fmt: skip
    sums, values_of, hidden = (_zeros(values[-1], dtype) for _ in range(3))
    inputs_of, drops = (hidden, np.zeros_like(hidden)) if dropout else (values_of, np.zeros(0, dtype))
    targets = [rows * (1 if class_numbers else widths[-1]), rows * aux[0], rows]
    counts = [errors[-1], sheets[-1], rows * max(widths[-1], aux[0]), *targets]
    return net, Batch(sums, values_of, inputs_of, drops, *(_zeros(count, dtype) for count in counts))


def _room(rows: int, dtype: Any) -> int:
    lanes = VECTOR_BYTES // dtype.itemsize
    vectors = -(-rows // lanes)
    # Multiples of 4096 bytes, or many of fewer, would all have the same few places in a processor's cache.
    return 1 if rows == 1 else lanes * (vectors + 1 if vectors >= 16 and vectors % 2 == 0 else vectors)


def _zeros(count: int, dtype: Any) -> Numbers:
    """Return zeros that begin where a vector of the processor does."""
    size = np.dtype(dtype).itemsize
    numbers = np.zeros(count + VECTOR_BYTES // size, dtype)
    start = -numbers.ctypes.data % VECTOR_BYTES // size
    return numbers[start : start + count]


@compiled(inline=True)
def layer_of(net, number):
    """Return a layer of a net; the last one but one is that of the outputs, the last one that of second outputs."""
    n = net.layers[number]
    return Layer(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11])


@compiled(inline=True)
def table_of(net, number):
    """Return a table of a net's vectors."""
    n = net.tables[number]
    return Table(n[0], n[1], n[2])
