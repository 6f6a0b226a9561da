"""A safetensors file with one JSON document, checksummed, and read with bounded memory before its tensors are."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from torchann.files.atomic import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

FORMAT_VERSION = 1
TABLES, PACKED = (".csv", ".tsv", ".parquet", ".npy", ".npz"), (".gz", ".bz2", ".xz", ".zst")
MAX_HEADER = 2**24  # bytes
MAX_PARTS = 30_000  # lists and objects in the header, 3 for each tensor
KEY = "torchann"
NO_DIGEST = "0" * 64
WAY_OUT = "give a file that torchann.save wrote"
Shapes = dict[str, tuple[str, tuple[int, ...]]]
"""By name, the dtype (as safetensors calls it) and the shape of each tensor."""


class ModelFileError(ValueError):
    """A file that is no model of this package, or damaged, or that would do harm."""


def wrong(what: str) -> ModelFileError:
    """Return the error for a file that holds something :func:`torchann.save` does not write."""
    return ModelFileError(f"{what}; {WAY_OUT}")


def pack(document: dict[str, Any], tensors: "dict[str, Tensor] | dict[str, NDArray[Any]]") -> bytes:
    """Return the bytes of a file; the same ones for the same content.

    Args:
        document: plain JSON values.
        tensors: tensors on the CPU, or arrays; contiguous, none in the memory of another.

    Raises:
        ModelFileError: if the document is too long.
    """
    fields = {"sha256": NO_DIGEST, "format_version": FORMAT_VERSION, **document}
    text = json.dumps(fields, allow_nan=False, separators=(",", ":"))
    content = _saved(tensors, {KEY: text})
    size = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + size]
    if size > MAX_HEADER or _parts(header) > MAX_PARTS:
        raise ModelFileError(
            f"all but the weights would take {size:,} bytes in {_parts(header):,} lists and objects; at most "
            f"{MAX_HEADER:,} in {MAX_PARTS:,} can be read again: shorten the history, or join tensors"
        )
    return content.replace(NO_DIGEST.encode(), hashlib.sha256(content).hexdigest().encode(), 1)


def write(path: Path, document: dict[str, Any], tensors: "dict[str, Tensor] | dict[str, NDArray[Any]]") -> None:
    """Put the file of :func:`pack` in its place, with the version of this package in its document."""
    write_atomically(path, pack({"torchann": version("torchann"), **document}, tensors))


def _saved(tensors: Any, metadata: dict[str, str]) -> bytes:
    if all(isinstance(part, np.ndarray) for part in tensors.values()):
        return safetensors.numpy.save(tensors, metadata)
    from safetensors.torch import save  # seconds

    return save(tensors, metadata)


def _parts(header: bytes) -> int:
    return header.count(b"{") + header.count(b"[")


class Opened(NamedTuple):
    """A file that was read once: what it says, the tensors that it has, and the bytes that both are from."""

    document: dict[str, Any]
    shapes: Shapes
    content: bytes

    def tensors(self) -> "dict[str, Tensor]":
        """Return the tensors of the file."""
        from safetensors.torch import load  # seconds

        return load(self.content)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the tensors as arrays that may be written to.

        Raises:
            LookupError: for a dtype that NumPy lacks.
        """
        return {name: part.copy() for name, part in safetensors.numpy.load(self.content).items()}


def read(path: Path) -> Opened:
    """Read a file and check it, its checksum too; beyond the header only bytes that the header has tensors for.

    Raises:
        FileNotFoundError: if there is none.
        ModelFileError: if it is not one that :func:`pack` made, or of a newer version.
    """
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, f"there is no file {path}; give a run folder, or a model file")
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ModelFileError(f"{path} is a folder or a device; give a file that torchann.save wrote")
    with path.open("rb") as file:
        start, length = file.read(8), os.fstat(file.fileno()).st_size
        size = int.from_bytes(start, "little")
        if len(start) < 8 or not 2 <= size <= min(MAX_HEADER, length - 8):
            raise ModelFileError(f"{path} {_foreign(path, start)}")
        header = file.read(size)
        if _parts(header) > MAX_PARTS:
            raise ModelFileError(f"{path} has {_parts(header):,} lists and objects in its header; {WAY_OUT}")
        try:
            text = _text(header, length - 8 - size)
            file.seek(0)
            content = file.read(length)
            # Checks that names, shapes and offsets fit each other.
            views = safetensors.deserialize(content)  # type: ignore[no-untyped-call]
        except (
            SafetensorError,
            ArithmeticError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
            RecursionError,
        ) as error:
            raise ModelFileError(f"{path} is damaged or no safetensors file ({error}); {WAY_OUT}") from None
    document = _document(path, text)
    digest = document.pop("sha256", None)
    if not isinstance(digest, str) or len(digest) != len(NO_DIGEST) or not digest.isascii():
        raise ModelFileError(f"{path} has no checksum; {WAY_OUT}")
    found = hashlib.sha256(start + header.replace(digest.encode(), NO_DIGEST.encode(), 1))
    found.update(memoryview(content)[8 + size :])
    if found.hexdigest() != digest or not content.startswith(start + header):
        raise ModelFileError(f"{path} is damaged: its content is not what was written (SHA-256); {WAY_OUT}")
    del document["format_version"]
    return Opened(document, {name: (view["dtype"], tuple(view["shape"])) for name, view in views}, content)


@contextmanager
def reading(path: Path) -> Iterator[Opened]:
    """Read a file by :func:`read` for a block of code, whose ModelFileErrors then begin with the path."""
    found = read(path)
    try:
        yield found
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from None


def _text(header: bytes, length: int) -> str | None:
    # The document of a header whose tensors take so many bytes: nothing may be read that no tensor is made of.
    parts = json.loads(header, object_pairs_hook=_unique, parse_constant=_no_number)
    about = parts.pop("__metadata__", {})
    if max((part["data_offsets"][1] for part in parts.values()), default=0) != length:
        raise ValueError(f"there are {length:,} bytes behind its header, which has tensors of another size")
    if not all(isinstance(text, str) for text in about.values()):
        raise ValueError("its metadata is no text")
    text: str | None = about.get(KEY)
    return text


def _document(path: Path, text: str | None) -> dict[str, Any]:
    if text is None:
        raise ModelFileError(
            f"{path} holds tensors and does not say of what model; make the model, load them with "
            "model.net.load_state_dict(safetensors.torch.load_file(path)), and torchann.save it"
        )
    try:
        document: Any = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} has a document that is no JSON ({error}); {WAY_OUT}") from None
    version = document.get("format_version") if isinstance(document, dict) else None
    if type(version) is not int or version < 1:
        raise ModelFileError(f"{path} has no format_version; {WAY_OUT}")
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} is of format {version}, by torchann {document.get('torchann')!r:.20}, and this torchann reads "
            f"formats up to {FORMAT_VERSION}; pip install --upgrade torchann"
        )
    return dict(document)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _foreign(path: Path, start: bytes) -> str:
    suffix, pickles = path.suffix.lower(), "may run code when it is opened, and is not"
    if start[:4] == b"PK\x03\x04" and suffix == ".ckpt":
        return (
            "is a checkpoint; load it by its class, such as RegressionMLP.load_from_checkpoint(path), and then "
            "torchann.save(model, path)"
        )
    if suffix == ".keras" or start == b"\x89HDF\r\n\x1a\n":
        return "is a file of Keras; open it there and copy its weights into a torchann model, layer by layer"
    if start[:4] == b"PK\x03\x04" or suffix in (".pt", ".pth", ".bin", ".ckpt"):
        return (
            f"{pickles}: where it comes from, torch.save(model.state_dict(), ...), then "
            "model.net.load_state_dict(torch.load(path, weights_only=True)) and torchann.save(model, path)"
        )
    if start[:1] == b"\x80" or suffix in (".pkl", ".pickle", ".joblib"):
        return f"{pickles}; write its model with torchann.save where it comes from"
    if suffix in TABLES or any(suffix == packed and path.stem.lower().endswith(TABLES) for packed in PACKED):
        return (
            "looks like a table and not like a model; give a run folder or a model file, or train on it: torchann fit"
        )
    return f"is cut off, damaged or no model file; {WAY_OUT}"
