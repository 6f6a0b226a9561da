"""What a fitted MLP estimator says of rows: by NumPy, or by torch on a GPU."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted, validate_data

from torchann.engine.devices import device_for
from torchann.engine.inference import values_of
from torchann.estimators.learners import learner_of, sizes_of
from torchann.estimators.mlp_file import FLOATS

ROWS = {"accept_sparse": ["csr", "csc"]}


def outputs_of(model: Any, X: Any) -> Any:
    """Return values or probabilities of each output, ``(rows, outputs)``.

    Args:
        model: an MLP.
        X: ``(rows, features)``, an array, data frame or sparse matrix.

    Raises:
        NotFittedError: before ``fit``.
        ValueError: for NaN or infinity, or another number of features.
    """
    if not (hasattr(model, "coefs_") and _is_plain(X, model)):
        check_is_fitted(model)
        X = validate_data(model, X, reset=False, **ROWS)
    if model.device == "cpu" or (device := device_for(model.device, sizes_of(model), X.shape[0])) == "cpu":
        return values_of(model, X)
    from torchann.engine.compiled.solvers import make_solver

    X = X.toarray() if sparse.issparse(X) else X
    X = np.ascontiguousarray(X, model.coefs_[0].dtype)
    return learner_of(model, 1, make_solver("sgd", 0), device).outputs(X, values=True)


def _is_plain(X: Any, model: Any) -> bool:
    # Such rows pass all of scikit-learn's checks, which cost more than the products of a few rows.
    if type(X) is not np.ndarray or X.dtype not in FLOATS or X.ndim != 2 or hasattr(model, "feature_names_in_"):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return len(X) > 0 and X.shape[1] == model.n_features_in_ and bool(np.isfinite(X.sum()))
