"""TensorBoard's own server on the folder of the runs."""

import logging
import os
import warnings
from pathlib import Path


class NoRunsError(FileNotFoundError):
    """There is nothing for TensorBoard to show."""


def start_tensorboard(runs: str | Path, host: str = "localhost", port: int | None = None) -> str:
    """Starts TensorBoard's server in the background of this process.

    Args:
        runs: a run's folder or any folder above it.
        host: name or address to listen at.
        port: a port of one's own; by default 6006 or the next free one.

    Returns:
        The address to open in a browser.

    Raises:
        NoRunsError: if the folder is not there, or holds no event file.
        OSError: if the port is taken.
    """
    folder = Path(runs)
    if next(folder.rglob("events.out.tfevents.*"), None) is None:
        found = "there is no such folder" if not folder.is_dir() else "it holds no TensorBoard events"
        raise NoRunsError(
            f"nothing to show in {folder}: {found}; train something first, for example\n"
            "  torchann fit --config experiments/housing_mlp.yaml\n"
            "or name the folder of your runs: torchann tensorboard RUNS"
        )
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard import program

        server = program.TensorBoard()
        where = ["--host", host, *([] if port is None else ["--port", str(port)])]
        # Not its "fast" loader, which is a program of its own and announces itself as experimental.
        how = ["--logdir", str(folder), "--reload_interval", "5", "--load_fast", "false"]
        server.configure(argv=["tensorboard", *how, *where])
        try:
            return str(server.launch())
        except program.TensorBoardServerException as error:
            raise OSError(f"{error}; give another with --port") from None
