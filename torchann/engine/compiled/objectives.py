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
    count = rows * outputs
    z, a = z[z_at : z_at + count], a[a_at : a_at + count]
    if activation == SOFTMAX:
        for start in range(0, count, outputs):
            highest = z[start]
            for i in range(start + 1, start + outputs):
                highest = max(highest, z[i])
            for i in range(start, start + outputs):
                a[i] = z[i] - highest
        for i in range(count):  # all in one loop, which the compiler turns into vector instructions
            a[i] = exp(a[i])
        for start in range(0, count, outputs):
            total = type(a[0])(0)
            for i in range(start, start + outputs):
                total += a[i]
            for i in range(start, start + outputs):
                a[i] /= total
    elif activation == EXP:
        for i in range(count):
            a[i] = exp(z[i])
    else:
        activate(activation, z, a)


@compiled
def _clipped_log(p, epsilon):
    return math.log(min(max(p, epsilon), 1 - epsilon) if p == p else p)


@compiled
def _loss(kind, a, y, epsilon):
    d = a - y
    if kind == ABSOLUTE:
        return abs(d)
    if kind == HUBER:
        return 0.5 * d * d if abs(d) < 1 else abs(d) - 0.5
    if kind == POISSON:
        return (y * math.log(y / a) if y > 0 else 0.0) - y + a
    if kind == LOG:
        return -y * _clipped_log(a, epsilon) if y != 0 else 0.0 * a
    of_one = y * _clipped_log(a, epsilon) if y != 0 else 0.0 * a
    return -of_one - ((1 - y) * _clipped_log(1 - a, epsilon) if y != 1 else 0.0)


@compiled
def sum_of_losses(objective, epsilon, values, differences, targets, weight, rows, outputs):
    """Return the sum of some rows' losses, float64, by their values and how far these are from the targets."""
    total = 0.0
    for row in range(rows):
        start, row_loss = row * outputs, 0.0
        if objective.class_numbers:
            row_loss = -_clipped_log(float(values[start + int(targets[row])]), epsilon)
        elif objective.loss == SQUARED:
            for i in range(start, start + outputs):
                row_loss += float(differences[i]) * float(differences[i])
        else:
            for i in range(start, start + outputs):
                value = float(values[i]) * objective.scale + objective.shift
                row_loss += _loss(objective.loss, value, float(targets[i]), epsilon)
        total += row_loss * weight[row]
    return total * objective.factor


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
        at: place of the first of them.
        rows: rows of the mini-batch.
        outputs: outputs per row.

    Returns:
        The sum of the rows' losses, float64; 0 if no loss was asked for.
    """
    f, one, count = type(z[0]), type(z[0])(1), rows * outputs
    end_values(objective.activation, z, z_at, ends, 0, rows, outputs)
    values, slopes = ends[:count], errors[at : at + count]
    scale, shift, slope = f(objective.scale), f(objective.shift), f(objective.slope * objective.share)
    for i in range(count):
        slopes[i] = values[i] * scale + shift
    if objective.class_numbers:
        for row in range(rows):
            slopes[row * outputs + int(targets[row])] -= one
    else:
        for i in range(count):
            slopes[i] -= targets[i]
    total = 0.0
    if objective.loss != NO_LOSS:
        total = sum_of_losses(objective, epsilon, values, slopes, targets, weight, rows, outputs)
    if objective.derivative == SIGN:
        for i in range(count):
            d = slopes[i]
            slopes[i] = f(d > 0) - f(d < 0) if d == d else d
    elif objective.derivative == CLIPPED:
        for i in range(count):
            slopes[i] = max(min(slopes[i], one), -one) if slopes[i] == slopes[i] else slopes[i]
    for row in range(rows):
        factor = slope * weight[row]
        for i in range(row * outputs, (row + 1) * outputs):
            slopes[i] *= factor
    if objective.through:
        for i in range(count):
            slopes[i] *= scale
        chain(objective.activation, slopes, z[z_at : z_at + count], values)
    return total
