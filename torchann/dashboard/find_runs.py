"""Which runs below a folder have something that TensorBoard can show, and which folder a wrong path stands for."""

import difflib
import os
from pathlib import Path

RUNS = Path("runs")
SUB_RUNS = {"train", "validation", "test"}  # as the logger names them, whose module imports a framework


def find_runs(folder: Path) -> dict[Path, bool]:
    """Find runs as TensorBoard does: in all folders below, and behind links.

    Of each run no more is read than the first event that can be shown.

    Returns:
        The runs' folders in order, and whether there is something to show of each.

    Raises:
        PermissionError: if a folder below cannot be listed.
    """
    found: dict[Path, bool] = {}
    # From below: the figures of the sub-runs are read faster than the run's own pictures.
    for place, _, names in os.walk(folder, topdown=False, followlinks=True, onerror=_refuse):
        for name in names:
            if "tfevents" in name:
                run = run_of(Path(place), folder)
                found[run] = found.get(run, False) or _holds_something(Path(place, name))
    return dict(sorted(found.items()))


def _refuse(error: OSError) -> None:
    if isinstance(error, PermissionError):
        raise PermissionError(
            f"cannot read the folder {error.filename}: {error.strerror}; TensorBoard shows nothing of a folder that "
            "holds one it cannot list: make it readable, or name another folder"
        )


def _holds_something(file: Path) -> bool:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.compat import tf

    try:
        return any(event.HasField("graph_def") or event.summary.value for event in EventFileLoader(str(file)).Load())
    except (OSError, tf.errors.OpError):  # one that may not be read, has just been deleted, or a link to nowhere
        return False


def run_of(place: Path, top: Path) -> Path:
    """Return the run of a folder with event files: the nearest numbered folder, but none above ``top``.

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


def did_you_mean(given: Path) -> Path | None:
    """Return the folder with runs nearest to a path that has none; ``runs`` where nothing is near.

    A file stands for its run, the name of an experiment or a run for its folder below ``runs``.

    Args:
        given: the path as it was typed; a relative one from the working directory.

    Returns:
        A folder that holds event files; None if there is none.
    """
    wanted = run_of(given.parent, Path()) if given.is_file() else given
    known = [RUNS, *(folder for run in find_runs(RUNS) for folder in (run.parent, run))]
    names = {folder.as_posix(): folder for folder in [*known, *wanted.parent.glob("*")]}
    names |= {folder.relative_to(RUNS).as_posix(): folder for folder in known if folder.is_relative_to(RUNS)}
    near = [names[name] for name in difflib.get_close_matches(wanted.as_posix(), names)]
    return next((folder for folder in [*near, RUNS] if find_runs(folder)), None)
