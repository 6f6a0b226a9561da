"""Sizes of memory as people write them."""

import pytest

from torchann.data.tables.memory_size import bytes_of, free_memory


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ("200MB", 2 * 10**8),
        ("1.5 GB", 15 * 10**8),
        ("1GiB", 2**30),
        (10**9, 10**9),
        ("300000000", 3 * 10**8),
        ("1 tb", 10**12),
    ],
)
def test_sizes_are_bytes(size, count):
    assert bytes_of(size) == count


@pytest.mark.parametrize("size", ["much", "5 apples", "-1GB", "1e9", True, "", "GB"])
def test_words_that_are_no_size_are_refused(size):
    with pytest.raises(ValueError, match=f"max_memory is {size!r}; give bytes, or a size such as 200MB or 1.5GB"):
        bytes_of(size)


def test_too_little_memory_is_refused():
    with pytest.raises(ValueError, match="max_memory is '149MB'; give 150MB or more"):
        bytes_of("149MB")


def test_free_memory_is_what_the_system_says_or_unknown(monkeypatch):
    free = free_memory()
    assert free is None or free > 10**7
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_AVPHYS_PAGES": 100, "SC_PAGE_SIZE": 4096}[name])
    assert free_memory() == 409_600
    monkeypatch.delattr("os.sysconf")
    assert free_memory() is None
