"""Transposition of matrices in flat arrays, inside compiled functions, a block at a time in registers."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from torchann.engine.compiled.jit import compiled

BLOCK = 8
"""Rows and columns of a block."""
INT, SMALL = ir.IntType(64), ir.IntType(32)


@intrinsic
def _turn_block(typing, source, at, ld, target, place, stride):
    """Write a square block of BLOCK rows as columns, by exchanging halves, quarters, eighths (Eklundh 1972)."""
    ints = types.int64, types.int64
    signature = types.void(source, *ints, target, *ints)

    def generate(context, builder, signature, arguments):
        source, at, ld, target, place, stride = arguments
        number = ir.FloatType() if signature.args[0].dtype == types.float32 else ir.DoubleType()
        kind, size = ir.VectorType(number, BLOCK), 4 if signature.args[0].dtype == types.float32 else 8
        data, out = (
            context.make_array(signature.args[i])(context, builder, array).data
            for i, array in ((0, source), (3, target))
        )

        def pointer(data, start, step, n):
            where = builder.add(start, builder.mul(step, ir.Constant(INT, n)))
            return builder.bitcast(builder.gep(data, [where]), kind.as_pointer())

        rows = [builder.load(pointer(data, at, ld, n), align=size) for n in range(BLOCK)]
        half = BLOCK // 2
        while half:
            for n in range(BLOCK):
                if not n & half:
                    first, second = rows[n], rows[n + half]
                    low = [i if not i & half else BLOCK + i - half for i in range(BLOCK)]
                    high = [i + half if not i & half else BLOCK + i for i in range(BLOCK)]
                    for row, lanes in ((n, low), (n + half, high)):
                        mask = ir.Constant(ir.VectorType(SMALL, BLOCK), lanes)
                        rows[row] = builder.shuffle_vector(first, second, mask)
            half //= 2
        for n, row in enumerate(rows):
            builder.store(row, pointer(out, place, stride, n), align=size)
        return context.get_dummy_value()

    return signature, generate


@compiled
def turn(source, at, ld, rows, columns, target, place, stride):
    """Write the rows of a matrix as columns.

    Args:
        source: array that has the matrix, ``(rows, columns)``.
        at: place of its first entry.
        ld: entries from one of its rows to the next.
        rows: of the matrix.
        columns: of the matrix.
        target: array for the columns, ``(columns, rows)``.
        place: place of the first.
        stride: entries from one to the next.
    """
    if rows < BLOCK or columns < BLOCK:
        for row in range(rows):
            for column in range(columns):
                target[place + column * stride + row] = source[at + row * ld + column]
        return
    for start in range(0, rows, BLOCK):
        row = min(start, rows - BLOCK)  # the last block overlaps the one before
        for left in range(0, columns, BLOCK):
            column = min(left, columns - BLOCK)
            _turn_block(source, at + row * ld + column, ld, target, place + column * stride + row, stride)
