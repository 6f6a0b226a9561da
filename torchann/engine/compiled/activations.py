"""Activation functions and their derivatives in compiled loops (section 10.1.4).

The three that most nets have get loops of their own, which the compiler turns into vector instructions; a loop for each
of the others would cost every machine half a minute of compilation.
"""

import math

from torchann.engine.compiled.exponential import exp, logistic, tanh
from torchann.engine.compiled.jit import compiled

KINDS = (
    "identity", "relu", "tanh", "sigmoid", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "softplus",
    "softsign", "hardtanh", "hardsigmoid", "hardswish",
)  # fmt: skip
"""The activations by name; compiled functions go by the place in this list."""
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017
SIXTH = 0.1666666716337204  # the derivative of torch's hardsigmoid: the float32 nearest to 1/6
SOFTPLUS_LINEAR = 20  # from here on torch's softplus is the identity


@compiled
def softplus(z):
    """Return log(1 + exp(z))."""
    return z if z > SOFTPLUS_LINEAR else type(z)(math.log1p(exp(z)))


@compiled
def value(kind, z):
    """Return the activation of a weighted sum."""
    f = type(z)
    if kind == 4:
        return z if z > 0 else z * f(0.01)
    if kind == 5 or kind == 6 or kind == 7:
        half = tanh(z * f(0.5))  # exp(z) - 1 would lose the digits of a small z
        y = z if z > 0 else (half + half) / (f(1) - half)
        if kind == 7:
            y = f(SELU_SCALE) * (y if z > 0 else f(SELU_ALPHA) * y)
        return y
    if kind == 8:
        return z * f(0.5 * math.erfc(-z * 0.7071067811865476))
    if kind == 9:
        return z * logistic(z)
    if kind == 10:
        return z * tanh(softplus(z))
    if kind == 11:
        return softplus(z)
    if kind == 12:
        return z / (f(1) + abs(z))
    if kind == 13:
        return f(-1) if z < -1 else (f(1) if z > 1 else z)
    ramp = f(0) if z <= -3 else (f(1) if z >= 3 else (z + f(3)) / f(6))
    return ramp if kind == 14 else z * ramp


@compiled
def slope(kind, z, a):
    """Return the activation's derivative at a weighted sum ``z``, where its value is ``a``."""
    f = type(z)
    if kind == 4:
        return f(1) if a > 0 else f(0.01)
    if kind == 5 or kind == 6:
        return f(1) if a > 0 else a + f(1)
    if kind == 7:
        return f(SELU_SCALE) if a > 0 else a + f(SELU_SCALE * SELU_ALPHA)
    if kind == 8:
        return f(0.5 * math.erfc(-z * 0.7071067811865476)) + z * exp(-z * z * f(0.5)) * f(0.3989422804014327)
    if kind == 9:
        sigma = logistic(z)
        return sigma + a * (f(1) - sigma)
    if kind == 10:
        t = tanh(softplus(z))
        return t + z * (f(1) - t * t) * logistic(z)
    if kind == 11:
        return f(1) if z > SOFTPLUS_LINEAR else logistic(z)
    if kind == 12:
        return (f(1) - abs(a)) * (f(1) - abs(a))
    if kind == 13:
        return f(abs(a) < 1)
    if kind == 14:
        return f(SIXTH) if a > 0 and a < 1 else f(0)
    return f(0) if z <= -3 else (z / f(3) + f(0.5) if z < 3 else f(1))


@compiled
def activate(kind, z, a):
    """Put the activations of the weighted sums ``z`` into ``a``.

    Args:
        kind: place in :data:`KINDS`.
        z: weighted sums, a flat array.
        a: array for the activations, as long.
    """
    if kind == 0:
        for i in range(len(a)):
            a[i] = z[i]
    elif kind == 1:
        for i in range(len(a)):
            a[i] = type(z[i])(0) if z[i] <= 0 else z[i]  # NaN is not below 0 and stays
    elif kind == 2:
        for i in range(len(a)):
            a[i] = tanh(z[i])
    elif kind == 3:
        for i in range(len(a)):
            a[i] = logistic(z[i])
    else:
        for i in range(len(a)):
            a[i] = value(kind, z[i])


@compiled
def chain(kind, errors, z, a):
    """Multiply errors by the activation's derivative, as the chain rule has it.

    Args:
        kind: place in :data:`KINDS`.
        errors: the loss's derivatives by the activations, a flat array that is changed.
        z: weighted sums, as long.
        a: activations, as long.
    """
    if kind == 0:
        return
    if kind == 1:
        for i in range(len(a)):
            errors[i] *= type(a[0])(a[i] > 0)
    elif kind == 2:
        for i in range(len(a)):
            errors[i] *= type(a[0])(1) - a[i] * a[i]
    elif kind == 3:
        for i in range(len(a)):
            errors[i] *= a[i] * (type(a[0])(1) - a[i])
    else:
        for i in range(len(a)):
            errors[i] *= slope(kind, z[i], a[i])
