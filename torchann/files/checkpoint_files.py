"""Checkpoint files: written atomically, checksummed, and read without running any code that is in them."""

import errno
import hashlib
import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from torchann.engine.rows.sharding import rank_and_world
from torchann.files.atomic import write_atomically

MARK = b"torchann sha256 "
COMMENT_BYTES = len(MARK) + 64
HYPERPARAMETERS = ("hyper_parameters", "hparams", "module_arguments")  # the last two of old Lightning
TRICKS = ("_instantiator", "_class_path")


class CheckpointError(ValueError):
    """A checkpoint that is damaged, or that could run code when it is opened."""


def pack(checkpoint: dict[str, Any]) -> bytes:
    """Return the bytes of a checkpoint file: what ``torch.save`` writes, with its SHA-256 as comment of the archive.

    Example:
        >>> unpack(pack({"weights": torch.ones(2)}), Path("last.ckpt"))
        {'weights': tensor([1., 1.])}
    """
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    buffer.seek(-2, os.SEEK_END)  # the length of the comment, which torch leaves empty
    buffer.write(COMMENT_BYTES.to_bytes(2, "little"))
    content = buffer.getvalue()
    return content + _signed(content)


def _signed(content: bytes) -> bytes:
    return MARK + hashlib.sha256(content).hexdigest().encode()


def unpack(content: bytes, path: Path) -> dict[str, Any]:
    """Return the checkpoint in the bytes of a file; a foreign one, without a checksum, is opened as safely.

    Raises:
        CheckpointError: if it is damaged, no checkpoint, or holds anything but tensors and plain values.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            comment, entries = archive.comment, archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise CheckpointError(f"{path} is damaged, cut off or no checkpoint ({error}); {_WAY_ON}") from None
    has_comment = comment or content[-2:] != b"\0\0"  # its length, behind which all of it may be cut off
    if has_comment and content[-COMMENT_BYTES:] != _signed(content[:-COMMENT_BYTES]):  # torch's own have none
        raise CheckpointError(f"{path} is damaged: its content is not what was written (SHA-256); {_WAY_ON}")
    size = sum(entry.file_size for entry in entries)
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or size > len(content):  # torch compresses nothing
        raise CheckpointError(f"{path} would unpack to {size:,} bytes of {len(content):,}; {_WAY_ON}")
    try:
        checkpoint = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than tensors and plain values, and opening that would run code from it "
            f"({str(error).splitlines()[0]}); give a file that torchann wrote, or take the weights out of it where it "
            "came from: torch.save(model.state_dict(), ...)"
        ) from None
    except Exception as error:  # whatever torch's readers say of broken bytes
        raise CheckpointError(f"{path} is damaged ({type(error).__name__}: {error}); {_WAY_ON}") from None
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f"{path} holds a {type(checkpoint).__name__} and no checkpoint; {_WAY_ON}")
    return checkpoint


_WAY_ON = "give another one, such as best.ckpt or last.ckpt of its run"


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return the checkpoint in a ``.ckpt`` file, on the CPU.

    Raises:
        FileNotFoundError: if there is none.
        CheckpointError: see :func:`unpack`.
    """
    return unpack(_content(Path(path)), Path(path))


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, f"there is no checkpoint {path}; give best, last or a .ckpt file")
    return path.read_bytes()


def read_together(path: str | Path) -> dict[str, Any]:
    """Return a checkpoint in all processes that train together, with the errors of :func:`read_checkpoint` in each.

    The first process reads the file, which the others need not see.
    """
    rank, world = rank_and_world()
    if world == 1:
        return read_checkpoint(path)
    found: list[bytes | OSError | None] = [None]
    if rank == 0:
        try:
            found = [_content(Path(path))]
        except OSError as error:  # which the others are to raise, too
            found = [error]
    torch.distributed.broadcast_object_list(found, src=0)
    if isinstance(found[0], OSError):
        raise found[0]
    return unpack(found[0] or b"", Path(path))


class NamedContent(io.BytesIO):
    """The bytes of a file and its name, for errors."""

    name: str = "the file"


def content_of(path: Path) -> NamedContent:
    """Read a checkpoint file once, for :func:`unpack` and :func:`safe_content`."""
    content = NamedContent(_content(path))
    content.name = str(path)
    return content


def safe_content(checkpoint: Any, weights_only: bool | None) -> tuple[NamedContent, dict[str, Any]]:
    """The content of a checkpoint file that is known to hold tensors and plain values and to name no code.

    Lightning calls what ``_instantiator`` in the hyperparameters names, with what ``_class_path`` and its neighbours
    say (CVE-2026-58659); no file of this package has either. ``checkpoint`` is a path or an open binary
    file, and ``weights_only`` what the caller asked for; None and True are the same here. The checkpoint comes beside
    its bytes.

    Raises:
        ValueError: for ``weights_only=False``, and for a file that is none of the above.

    Example:
        >>> safe_content("best.ckpt", weights_only=False)
        Traceback (most recent call last):
            ...
        ValueError: weights_only=False would run code from best.ckpt; leave it out: files of torchann need no code
    """
    name = Path(getattr(checkpoint, "name", "the file") if hasattr(checkpoint, "read") else checkpoint)
    if weights_only is not None and not weights_only:
        raise ValueError(f"weights_only=False would run code from {name}; leave it out: files of torchann need no code")
    content = checkpoint.read() if hasattr(checkpoint, "read") else name.read_bytes()
    found = unpack(content, name)
    for key in HYPERPARAMETERS:
        values = found.get(key) or {}
        if not isinstance(values, dict):
            raise CheckpointError(f"{name} has a {type(values).__name__} as {key}; give a file that torchann wrote")
        for trick in TRICKS:
            if trick in values:
                raise CheckpointError(
                    f"{name} wants code to be called, {trick}={values[trick]!r:.80}, which no file of torchann does; "
                    "give another one, or take the weights out of it: torch.load(path, weights_only=True)['state_dict']"
                )
    safe = NamedContent(content)
    safe.name = str(name)
    return safe, found


class CheckpointFiles(TorchCheckpointIO):
    """How the Trainer writes and reads checkpoints."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes a file that is whole or not there; its folder is made if need be.

        Raises:
            OSError: if it cannot be written; the old file is untouched.
        """
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(Path(path), pack(checkpoint))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Opens a file, in all processes; one that needs more than ``weights_only=True`` is refused in any case.

        Raises:
            FileNotFoundError: if there is none.
            CheckpointError: see :func:`unpack`.
        """
        return read_together(path)
