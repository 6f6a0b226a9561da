"""Which job of torchrun a process belongs to, and the run folder that the job began before it was restarted."""

import os
import socket
from pathlib import Path
from typing import Any

MARK = ".job"
"""A file in the run folder of a job."""


def job() -> str | None:
    """What tells a job of torchrun from others, the same after a restart; None for a process that it did not start.

    The id of the rendezvous, or where there is none, as with ``--master-addr``, where the first process listens.

    Example:
        >>> job() is None
        True
    """
    found = os.environ.get("TORCHELASTIC_RUN_ID")
    if found != "none":
        return found
    address = [os.environ.get(name, "") for name in ("MASTER_ADDR", "MASTER_PORT")]
    return " ".join([socket.gethostname(), *address])


def devices_of_job(given: dict[str, Any]) -> dict[str, Any]:
    """A Trainer's arguments with the processes that torchrun has started, where none are asked for.

    Args:
        given: arguments of Lightning's Trainer by name.

    Example:
        >>> devices_of_job({"devices": "auto"})
        {'devices': 'auto'}
    """
    world, here = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if job() is None or world == 1 or given.get("devices", "auto") != "auto":
        return given
    nodes = {} if given.get("num_nodes", 1) != 1 else {"num_nodes": world // here}
    return {**given, "devices": here, **nodes}


def restarted() -> bool:
    """Whether torchrun has started the processes of the job anew, after one of them has died.

    Example:
        >>> restarted()
        False
    """
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0


def mark(folder: Path, number: int) -> None:
    """Notes in a run folder whose it is, if this is a job.

    Args:
        folder: that was claimed by this process.
        number: of the runs that the job has begun, this is which; a restarted one comes by all of them again.
    """
    found = job()
    if found is not None:
        (folder / MARK).write_text(f"{found} {number}\n")


def folder_of_job(folders: list[Path], number: int) -> Path | None:
    """The latest of these run folders that the job has marked with that number; None if there is none.

    Args:
        folders: the latest at the end.
        number: as in :func:`mark`.

    Example:
        >>> folder_of_job([Path("runs/demo/001")], 1) is None
        True
    """
    wanted = f"{job()} {number}\n"
    for folder in reversed(folders):
        mark_of_job = folder / MARK
        if mark_of_job.is_file() and mark_of_job.read_text() == wanted:
            return folder
    return None
