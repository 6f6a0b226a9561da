"""What a run's event files tell already, so that a run that goes on tells nothing twice."""

from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import SessionLog
from torch.utils.tensorboard import SummaryWriter


def told_before(folder: Path, step: int) -> set[tuple[str, int]]:
    """Return the tag and the step of each point before a step that TensorBoard shows of a folder.

    Args:
        folder: of a sub-run, or one that is not there.
        step: that a run goes on with.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with SummaryWriter(str(folder)) as writer:
        ...     writer.add_scalar("loss", 0.5, 3)
        ...     writer.add_scalar("loss", 0.25, 4)
        >>> told_before(folder, 4)
        {('loss', 3)}
    """
    told: set[tuple[str, int]] = set()
    for path in sorted(folder.glob("events.*tfevents*")):
        for event in EventFileLoader(str(path)).Load():  # ends where a file is cut off
            if event.HasField("session_log") and event.session_log.status == SessionLog.START:
                told = {(tag, at) for tag, at in told if at < event.step}
            told |= {(value.tag, event.step) for value in event.summary.value}
    return {(tag, at) for tag, at in told if at < step and not tag.startswith("_hparams_")}


def write_once(writer: SummaryWriter, told: set[tuple[str, int]]) -> None:
    """Have a writer leave out points that were told before.

    Args:
        writer: that has written nothing yet.
        told: tag and step of those points.
    """
    files: Any = writer.file_writer
    write = files.add_summary

    def add_summary(summary: Any, global_step: int | None = None, walltime: float | None = None) -> None:
        if not told or not {(value.tag, int(global_step or 0)) for value in summary.value} <= told:
            write(summary, global_step, walltime)

    files.add_summary = add_summary
