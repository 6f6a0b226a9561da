"""Reads an IDX file (the format of MNIST and Fashion-MNIST) whole and verified, or not at all."""

import gzip
import hashlib
import math
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from torchann.data.errors import DataFileError

GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTE = 0x08  # the dtype code of IDX's third byte

REMEDY = (
    "delete it and run `torchann data fashion-mnist`, or, where the Debian or Ubuntu package brought it, "
    "run as root `apt-get install --reinstall dataset-fashion-mnist`"
)


def read_idx(path: str | os.PathLike[str], shape: tuple[int, ...], sha256: str) -> NDArray[np.uint8]:
    """The array of an IDX file, after its header, its length and its content have been verified.

    The format is LeCun's (http://yann.lecun.com/exdb/mnist): two zero bytes, the dtype's code, the number of
    dimensions, each dimension as a big-endian 32-bit number, then the values. Whether the file is gzipped is seen from
    its first bytes, not from its name. No more is decompressed than ``shape`` asks for, so a small file that would
    unpack to gigabytes costs no memory.

    Args:
        path: the file, gzipped or not.
        shape: the dimensions that the file must have, such as ``(60000, 28, 28)``.
        sha256: SHA-256 of the **decompressed** file, 64 hexadecimal digits (packagers recompress).

    Returns:
        A writable array of ``shape``, uint8.

    Raises:
        FileNotFoundError: if there is no such file.
        DataFileError: if the file is damaged, cut short, too long, of another format or shape, or another file.

    Example:
        >>> import hashlib, pathlib, tempfile
        >>> content = bytes([0, 0, 8, 1, 0, 0, 0, 3]) + bytes([9, 2, 1])
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels-idx1-ubyte"
        >>> _ = path.write_bytes(content)
        >>> read_idx(path, (3,), hashlib.sha256(content).hexdigest())
        array([9, 2, 1], dtype=uint8)
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw
            return _read(stream, path, shape, sha256)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist; expected an IDX file of shape {shape}; {REMEDY}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        _refuse(path, f"is a damaged gzip file ({error})", f"a whole one, holding an IDX array of shape {shape}")


def _read(stream: BinaryIO, path: Path, shape: tuple[int, ...], sha256: str) -> NDArray[np.uint8]:
    wanted = struct.pack(f">BBBB{len(shape)}I", 0, 0, UNSIGNED_BYTE, len(shape), *shape)
    header = stream.read(4)
    if header != wanted[:4]:
        found = f"starts with the bytes {header.hex(' ') or '(none: it is empty)'}"
        _refuse(path, found, f"{wanted[:4].hex(' ')} (IDX, uint8, {len(shape)} dimensions)")
    header += stream.read(4 * len(shape))
    if len(header) < len(wanted):
        _refuse(path, f"ends after {len(header)} bytes", f"a header of {len(wanted)} bytes")
    if header != wanted:
        held = struct.unpack(f">{len(shape)}I", header[4:])
        _refuse(path, f"holds an array of shape {held}", f"shape {shape}")
    num_values = math.prod(shape)
    values = stream.read(num_values + 1)
    if len(values) != num_values:
        found = f"more than {num_values}" if len(values) > num_values else f"only {len(values)}"
        _refuse(path, f"holds {found} bytes after its header", f"{num_values} for shape {shape}")
    content = hashlib.sha256(header)
    content.update(values)
    if content.hexdigest() != sha256:
        found = f"holds other values (SHA-256 of the decompressed content {content.hexdigest()})"
        _refuse(path, found, f"SHA-256 {sha256} (files of MNIST have the same names and sizes)")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape).copy()


def _refuse(path: Path, found: str, wanted: str) -> NoReturn:
    raise DataFileError(path, found, wanted, REMEDY)
