"""A net as the compiled steps know it: where its layers' parameters and a mini-batch's numbers lie in flat arrays."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WORTH_TWO = 4_000_000  # floating-point operations in a layer's product, from which on a second core helps
Places = NDArray[np.int64]
Numbers = NDArray[Any]


class Net(NamedTuple):
    """The layout of an MLP, also with vectors for categories among its inputs or with a wide path.

    The inputs of the last layer have the numbers of the wide path in front of the last hidden layer's values.

    Attributes:
        widths: numbers per row at each layer, ``(layers + 1,)``: inputs, units of the hidden layers, outputs.
        weights: place of each layer's weights among the parameters, ``(layers,)``.
        biases: place of each layer's biases, ``(layers,)``.
        turned: whether weights lie as ``(out_features, in_features)``, like those of ``nn.Linear``.
        activation: of the hidden layers, a place in ``activations.KINDS``.
        strides: entries from a row of each layer's inputs to the next, ``(layers,)``.
        places: of each layer's inputs in a batch's arrays of sums, values and inputs, ``(layers,)``.
        errors: place of the derivatives by each layer's outputs in the array of errors, ``(layers,)``.
        parts: into how many parts each layer's units are cut, for as many threads, ``(layers,)``.
        wide: numbers of the wide path.
        aux: outputs of a second output layer on the last hidden one; 0 for none.
        aux_weights: place of that layer's weights.
        aux_biases: place of its biases.
        aux_errors: place of the derivatives by its outputs.
        tables: place of each category's table of vectors among the parameters, ``(tables,)``.
        categories: vectors in each table, ``(tables,)``.
        vectors: length of each table's vectors, ``(tables,)``.
        vector_errors: place of the derivatives by the vectors.
        dropout: share of the hidden units that are switched off at random.
    """

    widths: Places
    weights: Places
    biases: Places
    turned: bool
    activation: int
    strides: Places
    places: Places
    errors: Places
    parts: Places
    wide: int
    aux: int
    aux_weights: int
    aux_biases: int
    aux_errors: int
    tables: Places
    categories: Places
    vectors: Places
    vector_errors: int
    dropout: float


class Batch(NamedTuple):
    """What the six steps compute of a mini-batch, in flat arrays.

    Attributes:
        sums: weighted sums of the hidden layers.
        values: their activations.
        inputs: of each layer: ``values`` itself, but for dropout.
        drops: factors of the hidden values, 0 for a unit that is switched off; empty without dropout.
        ends: values of the outputs.
        errors: derivatives of the rows' losses by each layer's outputs, and by the categories' vectors.
        targets: the rows' targets.
        aux_targets: those of the second output.
        weight: what each row counts.
    """

    sums: Numbers
    values: Numbers
    inputs: Numbers
    drops: Numbers
    ends: Numbers
    errors: Numbers
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
        widths: see :class:`Net`, as the other arguments without a description.
        weights: see there.
        biases: see there.
        activation: see there.
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
        >>> net.places.tolist(), batch.errors.shape  # 32 * 8 inputs in front; 32 * 30 errors, and 32
        ([0, 256], (992,))
    """
    strides = [*widths[:-2], widths[-2] + wide]
    starts = [0, *accumulate(_room(rows * stride) for stride in strides)]
    ends = [0, *accumulate(_room(rows * width) for width in (*widths[1:], aux[0], sum(size for *_, size in tables)))]
    parts = [2 if 2 * rows * below * above >= WORTH_TWO and above > 1 else 1 for below, above in pairwise(widths)]

    def places(numbers: Any) -> Places:
        return np.asarray(list(numbers), dtype=np.int64)

    net = Net(
        places(widths),
        places(weights),
        places(biases),
        turned,
        activation,
        places(strides),
        places(starts[:-1]),
        places(ends[:-3]),
        places(parts),
        wide,
        *aux,
        ends[-3],
        places(place for place, _, _ in tables),
        places(count for _, count, _ in tables),
        places(size for *_, size in tables),
        ends[-2],
        float(dropout),
    )
    sums, values = np.zeros(starts[-1], dtype), np.zeros(starts[-1], dtype)
    inputs, drops = (np.zeros_like(values), np.zeros_like(values)) if dropout else (values, np.zeros(0, dtype))
    counts = [ends[-1], ends[-1], rows * (1 if class_numbers else widths[-1]), rows * aux[0], rows]
    return net, Batch(sums, values, inputs, drops, *(np.zeros(count, dtype) for count in counts))


def _room(numbers: int) -> int:
    return -(-numbers // 32) * 32  # each matrix begins where a cache line does
