import gzip
import hashlib
import pickle
import tracemalloc

import numpy as np
import pytest

from tests.synthetic import idx_bytes
from torchann.data import DataFileError
from torchann.data.idx import read_idx

IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
CONTENT = idx_bytes(IMAGES)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PACKED = gzip.compress(CONTENT, mtime=0)


@pytest.fixture
def read(tmp_path):
    """Writes the bytes to a file and reads them as the array IMAGES."""

    def write_and_read(content: bytes, shape=IMAGES.shape, sha256=SHA256):
        path = tmp_path / "train-images-idx3-ubyte.gz"
        path.write_bytes(content)
        return read_idx(path, shape, sha256)

    return write_and_read


def test_idx_header_is_the_one_that_lecun_describes():
    # "magic number 0x00000803", then 4, 2, 3 as 32-bit integers, most significant byte first
    assert CONTENT[:16].hex() == "00000803" + "00000004" + "00000002" + "00000003"


@pytest.mark.parametrize("content", [PACKED, CONTENT], ids=["gzipped", "plain"])
def test_read_idx_returns_what_was_written(read, content):
    images = read(content)
    assert images.dtype == np.uint8
    assert images.flags.writeable
    np.testing.assert_array_equal(images, IMAGES)


def test_read_idx_does_not_depend_on_how_hard_the_file_is_compressed(read):
    np.testing.assert_array_equal(read(gzip.compress(CONTENT, compresslevel=0)), IMAGES)


DAMAGE = {
    "empty": (b"", r"starts with the bytes \(none: it is empty\); expected 00 00 08 03"),
    "a web page": (b"<!DOCTYPE html>", r"starts with the bytes 3c 21 44 4f; expected 00 00 08 03"),
    "float values": (b"\0\0\x0d\x03" + CONTENT[4:], r"starts with the bytes 00 00 0d 03; expected 00 00 08 03"),
    "labels": (idx_bytes(IMAGES.ravel()), r"starts with the bytes 00 00 08 01; expected 00 00 08 03"),
    "short header": (CONTENT[:10], "ends after 10 bytes; expected a header of 16 bytes"),
    "test images": (idx_bytes(IMAGES[:3]), r"holds an array of shape \(3, 2, 3\); expected shape \(4, 2, 3\)"),
    "short values": (CONTENT[:-5], r"holds only 19 bytes after its header; expected 24 for shape \(4, 2, 3\)"),
    "trailing byte": (CONTENT + b"\0", r"holds more than 24 bytes after its header; expected 24"),
    "other values": (idx_bytes(IMAGES + 1), f"holds other values .SHA-256.*; expected SHA-256 {SHA256}"),
    "truncated gzip": (PACKED[:-12], "is a damaged gzip file .Compressed file ended"),
    "header of gzip only": (PACKED[:5], "is a damaged gzip file .Compressed file ended"),
    "garbage in gzip": (PACKED[:10] + b"\xff" * 20, "is a damaged gzip file .Error -3"),
    "wrong checksum": (PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], "is a damaged gzip file .CRC check failed"),
    "garbage after gzip": (PACKED + b"more", "is a damaged gzip file .Not a gzipped file"),
    "two gzips in one": (PACKED + PACKED, "holds more than 24 bytes after its header"),
}


@pytest.mark.parametrize(("content", "message"), DAMAGE.values(), ids=DAMAGE.keys())
def test_read_idx_refuses_a_damaged_file_and_names_it(read, content, message):
    with pytest.raises(DataFileError, match=f"train-images-idx3-ubyte.gz {message}") as caught:
        read(content)
    assert "`torchann data fashion-mnist`" in str(caught.value)
    assert "apt-get install --reinstall dataset-fashion-mnist" in str(caught.value)


@pytest.mark.parametrize("length", range(0, len(PACKED), 7))
def test_read_idx_refuses_a_gzip_file_cut_anywhere(read, length):
    with pytest.raises(DataFileError, match="train-images-idx3-ubyte.gz"):
        read(PACKED[:length])


def test_read_idx_names_a_missing_file(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"absent\.gz does not exist; expected an IDX file of shape \(4, 2, 3\)"
    ):
        read_idx(tmp_path / "absent.gz", (4, 2, 3), SHA256)


def test_read_idx_does_not_unpack_a_gzip_bomb(read):
    bomb = gzip.compress(CONTENT + bytes(200_000_000), compresslevel=1)
    tracemalloc.start()
    with pytest.raises(DataFileError, match="holds more than 24 bytes after its header"):
        read(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000  # bytes; the file unpacks to 200 MB


def test_data_file_error_survives_the_way_between_processes():
    error = DataFileError("a.gz", "is empty", "an array", "delete it")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "a.gz is empty; expected an array; delete it"
