"""Which folder of runs was meant by a path that has none."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from torchann.dashboard.event_files import is_event_file, run_of

RUNS = Path("runs")


def meant(given: Path) -> Path | None:
    """The folder with runs that comes nearest to a path that is a file, is not there, or has none.

    A file stands for its run; the name of an experiment or a run for its folder below ``runs``; any other path for the
    nearest of these and of the folders beside it; and where none is near, for ``runs`` itself.

    Args:
        given: as it was typed; a relative one from the working directory.

    Returns:
        A folder that holds event files; None if there is none.
    """
    if given.is_file():
        near = next((folder for folder in list(given.parents)[:3] if _has_events(folder, deep=1)), None)
        return near and run_of(near, near)
    folders = {name: folder for name, folder in _candidates(given)}
    names = difflib.get_close_matches(given.as_posix(), folders, n=3)
    return next((folder for folder in [*(folders[name] for name in names), RUNS] if _has_events(folder)), None)


def _candidates(given: Path) -> Iterator[tuple[str, Path]]:
    for folder in _folders(given.parent):
        yield folder.as_posix(), folder
    for folder in [RUNS, *(experiment for experiment in _folders(RUNS))]:
        yield folder.as_posix(), folder
        for run in _folders(folder):
            yield run.as_posix(), run
            yield run.relative_to(RUNS).as_posix(), run


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError:
        return []


def _has_events(folder: Path, deep: int | None = None) -> bool:
    patterns = ["**/*"] if deep is None else ["*", "*/*"]
    return any(is_event_file(path.name) for pattern in patterns for path in folder.glob(pattern))
