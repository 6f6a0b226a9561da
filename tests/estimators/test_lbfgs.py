"""The loss that L-BFGS minimises, against its finite differences."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import check_grad

from torchann.estimators import MLPClassifier, MLPRegressor
from torchann.estimators.lbfgs import LossOfRows

DRAWN = np.random.RandomState(0)
X = DRAWN.normal(size=(20, 4))
CLASSES = {2: X[:, 0] > 0, 3: np.digitize(X[:, 0], [-0.5, 0.5])}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("rows", [X, sparse.csr_matrix(X)], ids=["dense", "sparse"])
@pytest.mark.parametrize("weight", [None, np.arange(20.0)], ids=["plain", "weighted"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu", "gelu"])
@pytest.mark.parametrize("target", [2, 3, "squared_error", "poisson", "huber"])
def test_gradient_is_that_of_the_loss(target, activation, weight, rows):
    options = {"hidden_layer_sizes": (5, 3), "activation": activation, "solver": "lbfgs", "max_iter": 1, "alpha": 0.5}
    if target in CLASSES:
        model = MLPClassifier(random_state=1, **options).fit(X, CLASSES[target])
        y = model._binarizer.transform(CLASSES[target])
    else:
        y = np.abs(X[:, :1])
        model = MLPRegressor(target, random_state=1, **options).fit(X, y[:, 0])
    loss = LossOfRows(model, rows, y, weight)
    start = np.concatenate([part.ravel() for part in (*model.coefs_, *model.intercepts_)])
    value, gradient = loss(start)
    error = check_grad(lambda at: loss(at)[0], lambda at: loss(at)[1].copy(), start)
    assert np.isfinite(value) and error < 1e-5 * max(1, np.linalg.norm(gradient))
