"""Matrix products on parts of flat arrays, inside compiled functions.

A library's product copies its matrices into an order of its own before it multiplies, which pays for large ones; the
products of a mini-batch are over before that. Here a tile of the result, four rows by two of the processor's vectors,
stays in registers while the products that it sums up go by (Goto and van de Geijn 2008; without their copying).
"""

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from torchann.engine.compiled.jit import compiled

_given = numba.config.CPU_FEATURES  # by NUMBA_CPU_FEATURES, to compile for another processor than this one
_features = llvmlite.binding.get_host_cpu_features().flatten() if _given is None else _given
VECTOR_BYTES = 64 if "+avx512f" in _features else 32 if "+avx" in _features else 16
LANES = VECTOR_BYTES // 4
"""float32 numbers in a vector of this processor; of float64 half as many."""
TILE_ROWS, INNER, IN_CACHE = 4, 256, 16_384
"""Rows of a tile; products that it sums up in one go; bytes of the second matrix that are used again and again."""
_INT, _SMALL = ir.IntType(64), ir.IntType(32)


class _Vectors:
    """The vectors of a tile: how they are read, written and multiplied, all of them or the first so many numbers."""

    def __init__(self, builder, dtype, count, columns, masked):
        self.builder, self.count = builder, count
        self.number, self.size = (ir.FloatType(), 4) if dtype == types.float32 else (ir.DoubleType(), 8)
        self.lanes = VECTOR_BYTES // self.size
        self.type = ir.VectorType(self.number, self.lanes)
        self.zero = ir.Constant(self.type, [0.0] * self.lanes)
        self.masks = [self._mask(columns, n) for n in range(count)] if masked else []

    def _mask(self, columns, n):
        places = ir.Constant(ir.VectorType(_INT, self.lanes), [n * self.lanes + i for i in range(self.lanes)])
        return self.builder.icmp_signed("<", places, self.fill(columns, _INT))

    def fill(self, number, kind=None):
        kind = ir.VectorType(kind or self.number, self.lanes)
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(_SMALL, 0))
        everywhere = ir.Constant(ir.VectorType(_SMALL, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), everywhere)

    def _masked(self, name, result, *arguments):
        kinds = [argument.type for argument in arguments]
        name = f"llvm.masked.{name}.v{self.lanes}f{8 * self.size}.p0"
        function = cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, kinds), name)
        return self.builder.call(function, arguments)

    def _pointer(self, data, place, n):
        start = self.builder.add(place, ir.Constant(_INT, n * self.lanes))
        return self.builder.bitcast(self.builder.gep(data, [start]), self.type.as_pointer())

    def read(self, data, place, n):
        pointer = self._pointer(data, place, n)
        if self.masks:
            return self._masked("load", self.type, pointer, ir.Constant(_SMALL, self.size), self.masks[n], self.zero)
        vector = self.builder.load(pointer)
        vector.align = self.size
        return vector

    def write(self, vector, data, place, n):
        pointer = self._pointer(data, place, n)
        if self.masks:
            self._masked("store", ir.VoidType(), vector, pointer, ir.Constant(_SMALL, self.size), self.masks[n])
        else:
            self.builder.store(vector, pointer).align = self.size

    def add_product(self, x, y, z):
        product = self.builder.fmul(x, y, flags=["contract"])  # one instruction with the sum, where there is one
        return self.builder.fadd(product, z, flags=["contract"])


def _make_tile(vectors, masked):
    """Return the function of a tile that is so many vectors wide, or less and ``masked``."""

    @intrinsic
    def tile(typing, c, c_at, ldc, keep, alpha, a, a_at, a_row, a_step, b, b_at, ldb, rows, inner, columns):
        ints = (types.int64,) * 3
        signature = types.void(
            c, types.int64, types.int64, c.dtype, c.dtype, a, *ints, b, *ints, types.int64, types.int64
        )

        def generate(context, builder, signature, arguments):
            c, c_at, ldc, keep, alpha, a, a_at, a_row, a_step, b, b_at, ldb, rows, inner, columns = arguments
            v = _Vectors(builder, signature.args[0].dtype, vectors, columns, masked)
            c, a, b = (
                context.make_array(kind)(context, builder, array).data
                for kind, array in zip([signature.args[i] for i in (0, 5, 9)], (c, a, b), strict=True)
            )
            # A tile that is less high does its last row several times, which costs no branch.
            last = builder.sub(rows, ir.Constant(_INT, 1))
            numbers = [ir.Constant(_INT, i) for i in range(TILE_ROWS)]
            numbers = [builder.select(builder.icmp_signed("<", i, rows), i, last) for i in numbers]
            a_rows = [builder.add(a_at, builder.mul(i, a_row)) for i in numbers]
            c_rows = [builder.add(c_at, builder.mul(i, ldc)) for i in numbers]
            places = [(i, n) for i in range(TILE_ROWS) for n in range(vectors)]

            before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
            builder.branch(loop)
            builder.position_at_end(loop)
            step = builder.phi(_INT)
            sums = {place: builder.phi(v.type) for place in places}
            b_row = builder.add(b_at, builder.mul(step, ldb))
            b_vectors = [v.read(b, b_row, n) for n in range(vectors)]
            a_place = builder.mul(step, a_step)
            a_numbers = [v.fill(builder.load(builder.gep(a, [builder.add(row, a_place)]))) for row in a_rows]
            summed = {(i, n): v.add_product(a_numbers[i], b_vectors[n], sums[i, n]) for i, n in places}
            next_step = builder.add(step, ir.Constant(_INT, 1))
            for phi, start, later in [(step, ir.Constant(_INT, 0), next_step)] + [
                (sums[place], v.zero, summed[place]) for place in places
            ]:
                phi.add_incoming(start, before)
                phi.add_incoming(later, builder.block)
            builder.cbranch(builder.icmp_signed("<", next_step, inner), loop, after)

            builder.position_at_end(after)
            stays = builder.fcmp_unordered("!=", keep, ir.Constant(v.number, 0.0))  # what does not stay may be NaN
            alpha, keep = v.fill(alpha), v.fill(keep)
            olds = {(i, n): builder.fmul(keep, v.read(c, c_rows[i], n)) for i, n in places}
            for i, n in places:
                old = builder.select(stays, olds[i, n], v.zero)
                v.write(v.add_product(alpha, summed[i, n], old), c, c_rows[i], n)
            return context.get_dummy_value()

        return signature, generate

    return tile


_two, _one, _two_masked, _one_masked = (_make_tile(n, masked) for masked in (False, True) for n in (2, 1))


@compiled
def _add_outer_product(c, c_at, ldc, keep, alpha, a, a_at, a_row, b, b_at, rows, columns):
    row_of_b = b[b_at : b_at + columns]
    for row in range(rows):
        out, factor = c[c_at + row * ldc : c_at + row * ldc + columns], alpha * a[a_at + row * a_row]
        if keep == 0:  # what does not stay may be NaN
            for i in range(len(out)):
                out[i] = factor * row_of_b[i]
        else:
            for i in range(len(out)):
                out[i] = keep * out[i] + factor * row_of_b[i]


@compiled
def _add_vector_product(c, c_at, ldc, keep, alpha, a, a_at, a_row, a_step, b, b_at, rows, inner):
    vector = b[b_at : b_at + inner]
    if a_row == 1 and ldc == 1:  # the columns of a are what lies together
        out = c[c_at : c_at + rows]
        for i in range(rows):
            out[i] = keep * out[i] if keep != 0 else keep
        for step in range(inner):
            column, factor = a[a_at + step * a_step : a_at + step * a_step + rows], alpha * vector[step]
            for i in range(len(column)):
                out[i] += factor * column[i]
        return
    for row in range(rows):
        total, place = type(alpha)(0), a_at + row * a_row
        if a_step == 1:
            row_of_a = a[place : place + inner]
            for i in range(len(row_of_a)):
                total += row_of_a[i] * vector[i]
        else:
            for i in range(inner):
                total += a[place + i * a_step] * vector[i]
        old = c[c_at + row * ldc]
        c[c_at + row * ldc] = (keep * old if keep != 0 else keep) + alpha * total


@compiled
def add_product(c, c_at, ldc, keep, alpha, a, a_at, a_row, a_step, b, b_at, ldb, rows, inner, columns):
    """Set ``c = keep * c + alpha * a @ b``, matrices that begin at a place of a flat array.

    Args:
        c: array that has the result, ``(rows, columns)``.
        c_at: place of its first entry.
        ldc: entries from one of its rows to the next.
        keep: how much of what is there stays.
        alpha: factor of the product.
        a: array that has the first matrix, ``(rows, inner)``.
        a_at: place of its first entry.
        a_row: entries from one of its rows to the next.
        a_step: entries from one of its columns to the next; 1, unless it lies there transposed.
        b: array that has the second matrix, ``(inner, columns)``.
        b_at: place of its first entry.
        ldb: entries from one of its rows to the next.
        rows: rows of the result.
        inner: columns of the first matrix, rows of the second.
        columns: columns of the result.
    """
    one, lanes = type(keep)(1), VECTOR_BYTES // c.itemsize
    wide = 2 * lanes
    if inner == 1:  # mini-batches of one row: there is nothing to sum up
        _add_outer_product(c, c_at, ldc, keep, alpha, a, a_at, a_row, b, b_at, rows, columns)
        return
    if columns == 1 and ldb == 1:
        _add_vector_product(c, c_at, ldc, keep, alpha, a, a_at, a_row, a_step, b, b_at, rows, inner)
        return
    block = max(IN_CACHE // c.itemsize // max(min(inner, INNER), 1) // wide, 1) * wide
    for start in range(0, inner, INNER):
        steps, stays = min(INNER, inner - start), keep if start == 0 else one
        for left in range(0, columns, block):
            right = min(left + block, columns)
            for row in range(0, rows, TILE_ROWS):
                high, a_place = min(TILE_ROWS, rows - row), a_at + row * a_row + start * a_step
                for column in range(left, right, wide):
                    c_place, b_place, width = c_at + row * ldc + column, b_at + start * ldb + column, right - column
                    tile = (
                        c, c_place, ldc, stays, alpha, a, a_place, a_row, a_step, b, b_place, ldb, high, steps, width,
                    )  # fmt: skip
                    if width >= wide:
                        _two(*tile)
                    elif width > lanes:
                        _two_masked(*tile)
                    elif width == lanes:
                        _one(*tile)
                    else:
                        _one_masked(*tile)
