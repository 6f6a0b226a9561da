"""What a net's outputs are worth: values, each row's loss, and how it changes with each output, in compiled loops."""

import math
from typing import NamedTuple

from torchann.engine.compiled.activations import KINDS, activate, chain
from torchann.engine.compiled.exponential import exp
from torchann.engine.compiled.jit import compiled

SOFTMAX, EXP = 100, 101
"""Output activations that hidden layers do not have, beside the places in :data:`activations.KINDS`."""
DIFFERENCE, SIGN, CLIPPED = range(3)
"""Derivatives of a loss by a value: of squares and of cross-entropies behind their activations, of absolute errors, of
Huber's loss."""
NO_LOSS, SQUARED, ABSOLUTE, HUBER, LOG, BINARY_LOG, POISSON = range(7)


class Objective(NamedTuple):
    """What a net's output layer ends in.

    Attributes:
        activation: of the outputs: a place in ``activations.KINDS``, or :data:`SOFTMAX` or :data:`EXP`.
        scale: factor of the activation; values are ``scale * activation + shift``.
        shift: see above.
        derivative: of the loss by a value: :data:`DIFFERENCE`, :data:`SIGN` or :data:`CLIPPED`.
        slope: factor of that derivative.
        through: whether the activation's own derivative is a factor, too; not where it cancels, as that of a sigmoid
            does behind a cross-entropy.
        class_numbers: whether a row's target is the number of its class, and not one number per output.
        loss: what is added up, :data:`NO_LOSS` to :data:`POISSON`; a row's is the sum over its outputs.
        factor: of that loss.
        share: what this output counts beside another.
    """

    activation: int
    scale: float
    shift: float
    derivative: int
    slope: float
    through: bool
    class_numbers: bool
    loss: int
    factor: float
    share: float


def make_objective(
    activation: str,
    loss: str,
    outputs: int = 1,
    *,
    low: float = 0.0,
    scale: float = 1.0,
    share: float = 1.0,
    class_numbers: bool = False,
) -> Objective:
    """Return the book's objective: a row's loss is the mean over its outputs.

    Args:
        activation: of the outputs, as ``nets.heads`` calls it.
        loss: ``"mse"``, ``"mae"``, ``"huber"``, ``"cross-entropy"`` or ``"binary cross-entropy"``.
        outputs: per row.
        low: added to the activation of an output.
        scale: factor of it.
        share: what this output counts beside another.
        class_numbers: whether targets are class numbers.

    Example:
        >>> make_objective("identity", "mse").slope  # the derivative of d² is 2 d
        2.0
    """
    if loss == "cross-entropy":
        return Objective(SOFTMAX, 1.0, 0.0, DIFFERENCE, 1.0, False, class_numbers, LOG, 1.0, share)
    if loss == "binary cross-entropy":
        sigmoid = KINDS.index("sigmoid")
        return Objective(sigmoid, 1.0, 0.0, DIFFERENCE, 1 / outputs, False, False, BINARY_LOG, 1 / outputs, share)
    derivative, slope, kind = {
        "mse": (DIFFERENCE, 2.0, SQUARED),
        "mae": (SIGN, 1.0, ABSOLUTE),
        "huber": (CLIPPED, 1.0, HUBER),
    }[loss]
    through = activation != "identity"
    place = KINDS.index(activation)
    return Objective(place, scale, low, derivative, slope / outputs, through, False, kind, 1 / outputs, share)


def sklearn_objective(activation: str, loss: str, outputs: int = 1) -> Objective:
    """Return the objective of scikit-learn's MLPs, as its ``_base.py`` has it.

    The squared error is half the mean over the outputs of a row and its derivative that of half their sum; a
    cross-entropy is the sum over the outputs.

    Args:
        activation: scikit-learn's ``out_activation_``: ``"identity"``, ``"exp"``, ``"logistic"`` or ``"softmax"``.
        loss: ``"squared_error"``, ``"poisson"``, ``"log_loss"``, ``"absolute_error"`` or ``"huber"``.
        outputs: per row.
    """
    if loss in ("absolute_error", "huber"):
        return make_objective("identity", {"absolute_error": "mae", "huber": "huber"}[loss], outputs)
    places = {"identity": 0, "exp": EXP, "logistic": KINDS.index("sigmoid"), "softmax": SOFTMAX}
    losses = {"squared_error": SQUARED, "poisson": POISSON, "log_loss": LOG if activation == "softmax" else BINARY_LOG}
    factor = 0.5 / outputs if loss == "squared_error" else 1.0
    return Objective(places[activation], 1.0, 0.0, DIFFERENCE, 1.0, False, False, losses[loss], factor, 1.0)


@compiled
def end_values(activation, z, z_at, a, a_at, rows, outputs):
    """Put the output activation of the raw outputs ``z`` into ``a``, matrices ``(rows, outputs)`` in flat arrays."""
    if activation == SOFTMAX:
        for row in range(rows):
            start, place = z_at + row * outputs, a_at + row * outputs
            highest = z[start]
            for i in range(1, outputs):
                highest = max(highest, z[start + i])
            total = type(highest)(0)
            for i in range(outputs):
                a[place + i] = exp(z[start + i] - highest)
                total += a[place + i]
            for i in range(outputs):
                a[place + i] /= total
    elif activation == EXP:
        for i in range(rows * outputs):
            a[a_at + i] = exp(z[z_at + i])
    else:
        activate(activation, z[z_at : z_at + rows * outputs], a[a_at : a_at + rows * outputs])


@compiled
def _loss(kind, a, y, epsilon):
    d = a - y
    if kind == SQUARED:
        return d * d
    if kind == ABSOLUTE:
        return abs(d)
    if kind == HUBER:
        return 0.5 * d * d if abs(d) < 1 else abs(d) - 0.5
    if kind == POISSON:
        return (y * math.log(y / a) if y > 0 else 0.0) - y + a
    p = min(max(a, epsilon), 1 - epsilon) if a == a else a
    if kind == LOG:
        return -y * math.log(p) if y != 0 else 0.0 * p
    return -(y * math.log(p) if y != 0 else 0.0) - ((1 - y) * math.log(1 - p) if y != 1 else 0.0) + 0.0 * p


@compiled
def measure(objective, epsilon, z, z_at, targets, weight, ends, errors, at, rows, outputs):
    """Measure a mini-batch's error: step 3 of the chapter's six.

    Args:
        objective: what the outputs end in.
        epsilon: probabilities are kept that far from 0 and 1 in a loss.
        z: flat array with the raw outputs, ``(rows, outputs)`` from ``z_at`` on.
        z_at: place of the first.
        targets: ``(rows, outputs)`` in a flat array, or class numbers ``(rows,)``.
        weight: what each row counts, ``(rows,)``.
        ends: flat array for the values.
        errors: flat array for the derivatives of each row's loss by the raw outputs.
        at: place of the first in ``ends`` and ``errors``.
        rows: rows of the mini-batch.
        outputs: outputs per row.

    Returns:
        The sum of the rows' losses, float64; 0 if no loss was asked for.
    """
    one = type(z[0])(1)
    end_values(objective.activation, z, z_at, ends, at, rows, outputs)
    scale, shift, slope = one * objective.scale, one * objective.shift, one * objective.slope * objective.share
    total = 0.0
    for row in range(rows):
        row_loss = 0.0
        for i in range(outputs):
            place = at + row * outputs + i
            v = ends[place] * scale + shift
            target = one * (i == int(targets[row])) if objective.class_numbers else targets[row * outputs + i]
            d = v - target
            if objective.loss != NO_LOSS:
                row_loss += _loss(objective.loss, float(v), float(target), epsilon)
            if objective.derivative == SIGN:
                d = one * (d > 0) - one * (d < 0) if d == d else d
            elif objective.derivative == CLIPPED:
                d = -one if d < -1 else (one if d > 1 else d)
            errors[place] = d * slope * weight[row]
        total += row_loss * objective.factor * weight[row]
    if objective.through:
        count = rows * outputs
        part = errors[at : at + count]
        for i in range(count):
            part[i] *= scale
        chain(objective.activation, part, z[z_at : z_at + count], ends[at : at + count])
    return total
