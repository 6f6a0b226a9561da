"""TensorBoard's own server on the folder of the runs."""

import contextlib
import io
import logging
import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from torchann.dashboard.find_runs import did_you_mean, find_runs

RELOAD_SECONDS = 5.0
"""How long a new figure takes at most until the server knows it."""

KEPT = {"images": 200, "text": 200, "pr_curves": 200, "histograms": 500, "scalars": 10_000}
"""How many steps of a tag TensorBoard keeps, a random choice if there are more; by itself 10, 10, 100, 500, 1,000."""

EVERYWHERE = {"0.0.0.0": "localhost", "::": "[::1]"}
"""Hosts that stand for all addresses of this machine, and the address to open instead."""


class NoRunsError(FileNotFoundError):
    """There is nothing for TensorBoard to show."""


class Served(NamedTuple):
    """A server that runs in the background of this process."""

    address: str
    """To open in a browser on this machine."""
    runs: list[Path]
    """The folders of the runs it shows, in order."""

    def __str__(self) -> str:
        """What is shown where.

        Example:
            >>> str(Served("http://localhost:6006/", [Path("runs/housing_mlp/001"), Path("runs/housing_mlp/002")]))
            '2 runs of housing_mlp'
        """
        names = dict.fromkeys(run.parent.name if run.name.isdigit() else run.name for run in self.runs)
        return f"{len(self.runs)} run{'s' * (len(self.runs) != 1)} of {_some(list(names))}"


def start_tensorboard(runs: str | Path, host: str = "localhost", port: int | None = None) -> Served:
    """Start TensorBoard's server in the background of this process.

    A run that begins later, or goes on, shows within 5 seconds; the page's reload button fetches it.

    Args:
        runs: a run's folder or any folder above it.
        host: name or address to listen at; ``0.0.0.0`` for all addresses of this machine.
        port: a port of one's own, 0 for any free one; by default 6006 or the next free one.

    Returns:
        The server's address and the runs it shows.

    Raises:
        NoRunsError: if the folder is not there, or holds no event file with something to show.
        OSError: if a folder cannot be read, the host is not this machine's, or the port is taken.
    """
    given = Path(os.path.expanduser(runs))
    folder = Path(os.path.abspath(given))  # a name with :// or a dash in front would mean something else
    shown = _runs_to_show(given, folder)
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard import program

        server = program.TensorBoard(plugins=_plugins())
        where = ["--host", host, *([] if port is None else ["--port", str(port)])]
        kept = ",".join(f"{plugin}={steps}" for plugin, steps in KEPT.items())
        how = ["--logdir", str(folder), "--reload_interval", str(RELOAD_SECONDS), "--samples_per_plugin", kept]
        # Not its "fast" loader, which is a program of its own and announces itself as experimental.
        server.configure(argv=["tensorboard", *how, "--load_fast", "false", *where])
        try:
            with contextlib.redirect_stderr(io.StringIO()) as printed:  # by werkzeug, before it exits
                address = str(server.launch())
        except (program.TensorBoardServerException, OSError, SystemExit) as error:
            message = printed.getvalue().partition("\n")[0] if isinstance(error, SystemExit) else error
            raise OSError(
                f"cannot listen at {host}, port {port or 6006}: {message}; name an address of this machine with "
                "--host, such as localhost, or another port with --port"
            ) from None
    in_address = f"[{host}]" if ":" in host else host
    return Served(address.replace(f"//{in_address}:", f"//{EVERYWHERE.get(host, in_address)}:"), shown)


def _runs_to_show(given: Path, folder: Path) -> list[Path]:
    found = find_runs(folder)
    if any(found.values()):
        return [run for run, shows in found.items() if shows]
    train = "train something first, for example\n  torchann fit --config experiments/housing_mlp.yaml"
    if found:
        names = _some([os.path.normpath(given / os.path.relpath(run, folder)) for run in found])
        raise NoRunsError(
            f"nothing to show in {given}: the event files of {names} hold nothing yet that can be read (the run "
            f"failed, or its first epoch is not over); wait for the epoch, or {train}"
        )
    what = "it is a file, not a folder" if folder.is_file() else "there is no such folder"
    what = "it holds no TensorBoard events" if folder.is_dir() else what
    near = did_you_mean(given)
    todo = f"{train}\nor name the folder of your runs: torchann tensorboard RUNS"
    raise NoRunsError(f"nothing to show in {given}: {what}; {todo if near is None else f'did you mean {near}?'}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _plugins() -> list[Any]:
    from tensorboard import default
    from tensorboard.plugins.projector.metadata import PROJECTOR_FILENAME
    from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin

    class Projector(ProjectorPlugin):  # type: ignore[misc]
        """The projector, offered from the first page on: TensorBoard's own first says no and looks afterwards."""

        def is_active(self) -> bool:
            return any(Path(self.logdir).rglob(PROJECTOR_FILENAME))

    return [Projector if plugin is ProjectorPlugin else plugin for plugin in default.get_plugins()]
