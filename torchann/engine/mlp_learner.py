"""Compiled steps for an MLP of torch, on a copy of its parameters."""

import numpy as np
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from torchann.engine.compiled.learner import ACTIVATIONS, CompiledLearner
from torchann.engine.compiled.net import lay_out
from torchann.engine.compiled.objectives import Objective
from torchann.engine.compiled.solvers import Solver
from torchann.nets.mlp import MLP


def parameters_of(net: MLP) -> list[Tensor]:
    """Return weights and then biases, each from the first layer to the last: the order of a learner's vector."""
    layers = net.linears()
    return [layer.weight for layer in layers] + [layer.bias for layer in layers]


def mlp_learner(net: MLP, objective: Objective, solver: Solver, batch_size: int) -> CompiledLearner:
    """Return a learner that starts from a net's parameters.

    Args:
        net: without dropout and normalisation, on the CPU.
        objective: what its outputs end in.
        solver: what moves the parameters.
        batch_size: rows of a mini-batch, at most.

    Example:
        >>> from torchann.engine.compiled.objectives import make_objective
        >>> from torchann.engine.compiled.solvers import make_solver
        >>> net = MLP(2, [], 1, weight_init="ones")
        >>> learner = mlp_learner(net, make_objective("identity", "mse"), make_solver("sgd", 0), batch_size=32)
        >>> learner.outputs(np.array([[3, 4]], dtype=np.float32))
        array([[7.]], dtype=float32)
    """
    parts, layers = parameters_of(net), net.linears()
    places, depth = np.cumsum([0, *(part.numel() for part in parts)]).tolist(), len(layers)
    widths = [layers[0].in_features, *(layer.out_features for layer in layers)]
    vector = parameters_to_vector(parts).detach().numpy()
    kind, weights, biases = ACTIVATIONS.index(net.activation), places[:depth], places[depth:-1]
    laid_out, batch = lay_out(widths, weights, biases, kind, batch_size, vector.dtype, turned=True)
    return CompiledLearner(vector, laid_out, batch, objective, solver)
