"""What an epoch costs as rows, width and depth grow: this project through its Trainer, and a plain PyTorch loop."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import torch
from tabulate import tabulate
from torch.nn.functional import mse_loss

import torchann
from torchann.engine.rows.loader import TensorLoader

FEATURES, BATCH = 20, 32
CASES = [  # what varies, rows, hidden layers
    *[("rows", 10**power, [64, 64]) for power in (3, 4, 5, 6)],
    *[("width", 10_000, [width, width]) for width in (8, 32, 128, 512)],
    *[("depth", 10_000, [64] * depth) for depth in (1, 2, 4, 8)],
]


def torchann_epochs(x: torch.Tensor, y: torch.Tensor, hidden: list[int], epochs: int) -> list[float]:
    """Seconds of each epoch of ``Trainer.fit``, history and checkpoints on."""
    trainer = torchann.Trainer(runs=tempfile.mkdtemp(), max_epochs=epochs, quiet=True)
    model = torchann.RegressionMLP(hidden, FEATURES, 1, lr=1e-3)
    trainer.fit(model, TensorLoader(x, y, BATCH, shuffle=True, steps_per_execution=None))
    return [row["seconds"] for row in trainer.history]


def plain_epochs(x: torch.Tensor, y: torch.Tensor, hidden: list[int], epochs: int) -> list[float]:
    """Seconds of each epoch of a loop with autograd."""
    net = torchann.MLP(FEATURES, hidden, 1)
    sgd, seconds = torch.optim.SGD(net.parameters(), lr=1e-3), []
    for _ in range(epochs):
        started = time.perf_counter()
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = mse_loss(net(x.index_select(0, rows))[:, 0], y.index_select(0, rows))
            sgd.zero_grad()
            loss.backward()
            sgd.step()
        seconds.append(time.perf_counter() - started)
    return seconds


def cost_table() -> str:
    """A row per case: microseconds per step of both, and their ratio."""
    rows = []
    for varies, count, hidden in CASES:
        generator = torch.Generator().manual_seed(0)
        x, y = torch.randn(count, FEATURES, generator=generator), torch.randn(count, generator=generator)
        epochs = 3 if count >= 10**6 else 5
        seconds: dict[Callable[..., list[float]], float] = {}
        for run in (torchann_epochs, plain_epochs):
            seconds[run] = statistics.median(run(x, y, hidden, epochs)[1:])
        steps, ours, plain = -(-count // BATCH), seconds[torchann_epochs], seconds[plain_epochs]
        rows.append([varies, f"{count:,}", str(hidden), f"{ours:.3f}", f"{plain:.3f}", f"{ours / plain:.2f}"])
        rows[-1].insert(5, f"{ours / steps * 1e6:.0f} / {plain / steps * 1e6:.0f}")
    headers = ["varies", "rows", "hidden layers", "torchann, s / epoch", "plain PyTorch", "µs / step", "ratio"]
    return tabulate(rows, headers, "github", disable_numparse=True)


if __name__ == "__main__":
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # TensorBoard would import it where it is installed
    print(cost_table())
