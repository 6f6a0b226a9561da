"""exp, tanh and the logistic function in plain arithmetic, which the compiler turns into vector instructions.

A call of the C library's ``exp`` handles one number at a time. The constants are Cephes' (Moshier 1989); results are
within two units in the last place.
"""

from math import inf as INFINITY

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from torchann.engine.compiled.jit import compiled

# Not reordered: the subtraction in two parts is exact only as it is written.


@intrinsic
def _power_of_two_32(typing, exponent):
    """Return 2 ** exponent as float32: the exponent is put where the bits of a float have theirs."""

    def generate(context, builder, signature, arguments):
        biased = builder.add(arguments[0], ir.Constant(ir.IntType(32), 127))
        return builder.bitcast(builder.shl(biased, ir.Constant(ir.IntType(32), 23)), ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def _power_of_two_64(typing, exponent):
    """Return 2 ** exponent as float64."""

    def generate(context, builder, signature, arguments):
        wide = builder.sext(arguments[0], ir.IntType(64))
        biased = builder.add(wide, ir.Constant(ir.IntType(64), 1023))
        return builder.bitcast(builder.shl(biased, ir.Constant(ir.IntType(64), 52)), ir.DoubleType())

    return types.float64(types.int32), generate


def exp(x):
    """Return e to the power of x, in x's dtype; inside compiled functions alone."""
    raise NotImplementedError


def tanh(x):
    """Return the hyperbolic tangent of x, in x's dtype; inside compiled functions alone."""
    raise NotImplementedError


@compiled(reorder=False)
def _exp_32(x):
    f = types.float32
    low, high = f(-87.33655), f(88.72283)
    bounded = low if x < low else (high if x > high else x)  # NaN is neither and stays
    nearest = types.int32(bounded * f(1.44269504) + (f(0.5) if bounded > f(0) else f(-0.5)))
    nearest = types.int32(127) if nearest > 127 else nearest
    n = f(nearest)
    r = bounded - n * f(0.693359375) + n * f(2.12194440e-4)
    p = f(1.9875691500e-4)
    p = p * r + f(1.3981999507e-3)
    p = p * r + f(8.3334519073e-3)
    p = p * r + f(4.1665795894e-2)
    p = p * r + f(1.6666665459e-1)
    p = p * r + f(5.0000001201e-1)
    y = (p * r * r + r + f(1)) * _power_of_two_32(nearest)
    return f(0) if x < low else (f(INFINITY) if x > high else y)


@compiled(reorder=False)
def _exp_64(x):
    low, high = -708.39, 709.78
    bounded = low if x < low else (high if x > high else x)
    nearest = types.int32(bounded * 1.4426950408889634 + (0.5 if bounded > 0 else -0.5))
    nearest = types.int32(1023) if nearest > 1023 else nearest
    n = types.float64(nearest)
    r = bounded - n * 6.93145751953125e-1 - n * 1.42860682030941723212e-6
    rr = r * r
    p = r * ((1.26177193074810590878e-4 * rr + 3.02994407707441961300e-2) * rr + 9.99999999999999999910e-1)
    q = 3.00198505138664455042e-6 * rr + 2.52448340349684104192e-3
    q = (q * rr + 2.27265548208155028766e-1) * rr + 2.0
    y = (1.0 + 2.0 * (p / (q - p))) * _power_of_two_64(nearest)
    return 0.0 if x < low else (INFINITY if x > high else y)


@compiled(reorder=False)
def _tanh_32(x):
    f = types.float32
    size = abs(x)
    far = f(1) - f(2) / (_exp_32(size + size) + f(1))
    far = far if x > f(0) else -far
    s = x * x
    p = f(-5.70498872745e-3)
    p = p * s + f(2.06390887954e-2)
    p = p * s + f(-5.37397155531e-2)
    p = p * s + f(1.33314422036e-1)
    p = p * s + f(-3.33332819422e-1)
    near = p * s * x + x
    return far if size >= f(0.625) else near


@compiled(reorder=False)
def _tanh_64(x):
    size = abs(x)
    far = 1.0 - 2.0 / (_exp_64(size + size) + 1.0)
    far = far if x > 0 else -far
    s = x * x
    p = (-9.64399179425052238628e-1 * s + -9.92877231001918586564e1) * s + -1.61468768441708447952e3
    q = ((s + 1.12811678491632931402e2) * s + 2.23548839060100448583e3) * s + 4.84406305325125486048e3
    near = x + x * s * (p / q)
    return far if size >= 0.625 else near


@overload(exp, inline="always")
def _choose_exp(x):
    return (lambda x: _exp_32(x)) if x == types.float32 else (lambda x: _exp_64(x))


@overload(tanh, inline="always")
def _choose_tanh(x):
    return (lambda x: _tanh_32(x)) if x == types.float32 else (lambda x: _tanh_64(x))


@compiled(reorder=False)
def logistic(x):
    """Return 1 / (1 + exp(-x)), in x's dtype."""
    one = type(x)(1)
    return one / (one + exp(-x))
