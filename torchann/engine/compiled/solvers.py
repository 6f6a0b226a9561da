"""How a gradient moves the parameters, in compiled loops: where it goes, how much of it stays there, then the move."""

import math
from typing import Any, NamedTuple

from torchann.engine.compiled.jit import compiled

KINDS = ("sgd", "momentum", "adam", "nadam", "rmsprop", "adagrad")
"""The solvers by name; ``"momentum"`` is gradient descent with a velocity."""
SGD, MOMENTUM, ADAM, NADAM, RMSPROP, ADAGRAD = range(len(KINDS))
MOMENTS = {
    "sgd": (False, False),
    "momentum": (True, False),
    "adam": (True, True),
    "nadam": (True, True),
    "rmsprop": (True, True),
    "adagrad": (False, True),
}
"""Whether a solver keeps a velocity or mean for each parameter, and whether a mean or sum of squares."""
TINY = 1e-30  # moments below it are 0: numbers near the smallest that there are make a processor slow


class Solver(NamedTuple):
    """What moves the parameters.

    Attributes:
        kind: place in :data:`KINDS`.
        momentum: share of the velocity that stays; Adam's first beta; RMSprop's momentum.
        beta: share of the mean square that stays.
        epsilon: added to the root of the mean square.
        nesterov: whether momentum looks ahead.
        rate_inside: whether the velocity has the learning rate in it (scikit-learn, Keras) or not (torch).
        epsilon_outside: whether ``epsilon`` is added without Adam's correction for its start (scikit-learn).
        decay: L2 penalty, or the decoupled one.
        decoupled: whether decay is taken from the parameters themselves (AdamW).
        per_row: whether a batch's loss is the weighted mean of its rows', and an L2 penalty divided by their weights
            (scikit-learn).
        decayed: number of parameters, from the first one, that decay.
        drift: NAdam's momentum decay; Adagrad's decay of the rate.
    """

    kind: int
    momentum: float
    beta: float
    epsilon: float
    nesterov: bool
    rate_inside: bool
    epsilon_outside: bool
    decay: float
    decoupled: bool
    per_row: bool
    decayed: int
    drift: float


def make_solver(kind: str, decayed: int, **options: float) -> Solver:
    """Return a solver by name.

    Args:
        kind: one of :data:`KINDS`.
        decayed: number of parameters, from the first one, that decay.
        options: see :class:`Solver`; what is not given is 0, and a share of the mean square 0.999.

    Example:
        >>> make_solver("momentum", decayed=10, momentum=0.9).momentum
        0.9
    """
    numbers = ("momentum", "beta", "epsilon", "decay", "drift")
    usual: dict[str, Any] = {field: 0.0 if field in numbers else False for field in Solver.__annotations__} | {
        "beta": 0.999
    }
    given = {name: float(value) if name in numbers else bool(value) for name, value in options.items()}
    return Solver(**usual | {"beta": 0.999} | given | {"kind": KINDS.index(kind), "decayed": decayed})


@compiled
def squares(w, end):
    """Return the sum of the squares of the first entries of an array."""
    total = 0.0
    for i in range(end):
        total += w[i] * w[i]
    return total


@compiled
def not_tiny(number, least):
    """Return a number, or 0 if it is nearer to it than ``least``; NaN stays."""
    return type(number)(0) if abs(number) < least else number


@compiled
def momentum_at(solver, t):
    """Return NAdam's momentum of a step, which grows."""
    return solver.momentum * (1 - 0.5 * 0.96 ** (t * solver.drift))


@compiled
def move(solver, rate, decay, t, product, w, g, m, v, first, last):
    """Move the parameters against the gradient: step 6 of the chapter's six.

    Args:
        solver: how.
        rate: learning rate of this step.
        decay: L2 penalty of this step, or the decoupled one.
        t: number of this step, from 1.
        product: of all of NAdam's momenta up to this step.
        w: parameters; what has one of plain gradient descent is moved in the product that makes the gradient.
        g: gradient.
        m: velocity, or mean of the gradients.
        v: mean (or sum) of the gradients' squares.
        first: first parameter to move.
        last: parameter behind the last.
    """
    border = min(last, max(first, solver.decayed))
    move_part(solver, rate, decay, t, product, w, g, m, v, first, border)
    move_part(solver, rate, 0.0, t, product, w, g, m, v, border, last)


@compiled
def move_part(solver, rate, decay, t, product, w, g, m, v, first, last):
    """Move parameters that all decay, or do not; the arguments are those of :func:`move`."""
    # Factors of the parameters' type, and moments that are stored at the end: else the compiler makes the loops slow.
    f = type(w[0])
    eta, mu, beta, tiny = f(rate), f(solver.momentum), f(solver.beta), f(TINY)
    l2, stays = (f(0), f(1 - rate * decay)) if solver.decoupled else (f(decay), f(1))
    w, g = w[first:last], g[first:last]  # loops from 0 on, which the compiler makes faster
    m, v = m[first:last] if len(m) else m, v[first:last] if len(v) else v
    if solver.kind == MOMENTUM:
        inside, outside = (eta, f(1)) if solver.rate_inside else (f(1), eta)
        ahead, behind = (mu, f(1)) if solver.nesterov else (f(1), f(0))
        for i in range(len(w)):
            slope = inside * (g[i] + l2 * w[i])
            m[i] = not_tiny(mu * m[i] + slope, tiny)
            w[i] = stays * w[i] - outside * (ahead * m[i] + behind * slope)
    elif solver.kind == ADAM or solver.kind == NADAM:
        start_2 = math.sqrt(1 - solver.beta**t)
        of_mean, of_gradient = f(rate / (1 - solver.momentum**t)), f(0)
        if solver.kind == NADAM:
            now, ahead = momentum_at(solver, t), momentum_at(solver, t + 1)
            of_mean = f(rate * ahead / (1 - product * ahead))
            of_gradient = f(rate * (1 - now) / (1 - product))
        correction = f(1 / start_2)
        epsilon = f(solver.epsilon / start_2 if solver.epsilon_outside else solver.epsilon)
        for i in range(len(w)):
            slope = g[i] + l2 * w[i]
            mean = not_tiny(m[i] + (f(1) - mu) * (slope - m[i]), tiny)
            square = not_tiny(beta * v[i] + (f(1) - beta) * slope * slope, tiny)
            w[i] = stays * w[i] - (of_mean * mean + of_gradient * slope) / (math.sqrt(square) * correction + epsilon)
            m[i], v[i] = mean, square
    elif solver.kind == RMSPROP:
        epsilon = f(solver.epsilon)
        for i in range(len(w)):
            slope = g[i] + l2 * w[i]
            square = not_tiny(beta * v[i] + (f(1) - beta) * slope * slope, tiny)
            mean = not_tiny(mu * m[i] + slope / (math.sqrt(square) + epsilon), tiny)
            w[i] = stays * w[i] - eta * mean
            m[i], v[i] = mean, square
    elif solver.kind == ADAGRAD:
        eta, epsilon = f(rate / (1 + (t - 1) * solver.drift)), f(solver.epsilon)
        for i in range(len(w)):
            slope = g[i] + l2 * w[i]
            square = v[i] + slope * slope
            w[i] = stays * w[i] - eta * slope / (math.sqrt(square) + epsilon)
            v[i] = square
