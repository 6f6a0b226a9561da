"""Processes that train together on this machine, by gloo; started in a moment, as all that they import is there."""

import os
import socket
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

SECONDS = 120


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


def together(work: Callable[..., Any], world: int, folder: Path, *args: Any) -> list[Any]:
    """Calls a function of a module in several processes, each with its rank; returns what each returned."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.distributed.cases", "tests.resume.killed_run"])
    common = {"WORLD_SIZE": str(world), "NODE_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": str(free_port())}
    folder.mkdir(parents=True)
    environments = [{**common, "LOCAL_RANK": str(rank)} for rank in range(world)]
    processes = [
        context.Process(target=_one, args=(environment, work, folder, *args), daemon=True)
        for environment in environments
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(SECONDS)
    said = [(folder / f"said-{rank}.txt").read_text() for rank in range(world)]
    assert [process.exitcode for process in processes] == [0] * world, "\n".join(said)
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(world)]


def _one(environment: dict[str, str], work: Callable[..., Any], folder: Path, *args: Any) -> None:
    os.environ.update(environment)
    torch.set_num_threads(1)
    rank = environment["LOCAL_RANK"]
    said = os.open(folder / f"said-{rank}.txt", os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(said, stream)
    torch.save(work(folder, *args), folder / f"{rank}.pt")
