"""Fuzzes the IDX reader: `pip install atheris`, then `python -m tests.fuzz.fuzz_idx -max_total_time=180`."""

import gzip
import hashlib
import io
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np

from torchann.data import DataFileError, idx

SHAPE = (2, 3)
HEADER = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])
FOLDER = tempfile.TemporaryDirectory()
FILE = Path(FOLDER.name) / "file"


def unpacked(file: bytes) -> bytes | None:
    """What a file holds, as Python's own gzip says; None if it is a damaged gzip file."""
    if not file.startswith(b"\x1f\x8b"):
        return file
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(file)).read()
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return None


def check(file: bytes) -> None:
    """The law: a file is read as the array that it holds, or refused with its name; nothing else ever happens."""
    FILE.write_bytes(file)
    content = unpacked(file)
    whole = content is not None and len(content) == len(HEADER) + 6 and content.startswith(HEADER)
    try:
        array, told = idx.read_idx(FILE, SHAPE, hashlib.sha256(content or b"").hexdigest()), ""
    except DataFileError as error:
        array, told = None, str(error)
    assert whole == (array is not None), told
    if whole:
        np.testing.assert_array_equal(array.ravel(), list(content[len(HEADER) :]))
    else:
        assert told.startswith(f"{FILE} ") and "; expected " in told


def fuzz(data: bytes) -> None:
    """Bytes as they come, behind a right header, and packed."""
    kind, rest = data[:1], data[1:]
    rest = HEADER + rest if kind >= b"\x80" else rest
    check(gzip.compress(rest, 1) if kind > b"\x40" and kind < b"\xc0" else rest)


if __name__ == "__main__":
    import atheris

    for function in (idx.read_idx, idx._read):
        setattr(idx, function.__name__, atheris.instrument_func(function))
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()
