"""The loss over all rows and its gradient, for what scikit-learn's own L-BFGS cannot compute."""

from typing import Any

import torch

from torchann.engine.epoch import RowSource
from torchann.engine.old_fit import flat_parameters_of
from torchann.nets.sklearn_objectives import objective_of


def loss_and_gradient(model: Any, X: Any, y: Any, weight: Any) -> tuple[float, Any]:
    """What L-BFGS wants to know of a model's present weights.

    Args:
        model: an MLP whose ``coefs_`` and ``intercepts_`` are set.
        X: inputs ``(rows, features)``, dense or sparse.
        y: targets ``(rows, outputs)``, classes as indicators.
        weight: how much each row counts, ``(rows,)``, or None.

    Returns:
        The mean loss, penalty included, and its derivative by each parameter, ``(parameters,)`` in float64.
    """
    flat = flat_parameters_of(model, torch.device("cpu"))
    end, passes = objective_of(model.out_activation_, model.loss), flat.passes
    weights = flat.vector[: flat.num_weights]
    loss = 0.5 * model.alpha * float(torch.dot(weights, weights))
    gradient = torch.zeros_like(flat.vector)
    gradient[: flat.num_weights] = model.alpha * weights
    rows = RowSource(X, y, weight, torch.device("cpu"), flat.vector.dtype)
    with torch.no_grad():
        for x, targets, part in rows.blocks():
            trace: Any = passes.forward(x)
            values = end.activation(trace.outputs)
            share = 1.0 if part is None else part.unsqueeze(1)
            loss += float((end.losses(values, targets) * share).sum())
            passes.fill(trace, end.error(values, targets) * share)
            gradient.add_(flat.gradient)
    total = float(rows.count if weight is None else weight.sum())
    return loss / total, (gradient / total).numpy()
