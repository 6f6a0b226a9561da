"""What scikit-learn's ``fit`` leaves in an MLP, from a network that was trained in a population."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer
from torch import Tensor

from torchann.engine.old_fit import solver_of
from torchann.engine.population import Member
from torchann.engine.solvers import Solver
from torchann.estimators.mlp import MultilayerPerceptron


def take_over(network: Any, member: Member) -> None:
    """Gives an MLP the weights, the history and, if it is scikit-learn's, the optimiser of a network.

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
    if type(network).__module__.startswith("sklearn."):
        network._optimizer = _optimizer(network, member)


def _layers(weights: Sequence[Tensor]) -> tuple[list[Any], list[Any]]:
    both = [(layer[:, :-1].T.contiguous().numpy(), layer[:, -1].contiguous().numpy()) for layer in weights]
    return [coefs for coefs, _ in both], [intercepts for _, intercepts in both]


def _optimizer(network: Any, member: Member) -> Any:
    """The network's own, as it would be after as many steps, so that ``partial_fit`` goes on."""
    if isinstance(network, MultilayerPerceptron):
        return _solver(network, member)
    params = network.coefs_ + network.intercepts_
    moments = [coefs + intercepts for coefs, intercepts in map(_layers, member.moments)]
    if network.solver == "adam":
        adam = AdamOptimizer(params, network.learning_rate_init, network.beta_1, network.beta_2, network.epsilon)
        adam.t = member.n_iter * member.steps
        adam.ms, adam.vs = moments or (adam.ms, adam.vs)
        return adam
    options = (network.learning_rate_init, network.learning_rate, network.momentum, network.nesterovs_momentum)
    sgd = SGDOptimizer(params, *options, network.power_t)
    sgd.learning_rate = member.learning_rate
    if moments:
        sgd.velocities = moments[0]
    return sgd


def _solver(network: MultilayerPerceptron, member: Member) -> Solver:
    """That of our own estimators, whose moments are vectors."""
    solver = solver_of(network)
    state = solver.state() | {"learning_rate": member.learning_rate}
    names = ("mean", "square") if network.solver == "adam" else ("velocity",)
    for name, (coefs, intercepts) in zip(names, map(_layers, member.moments), strict=False):
        state[name] = torch.from_numpy(np.concatenate([part.ravel() for part in coefs + intercepts]))
    if network.solver == "adam":
        state["t"] = member.n_iter * member.steps
    solver.load_state(state)
    return solver
