"""An epoch of 100 housing nets by each peer, and of the Perceptron rule: ``python benchmarks/population.py PEER TASK``.

A population is 100 nets 8-30-1, each with its own weights, learning rate and order of rows. The rule takes five epochs
of a million rows of 20 numbers, one in seven of which it gets wrong.
"""

import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from nets import BATCH, compiled_learner, glorot, jax_epoch, torch_loss, torch_net
from worker import arrays, serve

NETS, ALONE, EPOCHS = 100, 3, 5
RATES = np.geomspace(1e-3, 1e-2, NETS)


def nothing(rows: int) -> None:
    """Predict nothing."""


def threads_peer() -> None:
    """The compiled steps, one net after the other in as many threads as there are cores."""
    from torchann.engine.together import run_together

    x, y, _, _ = arrays("housing")

    class Epoch:
        def __init__(self, number: int) -> None:
            self.learner, self.random = compiled_learner("housing", number), np.random.default_rng(number)
            self.rates = np.full(-(-len(x) // BATCH), RATES[number])

        def run(self) -> None:
            self.learner.steps(x, y, self.rates, BATCH, order=self.random.permutation(len(x)))

    nets = [Epoch(number) for number in range(NETS)]
    serve(lambda: list(run_together(nets)), nothing)


def one_by_one_peer() -> None:
    """A loop in PyTorch over three nets, one after the other; all hundred take as long each."""
    import torch

    torch.set_num_threads(1)  # faster here
    x, y, _, _ = map(torch.from_numpy, arrays("housing"))
    nets, loss_of = [torch_net("housing") for _ in range(ALONE)], torch_loss("housing")
    optimizers = [torch.optim.SGD(net.parameters(), lr=1e-3) for net in nets]

    def epoch() -> None:
        for net, sgd in zip(nets, optimizers, strict=True):
            for rows in torch.randperm(len(x)).split(BATCH):
                loss = loss_of(net(x.index_select(0, rows)), y.index_select(0, rows))
                sgd.zero_grad()
                loss.backward()
                sgd.step()

    serve(epoch, nothing)


def vmap_peer() -> None:
    """JAX: ``jit`` of ``vmap`` of the epoch that it takes of one net."""
    import jax
    from jax import numpy as jnp

    x, y, _, _ = map(jnp.asarray, arrays("housing"))
    epochs = jax.jit(jax.vmap(jax_epoch("housing", x, y)))
    stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *(glorot("housing", seed) for seed in range(NETS)))
    state = {"layers": stacked, "key": jax.random.key(0)}

    def epoch() -> None:
        state["key"], key = jax.random.split(state["key"])
        keys = jax.random.split(key, NETS)
        state["layers"] = jax.block_until_ready(epochs(state["layers"], keys, jnp.asarray(RATES, "f")))

    serve(epoch, nothing)


def tabm_peer() -> None:
    """TabM's training loop as its page shows it, for as many nets; they share rows, and all weights but scalings."""
    import tabm
    import torch

    x, y, _, _ = map(torch.from_numpy, arrays("housing"))
    sizes = {"n_num_features": 8, "cat_cardinalities": [], "d_out": 1}
    net = tabm.TabM.make(**sizes, k=NETS, n_blocks=1, d_block=30, dropout=0.0)
    sgd = torch.optim.SGD(net.parameters(), lr=1e-3)

    def epoch() -> None:
        for rows in torch.randperm(len(x)).split(BATCH):
            sgd.zero_grad()
            z = net(x[rows])  # (batch, nets, 1)
            torch.nn.functional.mse_loss(z.flatten(0, 1).squeeze(-1), y[rows].repeat_interleave(NETS)).backward()
            sgd.step()

    serve(epoch, nothing)


def hard_rows() -> tuple[Any, Any]:
    """Return rows and classes 0 and 1, of which the rule gets one in seven wrong."""
    random = np.random.default_rng(0)
    x, line = random.normal(size=(1_000_000, 20)), random.normal(size=20)
    return x, (x @ line + 1.6 * random.normal(size=len(x)) > 0).astype(np.int64)


def rule_peer() -> None:
    """The project's rule, from zero weights."""
    import torch

    from torchann.engine.perceptron import perceptron_rule_

    x, y = map(torch.from_numpy, hard_rows())
    signs = 2.0 * y - 1

    def epochs() -> None:
        weight, bias = torch.zeros(20, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
        for _ in range(EPOCHS):
            perceptron_rule_(weight, bias, x, signs)

    serve(epochs, nothing)


def task_peer() -> None:
    """``torchann.Perceptron`` through ``Trainer.fit``, all rows in a batch; accuracy, history and checkpoints on."""
    import torch

    import torchann

    x, y = map(torch.from_numpy, hard_rows())
    loader = torchann.TensorLoader(x, y, len(x))

    def epochs() -> None:
        trainer = torchann.Trainer(runs=tempfile.mkdtemp(), max_epochs=EPOCHS, quiet=True)
        trainer.fit(torchann.Perceptron(20, tol=None), loader)

    serve(epochs, nothing)


def sklearn_rule_peer() -> None:
    """scikit-learn's Perceptron, its rows in their order."""
    from sklearn.linear_model import Perceptron

    x, y = hard_rows()
    serve(lambda: Perceptron(max_iter=EPOCHS, tol=None, shuffle=False).fit(x, y), nothing)


PEERS: dict[str, dict[str, Callable[[], None]]] = {
    "population": {
        "torchann": threads_peer,
        "plain PyTorch, one by one": one_by_one_peer,
        "JAX, vmap": vmap_peer,
        "TabM, shared weights": tabm_peer,
    },
    "perceptron": {
        "torchann, the rule": rule_peer,
        "torchann, Trainer.fit": task_peer,
        "scikit-learn": sklearn_rule_peer,
    },
}

if __name__ == "__main__":
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # TensorBoard would import it where it is installed
    PEERS[sys.argv[2]][sys.argv[1]]()
