"""The job of torchrun that a process belongs to: its processes, and the run folder that it had before a restart."""

import os
import socket
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch.distributed import PrefixStore  # type: ignore[attr-defined]
from torch.distributed.rendezvous import rendezvous

MARK = ".job"
"""A file in the run folder of a job."""


def in_job() -> bool:
    """Return whether torchrun has started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def devices_of_job(given: dict[str, Any]) -> dict[str, Any]:
    """A Trainer's arguments with the processes that torchrun has started, where none are asked for.

    Args:
        given: arguments of Lightning's Trainer by name.

    Example:
        >>> devices_of_job({"devices": "auto"})
        {'devices': 'auto'}
    """
    world, here = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if not in_job() or world == 1 or given.get("devices", "auto") != "auto":
        return given
    nodes = {} if given.get("num_nodes", 1) != 1 else {"num_nodes": world // here}
    return {**given, "devices": here, **nodes}


def meet(device: torch.device, backend: str | None, timeout: timedelta | None) -> None:
    """Brings the processes of a restarted job together, where torch would find the addresses of those that died.

    torchrun's processes meet by a store that outlives a restart (pytorch issue 135712). On one machine the number of
    the restart keeps them apart; several machines count it differently, and need a store for each start.

    Args:
        device: of this process.
        backend: None for nccl on GPUs, else gloo.
        timeout: of each message, None for torch's own.
    """
    keeps_store = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if torch.distributed.is_initialized() or not keeps_store or os.environ.get("TORCHELASTIC_MAX_RESTARTS") == "0":
        return
    if os.environ["WORLD_SIZE"] != os.environ["LOCAL_WORLD_SIZE"]:
        if os.environ["RANK"] == "0":
            message = "torchrun's --max-restarts on several machines fails with one store for all starts; give torchrun"
            warnings.warn(f"{message} --rdzv-backend c10d and TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1", stacklevel=2)
        return
    store, rank, world = next(rendezvous("env://"))
    store = PrefixStore(f"restart {os.environ['TORCHELASTIC_RESTART_COUNT']}", store)
    backend = backend or ("nccl" if device.type == "cuda" else "gloo")
    torch.distributed.init_process_group(backend, store=store, rank=rank, world_size=world, timeout=timeout)


def mark(folder: Path, number: int) -> None:
    """Note in a run folder whose it is, if this is a job.

    ``number`` counts the runs that the process has begun; after a restart it comes by all of them again.
    """
    if in_job():
        (folder / MARK).write_text(_mark(number))


def folder_of_job(folders: list[Path], number: int) -> Path | None:
    """Return which of these run folders the job has marked with that number, None if there is none.

    Example:
        >>> folder_of_job([Path("runs/demo/001")], 1) is None
        True
    """
    marks = [folder / MARK for folder in folders] if in_job() else []
    return next((path.parent for path in marks if path.is_file() and path.read_text() == _mark(number)), None)


def _mark(number: int) -> str:
    # The torchrun that has started this process outlives its restarts; its id of the job may be anybody's.
    parent = os.getppid()
    status = Path(f"/proc/{parent}/stat")
    began = status.read_text().rpartition(")")[2].split()[19] if status.is_file() else ""
    host, rank = socket.gethostname(), os.environ["RANK"]
    return f"{os.environ['TORCHELASTIC_RUN_ID']} {host} {parent} {began} {rank} {number}\n"
