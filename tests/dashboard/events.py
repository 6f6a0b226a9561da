"""Reads what was written for TensorBoard, by TensorBoard's own reader."""

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def read(folder):
    """All events of a run's folder or of one of its sub-runs."""
    return EventAccumulator(
        str(folder), size_guidance={"scalars": 0, "histograms": 0, "images": 0, "tensors": 0}
    ).Reload()


def points(folder, tag):
    """The points of a scalar, ``(step, value)``."""
    return [(event.step, event.value) for event in read(folder).Scalars(tag)]


def epochs(folder, tag):
    """The steps at which a picture was written."""
    return [event.step for event in read(folder).Images(tag)]


def text(folder, tag):
    """The texts of a tag, by step."""
    found = {}
    for event in read(folder).Tensors(f"{tag}/text_summary"):
        found[event.step] = event.tensor_proto.string_val[0].decode()
    return found


def folders(run: Path):
    """The names of what lies in a run's folder, but for its event files."""
    return sorted(path.name for path in run.iterdir() if not path.name.startswith("events."))
