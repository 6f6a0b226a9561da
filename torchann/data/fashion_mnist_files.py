"""Where the four files of Fashion-MNIST are: in a folder that is given, on the system, in the cache, or on the web."""

import os
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pooch

from torchann.data.download import download
from torchann.data.errors import DataNotFoundError
from torchann.data.idx import read_idx


class IdxFile(NamedTuple):
    """What a file must hold: its shape, and the SHA-256 of its decompressed content."""

    shape: tuple[int, ...]
    sha256: str


FILES = {
    "train-images-idx3-ubyte": IdxFile(
        (60_000, 28, 28), "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    "train-labels-idx1-ubyte": IdxFile((60_000,), "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    "t10k-images-idx3-ubyte": IdxFile(
        (10_000, 28, 28), "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    "t10k-labels-idx1-ubyte": IdxFile((10_000,), "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
}
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # of the Debian and Ubuntu package dataset-fashion-mnist
MIRRORS = [
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
]


def cache_folder() -> Path:
    """The folder in the user's cache into which the files are downloaded, ``~/.cache/torchann/…`` on Linux.

    Example:
        >>> cache_folder().name
        'fashion-mnist'
    """
    return Path(pooch.os_cache("torchann")) / "fashion-mnist"


def file_in(folder: Path, name: str) -> Path | None:
    """The file ``name`` of :data:`FILES` in ``folder``, gzipped (``.gz``) or not, or None.

    Example:
        >>> file_in(Path("/nowhere"), "t10k-labels-idx1-ubyte") is None
        True
    """
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)


def find_fashion_mnist(data_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """The first folder on this machine that has the four files; their content is verified when they are read.

    Looks into ``data_dir`` (it or its subfolder ``fashion-mnist``); else likewise into the folder named by the
    environment variable ``TORCHANN_DATA``; else into ``/usr/share/datasets/fashion-mnist``, then the user's cache.

    Args:
        data_dir: the folder to use and no other.

    Returns:
        The folder, or None if no folder was named and none of the usual ones has the files.

    Raises:
        DataNotFoundError: if a folder was named, by ``data_dir`` or ``TORCHANN_DATA``, and lacks a file.

    Example:
        >>> find_fashion_mnist()  # doctest: +SKIP
        PosixPath('/usr/share/datasets/fashion-mnist')
    """
    for source, named in (("data_dir", data_dir), ("TORCHANN_DATA", os.environ.get("TORCHANN_DATA") or None)):
        if named is not None:
            folder = Path(named).expanduser()
            for candidate in (folder, folder / "fashion-mnist"):
                if not _missing(candidate):
                    return candidate
            raise DataNotFoundError(
                f"the folder {folder}, named by {source}, {_state(folder)}; put the four files "
                f"there (or into its subfolder fashion-mnist), or leave {source} out.\n{_ways()}"
            )
    return next((folder for folder in (SYSTEM_FOLDER, cache_folder()) if not _missing(folder)), None)


def fetch_fashion_mnist(
    data_dir: str | os.PathLike[str] | None = None, *, download_missing: bool = True, progress: bool = True
) -> Path:
    """The folder with the four files, downloaded into the user's cache if they are nowhere on this machine.

    Args:
        data_dir: the folder to use and no other, see :func:`find_fashion_mnist`; nothing is downloaded into it.
        download_missing: download what cannot be found.
        progress: show a progress bar for each file that is downloaded.

    Returns:
        The folder.

    Raises:
        DataNotFoundError: if ``data_dir`` lacks the files, or they can neither be found nor downloaded.

    Example:
        >>> fetch_fashion_mnist()  # doctest: +SKIP
        PosixPath('/usr/share/datasets/fashion-mnist')
    """
    folder = find_fashion_mnist(data_dir)
    if folder is not None:
        return folder
    looked = "".join(f"\n  - {folder} {_state(folder)}" for folder in (SYSTEM_FOLDER, cache_folder()))
    if not download_missing:
        raise DataNotFoundError(
            f"Fashion-MNIST is not on this machine, and a download was not asked for:{looked}\n{_ways()}"
        )
    try:
        for name in _missing(cache_folder()):
            check = partial(read_idx, shape=FILES[name].shape, sha256=FILES[name].sha256)
            download(f"{name}.gz", MIRRORS, cache_folder(), check, progress=progress)
    except DataNotFoundError as error:
        raise DataNotFoundError(f"Fashion-MNIST is not on this machine:{looked}\n{error}\n{_ways()}") from None
    return cache_folder()


def _missing(folder: Path) -> list[str]:
    return [name for name in FILES if file_in(folder, name) is None]


def _state(folder: Path) -> str:
    if not folder.is_dir():
        return "does not exist"
    return "lacks " + ", ".join(f"{name}.gz" for name in _missing(folder))


def _ways() -> str:
    return (
        "Ways to get Fashion-MNIST:\n"
        "  - on Debian or Ubuntu, as root: apt-get install dataset-fashion-mnist\n"
        f"  - put {', '.join(f'{name}.gz' for name in FILES)} into a folder and name it: "
        "TORCHANN_DATA=FOLDER in the environment, or data_dir\n"
        "  - on a machine with network: `torchann data fashion-mnist`, or FashionMNISTDataModule().prepare_data(); "
        f"they download into {cache_folder()}"
    )
