"""What ``fit`` leaves in an MLP, from a network that was trained in a population."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from torchann.engine.population import Member


def take_over(network: Any, member: Member) -> None:
    """Gives an MLP the weights and the history of a network.

    Args:
        network: initialised for the same rows and arguments.
        member: trained; of a ``RandomStateOrder``.

    Raises:
        ValueError: if the weights are not finite, as ``fit`` would.
    """
    coefs, intercepts = _layers(member.fitted_weights)
    if not all(np.isfinite(part).all() for part in coefs + intercepts):
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
            "preprocessed."
        )
    network.coefs_, network.intercepts_ = coefs, intercepts
    network._best_coefs, network._best_intercepts = _layers(member.best_weights)
    network.n_iter_, network.t_ = member.n_iter, member.n_iter * member.num_rows
    network.loss_curve_ = member.loss_curve
    if member.loss_curve:
        network.loss_ = member.loss_curve[-1]
    if network.early_stopping:
        network.validation_scores_, network.best_validation_score_ = member.validation_scores, member.best_score
    else:
        network.best_loss_ = member.best_loss
    network._no_improvement_count = member.no_improvement
    network._random_state = member.order.random_state  # type: ignore[attr-defined]


def _layers(weights: Sequence[Tensor]) -> tuple[list[Any], list[Any]]:
    both = [(layer[:, :-1].T.contiguous().numpy(), layer[:, -1].contiguous().numpy()) for layer in weights]
    return [coefs for coefs, _ in both], [intercepts for _, intercepts in both]
