"""Matrix products inside compiled functions, by the BLAS that SciPy brings, on parts of flat arrays."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite.binding
import threadpoolctl
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from torchann.engine.compiled.jit import compiled

for _name in ("sgemm", "dgemm"):  # under names of our own: a cached function finds them again in another process
    llvmlite.binding.add_symbol(f"torchann_{_name}", get_cython_function_address("scipy.linalg.cython_blas", _name))
NO, YES = ord("N"), ord("T")


@intrinsic
def _gemm(typing, transa, transb, m, n, k, alpha, a, a_at, lda, b, b_at, ldb, beta, c, c_at, ldc):
    """Call Fortran's gemm, which wants each argument by its address."""
    dtype = a.dtype
    ints = (types.int64,) * 3
    signature = types.void(
        types.uint8, types.uint8, *ints, dtype, a, types.int64, types.int64, b, types.int64, types.int64, dtype, c,
        types.int64, types.int64,
    )  # fmt: skip

    def generate(context, builder, signature, arguments):
        number = ir.FloatType() if dtype == types.float32 else ir.DoubleType()
        byte, whole = ir.IntType(8), ir.IntType(32)
        kinds = [byte, byte, whole, whole, whole, number, number, whole, number, whole, number, number, whole]
        called = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [kind.as_pointer() for kind in kinds]),
            "torchann_sgemm" if dtype == types.float32 else "torchann_dgemm",
        )

        def place(value):
            return cgutils.alloca_once_value(builder, value)

        def size(value):
            return place(builder.trunc(value, whole))

        def part(kind, array, start):
            return builder.gep(context.make_array(kind)(context, builder, array).data, [start])

        ta, tb, m, n, k, alpha, a, a_at, lda, b, b_at, ldb, beta, c, c_at, ldc = arguments
        kind_a, kind_b, kind_c = signature.args[6], signature.args[9], signature.args[13]
        builder.call(
            called,
            [place(ta), place(tb), size(m), size(n), size(k), place(alpha), part(kind_a, a, a_at), size(lda),
             part(kind_b, b, b_at), size(ldb), place(beta), part(kind_c, c, c_at), size(ldc)],
        )  # fmt: skip
        return context.get_dummy_value()

    return signature, generate


@compiled
def add_product(c, c_at, ldc, keep, alpha, a, a_at, lda, a_turned, b, b_at, ldb, b_turned, rows, inner, columns):
    """Set ``c = keep * c + alpha * a @ b``, matrices in rows that start at a place of a flat array.

    Args:
        c: array that has the result, ``(rows, columns)``.
        c_at: place of its first entry.
        ldc: entries from one of its rows to the next.
        keep: how much of what is there stays.
        alpha: factor of the product.
        a: array that has the first matrix, ``(rows, inner)``.
        a_at: place of its first entry.
        lda: entries from one of its rows to the next.
        a_turned: whether it lies there transposed, as ``(inner, rows)``.
        b: array that has the second matrix, ``(inner, columns)``.
        b_at: place of its first entry.
        ldb: entries from one of its rows to the next.
        b_turned: whether it lies there transposed.
        rows: rows of the result.
        inner: columns of the first matrix, rows of the second.
        columns: columns of the result.
    """
    # Fortran sees each matrix transposed, and c.T is b.T @ a.T.
    tb, ta = YES if b_turned else NO, YES if a_turned else NO
    _gemm(tb, ta, columns, rows, inner, alpha, b, b_at, ldb, a, a_at, lda, keep, c, c_at, ldc)


_lock = threading.Lock()
_users = 0
_before: list[int] = []


@contextmanager
def one_thread() -> Iterator[int]:
    """Keep SciPy's BLAS to the calling thread: its own threads stall when another process wants a core.

    NumPy's products are not touched where it has a BLAS of its own, as in its wheels. Several threads may be in here.

    Yields:
        How many others are.
    """
    global _users, _before
    with _lock:
        if not _users:
            _before = [library.get_num_threads() for library in _libraries()]
            for library in _libraries():
                library.set_num_threads(1)
        others = _users
        _users += 1
    try:
        yield others
    finally:
        with _lock:
            _users -= 1
            if not _users:
                for library, number in zip(_libraries(), _before, strict=True):
                    library.set_num_threads(number)


def _libraries() -> list[Any]:
    global _found
    if _found is None:
        found = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
        _found = [library for library in found if "scipy" in library.filepath] or found
    return _found


_found: list[Any] | None = None
