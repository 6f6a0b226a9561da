"""Compiles the engine for this machine, so that no first fit has to: ``python -m torchann.engine.compiled.warm``."""

import time

import numpy as np

from torchann.engine.compiled.jit import cache_folder
from torchann.engine.compiled.learner import CompiledLearner, Numbers
from torchann.engine.compiled.net import lay_out
from torchann.engine.compiled.objectives import make_objective
from torchann.engine.compiled.perceptron import learn_rows
from torchann.engine.compiled.solvers import make_solver


def warm(dtype: type) -> None:
    """Compile all that nets of a dtype need, or load it: by a step and an output of the smallest net.

    Args:
        dtype: ``numpy.float32`` or ``numpy.float64``.
    """
    vector: Numbers = np.zeros(2, dtype)
    row: Numbers = np.zeros((1, 1), dtype)
    net, batch = lay_out([1, 1], [0], [1], activation=0, rows=1, dtype=dtype)
    learner = CompiledLearner(vector, net, batch, make_objective("identity", "mse"), make_solver("sgd", 0))
    learner.steps(row, row, np.zeros(1), batch_size=1)
    learner.outputs(row)


def main() -> None:
    """Compile, float32 first, and say where it is kept."""
    started = time.perf_counter()
    for dtype in (np.float32, np.float64):
        warm(dtype)
    rows = np.zeros((1, 1))
    learn_rows(rows[0], rows[0].copy(), rows, rows[0], 1.0, rows[0].copy())
    print(f"engine compiled in {time.perf_counter() - started:.1f} s, kept in {cache_folder()}")


if __name__ == "__main__":
    main()
