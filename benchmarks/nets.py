"""The nets that the peers train, as each of their libraries wants them, from the same initial weights (Keras')."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

BATCH = 32
TASKS = {  # data, hidden layers, learning rate
    "fashion": ("fashion", [300, 100], 0.01),
    "housing": ("housing", [30], 1e-3),
    "housing-deep": ("housing", [30, 30], 1e-3),
}


def widths(task: str) -> list[int]:
    """Return the sizes of the layers, inputs first."""
    data, hidden, _ = TASKS[task]
    return [784, *hidden, 10] if data == "fashion" else [8, *hidden, 1]


def glorot(task: str, seed: int = 0) -> list[tuple[Any, Any]]:
    """Return initial weights ``(in_features, out_features)`` and biases of each layer."""
    random, layers = np.random.default_rng(seed), []
    for below, above in pairwise(widths(task)):
        limit = (6 / (below + above)) ** 0.5
        layers.append((random.uniform(-limit, limit, (below, above)).astype("f"), np.zeros(above, "f")))
    return layers


def torch_net(task: str) -> Any:
    """Return the net for the peers on torch."""
    from torch import from_numpy, nn

    layers: list[nn.Module] = []
    for weight, bias in glorot(task):
        layers += [nn.Linear(*weight.shape), nn.ReLU()]
        layers[-2].weight.data, layers[-2].bias.data = from_numpy(weight.T.copy()), from_numpy(bias)  # type: ignore[union-attr]
    return nn.Sequential(*layers[:-1])


def torch_loss(task: str) -> Callable[[Any, Any], Any]:
    """Return the loss of outputs and targets."""
    from torch.nn.functional import cross_entropy, mse_loss

    return cross_entropy if task == "fashion" else lambda outputs, y: mse_loss(outputs[:, 0], y)


def compiled_learner(task: str, seed: int = 0) -> Any:
    """Return the project's compiled learner of the net, for gradient descent."""
    from torchann.engine.compiled.learner import ACTIVATIONS, CompiledLearner
    from torchann.engine.compiled.net import lay_out
    from torchann.engine.compiled.objectives import make_objective
    from torchann.engine.compiled.solvers import make_solver

    parts, fashion = [part for layer in glorot(task, seed) for part in layer], task == "fashion"
    places, relu = np.cumsum([0, *(part.size for part in parts)]), ACTIVATIONS.index("relu")
    net, batch = lay_out(widths(task), places[:-1:2], places[1::2], relu, BATCH, np.float32, class_numbers=fashion)
    ends = ("softmax", "cross-entropy", 10) if fashion else ("identity", "mse", 1)
    objective = make_objective(*ends, class_numbers=fashion)
    vector = np.concatenate([part.reshape(-1) for part in parts])
    return CompiledLearner(vector, net, batch, objective, make_solver("sgd", 0))


def jax_epoch(task: str, x: Any, y: Any) -> Callable[..., Any]:
    """Return an epoch of parameters, key and rate, to be compiled: a scan over batches of one size, a rest left out."""
    import jax
    from jax import numpy as jnp

    steps = len(x) // BATCH

    def outputs(layers: Any, x: Any) -> Any:
        for weight, bias in layers[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        return x @ layers[-1][0] + layers[-1][1]

    def loss(layers: Any, x: Any, y: Any) -> Any:
        z = outputs(layers, x)
        if task == "fashion":
            return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean()
        return ((z[:, 0] - y) ** 2).mean()

    def epoch(layers: Any, key: Any, lr: Any) -> Any:
        def step(layers: Any, rows: Any) -> Any:
            slopes = jax.grad(loss)(layers, x[rows], y[rows])
            return jax.tree.map(lambda w, g: w - lr * g, layers, slopes), None

        order = jax.random.permutation(key, len(x))[: steps * BATCH].reshape(steps, BATCH)
        return jax.lax.scan(step, layers, order)[0]

    epoch.outputs = outputs  # type: ignore[attr-defined]
    return epoch
