"""Rows of any layout give a learner the same steps."""

import numpy as np
import pytest
from scipy import sparse

from torchann.engine import row_source
from torchann.engine.fit import Fit, LearningRate, StoppingRule
from torchann.engine.row_source import RowSource
from torchann.estimators import MLPRegressor
from torchann.estimators.learners import learner_of

X = np.random.default_rng(0).normal(size=(50, 6)) * (np.arange(50 * 6).reshape(50, 6) % 3 > 0)
Y = X[:, :2] ** 2
LAYOUTS = {
    "Fortran": np.asfortranarray,
    "sparse": sparse.csc_array,
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "big-endian": lambda x: x.astype(">f8"),
}


def learnt(model, x, weight):
    learner = learner_of(model, 8)
    rule, rate = StoppingRule(0.0, 10), LearningRate(0.01)
    order = np.random.default_rng(1).permutation(50)
    fit = Fit(learner, RowSource(x, Y, weight, np.float64), lambda: order, 8, rule, rate, 3, alpha=1e-4)
    return fit.run().loss_curve, learner.vector


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("weight", [None, np.linspace(0, 2, 50)], ids=["plain", "weighted"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_of_another_layout_are_learnt_block_by_block(layout, weight, monkeypatch):
    model = MLPRegressor(hidden_layer_sizes=(5,), max_iter=1, random_state=0).fit(X, Y)
    monkeypatch.setattr(row_source, "BLOCK_BYTES", 16 * 6 * 8)  # two batches
    for got, wanted in zip(learnt(model, LAYOUTS[layout](X), weight), learnt(model, X, weight), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)
