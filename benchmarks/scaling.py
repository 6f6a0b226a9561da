"""Two processes beside one, measured on this machine; and many machines, on paper.

Run it as `python benchmarks/scaling.py`; it takes some three minutes on two cores and prints two tables. Rows are
random numbers: speed does not depend on them. All processes are started once, and take their turns.
"""

import argparse
import os
import socket
import statistics
from collections.abc import Iterator
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection

import lightning.pytorch as pl
import torch

import torchann
from torchann.engine.rows.loader import TensorLoader
from torchann.tasks.threads import Threads

NETS = {"8-30-1": [8, 30, 1], "784-300-100-10": [784, 300, 100, 10], "784-2000-2000-10": [784, 2000, 2000, 10]}
MEASURED = [("8-30-1", 32, 400), ("784-300-100-10", 32, 200), ("784-300-100-10", 512, 40), ("784-300-100-10", 4096, 8)]
"""Net, rows per step of all processes together, steps per epoch."""
EPOCHS, ROUNDS = 4, 3
FLOPS = 100e9
FIXED = 60e-6
LATENCY = 50e-6
"""Assumed on paper: of one machine's products per second, seconds per step beside them and per message."""


class RandomRows(pl.LightningDataModule):
    """Rows of random numbers, with a value each to predict."""

    def __init__(self, width: int, rows: int, batch_size: int) -> None:
        super().__init__()
        draws = torch.Generator().manual_seed(0)
        self.x, self.y = torch.randn(rows, width, generator=draws), torch.randint(0, 10, (rows,), generator=draws)
        self.in_features, self.batch_size, self.seed, self.steps_per_execution = width, batch_size, 0, 1

    def train_dataloader(self) -> TensorLoader:
        """The rows, shuffled."""
        steps = self.steps_per_execution
        return TensorLoader(self.x, self.y, self.batch_size, shuffle=True, steps_per_execution=steps)


def seconds_per_step(name: str, batch_size: int, steps: int, world: int, threads: int) -> float:
    """The fastest epoch's, without its first; one of ``world`` processes calls it, and so do the others."""
    sizes = NETS[name]
    torch.set_num_threads(threads)
    data = RandomRows(sizes[0], batch_size * steps, batch_size // world)
    if sizes[-1] == 1:
        data.y = data.y.float()
        task: pl.LightningModule = torchann.RegressionMLP(sizes[1:-1], out_features=1)
    else:
        task = torchann.ClassificationMLP(sizes[1:-1], num_classes=10)
    several = {"strategy": "ddp", "devices": world} if world > 1 else {"devices": 1}
    trainer = torchann.Trainer(
        max_epochs=EPOCHS, logger=False, quiet=True, accelerator="cpu", callbacks=[Threads(threads)], **several
    )
    trainer.fit(task, datamodule=data)
    return min(trainer.history["seconds"][1:]) / steps


def work(environment: dict[str, str], orders: Connection) -> None:
    """What a process does: measures what it is told, until it is told nothing more."""
    os.environ.update(environment)
    while (order := orders.recv()) is not None:
        orders.send(seconds_per_step(*order))


def measured(rounds: int) -> Iterator[tuple[str, int, list[float]]]:
    """Net, rows per step, and milliseconds per step: one thread, two threads, two processes with a thread each."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    pair = {"WORLD_SIZE": "2", "NODE_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": port}
    environments = [{}, *({**pair, "LOCAL_RANK": str(rank)} for rank in (0, 1))]
    context, ends = get_context("spawn"), []
    for environment in environments:
        mine, theirs = context.Pipe()
        context.Process(target=work, args=(environment, theirs), daemon=True).start()
        ends.append(mine)
    alone, *together = ends
    for name, batch_size, steps in MEASURED:
        found: list[list[float]] = [[], [], []]
        for _ in range(rounds):
            for which, (who, how) in enumerate((([alone], (1, 1)), ([alone], (1, 2)), (together, (2, 1)))):
                for one in who:
                    one.send((name, batch_size, steps, *how))
                found[which].append(1000 * max(one.recv() for one in who))
        yield name, batch_size, [statistics.median(times) for times in found]
    for end in ends:
        end.send(None)


def flops_per_row(sizes: list[int]) -> int:
    """Forward, gradient of the weights, and gradient of the inputs but those of the first layer."""
    products = [a * b for a, b in pairwise(sizes)]
    return 6 * sum(products) - 2 * products[0]


def weights(sizes: list[int]) -> int:
    """Weights and biases."""
    return sum((a + 1) * b for a, b in pairwise(sizes))


def message_seconds(sizes: list[int], machines: int, gigabits: float) -> float:
    """Of a ring all-reduce of the gradients: each machine sends 2 (N - 1) / N of them, in 2 (N - 1) messages."""
    share = 2 * (machines - 1) / machines
    return share * 4 * weights(sizes) / (gigabits * 1e9 / 8) + 2 * (machines - 1) * LATENCY


def speed_up(sizes: list[int], batch_size: int, machines: int, gigabits: float) -> float:
    """How many times as fast as one machine, when nothing of the message is hidden behind the products."""
    one = FIXED + batch_size * flops_per_row(sizes) / FLOPS
    return one / (
        FIXED + batch_size / machines * flops_per_row(sizes) / FLOPS + message_seconds(sizes, machines, gigabits)
    )


def worth_it(sizes: list[int], machines: int, gigabits: float) -> float:
    """From how many rows per step on the machines together are faster than one."""
    saved = flops_per_row(sizes) / FLOPS * (1 - 1 / machines)
    return message_seconds(sizes, machines, gigabits) / saved


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of measurements; 0 for the table on paper alone")
    rounds = parser.parse_args().rounds
    if rounds:
        print("| net | rows per step | 1 process, 1 thread: ms per step | 1 process, 2 threads | 2 processes |")
        print("|---|---|---|---|---|")
        for name, batch_size, (one, threads, processes) in measured(rounds):
            told = f"{threads:.3f} ({one / threads:.2f} ×) | {processes:.3f} ({one / processes:.2f} ×)"
            print(f"| {name} | {batch_size:,} | {one:.3f} | {told} |", flush=True)
    print("\n| net | network | worth it with 2 from | rows per step | 2 machines | 8 machines | 64 machines |")
    print("|---|---|---|---|---|---|---|")
    for name, sizes in NETS.items():
        for gigabits in (1, 10, 100):
            from_rows = f"{worth_it(sizes, 2, gigabits):,.0f} rows"
            for batch_size in (512, 65536):
                faster = " | ".join(f"{speed_up(sizes, batch_size, count, gigabits):.2f} ×" for count in (2, 8, 64))
                print(f"| {name} | {gigabits} Gbit/s | {from_rows} | {batch_size:,} | {faster} |")


if __name__ == "__main__":
    main()
