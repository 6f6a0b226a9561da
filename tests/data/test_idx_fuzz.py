"""The IDX reader on files that nobody meant, by hypothesis; tests/fuzz/fuzz_idx.py goes on for as long as one likes."""

import gzip
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.fuzz_idx import FILE, HEADER, SHAPE, check
from torchann.data import DataFileError
from torchann.data.idx import read_idx

CONTENT = HEADER + bytes(range(6))
FILES = st.sampled_from([CONTENT, gzip.compress(CONTENT, mtime=0), gzip.compress(CONTENT, 0, mtime=0)])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64), st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08", HEADER[:4], HEADER]))
def test_any_bytes_are_read_or_refused(rest, start):
    check(start + rest)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64), st.sampled_from([b"", HEADER[:4], HEADER]))
def test_any_content_of_a_gzip_file_is_read_or_refused(rest, start):
    check(gzip.compress(start + rest, 1))


@settings(max_examples=300, deadline=None)
@given(FILES, st.data())
def test_file_with_changed_bytes_is_read_or_refused(file, data):
    file = bytearray(file)
    for place in data.draw(st.lists(st.integers(0, len(file) - 1), min_size=1, max_size=4)):
        file[place] = data.draw(st.integers(0, 255))
    check(bytes(file))


@settings(max_examples=200, deadline=None)
@given(FILES, st.data())
def test_file_with_a_piece_cut_out_or_put_in_is_read_or_refused(file, data):
    start = data.draw(st.integers(0, len(file)))
    stop = data.draw(st.integers(start, len(file)))
    check(file[:start] + data.draw(st.binary(max_size=8)) + file[stop:])


@pytest.mark.parametrize("shape", [(2**32 - 1, 2**32 - 1), (2**32 - 1, 3), (0, 3)])
def test_header_that_claims_any_size_costs_no_memory(shape):
    for pack in (bytes, gzip.compress):
        FILE.write_bytes(pack(HEADER[:4] + struct.pack(">2I", *shape) + bytes(1_000_000)))
        tracemalloc.start()
        with pytest.raises(DataFileError, match=rf"holds an array of shape \({shape[0]}, {shape[1]}\); expected shape"):
            read_idx(FILE, SHAPE, "")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 300_000  # bytes: some blocks of a file of a million
