"""An MLP estimator's arguments and arrays as what takes steps: a learner with a solver."""

from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np

from torchann.engine.inference import activation_name


def sizes_of(model: Any) -> list[int]:
    """Return the sizes of a model's layers, inputs first."""
    return [*(len(part) for part in model.coefs_), model.n_outputs_]


def layers_of(vector: Any, sizes: list[int]) -> tuple[list[Any], list[Any]]:
    """Return the weights and biases of each layer as views of a vector of parameters.

    Args:
        vector: weights ``(in_features, out_features)`` of all layers, then their biases, ``(parameters,)``.
        sizes: of the layers, inputs first.

    Example:
        >>> weights, biases = layers_of(np.arange(3.0), [2, 1])
        >>> weights[0].tolist(), biases[0].tolist()
        ([[0.0], [1.0]], [2.0])
    """
    shapes: list[Any] = [*pairwise(sizes), *((size,) for size in sizes[1:])]
    ends = [0, *accumulate(prod(shape) for shape in shapes)]
    parts = [vector[a:b].reshape(shape) for (a, b), shape in zip(pairwise(ends), shapes, strict=True)]
    return parts[: len(sizes) - 1], parts[len(sizes) - 1 :]


def solver_of(model: Any, weights: int, parameters: int) -> Any:
    """Return the compiled engine's solver that a model's arguments name.

    Args:
        model: an MLP.
        weights: number of weights; they come first.
        parameters: number of all parameters.
    """
    from torchann.engine.compiled.solvers import make_solver  # Numba: only a fit needs it

    adam = {"momentum": model.beta_1, "beta": model.beta_2, "epsilon": model.epsilon}
    momentum = {"momentum": model.momentum, "nesterov": model.nesterovs_momentum, "rate_inside": True}
    kind, options = {
        "sgd": ("momentum" if model.momentum else "sgd", momentum),
        "adam": ("adam", adam | {"epsilon_outside": True}),
        "adamw": ("adam", adam | {"decoupled": True}),
        "nadam": ("nadam", adam | {"drift": 4e-3}),  # torch's defaults here and below
        "adagrad": ("adagrad", {"epsilon": model.epsilon}),
        "rmsprop": ("rmsprop", {"beta": 0.99, "epsilon": model.epsilon}),
    }[model.solver]
    decayed = parameters if model.solver == "adamw" else weights
    return make_solver(kind, decayed, per_row=True, decay=model.alpha, **options)


def learner_of(model: Any, rows: int, solver: Any = None, device: str = "cpu", dtype: Any = None, seed: int = 0) -> Any:
    """Return what takes the steps of a model's net: compiled, or torch's with normalisation and on a GPU.

    Args:
        model: an MLP whose ``coefs_``, ``intercepts_`` and ``norms_`` are set; the learner has a copy of them.
        rows: of a mini-batch, at most.
        solver: what moves the parameters; the one that the model's arguments name if not given.
        device: torch's name.
        dtype: of the parameters; that of the model's arrays if not given.
        seed: of the units that dropout switches off.
    """
    from torchann.engine.compiled.activations import KINDS
    from torchann.engine.compiled.learner import CompiledLearner
    from torchann.engine.compiled.net import lay_out
    from torchann.engine.compiled.objectives import sklearn_objective

    sizes, layers = sizes_of(model), [*model.coefs_, *model.intercepts_]
    scales = [norm[name] for name in ("weight", "bias") for norm in model.norms_]
    vector = np.concatenate([part.ravel() for part in (*layers, *scales)], dtype=dtype or layers[0].dtype)
    places = [0, *accumulate(part.size for part in layers)]
    solver = solver or solver_of(model, places[len(model.coefs_)], len(vector))
    activation = activation_name(model.activation)
    if model.norms_ or device != "cpu":
        from torchann.engine.torch_learner import TorchLearner  # seconds

        learner = TorchLearner(
            vector, sizes, activation, model.out_activation_, model.loss, solver,
            norm=model.norm if model.norms_ else None, dropout=model.dropout, seed=seed, device=device,
        )  # fmt: skip
        learner.load_running(model.norms_)
        return learner
    net, batch = lay_out(
        sizes, places[: len(sizes) - 1], places[len(sizes) - 1 : -1], KINDS.index(activation), rows, vector.dtype,
        dropout=model.dropout,
    )  # fmt: skip
    objective = sklearn_objective(model.out_activation_, model.loss, sizes[-1])
    return CompiledLearner(vector, net, batch, objective, solver, seed=seed)
