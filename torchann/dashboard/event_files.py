"""Which runs below a folder have something that TensorBoard can show."""

import os
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

SUB_RUNS = {"train", "validation", "test"}  # as the logger names them, whose module imports a framework
SHOWN = {"summary", "graph_def", "meta_graph_def", "tagged_run_metadata"}


class FoundRuns(NamedTuple):
    """The runs below a folder, each by the folder of the run, in order."""

    shown: list[Path]
    """Those with something to show."""
    bare: list[Path]
    """Those whose event files hold nothing but their head."""
    unread: list[OSError]
    """Why the event files of other runs cannot be read; each names its run."""


def find_runs(folder: Path) -> FoundRuns:
    """Looks for runs as TensorBoard does: in all folders below, and behind links.

    Of each run it reads no further than the first event that can be shown.

    Raises:
        PermissionError: if a folder below cannot be listed; TensorBoard then reads no run at all.
    """
    files = defaultdict(list)
    # From below: the figures of the sub-runs are read faster than the run's own pictures.
    for place, _, names in os.walk(folder, topdown=False, followlinks=True, onerror=_refuse):
        for name in names:
            if is_event_file(name):
                files[run_of(Path(place), folder)].append(Path(place, name))
    found = FoundRuns([], [], [])
    for run in sorted(files):
        try:
            (found.shown if any(map(_holds_something, files[run])) else found.bare).append(run)
        except OSError as error:
            found.unread.append(OSError(error.errno, error.strerror, str(run)))
    return found


def is_event_file(name: str) -> bool:
    """Whether TensorBoard takes a file of this name for an event file."""
    return "tfevents" in name


def _refuse(error: OSError) -> None:
    if isinstance(error, PermissionError):
        raise error


def run_of(place: Path, top: Path) -> Path:
    """The run that a folder with event files belongs to: the nearest numbered folder, but none above ``top``.

    Example:
        >>> run_of(Path("runs/housing_mlp/001/train"), Path("runs")).as_posix()
        'runs/housing_mlp/001'
        >>> run_of(Path("logs/mine/validation"), Path("logs")).as_posix()
        'logs/mine'
    """
    for folder in (place, *place.parents):
        if folder.name.isdigit():
            return folder
        if folder == top:
            break
    return place.parent if place.name in SUB_RUNS else place


def experiment_of(run: Path) -> str:
    """The name of the experiment: of the folder above a numbered run, else of the run's own."""
    return run.parent.name if run.name.isdigit() else run.name


def _holds_something(file: Path) -> bool:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.compat import tf

    try:
        return any(map(_can_be_shown, EventFileLoader(str(file)).Load()))
    except tf.errors.OpError:  # a link to nowhere, or a file that has just been deleted
        return False


def _can_be_shown(event: Any) -> bool:
    kind = event.WhichOneof("what")
    return kind in SHOWN and (kind != "summary" or len(event.summary.value) > 0)
